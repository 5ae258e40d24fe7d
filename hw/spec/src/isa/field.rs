//! What a row of the instruction table says.

use super::table::{OPCODES, opcode};
use crate::config::{Config, MAX_LOOPS};

/// A bit field of an instruction.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Name, the same in every rendering.
    pub name: &'static str,
    /// First bit, counted from the least significant bit of the first link word.
    pub offset: usize,
    /// Bits.
    pub width: usize,
    /// What it means, with its allowed range.
    pub doc: &'static str,
    /// Least and largest value, of fields that have bounds of their own.
    pub bound: Option<fn(&Config) -> [usize; 2]>,
    /// Whether an accelerator has it; where not, its bits belong to no field.
    pub present: fn(&Config) -> bool,
}

impl Field {
    /// A field without bounds.
    pub const fn new(name: &'static str, offset: usize, width: usize, doc: &'static str) -> Self {
        Field { name, offset, width, doc, bound: None, present: |_| true }
    }
}

/// The engine that executes an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The load engine, which is also the front end.
    Load,
    /// The compute engine.
    Compute,
    /// The store engine.
    Store,
}

/// An instruction's entry in the table.
#[derive(Clone, Copy, Debug)]
pub struct Opcode {
    /// Mnemonic.
    pub name: &'static str,
    /// Value of the lowest eight bits.
    pub code: u8,
    /// Length in units of 128 bits.
    pub units: usize,
    /// Who executes it.
    pub engine: Who,
    /// Tokens that it waits for and gives.
    pub tokens: &'static [Field],
    /// All other fields but opcode, loops and CRC. Bits in no field must be zero.
    pub fields: &'static [Field],
    /// First bit of its loop levels, if it has any.
    pub loops: Option<usize>,
    /// Whether an accelerator knows it.
    pub present: fn(&Config) -> bool,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

/// Length of the longest instruction, in units of 128 bits.
pub const MOST_UNITS: usize = {
    let (mut most, mut i) = (0, 0);
    while i < OPCODES.len() {
        if OPCODES[i].units > most {
            most = OPCODES[i].units;
        }
        i += 1;
    }
    most
};

impl Opcode {
    /// The instruction that is called so.
    ///
    /// # Panics
    /// If there is none.
    pub fn named(name: &str) -> &'static Opcode {
        OPCODES.iter().find(|o| o.name == name).unwrap_or_else(|| panic!("no instruction is called {name}"))
    }

    /// Those that an accelerator knows, in the order in which its hardware numbers them.
    pub fn present(config: &Config) -> impl Iterator<Item = &'static Opcode> {
        OPCODES.iter().filter(|o| (o.present)(config))
    }

    /// A token or field that is called so, or `opcode`.
    pub fn find(&self, name: &str) -> Option<Field> {
        [opcode()].iter().chain(self.tokens).chain(self.fields).find(|f| f.name == name).copied()
    }

    /// The same.
    ///
    /// # Panics
    /// If there is none.
    pub fn field(&self, name: &str) -> Field {
        self.find(name).unwrap_or_else(|| panic!("{} has no field {name}", self.name))
    }

    /// Count, row stride and column stride of loop level `level` (0 is the outermost), of an instruction with loops.
    ///
    /// # Panics
    /// If `level ≥ MAX_LOOPS`.
    pub fn level(&self, level: usize) -> Option<[Field; 3]> {
        assert!(level < MAX_LOOPS);
        let at = self.loops? + 48 * level;
        Some([
            Field::new("count", at, 16, "turns, ≥ 1"),
            Field::new("row_stride", at + 16, 16, "signed, added to the row address per turn"),
            Field::new(
                "col_stride",
                at + 32,
                16,
                "signed, added to the column and the index address per turn",
            ),
        ])
    }

    /// All fields of all loop levels.
    pub fn levels(&self) -> impl Iterator<Item = Field> {
        (0..MAX_LOOPS).filter_map(|l| self.level(l)).flatten()
    }

    /// Runs of bits that belong to no field of any accelerator and must be zero.
    pub fn reserved(&self) -> Vec<Field> {
        self.gaps(self.all_fields())
    }

    /// The same, with those of fields that this accelerator does not have.
    pub fn reserved_in(&self, config: &Config) -> Vec<Field> {
        self.gaps(self.all_fields().filter(|f| (f.present)(config)))
    }

    fn gaps(&self, fields: impl Iterator<Item = Field>) -> Vec<Field> {
        let mut fields: Vec<Field> = fields.collect();
        fields.sort_by_key(|f| f.offset);
        let ends = fields.iter().map(|f| f.offset + f.width);
        let starts = fields[1..].iter().map(|f| f.offset).chain([self.units * 128 - 16]);
        let gaps = ends.zip(starts).filter(|(end, start)| start > end);
        gaps.map(|(end, start)| Field::new("reserved", end, start - end, "zero")).collect()
    }

    /// Everything but the CRC.
    pub fn all_fields(&self) -> impl Iterator<Item = Field> {
        std::iter::once(opcode()).chain(self.tokens.iter().chain(self.fields).copied()).chain(self.levels())
    }
}

const _: () = assert!(MOST_UNITS * 128 <= 512, "an instruction fits into Bits512");

/// Up to 512 bits of an instruction, least significant byte first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bits512(pub [u8; 64]);

impl Default for Bits512 {
    fn default() -> Self {
        Bits512([0; 64])
    }
}

impl Bits512 {
    /// The field's value, zero-extended.
    pub fn field(&self, f: Field) -> u32 {
        (0..f.width).fold(0, |v, i| {
            let b = f.offset + i;
            v | u32::from(self.0[b / 8] >> (b % 8) & 1) << i
        })
    }

    /// Sets the field.
    ///
    /// # Panics
    /// If `value ≥ 2^width`.
    pub fn set(&mut self, f: Field, value: u32) {
        assert!(f.width == 32 || value >> f.width == 0, "{} = {value} does not fit {} bits", f.name, f.width);
        for i in 0..f.width {
            let b = f.offset + i;
            let bit = ((value >> i & 1) as u8) << (b % 8);
            self.0[b / 8] = self.0[b / 8] & !(1 << (b % 8)) | bit;
        }
    }
}
