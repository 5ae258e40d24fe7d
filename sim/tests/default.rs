//! The default accelerator: linked into the library, and the same when it comes from the cache.

mod fixture;
#[path = "fixture/program.rs"]
mod program;

use fixture::shared_cache;
use program::{default_config, program};
use tandem_sim::{Sim, SimOptions, Waveform};
use tandem_spec::packet::Kind;
use tandem_spec::registers::IDENTITY;
use tandem_spec::{Engine, RunOptions, Stall, Status};

#[test]
fn it_is_the_accelerator_of_the_configuration() {
    let config = default_config();
    let mut sim = Sim::new(&config, &SimOptions::default()).unwrap();
    let outcome = sim.run(&program(&config, 0), &RunOptions::default()).unwrap();
    assert_eq!((outcome.status, outcome.packets.len()), (Status::Idle, 1));
    let registers = outcome.packets[0].counters().expect("registers");
    assert_eq!(registers.identity, IDENTITY);
    let hash = u64::from(registers.config_hi) << 32 | u64::from(registers.config_lo);
    assert_eq!(hash, config.hash());
}

#[test]
fn one_eval_a_cycle_is_as_exact_as_two() {
    let config = default_config();
    let stream = program(&config, 2);
    // a model with an open waveform takes two
    let dir = tempfile::TempDir::new().unwrap();
    let file = dir.path().join("two.vcd");
    let options = SimOptions { waveform: Some(Waveform::Vcd), ..shared_cache() };
    let mut one = Sim::new(&config, &SimOptions::default()).unwrap();
    let mut two = Sim::new(&config, &options).unwrap();
    let stalls = [(Stall::default(), Stall::default()), (Stall::random(1, 30), Stall::random(2, 40))];
    for (stall_in, stall_out) in stalls {
        let plain = RunOptions { stall_in, stall_out, ..RunOptions::default() };
        let traced = RunOptions { trace: Some(file.clone()), ..plain.clone() };
        let outcome = one.run(&stream, &plain).unwrap();
        assert_eq!(outcome, two.run(&stream, &traced).unwrap());
        assert_eq!(one.cycles(), two.cycles());
        let kinds: Vec<Kind> = outcome.packets.iter().map(|p| p.kind).collect();
        let (result, registers) = (Kind::Result, Kind::Registers);
        assert!(kinds.contains(&result) && kinds.last() == Some(&registers), "{kinds:?}");
        assert!(outcome.packets[0].data.iter().any(|b| *b != 0), "the results are not all zero");
    }
    let text = std::fs::metadata(&file).unwrap().len();
    assert!(text > 0, "the waveform is there");
}
