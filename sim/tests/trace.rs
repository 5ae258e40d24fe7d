//! Waveforms, and with them the proof that one eval a cycle does the same as two.

mod fixture;

use fixture::{config, design, echo, packet, shared_cache};
use std::path::Path;
use tandem_sim::{Sim, SimOptions, Waveform};
use tandem_spec::{Engine, EngineError, RunOptions, Stall};
use tempfile::TempDir;

const LINK: usize = 32;

fn sim(waveform: Option<Waveform>) -> Sim {
    let options = SimOptions { waveform, ..shared_cache() };
    Sim::of_design(&config(LINK), &design(LINK), &options).unwrap()
}

fn to(file: &Path) -> RunOptions {
    RunOptions { trace: Some(file.to_path_buf()), ..RunOptions::default() }
}

/// What a VCD says: the last time, the number of rising edges of the clock, of cycles with `out_valid`
/// and `out_ready`.
struct Vcd {
    end: u64,
    edges: u64,
    sent: u64,
}

fn read_vcd(file: &Path) -> Vcd {
    let text = std::fs::read_to_string(file).unwrap();
    let code = |name: &str| {
        let line = text.lines().find(|l| l.trim().starts_with("$var") && l.contains(&format!(" {name} ")));
        line.unwrap_or_else(|| panic!("no {name}")).split_whitespace().nth(3).unwrap().to_string()
    };
    let [clock, valid, ready] = ["clock", "out_valid", "out_ready"].map(code);
    let (mut now, mut is_valid, mut is_ready) = (0, false, false);
    let mut vcd = Vcd { end: 0, edges: 0, sent: 0 };
    for line in text.split("$enddefinitions $end").nth(1).unwrap().lines() {
        let on = line.starts_with('1');
        match line.get(1..) {
            Some(time) if line.starts_with('#') => now = time.parse().unwrap(),
            Some(c) if c == clock && on => vcd.edges += u64::from(now > 0),
            // the middle of a cycle: its inputs are set
            Some(c) if c == clock => vcd.sent += u64::from(is_valid && is_ready),
            Some(c) if c == valid => is_valid = on,
            Some(c) if c == ready => is_ready = on,
            _ => {}
        }
        vcd.end = now;
    }
    vcd
}

#[test]
fn a_vcd_shows_every_cycle() {
    let dir = TempDir::new().unwrap();
    let (a, b) = (dir.path().join("a.vcd"), dir.path().join("b.vcd"));
    let mut sim = sim(Some(Waveform::Vcd));
    let stream = echo(LINK, &[packet(LINK, 20, 1)]);
    let sent = stream.words() as u64 - 1;
    sim.run(&stream, &RunOptions::default()).unwrap();
    let once = sim.cycles();

    sim.run(&stream, &to(&a)).unwrap();
    let vcd = read_vcd(&a);
    assert_eq!((vcd.end, vcd.edges), (10 * once, once), "a file starts at time 0");
    // a further run with the same file continues it
    sim.run(&stream, &to(&a)).unwrap();
    let vcd = read_vcd(&a);
    assert_eq!((vcd.end, vcd.edges), (20 * once, 2 * once));
    // another file or none ends it
    sim.run(&stream, &to(&b)).unwrap();
    sim.run(&stream, &RunOptions::default()).unwrap();
    assert_eq!((read_vcd(&a).edges, read_vcd(&b).edges), (2 * once, once));
    // naming the first again starts it anew
    sim.run(&stream, &to(&a)).unwrap();
    assert_eq!(read_vcd(&a).edges, once);
    assert_eq!(read_vcd(&a).sent, sent, "words leave in the file as in the outcome");
}

#[test]
fn one_eval_a_cycle_is_as_exact_as_two() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("two.vcd");
    let packets = [packet(LINK, 300, 3), packet(LINK, 50, 4)];
    let stream = echo(LINK, &packets);
    for seed in 0..4 {
        let (stall_in, stall_out) = (Stall::random(seed, 30), Stall::random(seed + 100, 40));
        let one = RunOptions { stall_in, stall_out, ..RunOptions::default() };
        let two = RunOptions { trace: Some(file.clone()), ..one.clone() };
        let (mut plain, mut traced) = (sim(None), sim(Some(Waveform::Vcd)));
        assert_eq!(plain.run(&stream, &one).unwrap(), traced.run(&stream, &two).unwrap());
        assert_eq!(plain.cycles(), traced.cycles());
        // and both ways in turn on the same model
        assert_eq!(plain.run(&stream, &one).unwrap(), traced.run(&stream, &one).unwrap());
        assert_eq!(plain.run(&stream, &one).unwrap(), traced.run(&stream, &two).unwrap());
        assert_eq!(plain.cycles(), traced.cycles());
    }
}

/// Types and bodies of an FST file's blocks: type, length of 8 bytes (itself included), body.
fn fst_blocks(file: &Path) -> Vec<(u8, Vec<u8>)> {
    let bytes = std::fs::read(file).unwrap();
    let mut rest = bytes.as_slice();
    let mut blocks = vec![];
    while let [kind, tail @ ..] = rest {
        let length = u64::from_be_bytes(tail[..8].try_into().unwrap()) as usize;
        blocks.push((*kind, tail[8..length].to_vec()));
        rest = &tail[length..];
    }
    blocks
}

#[test]
fn an_fst_is_whole() {
    let dir = TempDir::new().unwrap();
    let (a, b) = (dir.path().join("a.fst"), dir.path().join("b.fst"));
    let mut sim = sim(Some(Waveform::Fst));
    let stream = echo(LINK, &[packet(LINK, 200, 1)]);
    sim.run(&stream, &to(&a)).unwrap();
    let once = sim.cycles();
    sim.run(&stream, &to(&a)).unwrap();
    sim.run(&stream, &to(&b)).unwrap();
    drop(sim);
    for (file, runs) in [(a, 2), (b, 1)] {
        let blocks = fst_blocks(&file);
        // header: first and last time, 8 bytes each
        assert_eq!(blocks[0].0, 0);
        assert_eq!(blocks[0].1[..16], [0, 10 * runs * once].map(u64::to_be_bytes).concat());
        let changes = blocks.iter().filter(|b| [1, 5, 8].contains(&b.0)).count() as u64;
        assert!(changes >= runs, "value changes of every run");
        assert!(blocks.iter().any(|b| [4, 6, 7].contains(&b.0)), "names of the signals");
        let leftovers = std::fs::read_dir(dir.path()).unwrap().count();
        assert_eq!(leftovers, 2, "no temporary file stays");
    }
}

#[test]
fn waveforms_that_cannot_be_written_are_named() {
    let dir = TempDir::new().unwrap();
    let stream = echo(LINK, &[]);
    let say = |sim: &mut Sim, file: &Path| sim.run(&stream, &to(file)).unwrap_err().to_string();
    let vcd = dir.path().join("a.vcd");
    let what = say(&mut sim(None), &vcd);
    assert!(what.ends_with("a.vcd: this simulation was built for no waveforms"), "{what}");
    let mut traced = sim(Some(Waveform::Vcd));
    let what = say(&mut traced, &dir.path().join("a.fst"));
    assert!(what.ends_with("a.fst: this simulation was built for Vcd waveforms only"), "{what}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing was created");

    let missing = dir.path().join("none/a.vcd");
    let what = say(&mut traced, &missing);
    assert!(what.starts_with(&missing.display().to_string()) && what.contains("No such file"), "{what}");
    assert_eq!(traced.cycles(), 0, "nothing was simulated");
    traced.run(&stream, &to(&vcd)).unwrap();
}

#[test]
fn a_disk_that_fills_up_is_an_error_and_not_the_end() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("full.vcd");
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let mut sim = sim(Some(Waveform::Vcd));
    let packets = [packet(LINK, 50, 1)];
    let e = sim.run(&echo(LINK, &packets), &to(&file)).unwrap_err();
    assert!(matches!(&e, EngineError::Io { file: f, .. } if *f == file.display().to_string()), "{e}");
    assert!(e.to_string().contains("No space left on device"), "{e}");
}
