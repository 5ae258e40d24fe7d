//! The rules of a valid instruction, in software.
//!
//! The RTL checks the same rules in its own way before it dispatches; the tests compare the two.

use super::field::Opcode;
use super::instruction::StoreWidth;
use super::table::{Compute, Instruction, Load, Smooth, Store, Transform};
use crate::config::Config;

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
        if !(r.op.present)(config) {
            return r.refuse(
                "opcode",
                r.op.code,
                format!("an instruction that is generated, not {}", r.op.name),
            );
        }
        let bits = self.bits();
        for f in r.op.fields {
            if !(f.present)(config) {
                r.range(f.name, bits.field(*f), 0, 0)?;
            } else if let Some([lo, hi]) = f.bound.map(|bound| bound(config)) {
                r.range(f.name, bits.field(*f), lo, hi)?;
            }
        }
        match self {
            Instruction::Load(l) => r.load(l, config),
            Instruction::Compute(c) => r.compute(c, config),
            Instruction::Transform(t) => r.transform(t, config),
            Instruction::Smooth(s) => r.smooth(s, config),
            Instruction::Store(s) => r.store(s, config),
            // bounds are all their rules
            _ => Ok(()),
        }
    }

    /// Whether bits that belong to no field are zero, as they must be.
    pub fn reserved_bits_are_zero(bytes: &[u8]) -> bool {
        let Some(op) = super::OPCODES.iter().find(|o| o.code == bytes[0]) else { return false };
        let bit = |b: usize| bytes[b / 8] >> (b % 8) & 1;
        op.reserved().iter().all(|f| (f.offset..f.offset + f.width).all(|b| bit(b) == 0))
    }
}

/// Bounds of fields, and the rules between them.
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
        for (field, edge) in [("row_edge", c.row_edge), ("col_edge", c.col_edge)] {
            if edge != 7 && edge >= c.tiles {
                return self.refuse(field, edge, format!("a tile level (below {}) or 7", c.tiles));
            }
        }
        for (l, lp) in c.loops.iter().enumerate() {
            let most = if l < cfg.loops { (1 << cfg.address_bits) - 1 } else { 1 };
            self.range("count", lp.count, 1, most)?;
        }
        if c.coded {
            self.range("col_planes", c.col_planes, 1, cfg.level_digits())?;
        }
        Ok(())
    }

    fn transform(&self, t: &Transform, c: &Config) -> Result<(), FieldError> {
        let Some(fft) = &c.fft else { return Ok(()) };
        self.range("tile", t.tile, 0, [4, 6, 8].contains(&t.log_points).into())?;
        let words = (usize::from(t.count) << t.log_points) / fft.groups(c.link_bits);
        if words > fft.depth {
            return self.refuse("count", t.count, format!("at most {} words of samples", fft.depth));
        }
        self.range("address", t.address, 0, fft.depth - words)
    }

    fn smooth(&self, s: &Smooth, c: &Config) -> Result<(), FieldError> {
        let Some(unit) = &c.gaussian else { return Ok(()) };
        let steps = unit.steps(c.link_bits);
        self.range("count", s.count, 1, (unit.depth * steps).min(u16::MAX.into()))?;
        self.range("address", s.address, 0, unit.depth - usize::from(s.count).div_ceil(steps))
    }

    fn store(&self, s: &Store, c: &Config) -> Result<(), FieldError> {
        self.range("address", s.address, 0, c.memory.result - 1)?;
        self.range("count", s.count, 1, c.memory.result - usize::from(s.address))?;
        self.range("shift", s.shift, 0, if s.format == StoreWidth::S32 { 0 } else { 31 })
    }
}
