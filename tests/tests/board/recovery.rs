//! Damaged bytes, noise, lines that stick, pulled cables: the same weights, or an end within the bound.

use crate::common::command::Scratch;
use crate::common::config;
use crate::emulated::Board;
use crate::training::{digest, expected, trained};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tandem_driver::Offload;
use tandem_link::{LinkOptions, Port, SerialEngine, SerialPort};
use tandem_model::CycleModel;
use tandem_sim::board::pty::Pty;
use tandem_sim::board::{EmulatorOptions, FaultRate, Level, Noise, Stick};
use tandem_spec::{Engine, Instruction, RunOptions, Stream};

/// Of training over a line that is disturbed all the time.
const STEPS: usize = 4;

#[test]
fn steps_through_a_line_with_one_fault_in_2000_bytes_give_the_same_weights() {
    let faults = FaultRate { count: 1, among: 2000, seed: 11 };
    let board = Board::new("minimal", EmulatorOptions { faults, ..EmulatorOptions::default() });
    let (digest, carried) = trained(&board, STEPS);
    assert_eq!(digest, expected(STEPS));
    let totals = board.end();
    assert!(totals.faults > 50, "{totals:?}");
    assert!(carried.frames_resent > 0 && carried.frames_requested > 0, "{carried:?}");
    assert!(carried.damaged > 0 && carried.damaged_at_board > 0, "{carried:?}");
    assert_eq!((carried.reconnects, carried.replays, totals.lost), (0, 0, 0), "{carried:?} {totals:?}");
}

#[test]
fn training_goes_on_by_itself_after_the_cable_was_pulled() {
    let s = Scratch::new();
    for (name, unplug_after) in [("early", 2_000), ("late", 40_000)] {
        let options = EmulatorOptions {
            port_link: Some(s.path(name).into()),
            unplug_after: Some(unplug_after),
            ..EmulatorOptions::default()
        };
        let board = Board::new("minimal", options);
        let (digest, carried) = trained(&board, 2);
        assert_eq!(digest, expected(2), "{name}");
        assert_eq!((carried.reconnects, board.end().unplugged), (1, 1), "{name}: {carried:?}");
    }
}

/// On both lines, 20 bytes every 0.05 s of the line: steps take as long as without, but for what the noise hits.
#[test]
fn steps_in_noise_take_at_most_half_as_long_again() {
    let clean = Board::perfect("minimal");
    let quiet = trained(&clean, STEPS).0;
    let noise = Some(Noise { bytes: 20, every: Duration::from_millis(50) });
    let noisy = Board::new("minimal", EmulatorOptions { noise, ..EmulatorOptions::default() });
    let (digest, carried) = trained(&noisy, STEPS);
    let (clean, noisy) = (clean.end(), noisy.end());
    let expected = expected(STEPS);
    assert_eq!((&quiet, &digest), (&expected, &expected));
    assert!(noisy.noise >= 2 * 20 * 2 * STEPS as u64, "{noisy:?}");
    assert!(carried.damaged > 0 && carried.damaged_at_board > 0, "{carried:?}");
    assert_eq!((carried.reconnects, carried.replays, noisy.lost), (0, 0, 0), "{carried:?} {noisy:?}");
    assert!(2 * noisy.cycles <= 3 * clean.cycles, "{noisy:?}, without noise {clean:?}");
}

/// A byte often: no silence is silent. At the initial rate the handshake takes 5 ms, so more often would hit it every time.
#[test]
fn a_byte_every_20_ms_stops_nothing() {
    let noise = Some(Noise { bytes: 1, every: Duration::from_millis(20) });
    let board = Board::new("minimal", EmulatorOptions { noise, ..EmulatorOptions::default() });
    let (digest, carried) = trained(&board, 1);
    assert_eq!(digest, expected(1));
    let totals = board.end();
    assert!(
        totals.noise > 10 && carried.damaged > 0 && carried.damaged_at_board > 0,
        "{totals:?} {carried:?}"
    );
}

/// Waits that are short beside those of a user.
fn hasty() -> LinkOptions {
    LinkOptions { quiet: Duration::from_millis(500), ..LinkOptions::default() }
}

fn on(board: &Board, options: LinkOptions) -> SerialEngine {
    SerialEngine::open(Box::new(SerialPort::new(&board.port)), &config("minimal"), options).unwrap()
}

fn stuck(level: Level, after: u64, lasts: Duration) -> Board {
    let stick = Some(Stick { after, level, lasts });
    Board::new("minimal", EmulatorOptions { stick, ..EmulatorOptions::default() })
}

#[test]
fn training_goes_on_by_itself_after_the_line_stuck() {
    for (level, after) in [(Level::Low, 5_000), (Level::High, 30_000)] {
        let board = stuck(level, after, Duration::from_secs(1));
        let engine = on(&board, hasty());
        let carried = engine.carried();
        let weights = digest(Box::new(Offload::new(engine, CycleModel)), 1);
        assert_eq!(weights, expected(1), "{level:?}");
        let carried = *carried.lock().unwrap();
        assert_eq!((board.end().stuck, carried.reconnects), (1, 1), "{level:?}: {carried:?}");
    }
}

fn reset() -> Stream {
    let mut stream = Stream::new(&config("minimal"));
    stream.push(&Instruction::Reset);
    stream
}

/// A line that sticks, a board that falls silent with its port still there, a port that is gone: one bound, one message.
#[test]
fn what_does_not_come_back_is_given_up() {
    let forever = Duration::from_secs(3600);
    let s = Scratch::new();
    let options = LinkOptions { reopen: Duration::from_secs(2), ..hasty() };
    for what in ["low", "high", "stopped", "gone"] {
        let mut board = match what {
            "low" => stuck(Level::Low, 500, forever),
            "high" => stuck(Level::High, 500, forever),
            _ => {
                // the name of the port itself may soon be another board's
                let port_link = Some(s.path(what).into());
                Board::new("minimal", EmulatorOptions { port_link, ..EmulatorOptions::default() })
            }
        };
        let mut engine = on(&board, options.clone());
        match what {
            "stopped" => {
                board.stop.store(true, Ordering::Relaxed);
            }
            "gone" => {
                board.stop.store(true, Ordering::Relaxed);
                drop(board.thread.take().unwrap().join().unwrap());
            }
            _ => {}
        }
        let begun = Instant::now();
        let error = loop {
            // a line sticks once so many bytes have come
            if let Err(e) = engine.run(&reset(), &RunOptions::default()) {
                break e.to_string();
            }
        };
        assert!(error.starts_with(&format!("{}: lost, and not back within 2 s: ", board.port)), "{error}");
        assert!(begun.elapsed() >= options.reopen, "{what}: {:?}", begun.elapsed());
    }
}

/// The port of a program that reads nothing.
#[test]
fn a_port_that_takes_no_bytes_is_given_up() {
    let pty = Pty::open().unwrap();
    let mut line = SerialPort::new(pty.path().to_str().unwrap()).open(115_200).unwrap();
    let (begun, limit) = (Instant::now(), Duration::from_millis(200));
    // more than a pseudo-terminal holds
    let error = line.write(&vec![1; 1 << 20], limit).unwrap_err();
    assert_eq!(error.to_string(), "takes no bytes for 0.2 s");
    assert!(begun.elapsed() >= limit, "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(line.read(&mut [0; 16], limit).unwrap(), 0, "nothing comes");
    assert!(begun.elapsed() >= limit, "{:?}", begun.elapsed());
}
