//! Random accelerators and random valid programs, deterministic from a seed.
//!
//! ```text
//! draft: rounds of LOAD… COMPUTE|TRANSFORM… STORE… [READ]  ─►  footprints: addresses read and written
//!        in alternating halves of the memories           │ conflicts between neighbouring engines
//!                                                        ▼
//! stream ◄─ tokens: for each pair of engines the fewest that order every conflict
//! ```
//! Whatever does not conflict is left unordered, so the engines really run at the same time. Every
//! token that is pushed is popped, and a program sets the row offsets first: programs may follow one
//! another on an engine that has finished the one before.

#[path = "programs/transform.rs"]
mod transform;

use std::ops::Range;
use tandem_spec::config::MAX_LOOPS;
use tandem_spec::isa::{Who, words_per_address};
use tandem_spec::{Compute, Config, Format, Instruction, Load, Loop, Memory, Store, Stream, Tokens};

/// splitmix64 (Steele, Lea, Flood 2014).
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number in `range`.
    fn within(&mut self, range: Range<i64>) -> i64 {
        range.start + (self.next() % (range.end - range.start) as u64) as i64
    }

    /// A number from 1 to `most`.
    fn up_to(&mut self, most: usize) -> usize {
        self.within(1..most as i64 + 1) as usize
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[(self.next() % list.len() as u64) as usize]
    }

    fn i16(&mut self) -> i16 {
        self.next() as i16
    }
}

/// A legal configuration: at most 5 × 5 elements of 8 lanes and small memories, so that a simulator of
/// it builds quickly; everything else over its whole range. Almost half have an FFT unit of up to 256 points.
pub fn random_config(seed: u64) -> Config {
    let mut r = Rng(seed ^ 0xc0f1);
    let digit = [1, 2, 4, 8];
    let (rows, cols, lanes) = (r.up_to(5), r.up_to(5), r.pick(&[1, 2, 2, 4, 4, 8, 8]));
    let (row_digit, col_digit) = (r.pick(&digit), r.pick(&digit));
    let bits = |r: &mut Rng, digit: i64| r.within(digit..17);
    let (row_bits, col_bits) = (bits(&mut r, row_digit), bits(&mut r, col_digit));
    let (acc, select, hop) = (r.within(16..33), r.pick(&[1, 1, 2, 4, 8, 16]), r.up_to(6));
    let drain = 1 << r.within(0..1 + i64::from(cols.next_power_of_two().trailing_zeros()));
    let depth = |r: &mut Rng, from: i64, to: i64| 1 << r.within(from..to);
    let (row, col) = (depth(&mut r, 2, 6), depth(&mut r, 2, 7));
    let (index_depth, result) = (depth(&mut r, 1, 6), depth(&mut r, 2, 9));
    let index = if select == 1 { String::new() } else { format!("index_depth = {index_depth}\n") };
    let (link, loops, queue) = (8 << r.within(0..5), r.within(5..8), r.pick(&[1, 2, 2, 4, 4, 8, 8]));
    let deepest: i64 = (row * select).max(col).max(if select == 1 { 1 } else { index_depth });
    let (counters, narrow) = (r.pick(&["all", "all", "total"]), r.pick(&[true, true, false]));
    let reach = r.pick(&[16, 16, i64::from(deepest.ilog2()) + 1]);
    // of its own, so that all other draws stay what they were
    let pipeline = Rng(seed ^ 0xdee9).pick(&[5, 9]);
    let reset = Rng(seed ^ 0x4e5e).percent(25);
    let (unit, least) = transform::random_unit(&mut r, drain, link);
    let result = result.max(least as i64);
    let toml = format!(
        "name = \"random-{seed}\"\n[array]\nrows = {rows}\ncols = {cols}\nlanes = {lanes}\n\
         row_digit = {row_digit}\ncol_digit = {col_digit}\nrow_bits = {row_bits}\ncol_bits = {col_bits}\n\
         acc_bits = {acc}\nselect = {select}\nhop = {hop}\npipeline = {pipeline}\ndrain = {drain}\n\
         [memory]\nrow_depth = {row}\ncol_depth = {col}\n{index}result_depth = {result}\n\
         [link]\nbits = {link}\n[control]\nloops = {loops}\nqueue = {queue}\n\
         address_bits = {reach}\ncounters = \"{counters}\"\nnarrow = {narrow}\nreset = {reset}\n{unit}"
    );
    Config::from_toml("random", &toml).expect("a legal configuration")
}

/// A valid program of about `size` instructions and a last READ, in which tokens order every conflict.
///
/// Loads into all memories (masks, broadcasts, partial words), COMPUTE with any levels, strides (also
/// negative and out of range), planes, signs, selection, edges, `keep` and `hold`, TRANSFORM of every kind
/// that is generated, results that wrap around, stores in all formats, READs in between.
pub fn random_program(config: &Config, rng_seed: u64, size: usize) -> Stream {
    let mut w = Writer {
        config,
        r: Rng(rng_seed ^ 0x9406),
        offsets: vec![0; config.array.rows],
        drafts: vec![],
        half: 0,
    };
    w.load_offsets(u32::MAX, false);
    while w.drafts.len() < size {
        w.round();
    }
    w.push(Instruction::Read(Tokens::default()), vec![], vec![]);
    w.order();
    let mut stream = Stream::new(config);
    for d in &w.drafts {
        match &d.instruction {
            Instruction::Load(l) => stream.push_load(*l, &d.payload),
            other => stream.push(other),
        }
    }
    stream
}

/// An address of a memory: one number for all memories.
type Cell = usize;

/// An instruction on its way.
struct Draft {
    instruction: Instruction,
    payload: Vec<u8>,
    /// Addresses that it reads (COMPUTE: operands, TRANSFORM: samples, STORE: results).
    reads: Vec<bool>,
    /// Addresses that it writes.
    writes: Vec<bool>,
    /// Gives the COMPUTE or TRANSFORM before it a token.
    late: bool,
}

impl Draft {
    fn engine(&self) -> Who {
        self.instruction.opcode().engine
    }

    fn conflicts(&self, other: &Draft) -> bool {
        let both = |a: &[bool], b: &[bool]| a.iter().zip(b).any(|(a, b)| *a && *b);
        both(&self.writes, &other.reads)
            || both(&self.reads, &other.writes)
            || both(&self.writes, &other.writes)
    }

    fn tokens(&mut self) -> &mut Tokens {
        match &mut self.instruction {
            Instruction::Load(l) => &mut l.tokens,
            Instruction::Compute(c) => &mut c.tokens,
            Instruction::Transform(t) => &mut t.tokens,
            Instruction::Store(s) => &mut s.tokens,
            Instruction::Read(t) => t,
            Instruction::Reset => unreachable!("programs have no RESET"),
        }
    }
}

struct Writer<'a> {
    config: &'a Config,
    r: Rng,
    /// Row offsets at this place of the program.
    offsets: Vec<i16>,
    drafts: Vec<Draft>,
    /// Half of the memories that this round prefers.
    half: usize,
}

impl Writer<'_> {
    /// Cell 0 of a memory (`None`: the result memory), and its addresses.
    fn cells(&self, memory: Option<Memory>) -> (Cell, usize) {
        let m = &self.config.memory;
        match memory {
            Some(Memory::Row) => (0, m.row),
            Some(Memory::Col) => (m.row, m.col),
            Some(Memory::Index) => (m.row + m.col, m.index),
            Some(Memory::Offset) => (m.row + m.col + m.index, 1),
            None => (m.row + m.col + m.index + 1, m.result),
            Some(Memory::Sample) => {
                let depth = self.config.fft.as_ref().map_or(0, |f| f.depth);
                (m.row + m.col + m.index + 1 + m.result, depth)
            }
        }
    }

    fn all_cells(&self) -> usize {
        let (first, depth) = self.cells(Some(Memory::Sample));
        first + depth
    }

    fn push(&mut self, instruction: Instruction, reads: Vec<Cell>, writes: Vec<Cell>) {
        instruction.validate(self.config).expect("a valid instruction");
        let set = |cells: Vec<Cell>| {
            let mut set = vec![false; self.all_cells()];
            cells.into_iter().for_each(|c| set[c] = true);
            set
        };
        let (reads, writes) = (set(reads), set(writes));
        self.drafts.push(Draft { instruction, payload: vec![], reads, writes, late: false });
    }

    fn round(&mut self) {
        let fft = self.config.fft.as_ref();
        for _ in 0..self.r.within(0..5) {
            match fft {
                Some(_) if self.r.percent(35) => self.load_samples(),
                _ => self.load(),
            }
        }
        for _ in 0..self.r.pick(&[1, 1, 1, 2, 3]) {
            match fft {
                Some(fft) if self.r.percent(45) => self.transform(fft),
                _ => self.compute(),
            }
            if self.r.percent(8) {
                self.late();
            }
        }
        for _ in 0..self.r.pick(&[0, 1, 1, 1, 2, 3]) {
            self.store();
        }
        if self.r.percent(12) {
            self.push(Instruction::Read(Tokens::default()), vec![], vec![]);
        }
        self.half ^= 1;
    }

    /// An instruction without effect that gives the one before it in the compute queue a token: that one waits
    /// there.
    fn late(&mut self) {
        let load = Load {
            tokens: Tokens::default(),
            broadcast: false,
            memory: Memory::Row,
            address: 0,
            count: 1,
            words: 1,
            mask: 0,
        };
        let read = Instruction::Read(Tokens::default());
        let instruction = if self.r.percent(50) { Instruction::Load(load) } else { read };
        self.push(instruction, vec![], vec![]);
        let draft = self.drafts.last_mut().expect("just pushed");
        draft.late = true;
        draft.payload = vec![0; self.config.link_bytes()];
    }

    /// `count ≥ 1` addresses of a memory of `depth`, mostly in this round's half.
    fn stretch(&mut self, depth: usize, most: usize) -> (u16, u16) {
        let (from, room) = if self.r.percent(92) { (self.half * depth / 2, depth / 2) } else { (0, depth) };
        let count = self.r.up_to(room.min(most));
        let address = from + self.r.up_to(room - count + 1) - 1;
        (address as u16, count as u16)
    }

    fn load(&mut self) {
        let a = &self.config.array;
        let memory = self.r.pick(&[Memory::Row, Memory::Row, Memory::Col, Memory::Col, Memory::Index]);
        let mask = if self.r.percent(60) { u32::MAX } else { self.r.next() as u32 };
        let broadcast = self.r.percent(25);
        if self.r.percent(3) {
            return self.load_offsets(mask, broadcast);
        }
        let memory = if a.select == 1 && memory == Memory::Index { Memory::Col } else { memory };
        let elements = if memory == Memory::Row { a.rows } else { a.cols };
        let full = words_per_address(self.config, memory, if broadcast { 1 } else { elements });
        let most = words_per_address(self.config, memory, elements);
        let words = if self.r.percent(70) { full } else { self.r.up_to(most) };
        let (first, depth) = self.cells(Some(memory));
        let (address, count) = self.stretch(depth, (600 / words).clamp(1, 12));
        let load =
            Load { tokens: Tokens::default(), broadcast, memory, address, count, words: words as u16, mask };
        let writes = (0..usize::from(count)).map(|i| first + usize::from(address) + i).collect();
        self.push(Instruction::Load(load), vec![], writes);
        let bytes = usize::from(count) * words * self.config.link_bytes();
        let payload = (0..bytes).map(|_| self.r.next() as u8).collect();
        self.drafts.last_mut().expect("just pushed").payload = payload;
    }

    fn load_offsets(&mut self, mask: u32, broadcast: bool) {
        let rows = self.config.array.rows;
        let words = words_per_address(self.config, Memory::Offset, rows);
        let offsets: Vec<i16> = (0..words * self.config.link_bytes() / 2 + 1)
            .map(|_| if self.r.percent(8) { self.r.i16() } else { self.r.within(-3..9) as i16 })
            .collect();
        for (r, offset) in self.offsets.iter_mut().enumerate().filter(|(r, _)| mask >> r & 1 == 1) {
            *offset = offsets[if broadcast { 0 } else { r }];
        }
        let load = Load {
            tokens: Tokens::default(),
            broadcast,
            memory: Memory::Offset,
            address: 0,
            count: 1,
            words: words as u16,
            mask,
        };
        let (cell, _) = self.cells(Some(Memory::Offset));
        self.push(Instruction::Load(load), vec![], vec![cell]);
        let mut payload: Vec<u8> = offsets.iter().flat_map(|o| o.to_le_bytes()).collect();
        payload.truncate(words * self.config.link_bytes());
        self.drafts.last_mut().expect("just pushed").payload = payload;
    }

    fn store(&mut self) {
        let most = if self.r.percent(80) { 10 } else { self.config.memory.result };
        let (mut address, mut count) = self.stretch(self.config.memory.result, most);
        if let Some(status) = self.last_status().filter(|_| self.r.percent(40)) {
            (address, count) = (status as u16, 1);
        }
        let format = match self.config.narrow {
            true => self.r.pick(&[Format::S32, Format::S16, Format::S8]),
            false => Format::S32,
        };
        let shift = match format {
            Format::S32 => 0,
            _ => self.r.pick(&[0, 1, 2, 3, 5, 8, 13, 31]),
        };
        let (first, _) = self.cells(None);
        let reads = (0..usize::from(count)).map(|i| first + usize::from(address) + i).collect();
        let store = Store { tokens: Tokens::default(), format, address, count, shift };
        self.push(Instruction::Store(store), reads, vec![]);
    }

    /// A COMPUTE; mostly one whose operands lie in this round's half or outside the memories.
    fn compute(&mut self) {
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

    fn in_half(&self, cells: &[Cell]) -> bool {
        let all = [Some(Memory::Row), Some(Memory::Col), Some(Memory::Index), Some(Memory::Sample), None];
        all.into_iter().all(|m| {
            let (first, depth) = self.cells(m);
            let mut inside = cells.iter().filter_map(|c| c.checked_sub(first)).filter(|c| *c < depth);
            inside.all(|c| c * 2 / depth.max(2) == self.half)
        })
    }

    fn shape(&mut self, tidy: bool) -> Compute {
        let (config, a) = (self.config, &self.config.array);
        let first = !self.drafts.iter().any(|d| matches!(d.instruction, Instruction::Compute(_)));
        let mut budget = self.r.pick(&[2, 12, 60, 200, 600]);
        let mut within_budget = |r: &mut Rng, most: usize| {
            let n = if r.percent(40) { 1 } else { r.up_to(most.min(budget)) };
            budget /= n;
            n
        };
        let row_planes = within_budget(&mut self.r, config.row_planes(a.row_bits)) as u8;
        let col_planes = within_budget(&mut self.r, config.col_planes(a.col_bits)) as u8;
        let mut loops = [Loop::default(); MAX_LOOPS];
        for _ in 0..config.loops {
            let l = self.r.up_to(config.loops) - 1;
            let most = self.r.pick(&[3, 3, 5, 40]).min((1 << config.address_bits) - 1);
            if loops[l].count == 1 {
                loops[l].count = within_budget(&mut self.r, most) as u16;
            }
        }
        let stride = |r: &mut Rng| if tidy { r.pick(&[-3, -1, 0, 0, 0, 1, 1, 2]) } else { r.i16() };
        for l in &mut loops {
            (l.row_stride, l.col_stride) = (stride(&mut self.r), stride(&mut self.r));
        }
        let base = |w: &mut Self, depth: usize| {
            let depth = depth as i64;
            let from = w.half as i64 * depth / 2;
            w.r.within(from - 1..from + depth / 2 + 1) as i16
        };
        let first_result = match tidy {
            true => self.half * config.memory.result / 2 + self.r.up_to(3) - 1,
            false => self.r.next() as usize,
        };
        let tiles = self.r.within(0..config.loops as i64 + 1) as u8;
        let edge = |r: &mut Rng| if tiles > 0 && r.percent(60) { r.within(0..tiles.into()) as u8 } else { 7 };
        let side = |r: &mut Rng, most: usize| if r.percent(50) { most } else { r.up_to(most) } as u8;
        Compute {
            tokens: Tokens::default(),
            keep: !first && self.r.percent(30),
            hold: self.r.percent(25),
            row_signed: self.r.percent(50),
            col_signed: self.r.percent(50),
            row_base: base(self, config.memory.row * a.select),
            col_base: base(self, config.memory.col),
            index_base: base(self, config.memory.index),
            result_base: first_result as u16,
            rows: side(&mut self.r, a.rows),
            rows_last: side(&mut self.r, a.rows),
            row_edge: edge(&mut self.r),
            cols: side(&mut self.r, a.cols),
            cols_last: side(&mut self.r, a.cols),
            col_edge: edge(&mut self.r),
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
        let (offset, _) = self.cells(Some(Memory::Offset));
        let mut cells = vec![offset];
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
            for q in 0..i64::from(c.col_planes) {
                add(Memory::Col, i64::from(c.col_base) + col + q * i64::from(c.col_plane_stride), 1);
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

    /// Sets the tokens: in each direction, one for every conflict that no earlier one orders.
    fn order(&mut self) {
        use Who::{Compute, Load, Store};
        for (from, to) in [(Load, Compute), (Compute, Load), (Compute, Store), (Store, Compute)] {
            let mut done = None;
            for x in 0..self.drafts.len() {
                if self.drafts[x].engine() != to || self.drafts[x].late {
                    continue;
                }
                let wanted = self.last_before(x, from);
                if let Some(y) = wanted.filter(|y| Some(*y) > done) {
                    done = wanted;
                    let (push, pop) = (self.drafts[y].tokens(), from as usize > to as usize);
                    *(if pop { &mut push.push_prev } else { &mut push.push_next }) = true;
                    let take = self.drafts[x].tokens();
                    *(if pop { &mut take.pop_next } else { &mut take.pop_prev }) = true;
                }
            }
        }
    }

    /// The instruction of engine `from` that instruction `x` waits for: the last conflicting one, at the
    /// program's end the last one, and now and then any.
    fn last_before(&mut self, x: usize, from: Who) -> Option<usize> {
        let is_from = |y: &usize| self.drafts[*y].engine() == from;
        let at_end = x + 1 == self.drafts.len();
        let late = Some(x + 1).filter(|y| self.drafts.get(*y).is_some_and(|d| d.late && d.engine() == from));
        let conflict =
            (0..x).rev().filter(is_from).find(|y| at_end || self.drafts[*y].conflicts(&self.drafts[x]));
        let any = usize::from(self.r.percent(4)) * (self.r.next() as usize % (x + 1));
        late.or(conflict.max((0..any).rev().find(|y| self.drafts[*y].engine() == from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_spec::Transform;

    #[test]
    fn seeds_repeat_and_cover_the_instruction_set() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..120 {
            let config = random_config(seed);
            let stream = random_program(&config, seed, 30);
            assert_eq!(stream, random_program(&random_config(seed), seed, 30));
            let (list, end) = stream.instructions();
            assert_eq!(end, stream.words());
            assert!(list.len() > 30 && matches!(list[list.len() - 1].1, Instruction::Read(_)));
            for (_, i) in list {
                i.validate(&config).unwrap();
                seen.insert(match i {
                    Instruction::Load(l) => format!("load {:?} broadcast {}", l.memory, l.broadcast),
                    Instruction::Compute(c) => {
                        format!("compute select {} hold {} keep {}", c.select.min(2), c.hold, c.keep)
                    }
                    Instruction::Transform(t) => {
                        format!("transform inverse {} block {} tile {}", t.inverse, t.block, t.tile)
                    }
                    Instruction::Store(s) => format!("store {:?}", s.format),
                    other => other.opcode().name.to_string(),
                });
            }
        }
        assert_eq!(seen.len(), 5 * 2 + 3 * 2 * 2 + 2 * 2 * 2 + 3 + 1, "{seen:#?}");
    }

    #[test]
    fn every_pushed_token_is_popped() {
        for seed in 0..60 {
            let config = random_config(seed);
            let mut tokens = [0i32; 4];
            for (_, i) in random_program(&config, !seed, 50).instructions().0 {
                let count = |on: bool| i32::from(on);
                match i {
                    Instruction::Load(Load { tokens: t, .. }) => {
                        tokens[0] += count(t.push_next);
                        tokens[1] -= count(t.pop_next);
                    }
                    Instruction::Compute(Compute { tokens: t, .. })
                    | Instruction::Transform(Transform { tokens: t, .. }) => {
                        tokens[0] -= count(t.pop_prev);
                        tokens[1] += count(t.push_prev);
                        tokens[2] += count(t.push_next);
                        tokens[3] -= count(t.pop_next);
                    }
                    Instruction::Store(Store { tokens: t, .. }) | Instruction::Read(t) => {
                        tokens[2] -= count(t.pop_prev);
                        tokens[3] += count(t.push_prev);
                    }
                    Instruction::Reset => {}
                }
            }
            assert_eq!(tokens, [0; 4]);
        }
    }
}
