//! A program that writes every word of every memory.

use crate::common::Random;
use tandem_spec::isa::words_per_address;
use tandem_spec::{Compute, Config, Instruction, Load, Loop, Memory, Stream, Tokens};

/// A LOAD of a whole memory.
fn load(
    config: &Config,
    random: &mut Random,
    (memory, elements, depth): (Memory, usize, usize),
) -> (Load, Vec<u8>) {
    let words = words_per_address(config, memory, elements);
    let load = Load {
        tokens: Tokens::default(),
        broadcast: false,
        memory,
        address: 0,
        count: depth as u16,
        words: words as u16,
        mask: u32::MAX,
    };
    (load, random.bytes(depth * words * config.link_bytes()))
}

/// A COMPUTE of so many tiles of one result each, between the engines on either side.
fn compute(tiles: usize) -> Instruction {
    let mut loops = [Loop::default(); 7];
    loops[0].count = tiles as u16;
    Instruction::Compute(Compute {
        tokens: Tokens { pop_prev: true, push_next: true, ..Tokens::default() },
        tiles: 1,
        loops,
        ..Compute::default()
    })
}

/// LOADs of all memories, a COMPUTE that fills the result memory, and a READ.
pub fn stream(config: &Config) -> Stream {
    let (a, m) = (&config.array, &config.memory);
    let mut memories =
        vec![(Memory::Offset, a.rows, 1), (Memory::Row, a.rows, m.row), (Memory::Col, a.cols, m.col)];
    if a.select > 1 {
        memories.push((Memory::Index, a.cols, m.index));
    }
    memories.extend(config.fft.as_ref().map(|f| (Memory::Sample, 1, f.depth)));
    memories.extend(config.gaussian.as_ref().map(|g| (Memory::Pixel, 1, g.depth)));
    let (mut stream, mut random) = (Stream::new(config), Random(7));
    for (i, memory) in memories.iter().enumerate() {
        let (mut load, payload) = load(config, &mut random, *memory);
        // the last one's token covers all of them
        load.tokens.push_next = i + 1 == memories.len();
        stream.push_load(load, &payload);
    }
    stream.push(&compute(m.result));
    stream.push(&Instruction::Read(Tokens { pop_prev: true, ..Tokens::default() }));
    stream
}
