//! Failures, statuses and what a RESET clears.

#[path = "support/stream.rs"]
mod support;

use support::stream;
use tandem_model::Twin;
use tandem_spec::check::crc16;
use tandem_spec::engine::{Engine, EngineError, Outcome, RunOptions, Stall, Status};
use tandem_spec::isa::{Bits512, Who};
use tandem_spec::packet::Kind;
use tandem_spec::{
    Compute, Config, Instruction, Load, Loop, Memory, Packet, Reason, Store, StoreWidth, Stream, Tokens,
};

fn config(link: usize) -> Config {
    let toml = format!(
        "[array]\nrows=2\ncols=2\nlanes=2\nrow_digit=4\ncol_digit=4\nselect=2\n\
         [memory]\nrow_depth=8\ncol_depth=8\nresult_depth=8\n[link]\nbits={link}\n[control]\nqueue=2\n"
    );
    Config::from_toml("t", &toml).unwrap()
}

const NONE: Tokens = Tokens { pop_prev: false, pop_next: false, push_prev: false, push_next: false };

fn a_load(tokens: Tokens) -> Load {
    Load { tokens, broadcast: false, memory: Memory::Col, address: 0, count: 2, words: 1, mask: 3 }
}

fn a_compute(tokens: Tokens) -> Compute {
    Compute {
        tokens,
        rows: 2,
        rows_last: 2,
        cols: 2,
        cols_last: 2,
        loops: [Loop::default(); 7],
        ..Compute::default()
    }
}

fn a_store(tokens: Tokens) -> Instruction {
    Instruction::Store(Store { tokens, count: 2, ..Store::default() })
}

fn run(twin: &mut Twin, stream: &Stream) -> Outcome {
    twin.run(stream, &RunOptions { max_cycles: 1 << 20, ..RunOptions::default() }).unwrap()
}

fn error(reason: Reason, instruction: u32, engine: u32) -> Packet {
    Packet { kind: Kind::Error, reason: Some(reason), instruction, data: vec![], summary: [engine, 0, 0, 0] }
}

/// Runs a stream that fails, then words that are dropped, then a RESET and a READ.
fn fails_with(config: &Config, s: &Stream, expected: Packet) {
    let mut twin = Twin::new(config);
    let outcome = run(&mut twin, s);
    assert_eq!(outcome.status, Status::Failed);
    assert_eq!(outcome.packets.last(), Some(&expected));
    let dropped = stream(config, &[a_store(NONE), Instruction::Read(NONE), Instruction::Load(a_load(NONE))]);
    assert_eq!(run(&mut twin, &dropped), Outcome { status: Status::Failed, packets: vec![] });
    works_after_reset(&mut twin);
}

fn works_after_reset(twin: &mut Twin) {
    let config = twin.config().clone();
    let outcome = run(twin, &stream(&config, &[Instruction::Reset]));
    assert_eq!(outcome.status, Status::Idle);
    let ready = outcome.packets.last().unwrap();
    assert_eq!((ready.kind, ready.instruction), (Kind::Ready, 0));
    let hash = config.hash();
    assert_eq!(ready.summary, [hash as u32, (hash >> 32) as u32, 0x7a9d_0002, 0]);
    let outcome = run(twin, &stream(&config, &[Instruction::Read(NONE)]));
    assert_eq!((outcome.status, outcome.packets.len()), (Status::Idle, 1));
    let counters = outcome.packets[0].counters().unwrap();
    let words = 128 / config.link_bits as u32;
    assert_eq!((outcome.packets[0].instruction, counters.instructions), (0, 1));
    assert_eq!((counters.words_in, counters.total), (words, words + 3));
}

/// An instruction with a field set to another value, and its checksum right.
fn with(i: &Instruction, field: &str, value: u32) -> Vec<u8> {
    altered(i, |b| b.set(i.opcode().field(field), value))
}

/// An instruction with other bits, and its checksum right.
fn altered(i: &Instruction, change: impl Fn(&mut Bits512)) -> Vec<u8> {
    let n = i.opcode().units * 16;
    let mut b = Bits512::default();
    b.0[..n].copy_from_slice(&i.encode());
    change(&mut b);
    let crc = crc16(&b.0[..n - 2]);
    b.0[n - 2..n].copy_from_slice(&crc.to_le_bytes());
    b.0[..n].to_vec()
}

const LINKS: [usize; 3] = [8, 32, 128];

#[test]
fn a_stray_word_fails() {
    for c in LINKS.map(config) {
        let mut s = stream(&c, &[Instruction::Read(NONE)]);
        s.push_words(&[1], false);
        fails_with(&c, &s, error(Reason::Stray, 1, 0));
    }
}

#[test]
fn an_unknown_opcode_fails_at_its_first_word() {
    for c in LINKS.map(config) {
        let mut s = Stream::new(&c);
        s.push_words(&[9], true);
        fails_with(&c, &s, error(Reason::Opcode, 0, 0));
    }
}

#[test]
fn an_instruction_cut_by_another_fails_and_that_one_stays_on_the_link() {
    let c = config(32);
    let mut s = Stream::new(&c);
    s.push_words(&Instruction::Compute(a_compute(NONE)).encode()[..12], true);
    s.push(&Instruction::Read(NONE));
    fails_with(&c, &s, error(Reason::Truncated, 0, 1));
    let mut s = stream(&c, &[Instruction::Load(a_load(NONE))]);
    s.bytes.truncate(s.bytes.len() - 4);
    s.first.pop();
    s.push(&Instruction::Read(NONE));
    fails_with(&c, &s, error(Reason::Truncated, 0, 0));
    // The word that stays may be a RESET's.
    let mut s = Stream::new(&c);
    s.push_words(&a_store(NONE).encode()[..8], true);
    s.push(&Instruction::Reset);
    let outcome = run(&mut Twin::new(&c), &s);
    assert_eq!(outcome.status, Status::Idle);
    assert_eq!(outcome.packets[0], error(Reason::Truncated, 0, 2));
    assert_eq!(outcome.packets[1].kind, Kind::Ready);
}

#[test]
fn every_flipped_bit_of_an_instruction_fails() {
    for c in LINKS.map(config) {
        for (i, engine) in [(Instruction::Compute(a_compute(NONE)), 1), (a_store(NONE), 2)] {
            let bits = i.encode().len() * 8;
            for bit in 8..bits {
                let mut s = stream(&c, &[Instruction::Read(NONE), i]);
                let at = s.bytes.len() - bits / 8 + bit / 8;
                s.bytes[at] ^= 1 << (bit % 8);
                fails_with(&c, &s, error(Reason::InstructionCheck, 1, engine));
            }
        }
    }
}

#[test]
fn an_array_without_selection_holds_no_indices() {
    let toml = "[array]\nrows=2\ncols=2\nlanes=2\nrow_digit=4\ncol_digit=4\n\
                [memory]\nrow_depth=8\ncol_depth=8\nresult_depth=8\n[link]\nbits=64\n";
    let c = Config::from_toml("dense", toml).unwrap();
    let mut stream = Stream::new(&c);
    stream.push_words(&with(&Instruction::Compute(a_compute(NONE)), "held", 1), true);
    fails_with(&c, &stream, error(Reason::Field, 0, 1));
}

#[test]
fn fields_out_of_range_and_reserved_bits_fail() {
    let c = config(64);
    let (l, k, s) = (Instruction::Load(a_load(NONE)), Instruction::Compute(a_compute(NONE)), a_store(NONE));
    let cases = [
        (with(&l, "count", 9), 0),
        (with(&l, "count", 0), 0),
        (with(&l, "memory", 4), 0),
        (with(&l, "words", 2), 0),
        (altered(&l, |b| b.0[1] |= 1), 0),
        (with(&k, "rows", 3), 1),
        (with(&k, "tiles", 6), 1),
        (with(&k, "row_edge", 0), 1),
        (with(&k, "select", 2), 1),
        (with(&s, "format", 3), 2),
        (with(&s, "shift", 1), 2),
        (with(&s, "lanes", 1), 2),
        (altered(&Instruction::Read(NONE), |b| b.0[5] = 1), 2),
        (altered(&Instruction::Reset, |b| b.0[1] = 1), 0),
    ];
    for (bytes, engine) in cases {
        let mut stream = Stream::new(&c);
        stream.push_words(&bytes, true);
        fails_with(&c, &stream, error(Reason::Field, 0, engine));
    }
}

#[test]
fn widths_and_lanes_are_those_that_are_generated() {
    let toml = config(64).to_toml() + "pack = true\n";
    let c = Config::from_toml("packs", &toml).unwrap();
    let s = a_store(NONE);
    for (field, value, shift) in [("lanes", 3, 0), ("lanes", 63, 0), ("format", 0, 1)] {
        let mut stream = Stream::new(&c);
        let Instruction::Store(store) = s else { unreachable!() };
        stream.push_words(&with(&Instruction::Store(Store { shift, ..store }), field, value), true);
        fails_with(&c, &stream, error(Reason::Field, 0, 2));
    }
    // 2 words of 2 results
    for (format, lanes, words) in
        [(StoreWidth::S28, 2, 2), (StoreWidth::S12, 1, 1), (StoreWidth::S4, 0, 1), (StoreWidth::S32, 1, 1)]
    {
        let store = Store { format, lanes, shift: 0, tokens: NONE, address: 0, count: 2 };
        let outcome = run(&mut Twin::new(&c), &stream(&c, &[Instruction::Store(store)]));
        assert_eq!((outcome.status, outcome.packets[0].data.len()), (Status::Idle, words * 8), "{store:?}");
        assert_eq!(store.data_words(&c), words, "{store:?}");
    }
}

#[test]
fn a_wrong_payload_check_fails_before_the_token_but_is_in_memory() {
    let c = config(128);
    let tokens = Tokens { push_next: true, ..NONE };
    let waits = Tokens { pop_prev: true, ..NONE };
    let mut s = stream(&c, &[Instruction::Compute(a_compute(waits)), Instruction::Load(a_load(tokens))]);
    let end = s.bytes.len() - 9;
    s.bytes[end] ^= 1;
    fails_with(&c, &s, error(Reason::PayloadCheck, 1, 0));
    let mut twin = Twin::new(&c);
    run(&mut twin, &s);
    let mut rows = stream(&c, &[Instruction::Reset]);
    rows.push_load(Load { memory: Memory::Row, ..a_load(NONE) }, &[0x11; 32]);
    let compute = Compute { tokens: Tokens { push_next: true, ..NONE }, ..a_compute(NONE) };
    let list = [Instruction::Compute(compute), a_store(waits)];
    let rest = stream(&c, &list);
    rows.bytes.extend(rest.bytes);
    rows.first.extend(rest.first);
    let outcome = run(&mut twin, &rows);
    let sums: Vec<i32> =
        outcome.packets[1].data.chunks(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).collect();
    // Row lanes 1 and 1, column lanes 1 and 2.
    assert_eq!(sums, [3, 3, 3, 3]);
}

#[test]
fn engines_finish_before_an_error_is_reported() {
    let c = config(128);
    let mut s = stream(&c, &[Instruction::Compute(a_compute(NONE)), a_store(NONE), Instruction::Read(NONE)]);
    s.push_words(&[0], false);
    let outcome = run(&mut Twin::new(&c), &s);
    let kinds: Vec<_> = outcome.packets.iter().map(|p| p.kind).collect();
    assert_eq!(kinds, [Kind::Result, Kind::Registers, Kind::Error]);
}

#[test]
fn a_cut_payload_is_counted_until_the_word_that_stays() {
    let c = config(128);
    let mut long = a_compute(Tokens { push_next: true, ..NONE });
    long.loops[4].count = 100;
    let read = Instruction::Read(Tokens { pop_prev: true, ..NONE });
    let mut s = stream(&c, &[Instruction::Compute(long), read]);
    let load = Load { count: 5, ..a_load(NONE) };
    s.push(&Instruction::Load(load));
    s.push_words(&[7; 48], false);
    s.push(&read);
    let outcome = run(&mut Twin::new(&c), &s);
    let counters = outcome.packets[0].counters().unwrap();
    // Three words, and the cycle in which the tagged one is offered.
    assert_eq!((counters.load_busy, counters.wait_link_in), (4, 0));
    assert_eq!((counters.words_in, counters.instructions), (4 + 1 + 1 + 3, 3));
    assert_eq!(outcome.packets[1], error(Reason::Truncated, 2, 0));
}

#[test]
fn deadlocks_name_the_waiting_instruction_with_the_lowest_number() {
    let c = config(128);
    let load = Instruction::Load(a_load(Tokens { pop_next: true, ..NONE }));
    fails_with(&c, &stream(&c, &[Instruction::Read(NONE), load]), error(Reason::Deadlock, 1, 0));
    let compute = Instruction::Compute(a_compute(Tokens { pop_next: true, ..NONE }));
    let store = a_store(Tokens { pop_prev: true, ..NONE });
    fails_with(&c, &stream(&c, &[compute, load]), error(Reason::Deadlock, 0, 1));
    fails_with(&c, &stream(&c, &[store, compute, load]), error(Reason::Deadlock, 0, 2));
    // A queue of two is full.
    fails_with(&c, &stream(&c, &[store, store, store]), error(Reason::Deadlock, 0, 2));
    fails_with(&c, &stream(&c, &[compute, store, store, compute, compute]), error(Reason::Deadlock, 0, 1));
}

#[test]
fn blocked_engines_go_on_when_their_token_comes() {
    let c = config(32);
    let mut twin = Twin::new(&c);
    let compute =
        Instruction::Compute(a_compute(Tokens { pop_prev: true, pop_next: true, push_next: true, ..NONE }));
    let store = a_store(Tokens { pop_prev: true, ..NONE });
    let blocked =
        |instruction, engine| Outcome { status: Status::Blocked { engine, instruction }, packets: vec![] };
    assert_eq!(run(&mut twin, &stream(&c, &[store, compute])), blocked(0, Who::Store));
    let load = Instruction::Load(a_load(Tokens { push_next: true, ..NONE }));
    assert_eq!(run(&mut twin, &stream(&c, &[load])), blocked(0, Who::Store));
    works_after_reset(&mut twin);
    assert_eq!(run(&mut twin, &stream(&c, &[compute, load])), blocked(1, Who::Compute));
    let read = Instruction::Read(Tokens { push_prev: true, ..NONE });
    let outcome = run(&mut twin, &stream(&c, &[read, store]));
    let kinds: Vec<_> = outcome.packets.iter().map(|p| (p.kind, p.instruction)).collect();
    assert_eq!((outcome.status, &kinds[..]), (Status::Idle, &[(Kind::Registers, 3), (Kind::Result, 4)][..]));
}

#[test]
fn a_starved_stream_goes_on_at_any_word() {
    for c in LINKS.map(config) {
        let tokens = |push_next, pop_prev| Tokens { push_next, pop_prev, ..NONE };
        let list = [
            Instruction::Load(a_load(tokens(true, false))),
            Instruction::Compute(a_compute(tokens(true, true))),
            a_store(tokens(false, true)),
        ];
        let s = stream(&c, &list);
        let whole = run(&mut Twin::new(&c), &s);
        let starts: Vec<usize> = s.instructions().0.iter().map(|i| i.0).collect();
        for cut in 0..s.words() {
            let mut twin = Twin::new(&c);
            let part = |range: std::ops::Range<usize>| Stream {
                link_bytes: s.link_bytes,
                bytes: s.bytes[range.start * s.link_bytes..range.end * s.link_bytes].to_vec(),
                first: s.first[range].to_vec(),
            };
            let status = run(&mut twin, &part(0..cut)).status;
            match starts.iter().rposition(|at| *at < cut) {
                Some(n) if !starts.contains(&cut) => {
                    assert_eq!(status, Status::Starved { instruction: n as u32 }, "cut at {cut}");
                }
                _ => assert_eq!(status, Status::Idle, "cut at {cut}"),
            }
            assert_eq!(run(&mut twin, &part(cut..s.words())), whole, "cut at {cut}");
        }
    }
}

#[test]
fn only_a_whole_reset_ends_a_failure() {
    let c = config(8);
    let reset = Instruction::Reset.encode();
    let mut twin = Twin::new(&c);
    let mut s = Stream::new(&c);
    s.push_words(&[0], false);
    s.push_words(&reset[..9], true);
    assert_eq!(run(&mut twin, &s).status, Status::Failed);
    let mut wrong = reset.clone();
    wrong[14] ^= 1;
    for bytes in [&wrong, &altered(&Instruction::Reset, |b| b.0[3] = 4)] {
        let mut s = Stream::new(&c);
        s.push_words(bytes, true);
        assert_eq!(run(&mut twin, &s), Outcome { status: Status::Failed, packets: vec![] });
    }
    // Cut by a new `first`, which starts another one; its second half comes later.
    let mut s = Stream::new(&c);
    s.push_words(&reset[..3], true);
    s.push_words(&reset[..7], true);
    assert_eq!(run(&mut twin, &s).status, Status::Failed);
    let mut s = Stream::new(&c);
    s.push_words(&reset[7..], false);
    assert_eq!(run(&mut twin, &s).status, Status::Idle);
    works_after_reset(&mut twin);
}

#[test]
fn a_reset_clears_tokens_and_queues() {
    let c = config(128);
    let mut twin = Twin::new(&c);
    let gives = Instruction::Load(a_load(Tokens { push_next: true, ..NONE }));
    let takes = Instruction::Compute(a_compute(Tokens { pop_prev: true, ..NONE }));
    assert_eq!(run(&mut twin, &stream(&c, &[gives])).status, Status::Idle);
    works_after_reset(&mut twin);
    let blocked = Status::Blocked { engine: Who::Compute, instruction: 1 };
    assert_eq!(run(&mut twin, &stream(&c, &[takes])).status, blocked);
    works_after_reset(&mut twin);
    assert_eq!(run(&mut twin, &stream(&c, &[gives])).status, Status::Idle);
}

#[test]
fn work_beyond_the_cycle_limit_is_not_done() {
    let c = config(128);
    let mut twin = Twin::new(&c);
    let mut endless = a_compute(NONE);
    endless.loops[..5].fill(Loop { count: u16::MAX, row_stride: 1, col_stride: 1 });
    for tiles in 0..6 {
        let compute = Instruction::Compute(Compute { tiles, ..endless });
        let s = stream(&c, &[a_store(NONE), compute, a_store(NONE), Instruction::Read(NONE)]);
        let outcome = run(&mut twin, &s);
        assert_eq!((outcome.status, outcome.packets.len()), (Status::CycleLimit, 3));
        let counters = outcome.packets[2].counters().unwrap();
        assert!(counters.compute_busy > 3 && counters.compute_busy + counters.wait_drain <= counters.total);
    }
    let stalled = Stall { pattern: vec![true] };
    let s = stream(&c, &[a_store(NONE)]);
    for (stall_in, stall_out) in [(stalled.clone(), Stall::default()), (Stall::default(), stalled)] {
        let options = RunOptions { stall_in, stall_out, ..RunOptions::default() };
        let outcome = twin.run(&s, &options).unwrap();
        assert_eq!(outcome, Outcome { status: Status::CycleLimit, packets: vec![] });
    }
    works_after_reset(&mut twin);
}

#[test]
fn a_run_that_ends_in_its_last_cycle_is_complete() {
    let c = config(128);
    let s = stream(&c, &[a_store(NONE)]);
    // Taken in cycle 3; header in tick 1, both result words share a link word in tick 6, summary in
    // tick 7, checksum in tick 9, which is cycle 12.
    let limited = |max_cycles| {
        let options = RunOptions { max_cycles, ..RunOptions::default() };
        Twin::new(&c).run(&s, &options).unwrap()
    };
    assert_eq!(limited(13).status, Status::Idle);
    assert_eq!(limited(12), Outcome { status: Status::CycleLimit, packets: vec![] });
}

#[test]
fn a_stream_for_another_link_is_refused() {
    let mut twin = Twin::new(&config(128));
    let s = stream(&config(32), &[Instruction::Read(NONE)]);
    assert!(matches!(twin.run(&s, &RunOptions::default()), Err(EngineError::Link(_))));
    let mut s = stream(&config(128), &[Instruction::Read(NONE)]);
    s.bytes.pop();
    assert!(matches!(twin.run(&s, &RunOptions::default()), Err(EngineError::Link(_))));
}
