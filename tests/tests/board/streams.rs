//! Streams and products on a board.

use crate::common::command::succeeds;
use crate::common::{Case, Random, config};
use crate::emulated::Board;
use tandem_driver::{Device, Format, Offload, ResultFormat, mismatches};
use tandem_link::{LinkOptions, SerialEngine, SerialPort};
use tandem_model::{CycleModel, Twin};
use tandem_sim::board::{EmulatorOptions, FaultRate};
use tandem_spec::link::BoardLink;
use tandem_spec::packet::Kind;
use tandem_spec::{Engine, Instruction, Packet, RunOptions, Status, Stream, Tokens};
use tandem_stimuli::random_program;

/// What does not depend on how fast the line is.
fn timeless(packets: &[Packet]) -> Vec<Packet> {
    let without = |p: &Packet| Packet {
        data: if p.kind == Kind::Registers { vec![] } else { p.data.clone() },
        ..p.clone()
    };
    packets.iter().map(without).collect()
}

/// Runs streams, whole and cut and damaged, on board and twin; after each, a RESET.
fn agree(accelerator: &str, seeds: std::ops::Range<u64>) {
    let config = config(accelerator);
    let board = Board::perfect(accelerator);
    let (mut serial, mut twin) = (board.engine(accelerator), Twin::new(&config));
    let mut reset = Stream::new(&config);
    reset.push(&Instruction::Reset);
    reset.push(&Instruction::Read(Tokens::default()));
    let mut met = std::collections::HashSet::new();
    for seed in seeds {
        let mut stream = random_program(&config, seed, 1 + (seed % 9) as usize);
        let words = stream.words();
        match seed % 4 {
            0 => {
                let keep = seed as usize * 7919 % words;
                stream.first.truncate(keep);
                stream.bytes.truncate(keep * stream.link_bytes);
            }
            1 => {
                let at = seed as usize * 6007 % stream.bytes.len();
                stream.bytes[at] ^= 1 << (seed % 8);
            }
            _ => {}
        }
        for stream in [&stream, &reset] {
            let s = serial.run(stream, &RunOptions::default()).unwrap();
            let m =
                twin.run(stream, &RunOptions { max_cycles: 10_000_000, ..RunOptions::default() }).unwrap();
            assert_eq!(s.status, m.status, "{accelerator}, seed {seed}");
            assert_eq!(timeless(&s.packets), timeless(&m.packets), "{accelerator}, seed {seed}");
            met.insert(std::mem::discriminant(&s.status));
        }
        assert_eq!(serial.run(&Stream::new(&config), &RunOptions::default()).unwrap().status, Status::Idle);
    }
    assert!(met.len() >= 3, "idle, starved and failed occur");
}

#[test]
fn any_stream_ends_as_on_the_twin() {
    agree("minimal", 0..24);
}

#[test]
fn words_of_several_lanes() {
    agree("select", 0..12);
}

#[test]
fn every_window_and_rate() {
    for (slots, baud, max_baud) in [(2, 115_200, 3_000_000), (4, 57_600, 115_200), (16, 230_400, 1_000_000)] {
        let link = BoardLink { slots, baud, ..BoardLink::new(12_000_000) };
        let faults = FaultRate { count: 1, among: 700, seed: slots as u64 };
        let board = Board::new("minimal", EmulatorOptions { link, faults, ..EmulatorOptions::default() });
        let options = LinkOptions { initial_baud: baud, max_baud, ..LinkOptions::default() };
        let port = Box::new(SerialPort::new(&board.port));
        let engine = SerialEngine::open(port, &config("minimal"), options).unwrap();
        let carried = engine.carried();
        let mut device = Offload::new(engine, CycleModel);
        let formats = [Format::unsigned(6), Format::signed(8)];
        for seed in 0..2 {
            let case = Case::new(&mut Random(seed), (9, 20, 5), formats, ResultFormat::Full);
            let result = device.run(case.request().into()).unwrap().into_gemm();
            assert_eq!(mismatches(&case.request(), &result.y), 0);
        }
        // a fault may cost a rate that would have worked, never give a faster one
        let rate = carried.lock().unwrap().baud;
        assert!((baud..=max_baud.max(baud)).contains(&rate), "{rate}");
    }
}

#[test]
fn selftest_and_probe_of_a_good_board() {
    let board = Board::perfect("minimal");
    let probed = succeeds(&["board", "probe", &board.port]);
    assert_eq!((&probed["accelerator"], &probed["baud"]), (&"minimal".into(), &3_000_000.into()), "{probed}");
    assert_eq!(probed["clocks_per_bit"], 4.0);
    let tested = succeeds(&["board", "selftest", &board.port, "--products", "4"]);
    assert_eq!((&tested["mismatches"], &tested["products"]), (&0.into(), &4.into()), "{tested}");
    assert!(tested["link"]["bytes_per_s"].as_f64().unwrap() > 0.0);
}
