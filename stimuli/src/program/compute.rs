//! Random COMPUTEs, and the addresses that they read and write.

use super::{Cell, Writer};
use crate::random::Random;
use tandem_spec::config::MAX_LOOPS;
use tandem_spec::{Compute, Instruction, Loop, Memory, Tokens};

impl Writer<'_> {
    /// A COMPUTE; mostly one whose operands lie in this round's half or outside the memories.
    pub(super) fn compute(&mut self) {
        let tidy = self.r.percent(88);
        let mut tries = if tidy { 20 } else { 1 };
        loop {
            let c = self.shape(tidy);
            let (reads, writes) = (self.operands(&c), self.results(&c));
            tries -= 1;
            if tries == 0 || self.in_half(&reads) && self.in_half(&writes) {
                return self.push(Instruction::Compute(c), reads, writes);
            }
        }
    }

    fn shape(&mut self, tidy: bool) -> Compute {
        let (config, a) = (self.config, &self.config.array);
        let first = !self.drafts.iter().any(|d| matches!(d.instruction, Instruction::Compute(_)));
        let mut budget = self.r.pick(&[2, 12, 60, 200, 600]);
        let mut within_budget = |r: &mut Random, most: usize| {
            let n = if r.percent(40) { 1 } else { r.up_to(most.min(budget)) };
            budget /= n;
            n
        };
        let row_planes = within_budget(&mut self.r, config.row_planes(a.row_bits)) as u8;
        let coded = config.codebook.is_some() && self.r.percent(50);
        let most = if coded { config.level_digits() } else { config.col_planes(a.col_bits) };
        let col_planes = within_budget(&mut self.r, most) as u8;
        let mut loops = [Loop::default(); MAX_LOOPS];
        for _ in 0..config.loops {
            let l = self.r.up_to(config.loops) - 1;
            let most = self.r.pick(&[3, 3, 5, 40]).min((1 << config.address_bits) - 1);
            if loops[l].count == 1 {
                loops[l].count = within_budget(&mut self.r, most) as u16;
            }
        }
        let stride = |r: &mut Random| if tidy { r.pick(&[-3, -1, 0, 0, 0, 1, 1, 2]) } else { r.i16() };
        for l in &mut loops {
            (l.row_stride, l.col_stride) = (stride(&mut self.r), stride(&mut self.r));
        }
        let codes = config.codebook.as_ref().map_or(0, |book| book.depth * config.code_words());
        let cols = if coded { codes } else { config.memory.col };
        let base = |w: &mut Self, depth: usize| {
            let depth = depth as i64;
            let from = w.half as i64 * depth / 2;
            w.r.within(from - 1..from + depth / 2 + 1) as i16
        };
        let first_result = match tidy {
            true => self.half * config.memory.result / 2 + self.r.up_to(3) - 1,
            false => self.r.any() as usize,
        };
        let tiles = self.r.within(0..config.loops as i64 + 1) as u8;
        let edge =
            |r: &mut Random| if tiles > 0 && r.percent(60) { r.within(0..tiles.into()) as u8 } else { 7 };
        let side = |r: &mut Random, most: usize| if r.percent(50) { most } else { r.up_to(most) } as u8;
        Compute {
            tokens: Tokens::default(),
            keep: !first && self.r.percent(30),
            hold: self.r.percent(25),
            row_signed: self.r.percent(50),
            col_signed: self.r.percent(50),
            row_base: base(self, config.memory.row * a.select),
            col_base: base(self, cols),
            index_base: base(self, config.memory.index),
            result_base: first_result as u16,
            rows: side(&mut self.r, a.rows),
            rows_last: side(&mut self.r, a.rows),
            row_edge: edge(&mut self.r),
            cols: side(&mut self.r, a.cols),
            cols_last: side(&mut self.r, a.cols),
            col_edge: edge(&mut self.r),
            coded,
            row_planes,
            col_planes,
            tiles,
            select: self.r.within(0..1 + i64::from(a.select.trailing_zeros())) as u8,
            held: a.select > 1 && self.r.percent(30),
            row_plane_stride: stride(&mut self.r),
            col_plane_stride: stride(&mut self.r),
            loops,
        }
    }

    /// The counters of all levels, in order.
    fn turns(&self, c: &Compute) -> Vec<Vec<u16>> {
        c.loops[..self.config.loops].iter().fold(vec![vec![]], |all, l| {
            let turn = |t: &Vec<u16>, i| t.iter().copied().chain([i]).collect();
            all.iter().flat_map(|t| (0..l.count).map(move |i| turn(t, i))).collect()
        })
    }

    /// Addresses that a COMPUTE reads.
    fn operands(&self, c: &Compute) -> Vec<Cell> {
        let mut cells = vec![self.cells(Some(Memory::Offset)).0];
        if c.coded {
            cells.push(self.cells(Some(Memory::Level)).0);
        }
        let mut add = |memory, address: i64, words: i64| {
            let (first, depth) = self.cells(Some(memory));
            let unused = i64::BITS - self.config.address_bits as u32;
            let address = address << unused >> unused;
            if address >= 0 && address < depth as i64 * words {
                cells.push(first + (address / words) as usize);
            }
        };
        let mut tile = -1;
        for turn in self.turns(c) {
            tile += i64::from(turn[c.tiles.into()..].iter().all(|i| *i == 0));
            let sum = |stride: fn(&Loop) -> i16| -> i64 {
                turn.iter().zip(&c.loops).map(|(i, l)| i64::from(*i) * i64::from(stride(l))).sum()
            };
            let (row, col) = (sum(|l| l.row_stride), sum(|l| l.col_stride));
            add(Memory::Index, i64::from(c.index_base) + if c.held { tile } else { col }, 1);
            for p in 0..i64::from(c.row_planes) {
                let address = i64::from(c.row_base) + row + p * i64::from(c.row_plane_stride);
                for offset in &self.offsets {
                    add(Memory::Row, address + i64::from(*offset), self.config.array.select as i64);
                }
            }
            let (memory, words) =
                if c.coded { (Memory::Code, self.config.code_words()) } else { (Memory::Col, 1) };
            for q in 0..i64::from(c.col_planes) {
                add(memory, i64::from(c.col_base) + col + q * i64::from(c.col_plane_stride), words as i64);
            }
        }
        cells.sort_unstable();
        cells.dedup();
        cells
    }

    /// Addresses that a COMPUTE writes.
    fn results(&self, c: &Compute) -> Vec<Cell> {
        let (first, depth) = self.cells(None);
        let counts = &c.loops[..self.config.loops];
        let last = |turn: &[u16], edge: u8| {
            counts.get(usize::from(edge)).is_some_and(|l| turn[edge as usize] + 1 == l.count)
        };
        let words = |turn: &[u16]| {
            let rows = if last(turn, c.row_edge) { c.rows_last } else { c.rows };
            let cols = if last(turn, c.col_edge) { c.cols_last } else { c.cols };
            usize::from(rows) * usize::from(cols).div_ceil(self.config.array.drain)
        };
        let turns = self.turns(c);
        let tile = |t: &&Vec<u16>| t[c.tiles.into()..].iter().all(|i| *i == 0);
        let total: usize = if c.hold { 0 } else { turns.iter().filter(tile).map(|t| words(t)).sum() };
        (0..total.min(depth)).map(|i| first + (usize::from(c.result_base) + i) % depth).collect()
    }
}
