//! Instructions as values, and their bits.

use super::field::{Bits512, Field};
use super::memory::Memory;
use super::table::{OPCODES, compute, load, loop_fields, opcode, read, store, transform};
use crate::check::crc16;
use crate::config::MAX_LOOPS;
use std::fmt;

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

/// `LOAD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Load {
    /// Tokens (only `pop_next` and `push_next`).
    pub tokens: Tokens,
    /// The payload holds one element for all in `mask`.
    pub broadcast: bool,
    /// Memory to fill.
    pub memory: Memory,
    /// First address.
    pub address: u16,
    /// Addresses.
    pub count: u16,
    /// Link words per address.
    pub words: u16,
    /// Rows or columns that are written.
    pub mask: u32,
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

/// `COMPUTE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Compute {
    /// Tokens.
    pub tokens: Tokens,
    /// A tile's first step adds instead of clearing.
    pub keep: bool,
    /// Nothing is drained.
    pub hold: bool,
    /// The top row digit is signed.
    pub row_signed: bool,
    /// The top column digit is signed.
    pub col_signed: bool,
    /// Flat row address of step 0.
    pub row_base: i16,
    /// Column address of step 0.
    pub col_base: i16,
    /// Index address of step 0.
    pub index_base: i16,
    /// First result word.
    pub result_base: u16,
    /// Valid rows of a tile.
    pub rows: u8,
    /// Valid rows in the last turn of level `row_edge`.
    pub rows_last: u8,
    /// Level with a row edge, or 7.
    pub row_edge: u8,
    /// Valid columns of a tile.
    pub cols: u8,
    /// Valid columns in the last turn of level `col_edge`.
    pub cols_last: u8,
    /// Level with a column edge, or 7.
    pub col_edge: u8,
    /// Digit planes of the row operand.
    pub row_planes: u8,
    /// Digit planes of the column operand.
    pub col_planes: u8,
    /// Number of outer levels that step from tile to tile.
    pub tiles: u8,
    /// log2 M.
    pub select: u8,
    /// Index r of a word belongs to row r, and a tile holds its word.
    pub held: bool,
    /// Added to the row address per row plane.
    pub row_plane_stride: i16,
    /// Added to the column address per column plane.
    pub col_plane_stride: i16,
    /// Loop levels, the outermost first.
    pub loops: [Loop; MAX_LOOPS],
}

/// Width of results on the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Format {
    /// 32 bits, exact.
    #[default]
    S32,
    /// 16 bits, saturated.
    S16,
    /// 8 bits, saturated.
    S8,
}

impl Format {
    /// Bits of a result.
    pub fn bits(self) -> usize {
        32 >> self as usize
    }
}

/// `STORE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Store {
    /// Tokens (only `pop_prev` and `push_prev`).
    pub tokens: Tokens,
    /// Width of results.
    pub format: Format,
    /// First result word.
    pub address: u16,
    /// Result words.
    pub count: u16,
    /// Results are divided by `2^shift`.
    pub shift: u8,
}

/// `TRANSFORM`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transform {
    /// Tokens.
    pub tokens: Tokens,
    /// e^(+2πi·nk/N).
    pub inverse: bool,
    /// Block floating point.
    pub block: bool,
    /// A square of `2^(log_points/2)` points a side.
    pub tile: bool,
    /// First word of the sample memory.
    pub address: u16,
    /// Batches of `fft.samples` transforms.
    pub count: u16,
    /// First result word.
    pub result_base: u16,
    /// log2 of the points.
    pub log_points: u8,
}

/// Any instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Instruction {
    /// Fill operand memories.
    Load(Load),
    /// Compute tiles.
    Compute(Compute),
    /// Transform samples.
    Transform(Transform),
    /// Send results.
    Store(Store),
    /// Send registers (tokens: only `pop_prev` and `push_prev`).
    Read(Tokens),
    /// Start anew.
    Reset,
}

impl Instruction {
    /// The instruction's row of the table.
    pub fn opcode(&self) -> &'static super::Opcode {
        let name = match self {
            Instruction::Load(_) => "LOAD",
            Instruction::Compute(_) => "COMPUTE",
            Instruction::Transform(_) => "TRANSFORM",
            Instruction::Store(_) => "STORE",
            Instruction::Read(_) => "READ",
            Instruction::Reset => "RESET",
        };
        OPCODES.iter().find(|o| o.name == name).expect("in the table")
    }

    /// Its bytes, least significant first, checksum included.
    pub fn encode(&self) -> Vec<u8> {
        let op = self.opcode();
        let mut b = Bits512::default();
        b.set(opcode(), op.code.into());
        match self {
            Instruction::Load(l) => {
                b.set(load::POP_NEXT, l.tokens.pop_next.into());
                b.set(load::PUSH_NEXT, l.tokens.push_next.into());
                b.set(load::BROADCAST, l.broadcast.into());
                b.set(load::MEMORY, l.memory.code());
                b.set(load::ADDRESS, l.address.into());
                b.set(load::COUNT, l.count.into());
                b.set(load::WORDS, l.words.into());
                b.set(load::MASK, l.mask);
            }
            Instruction::Compute(c) => c.write(&mut b),
            Instruction::Transform(t) => {
                b.set(transform::POP_PREV, t.tokens.pop_prev.into());
                b.set(transform::POP_NEXT, t.tokens.pop_next.into());
                b.set(transform::PUSH_PREV, t.tokens.push_prev.into());
                b.set(transform::PUSH_NEXT, t.tokens.push_next.into());
                b.set(transform::INVERSE, t.inverse.into());
                b.set(transform::BLOCK, t.block.into());
                b.set(transform::TILE, t.tile.into());
                b.set(transform::ADDRESS, t.address.into());
                b.set(transform::COUNT, t.count.into());
                b.set(transform::RESULT_BASE, t.result_base.into());
                b.set(transform::LOG_POINTS, t.log_points.into());
            }
            Instruction::Store(s) => {
                b.set(store::POP_PREV, s.tokens.pop_prev.into());
                b.set(store::PUSH_PREV, s.tokens.push_prev.into());
                b.set(store::FORMAT, s.format as u32);
                b.set(store::ADDRESS, s.address.into());
                b.set(store::COUNT, s.count.into());
                b.set(store::SHIFT, s.shift.into());
            }
            Instruction::Read(t) => {
                b.set(read::POP_PREV, t.pop_prev.into());
                b.set(read::PUSH_PREV, t.push_prev.into());
            }
            Instruction::Reset => {}
        }
        let n = op.units * 16;
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
        let op = OPCODES.iter().find(|o| o.code == bytes[0])?;
        let mut b = Bits512::default();
        b.0[..op.units * 16].copy_from_slice(&bytes[..op.units * 16]);
        let on = |f: Field| b.field(f) == 1;
        Some(match op.name {
            "LOAD" => Instruction::Load(Load {
                tokens: Tokens {
                    pop_next: on(load::POP_NEXT),
                    push_next: on(load::PUSH_NEXT),
                    ..Tokens::default()
                },
                broadcast: on(load::BROADCAST),
                memory: *Memory::ALL.get(b.field(load::MEMORY) as usize)?,
                address: b.field(load::ADDRESS) as u16,
                count: b.field(load::COUNT) as u16,
                words: b.field(load::WORDS) as u16,
                mask: b.field(load::MASK),
            }),
            "COMPUTE" => Instruction::Compute(Compute::read(&b)),
            "TRANSFORM" => Instruction::Transform(Transform {
                tokens: Tokens {
                    pop_prev: on(transform::POP_PREV),
                    pop_next: on(transform::POP_NEXT),
                    push_prev: on(transform::PUSH_PREV),
                    push_next: on(transform::PUSH_NEXT),
                },
                inverse: on(transform::INVERSE),
                block: on(transform::BLOCK),
                tile: on(transform::TILE),
                address: b.field(transform::ADDRESS) as u16,
                count: b.field(transform::COUNT) as u16,
                result_base: b.field(transform::RESULT_BASE) as u16,
                log_points: b.field(transform::LOG_POINTS) as u8,
            }),
            "STORE" => Instruction::Store(Store {
                tokens: Tokens {
                    pop_prev: on(store::POP_PREV),
                    push_prev: on(store::PUSH_PREV),
                    ..Tokens::default()
                },
                format: *[Format::S32, Format::S16, Format::S8].get(b.field(store::FORMAT) as usize)?,
                address: b.field(store::ADDRESS) as u16,
                count: b.field(store::COUNT) as u16,
                shift: b.field(store::SHIFT) as u8,
            }),
            "READ" => Instruction::Read(Tokens {
                pop_prev: on(read::POP_PREV),
                push_prev: on(read::PUSH_PREV),
                ..Tokens::default()
            }),
            _ => Instruction::Reset,
        })
    }
}

impl Compute {
    /// Fields in the table's order, with their raw values.
    fn raw(&self) -> [(Field, u32); 25] {
        use compute::*;
        let u = |v: i16| u32::from(v as u16);
        [
            (POP_PREV, self.tokens.pop_prev.into()),
            (POP_NEXT, self.tokens.pop_next.into()),
            (PUSH_PREV, self.tokens.push_prev.into()),
            (PUSH_NEXT, self.tokens.push_next.into()),
            (KEEP, self.keep.into()),
            (HOLD, self.hold.into()),
            (ROW_SIGNED, self.row_signed.into()),
            (COL_SIGNED, self.col_signed.into()),
            (ROW_BASE, u(self.row_base)),
            (COL_BASE, u(self.col_base)),
            (INDEX_BASE, u(self.index_base)),
            (RESULT_BASE, self.result_base.into()),
            (ROWS, self.rows.into()),
            (ROWS_LAST, self.rows_last.into()),
            (ROW_EDGE, self.row_edge.into()),
            (COLS, self.cols.into()),
            (COLS_LAST, self.cols_last.into()),
            (COL_EDGE, self.col_edge.into()),
            (ROW_PLANES, self.row_planes.into()),
            (COL_PLANES, self.col_planes.into()),
            (TILES, self.tiles.into()),
            (SELECT, self.select.into()),
            (HELD, self.held.into()),
            (ROW_PLANE_STRIDE, u(self.row_plane_stride)),
            (COL_PLANE_STRIDE, u(self.col_plane_stride)),
        ]
    }

    fn write(&self, b: &mut Bits512) {
        for (f, v) in self.raw() {
            b.set(f, v);
        }
        for (l, lp) in self.loops.iter().enumerate() {
            let [count, row, col] = loop_fields(l);
            b.set(count, lp.count.into());
            b.set(row, u32::from(lp.row_stride as u16));
            b.set(col, u32::from(lp.col_stride as u16));
        }
    }

    fn read(b: &Bits512) -> Compute {
        use compute::*;
        let on = |f| b.field(f) == 1;
        let byte = |f| b.field(f) as u8;
        let signed = |f| b.field(f) as u16 as i16;
        Compute {
            tokens: Tokens {
                pop_prev: on(POP_PREV),
                pop_next: on(POP_NEXT),
                push_prev: on(PUSH_PREV),
                push_next: on(PUSH_NEXT),
            },
            keep: on(KEEP),
            hold: on(HOLD),
            row_signed: on(ROW_SIGNED),
            col_signed: on(COL_SIGNED),
            row_base: signed(ROW_BASE),
            col_base: signed(COL_BASE),
            index_base: signed(INDEX_BASE),
            result_base: b.field(RESULT_BASE) as u16,
            rows: byte(ROWS),
            rows_last: byte(ROWS_LAST),
            row_edge: byte(ROW_EDGE),
            cols: byte(COLS),
            cols_last: byte(COLS_LAST),
            col_edge: byte(COL_EDGE),
            row_planes: byte(ROW_PLANES),
            col_planes: byte(COL_PLANES),
            tiles: byte(TILES),
            select: byte(SELECT),
            held: on(HELD),
            row_plane_stride: signed(ROW_PLANE_STRIDE),
            col_plane_stride: signed(COL_PLANE_STRIDE),
            loops: std::array::from_fn(|l| {
                let [count, row, col] = loop_fields(l);
                Loop { count: b.field(count) as u16, row_stride: signed(row), col_stride: signed(col) }
            }),
        }
    }
}

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
            Instruction::Store(s) => write!(
                f,
                "STORE   {} address {} count {} as {} bits, shift {}",
                s.tokens,
                s.address,
                s.count,
                s.format.bits(),
                s.shift
            ),
            Instruction::Read(t) => write!(f, "READ    {t}"),
            Instruction::Reset => write!(f, "RESET"),
        }
    }
}
