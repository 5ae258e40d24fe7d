//! Instructions as values, and their bits.

use super::field::{Bits512, Opcode};
use super::table::{Instruction, OPCODES, Smooth, Store, opcode};
use crate::check::crc16;
use crate::config::Config;
use crate::engine::CosineWindow;

/// Tokens that an instruction waits for and gives. `prev` and `next` are the neighbours in the order
/// load, compute, store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tokens {
    /// Wait for a token from the previous engine.
    pub pop_prev: bool,
    /// Wait for a token from the next engine.
    pub pop_next: bool,
    /// Give the previous engine a token when done.
    pub push_prev: bool,
    /// Give the next engine a token when done.
    pub push_next: bool,
}

/// A loop level of `COMPUTE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Loop {
    /// Turns, ≥ 1.
    pub count: u16,
    /// Added to the row address per turn.
    pub row_stride: i16,
    /// Added to the column and the index address per turn.
    pub col_stride: i16,
}

impl Default for Loop {
    fn default() -> Self {
        Loop { count: 1, row_stride: 0, col_stride: 0 }
    }
}

/// Width of results on the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StoreWidth {
    /// 32 bits, exact.
    #[default]
    S32,
    /// 16 bits, saturated.
    S16,
    /// 8 bits, saturated.
    S8,
    /// 4 bits, saturated.
    S4,
    /// 12 bits, saturated.
    S12,
    /// 20 bits, saturated.
    S20,
    /// 24 bits, saturated.
    S24,
    /// 28 bits, saturated.
    S28,
}

impl StoreWidth {
    /// All of them, in the order of their codes.
    pub const ALL: [StoreWidth; 8] = {
        use StoreWidth::{S4, S8, S12, S16, S20, S24, S28, S32};
        [S32, S16, S8, S4, S12, S20, S24, S28]
    };

    /// Bits of a result.
    pub const fn bits(self) -> usize {
        [32, 16, 8, 4, 12, 20, 24, 28][self as usize]
    }

    /// The last one, by its code, that an accelerator knows.
    pub const fn last(config: &Config) -> StoreWidth {
        match (config.narrow, config.pack) {
            (false, _) => StoreWidth::S32,
            (true, false) => StoreWidth::S8,
            (true, true) => StoreWidth::S28,
        }
    }

    /// Those that an accelerator knows, the narrowest first.
    pub fn known(config: &Config) -> Vec<StoreWidth> {
        let mut known = StoreWidth::ALL[..=StoreWidth::last(config) as usize].to_vec();
        known.sort_by_key(|f| f.bits());
        known
    }
}

impl Store {
    /// Results of a word that are sent.
    pub fn sent(&self, config: &Config) -> usize {
        if self.lanes == 0 { config.array.drain } else { self.lanes.into() }
    }

    /// Link words of data in its packet.
    pub fn data_words(&self, config: &Config) -> usize {
        let bits = usize::from(self.count) * self.sent(config) * self.format.bits();
        bits.div_ceil(config.link_bits)
    }
}

impl Smooth {
    /// Its window.
    pub fn window(&self) -> CosineWindow {
        CosineWindow {
            radius: self.radius,
            mean: self.mean,
            turn: [self.turn_1, self.turn_2, self.turn_3, self.turn_4],
            edge: [self.edge_1, self.edge_2, self.edge_3, self.edge_4],
        }
    }

    /// The same with this window.
    pub fn with(self, window: &CosineWindow) -> Smooth {
        let CosineWindow { radius, mean, turn: [turn_1, turn_2, turn_3, turn_4], edge } = *window;
        let [edge_1, edge_2, edge_3, edge_4] = edge;
        Smooth { radius, mean, turn_1, turn_2, turn_3, turn_4, edge_1, edge_2, edge_3, edge_4, ..self }
    }
}

impl Tokens {
    /// Their fields' names, in the order of their bits.
    pub const NAMES: [&str; 4] = ["pop_prev", "pop_next", "push_prev", "push_next"];

    /// The bit of a token: 8 to 11 in every instruction.
    pub(super) const fn place(name: &str) -> usize {
        let mut i = 0;
        while i < 4 {
            if same(Tokens::NAMES[i], name) {
                return 8 + i;
            }
            i += 1;
        }
        panic!("not a token");
    }
}

const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut i = 0;
    while i < a.len() && i < b.len() && a[i] == b[i] {
        i += 1;
    }
    i == a.len() && i == b.len()
}

impl Instruction {
    /// Its tokens.
    pub fn tokens(&self) -> Tokens {
        self.payload().tokens()
    }

    /// The same, to be changed.
    ///
    /// # Panics
    /// If it is a RESET, which has none.
    pub fn tokens_mut(&mut self) -> &mut Tokens {
        self.own_tokens().expect("a RESET has no tokens")
    }

    /// The instruction's row of the table.
    pub fn opcode(&self) -> &'static Opcode {
        &OPCODES[self.place()]
    }

    /// Its fields, without the checksum.
    pub fn bits(&self) -> Bits512 {
        let (op, mut bits) = (self.opcode(), Bits512::default());
        bits.set(opcode(), op.code.into());
        self.payload().put(op, &mut bits);
        bits
    }

    /// Its bytes, least significant first, checksum included.
    pub fn encode(&self) -> Vec<u8> {
        let (n, mut b) = (self.opcode().units * 16, self.bits());
        let crc = crc16(&b.0[..n - 2]);
        b.0[n - 2..n].copy_from_slice(&crc.to_le_bytes());
        b.0[..n].to_vec()
    }

    /// Reads the fields of an instruction whose opcode, length and checksum are right; its values may
    /// still be invalid (see [`Instruction::validate`]). `None` if the opcode is unknown or a field
    /// has no meaning at all (memory or format code).
    ///
    /// # Panics
    /// If `bytes` is shorter than the instruction.
    pub fn decode(bytes: &[u8]) -> Option<Instruction> {
        let place = OPCODES.iter().position(|o| o.code == bytes[0])?;
        let (n, mut b) = (OPCODES[place].units * 16, Bits512::default());
        b.0[..n].copy_from_slice(&bytes[..n]);
        Instruction::take(place, &b)
    }
}
