//! Damaged instruction streams: simulator and twin end alike, packet for packet, never hang, and after a
//! RESET work as if nothing had been.

use crate::common::{Case, Random, config};
use std::sync::Arc;
use tandem_driver::{Format, Planner, ResultFormat};
use tandem_model::{CycleModel, Twin};
use tandem_sim::{Sim, SimOptions};
use tandem_spec::check::crc16;
use tandem_spec::packet::Kind;
use tandem_spec::{Config, Engine, Instruction, Outcome, RunOptions, Status, Stream, Tokens};
use tandem_stimuli::random_program;

/// Far more cycles than any of these programs needs; reaching it is a hang.
const LIMIT: u64 = 2_000_000;

struct Pair {
    config: Config,
    sim: Sim,
    twin: Twin,
    /// A product's program, and what a healthy accelerator answers after a RESET.
    healthy: (Stream, Outcome),
    reset: Stream,
    failed: usize,
}

fn options() -> RunOptions {
    RunOptions { max_cycles: LIMIT, ..RunOptions::default() }
}

/// RESET and READ.
fn reset(config: &Config) -> Stream {
    let mut stream = Stream::new(config);
    stream.push(&Instruction::Reset);
    stream.push(&Instruction::Read(Tokens::default()));
    stream
}

/// Row offsets outlive a RESET, random programs set them, and the driver takes them to be zero.
fn zero_offsets(config: &Config) -> Stream {
    let mut stream = Stream::new(config);
    stream.push_row_offsets(config, 0);
    stream
}

impl Pair {
    fn new(name: &str) -> Self {
        let config = config(name);
        let reset = reset(&config);
        let formats = [Format::unsigned(4), Format::signed(5)];
        let case = Case::new(&mut Random(1), (5, 9, 7), formats, ResultFormat::Full);
        let mut planner = Planner::new(config.clone(), Arc::new(CycleModel));
        let lowered = planner.lower(&case.request()).unwrap().stream;
        let mut product = zero_offsets(&config);
        product.bytes.extend(lowered.bytes);
        product.first.extend(lowered.first);
        let mut fresh = Twin::new(&config);
        assert_eq!(fresh.run(&reset, &options()).unwrap().status, Status::Idle);
        let answer = fresh.run(&product, &options()).unwrap();
        assert_eq!(answer.status, Status::Idle);
        let sim = Sim::new(&config, &SimOptions::default()).expect("simulator");
        Pair { sim, twin: Twin::new(&config), config, healthy: (product, answer), reset, failed: 0 }
    }

    /// Runs a stream on both, which must agree in everything.
    fn run(&mut self, stream: &Stream, at: &str) -> Outcome {
        let (s, m) = self.outcomes(stream, at);
        for (i, (a, b)) in s.packets.iter().zip(&m.packets).enumerate() {
            assert_eq!(a.counters(), b.counters(), "registers in packet {i}; {at}");
        }
        assert_eq!(s.packets, m.packets, "{at}");
        s
    }

    fn outcomes(&mut self, stream: &Stream, at: &str) -> (Outcome, Outcome) {
        let s = self.sim.run(stream, &options()).unwrap_or_else(|e| panic!("sim: {e}; {at}"));
        let m = self.twin.run(stream, &options()).unwrap_or_else(|e| panic!("twin: {e}; {at}"));
        assert_ne!(s.status, Status::CycleLimit, "sim hangs; {at}");
        assert_eq!(s.status, m.status, "{at}");
        (s, m)
    }

    /// A damaged stream, RESET, a valid program, RESET, a product.
    fn check(&mut self, stream: &Stream, at: &str) {
        let outcome = self.run(stream, at);
        let errors = outcome.packets.iter().filter(|p| p.kind == Kind::Error).count();
        assert_eq!(errors, usize::from(outcome.status == Status::Failed), "one error packet; {at}");
        self.failed += errors;
        self.reset(&format!("reset after {at}"));
        let program = random_program(&self.config, stream.words() as u64, 8);
        let outcome = self.run(&program, &format!("valid program after {at}"));
        assert_eq!(outcome.status, Status::Idle, "valid program after {at}");
        self.reset(&format!("second reset after {at}"));
        let (product, expected) = self.healthy.clone();
        assert_eq!(self.run(&product, &format!("product after {at}")), expected, "product after {at}");
    }

    fn reset(&mut self, at: &str) {
        let reset = self.reset.clone();
        let outcome = self.run(&reset, at);
        assert_eq!(outcome.status, Status::Idle, "{at}");
        let [.., ready, registers] = &outcome.packets[..] else { panic!("{outcome:?}; {at}") };
        assert_eq!((ready.kind, registers.kind), (Kind::Ready, Kind::Registers), "{at}");
        assert_eq!((ready.instruction, registers.instruction), (0, 0), "numbers start again; {at}");
    }
}

fn program(config: &Config, seed: u64) -> Stream {
    random_program(config, seed, 1 + seed as usize % 12)
}

fn cut(s: &mut Stream, words: usize) {
    s.first.truncate(words);
    s.bytes.truncate(words * s.link_bytes);
}

/// `count` streams, each a valid one that `damage` changed; returns how many made the accelerator fail.
fn damaged(name: &str, count: u64, damage: impl Fn(&mut Stream, &mut Random) -> String) -> usize {
    let mut pair = Pair::new(name);
    for seed in 0..count {
        let mut stream = program(&pair.config, seed);
        let what = damage(&mut stream, &mut Random(seed));
        pair.check(&stream, &format!("{name}, program {seed}, {what}"));
    }
    pair.failed
}

fn truncated(name: &str, count: u64) {
    let failed = damaged(name, count, |s, r| {
        let words = r.below(s.words());
        cut(s, words);
        format!("cut after {words} words")
    });
    assert_eq!(failed, 0, "{name}: a stream that only ends early is no error");
}

fn flipped(name: &str, count: u64) {
    let failed = damaged(name, count, |s, r| {
        let bit = r.below(8 * s.bytes.len());
        s.bytes[bit / 8] ^= 1 << (bit % 8);
        format!("bit {bit} flipped")
    });
    // Checksums see any flipped bit of an instruction, a payload or a checksum. Only a checksum's padding
    // to a link word wider than 4 bytes may be ignored: 96 of the at least 3·128 bits of a LOAD, a quarter.
    let padded = config(name).link_bits > 32;
    assert!(failed as u64 == count || padded && failed as u64 > count / 2, "{name}: {failed} of {count}");
}

/// A bit of an instruction flipped so that a rule is broken, the checksum mended.
fn broken_rules(name: &str, count: u64) {
    let c = config(name);
    let failed = damaged(name, count, |s, r| {
        let (instructions, _) = s.instructions();
        loop {
            let (word, instruction) = &instructions[r.below(instructions.len())];
            let mut bytes = instruction.encode();
            let (end, bit) = (bytes.len() - 2, 8 + r.below(8 * (bytes.len() - 3)));
            bytes[bit / 8] ^= 1 << (bit % 8);
            let checksum = crc16(&bytes[..end]);
            bytes[end..].copy_from_slice(&checksum.to_le_bytes());
            let valid = Instruction::decode(&bytes).is_some_and(|i| i.validate(&c).is_ok());
            if !valid || !Instruction::reserved_bits_are_zero(&bytes) {
                s.bytes[word * s.link_bytes..][..bytes.len()].copy_from_slice(&bytes);
                return format!("bit {bit} of {instruction} at word {word} flipped");
            }
        }
    });
    assert_eq!(failed as u64, count, "{name}");
}

fn retagged(name: &str, count: u64) {
    let failed = damaged(name, count, |s, r| {
        let word = r.below(s.words());
        s.first[word] ^= true;
        format!("tag of word {word} flipped")
    });
    assert_eq!(failed as u64, count, "{name}: every wrong tag is seen");
}

/// Words lost, doubled or swapped on the way.
fn shuffled(name: &str, count: u64) {
    let failed = damaged(name, count, |s, r| {
        let (a, b, l) = (r.below(s.words()), r.below(s.words()), s.link_bytes);
        match r.below(3) {
            0 => {
                s.first.remove(a);
                s.bytes.drain(a * l..(a + 1) * l);
                format!("word {a} lost")
            }
            1 => {
                s.first.insert(a, s.first[a]);
                let word = s.bytes[a * l..(a + 1) * l].to_vec();
                s.bytes.splice(a * l..a * l, word);
                format!("word {a} doubled")
            }
            _ => {
                s.first.swap(a, b);
                (0..l).for_each(|i| s.bytes.swap(a * l + i, b * l + i));
                format!("words {a} and {b} swapped")
            }
        }
    });
    assert!(failed > 0, "{name}");
}

/// Words of any value; some start like an instruction.
fn random_words(name: &str, count: u64) {
    let mut pair = Pair::new(name);
    for seed in 0..count {
        let mut r = Random(!seed);
        let mut stream = Stream::new(&pair.config);
        let tags = [2, 10, 60][r.below(3)];
        for _ in 0..1 + r.below(200) {
            let first = r.below(tags) == 0 || stream.words() == 0 && r.below(4) > 0;
            let mut word = r.bytes(stream.link_bytes);
            if first && r.below(3) > 0 {
                word[0] = 1 + r.below(6) as u8;
            }
            stream.push_words(&word, first);
        }
        pair.check(&stream, &format!("{name}, random words {seed}"));
    }
    assert!(pair.failed as u64 > count / 2, "{name}: {} of {count}", pair.failed);
}

/// A READ right after a RESET gives the same registers on both.
#[test]
fn counters_after_a_reset_agree() {
    for name in ["default", "tiny"] {
        let mut pair = Pair::new(name);
        let stream = reset(&pair.config);
        pair.run(&stream, &format!("{name}, RESET and READ on a new accelerator"));
    }
}

#[test]
fn default_accelerator() {
    truncated("default", 200);
    flipped("default", 400);
    broken_rules("default", 400);
    retagged("default", 200);
    shuffled("default", 200);
    random_words("default", 200);
}

#[test]
fn tiny_accelerator_with_a_byte_wide_link() {
    truncated("tiny", 400);
    flipped("tiny", 800);
    broken_rules("tiny", 800);
    retagged("tiny", 400);
    shuffled("tiny", 400);
    random_words("tiny", 400);
}

/// Widths and lanes of a STORE, and what is above the lanes that there are.
#[test]
fn accelerator_that_packs() {
    flipped("packed", 200);
    broken_rules("packed", 1200);
}

#[test]
fn minimal_accelerator_with_a_reduced_control() {
    flipped("minimal", 100);
    broken_rules("minimal", 800);
}
