//! The load engine's reading of the link: words to instructions, payloads to memories, failures.
//!
//! ```text
//! first? ─► opcode? ─► no `first` inside? ─► CRC-16? ─► fields? ─► payload: no `first`? ─► CRC-32?
//!  stray     opcode     truncated             check      field      truncated               check
//! ```
//! After a failure all words are dropped, but those of a RESET.
//!
//! What a failing instruction belongs to is its opcode's engine; a stray word and an unknown opcode
//! belong to the load engine. A payload is in memory word by word, whatever its check says; levels count as given once it
//! was right.

use crate::load;
use crate::memory::Memories;
use crate::timing::{Fault, Piece, Seen, Then};
use tandem_spec::check::{crc16, crc32};
use tandem_spec::isa::{Opcode, Who};
use tandem_spec::{Config, Instruction, Load, Memory, Reason, Stream, Timing};

/// The words of a stream, from some word on.
pub(crate) struct Words<'a> {
    stream: &'a Stream,
    at: usize,
}

impl<'a> Words<'a> {
    /// All words.
    pub(crate) fn new(stream: &'a Stream) -> Self {
        Words { stream, at: 0 }
    }

    fn left(&self) -> usize {
        self.stream.first.len() - self.at
    }

    /// Whether the next word is tagged.
    fn first(&self) -> Option<bool> {
        self.stream.first.get(self.at).copied()
    }

    /// Takes `n` words.
    fn take(&mut self, n: usize) -> &'a [u8] {
        let bytes = &self.stream.bytes[self.at * self.stream.link_bytes..][..n * self.stream.link_bytes];
        self.at += n;
        bytes
    }

    /// Untagged words from here on, up to `most`.
    fn untagged(&self, most: usize) -> usize {
        let rest = &self.stream.first[self.at..self.at + most.min(self.left())];
        rest.iter().position(|f| *f).unwrap_or(rest.len())
    }
}

/// Where the reading stands.
#[derive(Clone, Debug)]
enum State {
    /// Inside an instruction, or before one if `bytes` is empty.
    Instruction { bytes: Vec<u8> },
    /// Inside a payload; `kept` are its bytes so far.
    Payload { load: Load, kept: Vec<u8> },
    /// After a failure; `bytes` are those of a RESET so far.
    Dropping { bytes: Vec<u8> },
}

/// The reader.
#[derive(Clone, Debug)]
pub(crate) struct Frontend {
    config: Config,
    timing: Timing,
    state: State,
    /// Number of the next instruction.
    number: u32,
    /// Columns that have been given levels, a bit each.
    tables: u32,
}

impl Frontend {
    /// A reader before the first instruction.
    pub(crate) fn new(config: &Config) -> Self {
        let state = State::Instruction { bytes: vec![] };
        Frontend { config: config.clone(), timing: Timing::new(config), state, number: 0, tables: 0 }
    }

    /// Numbers from 0 again.
    pub(crate) fn reset(&mut self) {
        self.state = State::Instruction { bytes: vec![] };
        self.number = 0;
    }

    /// Drops words until a RESET.
    pub(crate) fn fail(&mut self) {
        self.state = State::Dropping { bytes: vec![] };
    }

    /// Whether words are dropped.
    pub(crate) fn is_dropping(&self) -> bool {
        matches!(self.state, State::Dropping { .. })
    }

    /// The number of the instruction inside of which the reader is.
    pub(crate) fn inside(&self) -> Option<u32> {
        match &self.state {
            State::Instruction { bytes } => (!bytes.is_empty()).then_some(self.number),
            State::Payload { .. } => Some(self.number.wrapping_sub(1)),
            State::Dropping { .. } => None,
        }
    }

    /// Reads on, until something is complete or wrong; `None` if there are no words. Payload words are
    /// written to memory.
    pub(crate) fn next(&mut self, words: &mut Words, memories: &mut Memories) -> Option<Piece> {
        words.first()?;
        Some(match std::mem::replace(&mut self.state, State::Instruction { bytes: vec![] }) {
            State::Instruction { bytes } => self.instruction(bytes, words),
            State::Payload { load, kept } => self.payload(load, kept, words, memories),
            State::Dropping { bytes } => self.drop_words(bytes, words),
        })
    }

    fn fault(&self, words: usize, reason: Reason, number: u32, who: Who, seen: Seen) -> Piece {
        Piece { words: words as u64, then: Then::Fault(Fault { reason, number, who }, seen) }
    }

    fn instruction(&mut self, mut bytes: Vec<u8>, words: &mut Words) -> Piece {
        let (number, mut taken) = (self.number, 0);
        if bytes.is_empty() {
            let tagged = words.first() == Some(true);
            bytes.extend_from_slice(words.take(1));
            taken = 1;
            if !tagged {
                return self.fault(1, Reason::Stray, number, Who::Load, Seen::InWord);
            }
        }
        let Some(op) = Opcode::present(&self.config).find(|o| o.code == bytes[0]) else {
            return self.fault(taken, Reason::Opcode, number, Who::Load, Seen::InWord);
        };
        taken += self.collect(&mut bytes, op, words);
        if bytes.len() < op.units * 16 {
            if words.first().is_some() {
                return self.fault(taken, Reason::Truncated, number, op.engine, Seen::OnLink);
            }
            self.state = State::Instruction { bytes };
            return Piece { words: taken as u64, then: Then::Nothing };
        }
        match self.checked(&bytes) {
            Err(reason) => self.fault(taken, reason, number, op.engine, Seen::InCheck),
            Ok(instruction) => {
                self.number = number.wrapping_add(1);
                if let Instruction::Load(load) = instruction {
                    self.state = State::Payload { load, kept: vec![] };
                }
                Piece { words: taken as u64, then: Then::Instruction(number, Box::new(instruction)) }
            }
        }
    }

    /// Takes untagged words up to the instruction's end.
    fn collect(&self, bytes: &mut Vec<u8>, op: &Opcode, words: &mut Words) -> usize {
        let missing = (op.units * 16 - bytes.len()) / self.config.link_bytes();
        let n = words.untagged(missing);
        bytes.extend_from_slice(words.take(n));
        n
    }

    /// The instruction in `bytes`, if its checksum and its fields are right.
    fn checked(&self, bytes: &[u8]) -> Result<Instruction, Reason> {
        if crc16(bytes) != 0 {
            return Err(Reason::InstructionCheck);
        }
        Instruction::decode(bytes)
            .filter(|i| Instruction::reserved_bits_are_zero(bytes) && i.validate(&self.config).is_ok())
            .filter(|i| !matches!(i, Instruction::Compute(c) if c.coded) || self.all_have_levels())
            .ok_or(Reason::Field)
    }

    fn all_have_levels(&self) -> bool {
        (0..self.config.array.cols).all(|column| self.tables >> column & 1 == 1)
    }

    fn payload(
        &mut self,
        load: Load,
        mut kept: Vec<u8>,
        words: &mut Words,
        memories: &mut Memories,
    ) -> Piece {
        let link = self.config.link_bytes();
        let data = usize::from(load.count) * usize::from(load.words);
        let total = data + self.timing.check_words;
        let before = kept.len() / link;
        let n = words.untagged(total - before);
        let taken = words.take(n);
        let writes = n.min(data.saturating_sub(before));
        load::write(memories, &load, before, &taken[..writes * link], link);
        let number = self.number.wrapping_sub(1);
        if before + n < total {
            if words.first().is_some() {
                return self.fault(n, Reason::Truncated, number, Who::Load, Seen::OnLink);
            }
            kept.extend_from_slice(taken);
            self.state = State::Payload { load, kept };
            return Piece { words: n as u64, then: Then::Nothing };
        }
        let residue = if before == 0 {
            crc32(taken)
        } else {
            kept.extend_from_slice(taken);
            crc32(&kept)
        };
        if residue != 0 {
            return self.fault(n, Reason::PayloadCheck, number, Who::Load, Seen::InCheck);
        }
        if load.memory == Memory::Level {
            self.tables |= load.mask;
        }
        Piece { words: n as u64, then: Then::Payload }
    }

    fn drop_words(&mut self, mut bytes: Vec<u8>, words: &mut Words) -> Piece {
        let reset = Opcode::named("RESET");
        let mut taken = 0;
        while let Some(first) = words.first() {
            if first {
                bytes.clear();
            }
            if bytes.is_empty() {
                let word = words.take(1);
                taken += 1;
                if !first || word[0] != reset.code {
                    continue;
                }
                bytes.extend_from_slice(word);
            }
            taken += self.collect(&mut bytes, reset, words);
            if bytes.len() < reset.units * 16 {
                continue;
            }
            if crc16(&bytes) == 0 && Instruction::reserved_bits_are_zero(&bytes) {
                let then = Then::Instruction(0, Box::new(Instruction::Reset));
                return Piece { words: taken as u64, then };
            }
            bytes.clear();
        }
        self.state = State::Dropping { bytes };
        Piece { words: taken as u64, then: Then::Nothing }
    }
}
