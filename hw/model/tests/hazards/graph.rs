//! A second reading of "Hazards": every turn of every loop, and a graph of instructions.
//!
//! An edge leads from an instruction to the next one of its engine and, for the k-th token of a channel, from
//! the instruction that pushes it to the one that pops it. X is before Y if a path leads there.

use std::collections::BTreeSet;
use tandem_model::hazard::Place;
use tandem_spec::isa::Who;
use tandem_spec::{Compute, Config, Instruction, Load, Memory, Stream, Tokens};

/// Memory, element, address.
pub type Word = (usize, usize, usize);

/// Numbers of memories.
pub fn number(place: Place) -> usize {
    match place {
        Place::Operand(m) => m as usize,
        Place::Result => 9,
    }
}

/// An instruction with the payload that follows it.
pub struct Step {
    pub instruction: Instruction,
    pub payload: Vec<u8>,
}

/// The instructions of a stream.
pub fn steps(stream: &Stream) -> Vec<Step> {
    let (list, end) = stream.instructions();
    assert_eq!(end, stream.words());
    list.into_iter()
        .map(|(at, instruction)| {
            let from = (at + instruction.opcode().units * 16 / stream.link_bytes) * stream.link_bytes;
            let length = match &instruction {
                Instruction::Load(l) => usize::from(l.count) * usize::from(l.words) * stream.link_bytes,
                _ => 0,
            };
            Step { instruction, payload: stream.bytes[from..from + length].to_vec() }
        })
        .collect()
}

/// An instruction's tokens: a LOAD and a STORE have those of their own sides only.
pub fn tokens(i: &mut Instruction) -> &mut Tokens {
    match i {
        Instruction::Load(l) => &mut l.tokens,
        Instruction::Compute(c) => &mut c.tokens,
        Instruction::Transform(t) => &mut t.tokens,
        Instruction::Smooth(s) => &mut s.tokens,
        Instruction::Store(s) => &mut s.tokens,
        Instruction::Read(t) => t,
        other => panic!("no {other} in these programs"),
    }
}

/// Pairs (push, pop) of the channel from one engine to a neighbour.
pub fn channel(steps: &mut [Step], from: Who, to: Who) -> Vec<(usize, usize)> {
    let forward = (from as usize) < to as usize;
    let of = |steps: &mut [Step], who: Who, on: &dyn Fn(&Tokens) -> bool| -> Vec<usize> {
        (0..steps.len())
            .filter(|i| {
                steps[*i].instruction.opcode().engine == who && on(tokens(&mut steps[*i].instruction))
            })
            .collect()
    };
    let pushes = of(steps, from, &|t| if forward { t.push_next } else { t.push_prev });
    let pops = of(steps, to, &|t| if forward { t.pop_prev } else { t.pop_next });
    assert_eq!(pushes.len(), pops.len());
    pushes.into_iter().zip(pops).collect()
}

/// The four channels.
pub const CHANNELS: [(Who, Who); 4] = [
    (Who::Load, Who::Compute),
    (Who::Compute, Who::Load),
    (Who::Compute, Who::Store),
    (Who::Store, Who::Compute),
];

/// `reach[x][y]`: x is before y.
fn reach(steps: &mut [Step]) -> Vec<Vec<bool>> {
    let n = steps.len();
    let mut edges = vec![];
    for x in 0..n {
        let engine = steps[x].instruction.opcode().engine;
        edges.extend((x + 1..n).find(|y| steps[*y].instruction.opcode().engine == engine).map(|y| (x, y)));
    }
    for (from, to) in CHANNELS {
        edges.extend(channel(steps, from, to));
    }
    let mut reach = vec![vec![false; n]; n];
    loop {
        let before = reach.clone();
        for (x, y) in &edges {
            reach[*x][*y] = true;
            let behind = reach[*y].clone();
            reach[*x].iter_mut().zip(behind).for_each(|(a, b)| *a |= b);
        }
        if reach == before {
            return reach;
        }
    }
}

/// Words read and words written, offsets of the rows known.
fn touched(config: &Config, i: &Instruction, offsets: &[i16]) -> (BTreeSet<Word>, BTreeSet<Word>) {
    let (mut reads, mut writes) = (BTreeSet::new(), BTreeSet::new());
    let result = number(Place::Result);
    match i {
        Instruction::Load(l) => {
            for e in (0..32).filter(|e| l.mask >> e & 1 == 1 && written(config, l, *e)) {
                writes.extend(
                    (0..usize::from(l.count)).map(|a| (l.memory as usize, e, usize::from(l.address) + a)),
                );
            }
        }
        Instruction::Compute(c) => compute(config, c, offsets, &mut reads, &mut writes),
        Instruction::Transform(t) => {
            let fft = config.fft.as_ref().expect("a unit");
            let groups = usize::from(t.count) << t.log_points;
            let a_word = fft.word_bits(config.link_bits) / (32 * fft.samples);
            reads.extend(
                (0..groups).map(|g| (Memory::Sample as usize, 0, usize::from(t.address) + g / a_word)),
            );
            let a_result = config.array.drain / fft.samples;
            let words = (groups - 1) / a_result + 2;
            writes.extend(
                (0..words).map(|w| (result, 0, (usize::from(t.result_base) + w) % config.memory.result)),
            );
        }
        Instruction::Smooth(s) => {
            let pixels = config.gaussian.as_ref().expect("a unit").pixels;
            let steps = config.link_bits.max(64 * pixels) / (64 * pixels);
            reads.extend(
                (0..usize::from(s.count))
                    .map(|n| (Memory::Pixel as usize, 0, usize::from(s.address) + n / steps)),
            );
            let groups = (s.skip..s.count).len() * 4;
            writes.extend((0..groups).map(|j| {
                let word = usize::from(s.result_base) + j * pixels / config.array.drain;
                (result, 0, word % config.memory.result)
            }));
        }
        Instruction::Store(s) => {
            reads.extend((0..usize::from(s.count)).map(|a| (result, 0, usize::from(s.address) + a)));
        }
        _ => {}
    }
    (reads, writes)
}

/// Whether a slot of element `e` is among those of a LOAD's words.
fn written(config: &Config, l: &Load, e: usize) -> bool {
    let a = &config.array;
    let (elements, banks, unit) = match l.memory {
        Memory::Row => (a.rows, a.select, a.lanes * a.row_digit),
        Memory::Col => (a.cols, 1, a.lanes * a.col_digit),
        Memory::Index => (a.cols, 1, config.index_lanes() * config.index_bits()),
        Memory::Offset => (a.rows, 1, 16),
        Memory::Pixel => (1, 1, config.link_bits.max(64 * config.gaussian.as_ref().expect("a unit").pixels)),
        Memory::Sample => (1, 1, config.fft.as_ref().expect("a unit").word_bits(config.link_bits)),
        Memory::Code => {
            let bits = config.codebook.as_ref().expect("codebooks").code_bits;
            (a.cols, bits, config.code_words() * a.lanes)
        }
        Memory::Level => {
            let book = config.codebook.as_ref().expect("codebooks");
            (a.cols, 1, book.level_bits << book.code_bits)
        }
    };
    let chunk = unit.min(config.link_bits);
    let slots = usize::from(l.words) * (config.link_bits / chunk);
    let element = |slot: usize| match l.memory {
        Memory::Code => slot / (unit / chunk) % elements,
        _ => slot / (unit / chunk) / banks,
    };
    let all = elements * banks * (unit / chunk);
    e < elements && (l.broadcast || (0..slots.min(all)).any(|slot| element(slot) == e))
}

fn compute(
    config: &Config,
    c: &Compute,
    offsets: &[i16],
    reads: &mut BTreeSet<Word>,
    writes: &mut BTreeSet<Word>,
) {
    let (a, m) = (&config.array, &config.memory);
    let fold = |address: i64| address.rem_euclid(1 << config.address_bits) as usize;
    let levels = &c.loops[..config.loops];
    let mut turns: Vec<Vec<i64>> = vec![vec![]];
    for l in levels {
        let longer = |t: &Vec<i64>, i: i64| t.iter().copied().chain([i]).collect();
        turns = turns.iter().flat_map(|t| (0..i64::from(l.count)).map(|i| longer(t, i))).collect();
    }
    let tiles = usize::from(c.tiles);
    let (mut tile, mut words) = (-1, 0);
    for t in &turns {
        if t[tiles..].iter().all(|i| *i == 0) {
            tile += 1;
            let last =
                |edge: u8| edge < 7 && t[usize::from(edge)] + 1 == i64::from(levels[usize::from(edge)].count);
            let rows = if last(c.row_edge) { c.rows_last } else { c.rows };
            let cols = if last(c.col_edge) { c.cols_last } else { c.cols };
            words += usize::from(rows) * usize::from(cols).div_ceil(a.drain);
        }
        let row: i64 = t.iter().zip(levels).map(|(i, l)| i * i64::from(l.row_stride)).sum();
        let col: i64 = t.iter().zip(levels).map(|(i, l)| i * i64::from(l.col_stride)).sum();
        for (r, offset) in offsets.iter().enumerate() {
            reads.insert((Memory::Offset as usize, r, 0));
            for p in 0..i64::from(c.row_planes) {
                let flat =
                    i64::from(c.row_base) + row + p * i64::from(c.row_plane_stride) + i64::from(*offset);
                let window = fold(flat) / a.select;
                reads.extend((window < m.row).then_some((Memory::Row as usize, r, window)));
            }
        }
        for e in 0..a.cols {
            for q in 0..i64::from(c.col_planes) {
                let word = fold(i64::from(c.col_base) + col + q * i64::from(c.col_plane_stride));
                if let (true, Some(book)) = (c.coded, &config.codebook) {
                    let at = word / config.code_words();
                    reads.extend((at < book.depth).then_some((Memory::Code as usize, e, at)));
                    reads.insert((Memory::Level as usize, e, 0));
                } else {
                    reads.extend((word < m.col).then_some((Memory::Col as usize, e, word)));
                }
            }
            let word = fold(i64::from(c.index_base) + if c.held { tile } else { col });
            let there = c.select > 0 && word < m.index;
            reads.extend(there.then_some((Memory::Index as usize, e, word)));
        }
    }
    let words = if c.hold { 0 } else { words };
    writes
        .extend((0..words).map(|w| (number(Place::Result), 0, (usize::from(c.result_base) + w) % m.result)));
}

/// All (word, writer, reader) that no path orders.
pub fn hazards(config: &Config, steps: &mut [Step]) -> BTreeSet<(Word, u32, u32)> {
    let reach = reach(steps);
    let mut offsets = vec![0i16; config.array.rows];
    let mut all = vec![];
    for step in steps.iter() {
        all.push(touched(config, &step.instruction, &offsets));
        if let Instruction::Load(l @ Load { memory: Memory::Offset, .. }) = &step.instruction {
            for (r, offset) in offsets.iter_mut().enumerate() {
                let at = 2 * if l.broadcast { 0 } else { r };
                if l.mask >> r & 1 == 1 && at < step.payload.len() {
                    *offset = i16::from(step.payload[at])
                        | i16::from(step.payload.get(at + 1).copied().unwrap_or(0) as i8) << 8;
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    for (w, (_, writes)) in all.iter().enumerate() {
        for (r, (reads, _)) in all.iter().enumerate() {
            if w != r && !reach[w][r] && !reach[r][w] {
                found.extend(writes.intersection(reads).map(|word| (*word, w as u32, r as u32)));
            }
        }
    }
    found
}
