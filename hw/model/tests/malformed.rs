//! Broken streams: nothing panics, nothing runs away, and a RESET always helps.

use proptest::prelude::*;
use tandem_model::Twin;
use tandem_spec::check::crc16;
use tandem_spec::engine::{Engine, RunOptions, Stall, Status};
use tandem_spec::isa::OPCODES;
use tandem_spec::packet::Kind;
use tandem_spec::{Config, Instruction, Stream};

/// Runs a stream in parts, then a RESET, which must be answered.
fn survives(config: &Config, stream: &Stream, parts: usize, seed: u64) {
    let mut twin = Twin::new(config);
    let options = RunOptions {
        max_cycles: 50_000,
        stall_in: Stall::random(seed, seed % 90),
        stall_out: Stall::random(seed ^ 1, seed % 80),
        ..RunOptions::default()
    };
    let size = stream.words().div_ceil(parts).max(1);
    for (bytes, first) in stream.bytes.chunks(size * stream.link_bytes).zip(stream.first.chunks(size)) {
        let part = Stream { link_bytes: stream.link_bytes, bytes: bytes.to_vec(), first: first.to_vec() };
        let outcome = twin.run(&part, &options).unwrap();
        let failed = outcome.packets.iter().filter(|p| p.kind == Kind::Error).count();
        assert!(failed <= 1 + outcome.packets.iter().filter(|p| p.kind == Kind::Ready).count());
        assert!(outcome.packets.iter().map(|p| p.data.len()).sum::<usize>() <= 50_000 * 16);
    }
    let mut reset = Stream::new(config);
    reset.push(&Instruction::Reset);
    let outcome = twin.run(&reset, &RunOptions::default()).unwrap();
    assert_eq!(outcome.status, Status::Idle);
    assert_eq!(outcome.packets.last().unwrap().kind, Kind::Ready);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_words(
        c in any::<u64>(), words in prop::collection::vec((any::<u128>(), any::<bool>(), 0usize..8), 0..60),
        parts in 1usize..4,
    ) {
        let config = tandem_stimuli::random_config(c);
        let mut stream = Stream::new(&config);
        for (word, first, op) in words {
            let mut bytes = word.to_le_bytes();
            if let Some(op) = OPCODES.get(op) {
                bytes[0] = op.code;
            }
            stream.push_words(&bytes[..config.link_bytes()], first);
        }
        survives(&config, &stream, parts, c);
    }

    #[test]
    fn valid_checksums_over_random_fields(
        c in any::<u64>(), list in prop::collection::vec((0..OPCODES.len(), prop::array::uniform32(any::<u8>()), 0usize..32), 1..12),
        parts in 1usize..4,
    ) {
        let config = tandem_stimuli::random_config(c);
        let mut stream = Stream::new(&config);
        for (op, random, zeros) in list {
            let n = OPCODES[op].units * 16;
            let mut bytes: Vec<u8> = random.iter().cycle().take(n).copied().collect();
            bytes[random.len().min(n) - zeros.min(n - 1)..].fill(0);
            bytes[0] = OPCODES[op].code;
            let crc = crc16(&bytes[..n - 2]);
            bytes[n - 2..].copy_from_slice(&crc.to_le_bytes());
            stream.push_words(&bytes, true);
        }
        survives(&config, &stream, parts, c);
    }

    #[test]
    fn flipped_bits_and_cuts(
        c in any::<u64>(), p in any::<u64>(), size in 1usize..30, parts in 1usize..4,
        flips in prop::collection::vec((0.0..1.0f64, 0u8..10), 0..4), cut in 0.0..1.0f64,
    ) {
        let config = tandem_stimuli::random_config(c);
        let mut stream = tandem_stimuli::random_program(&config, p, size);
        for (at, bit) in flips {
            match bit {
                8.. => {
                    let i = (at * stream.words() as f64) as usize;
                    stream.first[i] = !stream.first[i];
                }
                _ => {
                    let i = (at * stream.bytes.len() as f64) as usize;
                    stream.bytes[i] ^= 1 << bit;
                }
            }
        }
        let words = stream.words() - (cut * cut * cut * stream.words() as f64) as usize;
        stream.first.truncate(words);
        stream.bytes.truncate(words * stream.link_bytes);
        survives(&config, &stream, parts, c);
    }

    /// Tokens, loop counts and repetitions that no planner would write, but valid fields.
    #[test]
    fn valid_instructions_in_any_order(
        c in any::<u64>(), p in any::<u64>(), picks in prop::collection::vec((0.0..1.0f64, any::<u8>(), 0usize..8, any::<u16>()), 1..40),
        parts in 1usize..4,
    ) {
        let config = tandem_stimuli::random_config(c);
        let source = tandem_stimuli::random_program(&config, p, 40);
        let (list, _) = source.instructions();
        let mut stream = Stream::new(&config);
        for (at, tokens, level, count) in picks {
            let (start, mut i) = list[(at * list.len() as f64) as usize];
            let on = |bit: u8| tokens >> bit & 1 == 1;
            match &mut i {
                Instruction::Load(l) => {
                    (l.tokens.pop_next, l.tokens.push_next) = (on(0) && on(4), on(1));
                    let from = start * source.link_bytes + 16;
                    let size = usize::from(l.count) * usize::from(l.words) * source.link_bytes;
                    stream.push_load(*l, &source.bytes[from..from + size]);
                    continue;
                }
                Instruction::Compute(k) => {
                    (k.tokens.pop_prev, k.tokens.pop_next) = (on(0) && on(4), on(1) && on(5));
                    (k.tokens.push_prev, k.tokens.push_next) = (on(2), on(3));
                    if level < config.loops {
                        k.loops[level].count = count.max(1);
                    }
                }
                Instruction::Transform(t) => {
                    (t.tokens.pop_prev, t.tokens.pop_next) = (on(0) && on(4), on(1) && on(5));
                    (t.tokens.push_prev, t.tokens.push_next) = (on(2), on(3));
                }
                Instruction::Smooth(s) => {
                    (s.tokens.pop_prev, s.tokens.pop_next) = (on(0) && on(4), on(1) && on(5));
                    (s.tokens.push_prev, s.tokens.push_next) = (on(2), on(3));
                    s.skip = count;
                }
                Instruction::Store(s) => (s.tokens.pop_prev, s.tokens.push_prev) = (on(0) && on(4), on(1)),
                Instruction::Read(t) => (t.pop_prev, t.push_prev) = (on(0) && on(4), on(1)),
                _ => {}
            }
            stream.push(&i);
        }
        survives(&config, &stream, parts, c);
    }
}
