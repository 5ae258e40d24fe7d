//! The disassembly: an instruction whose fields belong together has a form of its own, any other lists them.

use super::instruction::Tokens;
use super::table::Instruction;
use std::fmt;

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.pop_prev, "<prev"),
            (self.pop_next, "<next"),
            (self.push_prev, ">prev"),
            (self.push_next, ">next"),
        ];
        let on: Vec<_> = names.iter().filter(|n| n.0).map(|n| n.1).collect();
        write!(f, "[{}]", on.join(" "))
    }
}

/// The disassembly: mnemonic, tokens (`<` waits, `>` gives), fields.
impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Instruction::Load(l) => write!(
                f,
                "LOAD    {} {:?}{} address {} count {} words {} mask {:#x}",
                l.tokens,
                l.memory,
                if l.broadcast { " broadcast" } else { "" },
                l.address,
                l.count,
                l.words,
                l.mask
            ),
            Instruction::Compute(c) => {
                let sign = |s| if s { 's' } else { 'u' };
                write!(
                    f,
                    "COMPUTE {} row {}{} planes @{} +{}, col {}{} planes @{} +{}, result @{}",
                    c.tokens,
                    c.row_planes,
                    sign(c.row_signed),
                    c.row_base,
                    c.row_plane_stride,
                    c.col_planes,
                    sign(c.col_signed),
                    c.col_base,
                    c.col_plane_stride,
                    c.result_base
                )?;
                write!(
                    f,
                    ", rows {}/{}@{}, cols {}/{}@{}, select {}",
                    c.rows,
                    c.rows_last,
                    c.row_edge,
                    c.cols,
                    c.cols_last,
                    c.col_edge,
                    1 << c.select
                )?;
                for (on, name) in [(c.keep, " keep"), (c.hold, " hold"), (c.held, " held")] {
                    f.write_str(if on { name } else { "" })?;
                }
                if c.select > 0 {
                    write!(f, " index @{}", c.index_base)?;
                }
                for (l, lp) in c.loops.iter().enumerate().filter(|(_, lp)| lp.count > 1) {
                    let kind = if l < c.tiles.into() { "tile" } else { "sum" };
                    write!(f, ", {kind} {}×({:+},{:+})", lp.count, lp.row_stride, lp.col_stride)?;
                }
                Ok(())
            }
            Instruction::Transform(t) => {
                write!(f, "TRANSFORM {} {} × ", t.tokens, t.count)?;
                match t.tile {
                    true => write!(f, "{0}×{0}", 1 << (t.log_points / 2))?,
                    false => write!(f, "{}", 1u32 << t.log_points)?,
                }
                let direction = if t.inverse { " inverse" } else { "" };
                let scaling = if t.block { "block" } else { "scaled" };
                write!(f, "{direction} {scaling}, samples @{}, result @{}", t.address, t.result_base)
            }
            Instruction::Store(s) => {
                write!(
                    f,
                    "STORE   {} address {} count {} as {} bits",
                    s.tokens,
                    s.address,
                    s.count,
                    s.format.bits()
                )?;
                write!(f, ", shift {}", s.shift)?;
                if s.lanes > 0 { write!(f, ", {} lanes", s.lanes) } else { Ok(()) }
            }
            other => {
                let (op, bits) = (other.opcode(), other.bits());
                write!(f, "{}", op.name)?;
                if !op.tokens.is_empty() {
                    write!(f, "{:1$}{2}", "", 8usize.saturating_sub(op.name.len()).max(1), other.tokens())?;
                }
                op.fields.iter().try_for_each(|field| write!(f, " {} {}", field.name, bits.field(*field)))
            }
        }
    }
}
