//! Random valid programs, deterministic from a seed.
//!
//! ```text
//! draft: rounds of LOAD… COMPUTE|TRANSFORM|SMOOTH… STORE… [READ]  ─►  footprints: addresses read and written
//!        in alternating halves of the memories           │ conflicts between neighbouring engines
//!                                                        ▼
//! stream ◄─ tokens: for each pair of engines the fewest that order every conflict
//! ```
//! Whatever does not conflict is left unordered, so the engines really run at the same time. Every
//! token that is pushed is popped, and a program sets the row offsets first: programs may follow one
//! another on an engine that has finished the one before.

mod compute;
mod load;
mod order;
mod smooth;
#[cfg(test)]
mod tests;
mod transform;

use crate::random::Random;
use tandem_spec::isa::Who;
use tandem_spec::{Config, Instruction, Load, Memory, Store, StoreWidth, Stream, Tokens};

/// A valid program of about `size` instructions and a last READ, in which tokens order every conflict.
///
/// Loads into all memories (masks, broadcasts, partial words), COMPUTE with any levels, strides (also
/// negative and out of range), planes, signs, selection, edges, `keep` and `hold`, TRANSFORM of every kind
/// that is generated, SMOOTH with windows and with any coefficients, results that wrap around, stores in all formats and of any lanes, READs in between.
pub fn random_program(config: &Config, rng_seed: u64, size: usize) -> Stream {
    let mut w = Writer {
        config,
        r: Random(rng_seed ^ 0x9406),
        offsets: vec![0; config.array.rows],
        drafts: vec![],
        half: 0,
    };
    w.load_offsets(u32::MAX, false);
    if config.codebook.is_some() {
        w.load_levels(u32::MAX, false);
    }
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
        self.instruction.tokens_mut()
    }
}

struct Writer<'a> {
    config: &'a Config,
    r: Random,
    /// Row offsets at this place of the program.
    offsets: Vec<i16>,
    drafts: Vec<Draft>,
    /// Half of the memories that this round prefers.
    half: usize,
}

impl Writer<'_> {
    /// Cell 0 of a memory (`None`: the result memory), and its addresses.
    fn cells(&self, memory: Option<Memory>) -> (Cell, usize) {
        let depth = |m: Option<Memory>| match m {
            Some(m) => m.shape(self.config).map_or(0, |s| s.depth),
            None => self.config.memory.result,
        };
        let before = Memory::ALL.into_iter().map(Some).take_while(|m| *m != memory);
        (before.map(depth).sum(), depth(memory))
    }

    fn all_cells(&self) -> usize {
        let (first, depth) = self.cells(None);
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
        let (fft, gaussian) = (self.config.fft.as_ref(), self.config.gaussian.as_ref());
        for _ in 0..self.r.within(0..5) {
            match (fft, gaussian) {
                (Some(_), _) if self.r.percent(35) => self.load_parts(Memory::Sample),
                (_, Some(_)) if self.r.percent(35) => self.load_parts(Memory::Pixel),
                _ => self.load(),
            }
        }
        for _ in 0..self.r.pick(&[1, 1, 1, 2, 3]) {
            match (fft, gaussian) {
                (Some(fft), _) if self.r.percent(45) => self.transform(fft),
                (_, Some(gaussian)) if self.r.percent(45) => self.smooth(gaussian),
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

    /// What `draw` makes, pushed; mostly drawn again, `tidy`, until what it reads and writes lies in this round's half.
    fn settle(&mut self, draw: impl Fn(&mut Self, bool) -> (Instruction, Vec<Cell>, Vec<Cell>)) {
        let tidy = self.r.percent(88);
        let mut tries = if tidy { 20 } else { 1 };
        loop {
            let (instruction, reads, writes) = draw(self, tidy);
            tries -= 1;
            if tries == 0 || self.in_half(&reads) && self.in_half(&writes) {
                return self.push(instruction, reads, writes);
            }
        }
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

    fn store(&mut self) {
        let most = if self.r.percent(80) { 10 } else { self.config.memory.result };
        let (mut address, mut count) = self.stretch(self.config.memory.result, most);
        if let Some(status) = self.last_status().filter(|_| self.r.percent(40)) {
            (address, count) = (status as u16, 1);
        }
        let format = self.r.pick(&StoreWidth::known(self.config));
        let drain = self.config.array.drain;
        let lanes = if self.config.pack && self.r.percent(60) { self.r.up_to(drain) as u8 } else { 0 };
        let shift = match format {
            StoreWidth::S32 => 0,
            _ => self.r.pick(&[0, 1, 2, 3, 5, 8, 13, 31]),
        };
        let (first, _) = self.cells(None);
        let reads = (0..usize::from(count)).map(|i| first + usize::from(address) + i).collect();
        let store = Store { tokens: Tokens::default(), format, address, count, shift, lanes };
        self.push(Instruction::Store(store), reads, vec![]);
    }

    fn in_half(&self, cells: &[Cell]) -> bool {
        let all = [Memory::Row, Memory::Col, Memory::Index, Memory::Sample, Memory::Code, Memory::Pixel];
        let mut all = all.map(Some).into_iter().chain([None]);
        all.all(|m| {
            let (first, depth) = self.cells(m);
            let mut inside = cells.iter().filter_map(|c| c.checked_sub(first)).filter(|c| *c < depth);
            inside.all(|c| c * 2 / depth.max(2) == self.half)
        })
    }
}
