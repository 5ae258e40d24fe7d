//! TRANSFORMs in programs: what the page's Timing table says in figures, deadlocks, failures, limits.

#[path = "support/stream.rs"]
mod support;

use support::stream;
use tandem_model::{CycleModel, Twin};
use tandem_spec::check::crc16;
use tandem_spec::engine::{Engine, Outcome, Predict, RunOptions, Stall, Status};
use tandem_spec::isa::{Bits512, Field, Opcode, Who};
use tandem_spec::packet::Kind;
use tandem_spec::registers::REGISTERS;
use tandem_spec::{Config, Instruction, Load, Memory, Packet, Reason, Store, Stream, Tokens, Transform};

const NONE: Tokens = Tokens { pop_prev: false, pop_next: false, push_prev: false, push_next: false };

fn config(fft: &str) -> Config {
    with_results(256, fft)
}

fn with_results(depth: usize, fft: &str) -> Config {
    let toml = format!(
        "[array]\nrows=1\ncols=8\nlanes=1\nrow_digit=4\ncol_digit=4\ndrain=8\n\
         [memory]\nrow_depth=8\ncol_depth=8\nresult_depth={depth}\n[link]\nbits=64\n[control]\nqueue=2\n{fft}"
    );
    Config::from_toml("t", &toml).unwrap()
}

fn unit() -> Config {
    config("[fft]\npoints=1024\ndepth=1024\n")
}

fn a_transform(tokens: Tokens, log_points: u8) -> Transform {
    Transform {
        tokens,
        inverse: false,
        block: false,
        tile: false,
        address: 0,
        count: 1,
        result_base: 0,
        log_points,
    }
}

fn a_load(tokens: Tokens, count: u16) -> Load {
    Load { tokens, broadcast: false, memory: Memory::Sample, address: 0, count, words: 1, mask: 1 }
}

fn a_store(tokens: Tokens, address: u16, count: u16) -> Instruction {
    Instruction::Store(Store { tokens, address, count, ..Store::default() })
}

fn run(twin: &mut Twin, stream: &Stream) -> Outcome {
    twin.run(stream, &RunOptions { max_cycles: 1 << 20, ..RunOptions::default() }).unwrap()
}

fn fails_with(config: &Config, s: &Stream, reason: Reason, instruction: u32, engine: u32) {
    let mut twin = Twin::new(config);
    let outcome = run(&mut twin, s);
    let error = Packet {
        kind: Kind::Error,
        reason: Some(reason),
        instruction,
        data: vec![],
        summary: [engine, 0, 0, 0],
    };
    assert_eq!((outcome.status, outcome.packets.last()), (Status::Failed, Some(&error)));
    let outcome = run(&mut twin, &stream(config, &[Instruction::Reset]));
    assert_eq!((outcome.status, outcome.packets[0].kind), (Status::Idle, Kind::Ready));
}

/// A field of a TRANSFORM.
fn of(name: &str) -> Field {
    Opcode::named("TRANSFORM").field(name)
}

/// An instruction with some fields set to other values, and its checksum right.
fn altered(config: &Config, i: Instruction, change: impl Fn(&mut Bits512)) -> Stream {
    let mut b = Bits512::default();
    b.0[..16].copy_from_slice(&i.encode());
    change(&mut b);
    let crc = crc16(&b.0[..14]);
    b.0[14..16].copy_from_slice(&crc.to_le_bytes());
    let mut s = Stream::new(config);
    s.push_words(&b.0[..16], true);
    s
}

#[test]
fn figures_of_the_page() {
    let config = with_results(2048, "[fft]\npoints=1024\nsamples=8\ndepth=1024\n");
    for (log_points, latency) in [(8, 534), (10, 2075)] {
        let push = Tokens { push_next: true, ..NONE };
        let wait = Tokens { pop_prev: true, ..NONE };
        let program = [Instruction::Transform(a_transform(push, log_points)), Instruction::Read(wait)];
        let counted = CycleModel.predict(&config, &program);
        let n = 1 << log_points;
        // taken in cycle 4 (two words, CHECK, ISSUE); first result, which is one word here, 2N + 5p + 3 later
        let (read, result) = (4 + 1, 4 + 2 * n + 5 * (log_points as u32).div_ceil(2) + 3);
        assert_eq!(result - read, latency);
        // n words and the status word; READ is taken once its token is visible
        assert_eq!((counted.compute_busy, counted.span, counted.drain), (n, n, n + 1));
        assert_eq!(counted.total, result + n + 1 + 1);
    }
}

#[test]
fn spectra_and_status_come_back() {
    let config = unit();
    let tokens = |push_next, pop_prev| Tokens { push_next, pop_prev, ..NONE };
    let list = [
        Instruction::Load(a_load(tokens(true, false), 8)),
        Instruction::Transform(Transform {
            count: 2,
            result_base: 254,
            ..a_transform(tokens(true, true), 3)
        }),
        a_store(tokens(false, true), 254, 2),
        a_store(NONE, 0, 1),
    ];
    let outcome = run(&mut Twin::new(&config), &stream(&config, &list));
    let data: Vec<u8> = outcome.packets.iter().flat_map(|p| p.data.clone()).collect();
    // 8 equal samples 0x2121 + 0x2121·i, halved three times; exponents 3 and 3
    let mut wanted = vec![0u8; 3 * 32];
    for batch in 0..2 {
        wanted[batch * 32..][..4].copy_from_slice(&[0x21; 4]);
        wanted[64 + batch] = 3;
    }
    assert_eq!((outcome.status, data), (Status::Idle, wanted));
}

#[test]
fn an_accelerator_without_unit_knows_neither_opcode_nor_memory() {
    let none = config("");
    let transform = Instruction::Transform(a_transform(NONE, 3));
    fails_with(&none, &stream(&none, &[transform]), Reason::Opcode, 0, 0);
    // at its first word: nothing else of it is looked at
    let mut s = Stream::new(&none);
    s.push_words(&transform.encode()[..8], true);
    fails_with(&none, &s, Reason::Opcode, 0, 0);
    let load = Load { memory: Memory::Col, ..a_load(NONE, 1) };
    let s = altered(&none, Instruction::Load(load), |b| b.set(Opcode::named("LOAD").field("memory"), 4));
    fails_with(&none, &s, Reason::Field, 0, 0);
}

/// A change of an instruction, and whether it is valid with it.
type Case = (fn(&mut Bits512), bool);

#[test]
fn fields_out_of_range_fail() {
    let i = Instruction::Transform(Transform { count: 4, ..a_transform(NONE, 8) });
    let rules: [(&str, &[Case]); 2] = [
        (
            "[fft]\npoints=256\ndepth=1024\n",
            &[
                (|_| {}, true),
                (|b| b.set(of("log_points"), 9), false),
                (|b| b.set(of("log_points"), 1), false),
                (|b| b.set(of("count"), 0), false),
                (|b| b.set(of("count"), 8), true),
                (|b| b.set(of("count"), 9), false),
                (|b| b.set(of("address"), 512), true),
                (|b| b.set(of("address"), 513), false),
                (|b| b.set(of("tile"), 1), true),
                (|b| b.set(of("block"), 1), true),
                (|b| (b.set(of("tile"), 1), b.set(of("log_points"), 5)).0, false),
                (|b| b.0[10] = 1, false),
            ],
        ),
        (
            "[fft]\npoints=256\ndepth=1024\nblock=false\ntiles=false\nsizes=\"largest\"\n",
            &[
                (|_| {}, true),
                (|b| b.set(of("log_points"), 7), false),
                (|b| b.set(of("tile"), 1), false),
                (|b| b.set(of("block"), 1), false),
            ],
        ),
    ];
    for (fft, cases) in rules {
        let config = config(fft);
        for (at, (change, valid)) in cases.iter().enumerate() {
            let s = altered(&config, i, change);
            match valid {
                true => assert_eq!(run(&mut Twin::new(&config), &s).status, Status::Idle, "{fft} {at}"),
                false => fails_with(&config, &s, Reason::Field, 0, 1),
            }
        }
    }
    // one more than 4·G batches, though the memory would hold them
    let config = config("[fft]\npoints=16\ndepth=1024\n");
    for (count, valid) in [(32, true), (33, false)] {
        let s = altered(&config, Instruction::Transform(a_transform(NONE, 2)), |b| b.set(of("count"), count));
        match valid {
            true => assert_eq!(run(&mut Twin::new(&config), &s).status, Status::Idle),
            false => fails_with(&config, &s, Reason::Field, 0, 1),
        }
    }
}

#[test]
fn deadlocks_name_a_waiting_transform() {
    let config = unit();
    let waits = Instruction::Transform(a_transform(Tokens { pop_next: true, ..NONE }, 4));
    let runs = Instruction::Transform(a_transform(NONE, 4));
    let load = Instruction::Load(a_load(Tokens { pop_next: true, ..NONE }, 1));
    fails_with(&config, &stream(&config, &[waits, load]), Reason::Deadlock, 0, 1);
    fails_with(&config, &stream(&config, &[runs, waits, load]), Reason::Deadlock, 1, 1);
    fails_with(&config, &stream(&config, &[runs, waits, waits, waits]), Reason::Deadlock, 1, 1);
    let blocked = Status::Blocked { engine: Who::Compute, instruction: 0 };
    assert_eq!(run(&mut Twin::new(&config), &stream(&config, &[waits])).status, blocked);
}

#[test]
fn a_failure_waits_for_the_transform() {
    let config = unit();
    let push = Tokens { push_next: true, ..NONE };
    let wait = Tokens { pop_prev: true, ..NONE };
    let transform = Instruction::Transform(a_transform(push, 10));
    let mut s = stream(&config, &[transform, a_store(wait, 128, 1)]);
    s.push_words(&[0], false);
    let outcome = run(&mut Twin::new(&config), &s);
    let kinds: Vec<_> = outcome.packets.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [Kind::Result, Kind::Error]);
    assert_eq!(outcome.packets[0].data[0], 10);
}

#[test]
fn a_run_ends_with_the_cycle_in_which_tokens_are_visible() {
    let config = unit();
    let s = stream(&config, &[Instruction::Transform(a_transform(NONE, 4))]);
    // taken in 4, N = S = 16, p = 2: idle from 4 + 32 + 10 + 4 + 16
    for (max_cycles, status) in [(66, Status::Idle), (65, Status::CycleLimit)] {
        let options = RunOptions { max_cycles, ..RunOptions::default() };
        assert_eq!(Twin::new(&config).run(&s, &options).unwrap().status, status);
    }
}

/// A READ in every cycle of a TRANSFORM, and one long after it, against the table of the page.
#[test]
fn a_read_cuts_a_transform_anywhere() {
    let config = unit();
    let (n, p, count, g) = (16, 2, 3, 8);
    let program = [
        Instruction::Transform(Transform { count: 3, ..a_transform(NONE, 4) }),
        Instruction::Read(NONE),
        Instruction::Read(NONE),
    ];
    let (t, s) = (4, count * n);
    let reads: Vec<u64> = (t + 1..=t + s).collect();
    let mut writes: Vec<u64> = (1..=s / g).map(|j| t + 2 * n + 5 * p + 2 + j * g).collect();
    writes.push(t + 2 * n + 5 * p + 3 + s);
    let idle = t + 2 * n + 5 * p + 4 + s;
    for late in 0..idle + 4 {
        // words of the first READ in cycles 4 + late and 5 + late, those of the second at the end
        let mut pattern = vec![false; 4];
        pattern.extend(vec![true; late as usize]);
        pattern.extend([false; 2]);
        pattern.resize(400, true);
        pattern.extend([false; 600]);
        let options = RunOptions { stall_in: Stall { pattern }, ..RunOptions::default() };
        let found = CycleModel.registers(&config, &program, &options);
        let taken = 8 + late;
        // F + data words − 1, summary, a tick, the checksum
        let sent = taken + 5 + (REGISTERS.len() as u64 / 2 - 1) + 2 + 1 + 1;
        let window = |from: u64, to: u64, cycles: &[u64]| {
            let mut inside = cycles.iter().filter(|c| (from..=to).contains(c));
            let (size, first) = (inside.clone().count() as u32, inside.next());
            (size, first.map_or(0, |first| (to.min(*cycles.last().unwrap()) - first + 1) as u32))
        };
        for (found, from, to) in [(found[0], 0, taken), (found[1], sent + 1, u64::MAX)] {
            let busy = window(from, to, &reads);
            assert_eq!((found.compute_busy, found.span), busy, "{late}");
            assert_eq!(found.drain, window(from, to, &writes).0, "{late}");
        }
    }
}
