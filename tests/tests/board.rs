//! A simulated board behind a damaged line: the same results as everywhere else, through lost bytes and pulled cables, and a
//! clear word for everything that is not a board with the right accelerator.

mod common;

use common::command::{Scratch, succeeds};
use common::{Case, Random, config, repository, tandem};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tandem_driver::{Device, Exact, Format, Offload, ResultFormat, mismatches};
use tandem_link::{LinkError, LinkOptions, SerialEngine, SerialPort, Statistics};
use tandem_model::{CycleModel, Twin};
use tandem_nn::config::Experiment;
use tandem_nn::engine::Engine as Computes;
use tandem_nn::train::Trainer;
use tandem_sim::SimOptions;
use tandem_sim::board::pty::Pty;
use tandem_sim::board::{Emulator, EmulatorOptions, FaultRate, Totals};
use tandem_spec::link::BoardLink;
use tandem_spec::packet::Kind;
use tandem_spec::{Config, Engine, Instruction, Packet, RunOptions, Status, Stream, Tokens};
use tandem_tests::programs::random_program;

/// A board that is simulated in a thread.
struct Board {
    port: String,
    stop: Arc<AtomicBool>,
    /// Gives the emulator back, so that its port stays open until then.
    thread: Option<JoinHandle<Option<Emulator>>>,
}

impl Board {
    fn new(accelerator: &str, options: EmulatorOptions) -> Self {
        let mut emulator = Emulator::new(&config(accelerator), options, &SimOptions::default()).unwrap();
        let port = emulator.port().to_str().unwrap().to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            emulator.run(&flag).expect("the pseudo-terminal works");
            Some(emulator)
        });
        Board { port, stop, thread: Some(thread) }
    }

    fn perfect(accelerator: &str) -> Self {
        Board::new(accelerator, EmulatorOptions::default())
    }

    fn engine(&self, accelerator: &str) -> SerialEngine {
        let port = Box::new(SerialPort::new(&self.port));
        SerialEngine::open(port, &config(accelerator), LinkOptions::default()).unwrap()
    }

    fn end(mut self) -> Totals {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().expect("the simulation has not failed").expect("a board").totals()
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Weights of digits-mlp after some steps.
fn digest(device: Box<dyn Device>, steps: usize) -> String {
    let file = repository().join("configs/experiments/digits-mlp.toml");
    let experiment = Experiment::load(&file).unwrap();
    let data = Arc::new(tandem_nn::data::load("digits", None).unwrap());
    let mut trainer = Trainer::new(experiment, data, Computes::Device(device)).unwrap();
    for _ in 0..steps {
        trainer.step().unwrap();
    }
    trainer.digest()
}

fn expected(steps: usize) -> String {
    digest(Box::new(Exact::new(config("minimal"), CycleModel)), steps)
}

fn trained(board: &Board, steps: usize) -> (String, Statistics) {
    let engine = board.engine("minimal");
    let carried = engine.carried();
    let digest = digest(Box::new(Offload::new(engine, CycleModel)), steps);
    let carried = *carried.lock().unwrap();
    (digest, carried)
}

#[test]
fn ten_steps_through_a_line_with_one_fault_in_2000_bytes_give_the_same_weights() {
    let faults = FaultRate { count: 1, among: 2000, seed: 11 };
    let board = Board::new("minimal", EmulatorOptions { faults, ..EmulatorOptions::default() });
    let (digest, carried) = trained(&board, 10);
    assert_eq!(digest, expected(10));
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
            let result = device.gemm(&case.request()).unwrap();
            assert_eq!(mismatches(&case.request(), result.y.view()), 0);
        }
        // a fault may cost a rate that would have worked, never give a faster one
        let rate = carried.lock().unwrap().baud;
        assert!((baud..=max_baud.max(baud)).contains(&rate), "{rate}");
    }
}

/// A device that is no board: answers whatever comes with `answer`.
fn foreign(answer: &'static [u8]) -> Board {
    let pty = Pty::open().unwrap();
    let port = pty.path().to_str().unwrap().to_owned();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let thread = std::thread::spawn(move || {
        let mut buffer = [0; 256];
        while !flag.load(Ordering::Relaxed) {
            pty.wait(false, Duration::from_millis(20)).unwrap();
            if pty.read(&mut buffer).unwrap() > 0 {
                pty.write(answer).unwrap();
            }
        }
        None
    });
    Board { port, stop, thread: Some(thread) }
}

fn hash(config: &Config) -> String {
    format!("{:#018x}", config.hash())
}

#[test]
fn each_mistake_has_its_own_message() {
    let s = Scratch::new();
    let fails = |says: &[&str], arguments: &[&str]| s.fails(3, says, arguments, &[]);
    let probe = |place: &str, says: &[&str]| fails(says, &["board", "probe", place]);

    let board = Board::perfect("minimal");
    let port = board.port.clone();
    let engine = format!("serial:{port}");
    let (found, expected) = (hash(&config("minimal")), hash(&config("peer-8x8")));
    fails(
        &[&port, "wrong bitstream", &found, &expected],
        &["gemm", "-c", "peer-8x8", "--engine", &engine, "--random", "1", "1", "1"],
    );
    probe(&format!("{port}@57600"), &[&port, "wrong baud rate", "115200", "57600"]);
    probe("/dev/no-such-port", &["/dev/no-such-port", "no such port"]);
    let text = s.write("text", "no port");
    probe(&text, &["text", "cannot be opened as a serial port"]);

    let holder = board.engine("minimal");
    probe(&port, &[&port, "busy"]);
    drop(holder);

    let login = foreign(b"login: ");
    probe(&login.port, &[&login.port, "another device", "6c 6f 67 69 6e"]);
    let silent = foreign(b"");
    probe(&silent.port, &[&silent.port, "no answer at 115200 baud"]);

    s.refuses(&["baud rate `fast`"], &["board", "probe", "/dev/ttyUSB0@fast"]);
    s.refuses(&["serial:PORT"], &["gemm", "--engine", "serial", "--random", "1", "1", "1"]);
    s.refuses(&["board.slots = 3"], &["board", "emulate", "--slots", "3"]);
    s.refuses(&["board.baud = 9000000"], &["board", "emulate", "--baud", "9000000"]);
    s.refuses(&["1 of 0"], &["board", "emulate", "--faults", "1/0"]);
}

/// A user who is not the superuser and may not open the port is told so.
#[test]
fn no_permission() {
    let s = Scratch::new();
    let silent = foreign(b"");
    std::fs::set_permissions(&silent.port, Permissions::from_mode(0o000)).unwrap();
    let folder = Path::new(&s.path("x")).parent().unwrap().to_path_buf();
    std::fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
    let program = s.path("tandem");
    std::fs::copy(tandem(), &program).unwrap();
    let mut command = Command::new(&program);
    command.args(["board", "probe", &silent.port]).current_dir("/");
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains(&silent.port) && said.contains("no permission"), "{said}");
}

/// A board that falls silent in the middle, with its port still there, is given up within the bound.
#[test]
fn waits_are_bounded() {
    let board = Board::perfect("minimal");
    let quiet = Duration::from_millis(400);
    let options = LinkOptions {
        quiet,
        connect: Duration::from_millis(600),
        reopen: Duration::from_millis(500),
        attempts: 2,
        ..LinkOptions::default()
    };
    let port = Box::new(SerialPort::new(&board.port));
    let mut engine = SerialEngine::open(port, &config("minimal"), options).unwrap();
    board.stop.store(true, Ordering::Relaxed);
    let mut reset = Stream::new(&config("minimal"));
    reset.push(&Instruction::Reset);
    let begun = std::time::Instant::now();
    let error = engine.run(&reset, &RunOptions::default()).unwrap_err().to_string();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(error.contains("no answer") || error.contains("no frame"), "{error}");
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

/// Training on a board says beforehand how long a step takes, from the link words of the same step on the twin.
#[test]
fn seconds_a_step_are_those_of_the_twins_link_words() {
    let s = Scratch::new();
    let board = Board::perfect("minimal");
    let train = |engine: &str, run: &str| {
        let experiment = ["train", "-c", "configs/experiments/digits-mlp.toml", "--accelerator", "minimal"];
        succeeds(&[&experiment[..], &["--steps", "1", "--engine", engine, "-o", &s.path(run)]].concat())
    };
    let (on_board, on_twin) = (train(&format!("serial:{}", board.port), "board"), train("model", "twin"));
    let products = ["forward", "input_gradient", "weight_gradient"];
    let layers = on_twin["cycles_by_layer"].as_array().unwrap().iter();
    let words: u64 = layers.flat_map(|l| products.map(|p| l[p]["link_words"].as_u64().unwrap())).sum();
    assert!(words > 10_000);
    // a word is a byte; frames of 249 bytes for 240, 10 bits a byte
    let expected = words as f64 * 249.0 / 240.0 * 10.0 / 3e6;
    let predicted = on_board["predicted_s_per_step"].as_f64().unwrap();
    assert!((predicted / expected - 1.0).abs() < 1e-9, "{predicted} s, {expected} s");
    assert_eq!(on_board["weights_digest"], on_twin["weights_digest"]);
    assert!(on_twin["predicted_s_per_step"].is_null());
}

#[test]
fn errors_know_whether_waiting_helps() {
    let port = || "p".to_owned();
    assert!(LinkError::Lost { port: port(), what: String::new() }.is_passing());
    assert!(LinkError::NoPort { port: port() }.is_passing());
    assert!(!LinkError::Busy { port: port() }.is_passing());
    assert!(!LinkError::Mismatch { port: port(), expected: 1, found: 2 }.is_passing());
}
