//! The rules of a valid instruction, in software.
//!
//! The RTL checks the same rules in its own way before it dispatches; the tests compare the two.

use super::field::Opcode;
use super::instruction::{Compute, Format, Instruction, Load, Store, Transform};
use super::table::{loop_fields, opcode};
use crate::config::{Config, MAX_LOOPS};

/// A field outside its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{instruction}.{field} = {value}: expected {allowed}")]
pub struct FieldError {
    /// Mnemonic.
    pub instruction: &'static str,
    /// Field.
    pub field: &'static str,
    /// Value found.
    pub value: i64,
    /// What is allowed.
    pub allowed: String,
}

impl Instruction {
    /// Checks every rule.
    ///
    /// # Errors
    /// The first field that breaks one.
    pub fn validate(&self, config: &Config) -> Result<(), FieldError> {
        let r = Rules { op: self.opcode() };
        match self {
            Instruction::Load(l) => r.load(l, config),
            Instruction::Compute(c) => r.compute(c, config),
            Instruction::Transform(t) => r.transform(t, config),
            Instruction::Store(s) => r.store(s, config),
            Instruction::Read(_) | Instruction::Reset => Ok(()),
        }
    }

    /// Whether bits that belong to no field are zero, as they must be.
    pub fn reserved_bits_are_zero(bytes: &[u8]) -> bool {
        let Some(op) = super::OPCODES.iter().find(|o| o.code == bytes[0]) else { return false };
        let mut used = vec![false; op.units * 128];
        let loops = (0..MAX_LOOPS).flat_map(loop_fields).filter(|_| op.name == "COMPUTE");
        for f in op.fields.iter().copied().chain(loops).chain([opcode()]) {
            used[f.offset..f.offset + f.width].fill(true);
        }
        used[op.units * 128 - 16..].fill(true);
        used.iter().enumerate().all(|(b, u)| *u || bytes[b / 8] >> (b % 8) & 1 == 0)
    }
}

struct Rules {
    op: &'static Opcode,
}

impl Rules {
    fn range(&self, field: &'static str, v: impl Into<i64>, lo: usize, hi: usize) -> Result<(), FieldError> {
        let value = v.into();
        if (lo as i64..=hi as i64).contains(&value) {
            return Ok(());
        }
        self.refuse(field, value, if lo == hi { lo.to_string() } else { format!("{lo} to {hi}") })
    }

    fn refuse(
        &self,
        field: &'static str,
        value: impl Into<i64>,
        allowed: impl Into<String>,
    ) -> Result<(), FieldError> {
        Err(FieldError { instruction: self.op.name, field, value: value.into(), allowed: allowed.into() })
    }

    fn load(&self, l: &Load, c: &Config) -> Result<(), FieldError> {
        let Some(shape) = l.memory.shape(c) else {
            let allowed = format!("a memory that is there (no {} generated)", l.memory.row().name);
            return self.refuse("memory", l.memory.code(), allowed);
        };
        self.range("address", l.address, 0, shape.depth - 1)?;
        self.range("count", l.count, 1, shape.depth - usize::from(l.address))?;
        self.range("words", l.words, 1, shape.link_words(shape.elements, c.link_bits))
    }

    fn compute(&self, c: &Compute, cfg: &Config) -> Result<(), FieldError> {
        let a = &cfg.array;
        self.range("rows", c.rows, 1, a.rows)?;
        self.range("rows_last", c.rows_last, 1, a.rows)?;
        self.range("cols", c.cols, 1, a.cols)?;
        self.range("cols_last", c.cols_last, 1, a.cols)?;
        self.range("row_planes", c.row_planes, 1, cfg.row_planes(a.row_bits))?;
        self.range("col_planes", c.col_planes, 1, cfg.col_planes(a.col_bits))?;
        self.range("tiles", c.tiles, 0, cfg.loops)?;
        self.range("select", c.select, 0, a.select.trailing_zeros() as usize)?;
        self.range("held", c.held, 0, usize::from(a.select > 1))?;
        for (field, edge) in [("row_edge", c.row_edge), ("col_edge", c.col_edge)] {
            if edge != 7 && edge >= c.tiles {
                return self.refuse(field, edge, format!("a tile level (below {}) or 7", c.tiles));
            }
        }
        for (l, lp) in c.loops.iter().enumerate() {
            let most = if l < cfg.loops { (1 << cfg.address_bits) - 1 } else { 1 };
            self.range("count", lp.count, 1, most)?;
        }
        Ok(())
    }

    fn transform(&self, t: &Transform, c: &Config) -> Result<(), FieldError> {
        let Some(fft) = &c.fft else {
            return self.refuse("opcode", self.op.code, "no TRANSFORM (no FFT unit generated)");
        };
        let most = fft.points.trailing_zeros() as usize;
        self.range("log_points", t.log_points, if fft.any_size { 2 } else { most }, most)?;
        self.range("block", t.block, 0, fft.block.into())?;
        let square = fft.tiles && [4, 6, 8].contains(&t.log_points);
        self.range("tile", t.tile, 0, square.into())?;
        self.range("count", t.count, 1, 4 * c.array.drain / fft.samples)?;
        let words = (usize::from(t.count) << t.log_points) / fft.groups(c.link_bits);
        if words > fft.depth {
            return self.refuse("count", t.count, format!("at most {} words of samples", fft.depth));
        }
        self.range("address", t.address, 0, fft.depth - words)
    }

    fn store(&self, s: &Store, c: &Config) -> Result<(), FieldError> {
        self.range("address", s.address, 0, c.memory.result - 1)?;
        self.range("count", s.count, 1, c.memory.result - usize::from(s.address))?;
        if s.format != Format::S32 && !c.narrow {
            return self.refuse("format", s.format as i64, "0 (no narrowing generated)");
        }
        self.range("shift", s.shift, 0, if s.format == Format::S32 { 0 } else { 31 })
    }
}
