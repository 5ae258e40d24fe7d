//! The cycle model against a simulator that ticks, on random programs, stalls and runs.

#[path = "support/ticks.rs"]
mod ticks;

use proptest::prelude::*;
use tandem_model::{CycleModel, Twin};
use tandem_spec::engine::{Engine, Predict, RunOptions, Stall, Status};
use tandem_spec::{Config, Counters, Instruction, Stream};
use ticks::Ticks;

fn instructions(stream: &Stream) -> Vec<Instruction> {
    let (list, end) = stream.instructions();
    assert_eq!(end, stream.words());
    list.into_iter().map(|i| i.1).collect()
}

/// Registers without those that never change.
fn counted(c: Counters) -> Counters {
    Counters { identity: 0, config_lo: 0, config_hi: 0, ..c }
}

/// What of these an accelerator returns.
fn generated(config: &Config, all: &[Counters]) -> Vec<Counters> {
    all.iter().map(|c| c.generated(config)).collect()
}

fn options(seed: u64, percent_in: u64, percent_out: u64) -> RunOptions {
    RunOptions {
        stall_in: Stall::random(seed, percent_in),
        stall_out: Stall::random(seed + 1, percent_out),
        ..RunOptions::default()
    }
}

fn reads(twin: &mut Twin, stream: &Stream, options: &RunOptions) -> (Status, Vec<Counters>) {
    let outcome = twin.run(stream, options).unwrap();
    (outcome.status, outcome.packets.iter().filter_map(|p| p.counters()).map(counted).collect())
}

/// The words `range` of a stream.
fn part(stream: &Stream, range: std::ops::Range<usize>) -> Stream {
    Stream {
        link_bytes: stream.link_bytes,
        bytes: stream.bytes[range.start * stream.link_bytes..range.end * stream.link_bytes].to_vec(),
        first: stream.first[range].to_vec(),
    }
}

fn case() -> impl Strategy<Value = (Config, Stream, u64)> {
    (any::<u64>(), any::<u64>(), 1usize..60).prop_map(|(c, p, size)| {
        let config = tandem_stimuli::random_config(c);
        let stream = tandem_stimuli::random_program(&config, p, size);
        (config, stream, p)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn registers_equal_those_of_ticking(
        (config, stream, seed) in case(), slow_in in 0u64..90, slow_out in 0u64..90, stalls in any::<bool>()
    ) {
        let program = instructions(&stream);
        let options = if stalls { options(seed, slow_in, slow_out) } else { RunOptions::default() };
        let mut ticks = Ticks::new(&config);
        ticks.run(&program, stream.words(), &options.stall_in, &options.stall_out);
        let (status, found) = reads(&mut Twin::new(&config), &stream, &options);
        prop_assert_eq!(status, Status::Idle);
        prop_assert_eq!(&found, &generated(&config, &ticks.reads));
        let model: Vec<_> = CycleModel.registers(&config, &program, &options).into_iter().map(counted).collect();
        prop_assert_eq!(&model, &ticks.reads);
        if !stalls {
            prop_assert_eq!(Some(&counted(CycleModel.predict(&config, &program))), ticks.reads.last());
        }
    }

    #[test]
    fn registers_go_on_over_runs(
        (config, stream, seed) in case(), cuts in prop::collection::vec(0.0..1.0f64, 1..5), stalls in any::<bool>()
    ) {
        let program = instructions(&stream);
        let mut at: Vec<usize> = cuts.iter().map(|c| (c * stream.words() as f64) as usize).collect();
        at.sort_unstable();
        at.push(stream.words());
        let (mut ticks, mut twin) = (Ticks::new(&config), Twin::new(&config));
        let (mut from, mut found) = (0, vec![]);
        for (i, to) in at.into_iter().enumerate() {
            let options = if stalls { options(seed + i as u64, 30, 40) } else { RunOptions::default() };
            let program = if i == 0 { &program[..] } else { &[] };
            ticks.run(program, to - from, &options.stall_in, &options.stall_out);
            found.extend(reads(&mut twin, &part(&stream, from..to), &options).1);
            from = to;
        }
        prop_assert_eq!(found, generated(&config, &ticks.reads));
    }
}

#[test]
fn random_programs_overlap_their_engines() {
    let mut busy = [0; 3];
    for seed in 0..200 {
        let config = tandem_stimuli::random_config(seed);
        let stream = tandem_stimuli::random_program(&config, seed, 80);
        let mut ticks = Ticks::new(&config);
        ticks.run(&instructions(&stream), stream.words(), &Stall::default(), &Stall::default());
        busy = std::array::from_fn(|i| busy[i] + ticks.busy[i]);
    }
    assert!(busy[1] * 5 > busy[0] && busy[2] * 80 > busy[0], "one, two, three engines busy: {busy:?}");
}
