//! What a row of the instruction table says.

/// A bit field of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name, the same in every rendering.
    pub name: &'static str,
    /// First bit, counted from the least significant bit of the first link word.
    pub offset: usize,
    /// Bits.
    pub width: usize,
    /// What it means, with its allowed range.
    pub doc: &'static str,
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
    /// All fields but opcode and CRC. Bits in no field must be zero.
    pub fields: &'static [Field],
    /// What it does, in a sentence.
    pub doc: &'static str,
}

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
