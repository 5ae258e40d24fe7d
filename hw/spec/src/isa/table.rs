//! The table itself: every memory that is loaded, what each instruction carries, and every instruction.
//!
//! A bound stands with its field; rules between fields are in `validate`.

use super::declare::{Payload, Value, instructions, payload, tokens};
use super::field::{Bits512, Field, Opcode, Who};
use super::instruction::{Loop, StoreWidth, Tokens};
use super::memory::{MemoryRow, Shape, memories};
use crate::config::{Codebook, Config, MAX_LOOPS};

memories! {
    /// Row operands: windows of `select` banks of `lanes` digits.
    Row "row memory" Some("row") => |c| {
        let a = &c.array;
        let (banks, digit) = (a.select, a.row_digit);
        Some(Shape { elements: a.rows, depth: c.memory.row, banks, lanes: a.lanes, digit, ..Shape::PLAIN })
    };
    /// Column operands: words of `lanes` digits.
    Col "column memory" Some("column") => |c| {
        let a = &c.array;
        let (depth, digit) = (c.memory.col, a.col_digit);
        Some(Shape { elements: a.cols, depth, lanes: a.lanes, digit, ..Shape::PLAIN })
    };
    /// Indices: words of one index a lane, or a row.
    Index "index memory" Some("column") => |c| {
        let (lanes, digit) = (c.index_lanes(), c.index_bits());
        let shape = Shape { elements: c.array.cols, depth: c.memory.index, lanes, digit, ..Shape::PLAIN };
        (c.array.select > 1).then_some(shape)
    };
    /// One signed 16-bit address offset.
    Offset "row offsets" Some("row") => |c| {
        Some(Shape { elements: c.array.rows, lanes: 2, digit: 8, ..Shape::PLAIN })
    };
    /// Samples of the FFT unit.
    Sample "sample memory" None => |c| {
        let fft = c.fft.as_ref()?;
        let lanes = fft.word_bits(c.link_bits) / 8;
        Some(Shape { elements: 1, depth: fft.depth, lanes, digit: 8, piece: 16, ..Shape::PLAIN })
    };
    /// Codes of column operands: `code_words` words of `lanes` codes, a bank a bit.
    Code "code memory" Some("column") => |c| {
        let Codebook { code_bits: banks, depth, .. } = *c.codebook.as_ref()?;
        let lanes = c.code_words() * c.array.lanes;
        Some(Shape { elements: c.array.cols, depth, banks, lanes, digit: 1, planar: true, ..Shape::PLAIN })
    };
    /// The levels of a column's codes, digit by digit: all codes' lowest digits first.
    Level "level table" Some("column") => |c| {
        let book = c.codebook.as_ref()?;
        let lanes = c.level_digits() << book.code_bits;
        Some(Shape { elements: c.array.cols, lanes, digit: c.array.col_digit, ..Shape::PLAIN })
    };
    /// Pixels of the Gaussian unit.
    Pixel "pixel memory" None => |c| {
        let unit = c.gaussian.as_ref()?;
        let lanes = unit.word_bits(c.link_bits) / 8;
        Some(Shape { elements: 1, depth: unit.depth, lanes, digit: 8, piece: 16, ..Shape::PLAIN })
    };
}

payload! {
    /// `LOAD` (tokens: only `pop_next` and `push_next`).
    Load LOAD:
    broadcast: bool = false, 12:1 "1: the payload holds one element; every element in `mask` takes it";
    memory: Memory = Memory::Row, 13:3 "code of a memory that is generated, see below";
    address: u16 = 0, 16:16 "first word; address + count ≤ depth; 0 for offsets";
    count: u16 = 1, 32:16 "words per element, ≥ 1; 1 for offsets";
    words: u16 = 1, 48:16 "link words per memory address, 1 to what covers every element";
    mask: u32 = 0, 64:32 "bit e: row (column) e is written";
}

payload! {
    /// `COMPUTE`.
    Compute COMPUTE with loops:
    keep: bool = false, 12:1 "1: a tile's first step adds to the accumulators instead of clearing them";
    hold: bool = false, 13:1 "1: results stay in the accumulators, nothing is drained";
    row_signed: bool = false, 14:1 "the top row digit is signed";
    col_signed: bool = false, 15:1 "the top column digit is signed";
    row_base: i16 = 0, 16:16 "signed flat row address of step 0";
    col_base: i16 = 0, 32:16 "signed column address of step 0";
    index_base: i16 = 0, 48:16 "signed index address of step 0";
    result_base: u16 = 0, 64:16 "result address of the first word; wraps at the memory's depth";
    rows: u8 = 1, 80:6 "valid rows of a tile, 1 to the array's" in |c| [1, c.array.rows];
    rows_last: u8 = 1, 86:6 "valid rows in the last turn of level `row_edge`" in |c| [1, c.array.rows];
    row_edge: u8 = 7, 92:3 "a tile level, or 7: no edge";
    held: bool = false, 95:1 "1: index r belongs to row r; word index_base + i is held for tile i (weight gradient)"
        in |c| [0, usize::from(c.array.select > 1)];
    cols: u8 = 1, 96:6 "valid columns of a tile, 1 to the array's" in |c| [1, c.array.cols];
    cols_last: u8 = 1, 102:6 "valid columns in the last turn of level `col_edge`" in |c| [1, c.array.cols];
    col_edge: u8 = 7, 108:3 "a tile level, or 7: no edge";
    coded: bool = false, 111:1 when (|c| c.codebook.is_some())
        "1: column operands are codes, each stands for its level (if generated; each column has been given its levels)";
    row_planes: u8 = 1, 112:5 "digit planes of the row operand, 1 to ⌈row_bits/row_digit⌉"
        in |c| [1, c.row_planes(c.array.row_bits)];
    col_planes: u8 = 1, 117:5 "digit planes of the column operand, 1 to ⌈col_bits/col_digit⌉"
        in |c| [1, c.col_planes(c.array.col_bits)];
    tiles: u8 = 0, 122:3 "the outermost `tiles` levels step from tile to tile, the others are summed over" in |c| [0, c.loops];
    select: u8 = 0, 125:3 "log2 M of N:M selection, up to log2 of the generated maximum"
        in |c| [0, c.array.select.ilog2() as usize];
    row_plane_stride: i16 = 0, 128:16 "added to the row address per row plane";
    col_plane_stride: i16 = 0, 144:16 "added to the column address per column plane";
}

payload! {
    /// `TRANSFORM`.
    Transform TRANSFORM:
    inverse: bool = false, 12:1 "1: e^(+2πi·nk/N)";
    block: bool = false, 13:1 "1: block floating point (if generated), 0: 1/2 a stage"
        in |c| [0, c.fft.as_ref().map_or(0, |f| usize::from(f.block))];
    tile: bool = false, 14:1 "1: a square of 2^(log_points/2) points a side (if generated; log_points 4, 6 or 8)"
        in |c| [0, c.fft.as_ref().map_or(0, |f| usize::from(f.tiles))];
    address: u16 = 0, 16:16 "first word of the sample memory; address + count·2^log_points/R ≤ depth";
    count: u16 = 1, 32:16 "batches of `fft.samples` transforms, 1 to 4·drain/samples"
        in |c| [1, c.fft.as_ref().map_or(1, |f| 4 * c.array.drain / f.samples)];
    result_base: u16 = 0, 48:16 "result address of the first word; wraps at the memory's depth";
    log_points: u8 = 2, 64:4 "log2 of the points, 2 to the generated maximum" in |c| c.fft.as_ref().map_or([2, 2], |f| {
        let most = f.points.ilog2() as usize;
        [if f.any_size { 2 } else { most }, most]
    });
}

payload! {
    /// `SMOOTH`.
    Smooth SMOOTH:
    keep: bool = false, 12:1 "1: lines go on where the last SMOOTH left them, 0: they begin";
    address: u16 = 0, 16:16 "first word of the pixel memory; address + ⌈count / steps of a word⌉ ≤ depth";
    count: u16 = 1, 32:16 "pixels of each line, ≥ 1";
    result_base: u16 = 0, 48:16 "result address of the first word; wraps at the memory's depth";
    skip: u16 = 0, 64:16 "pixels of each line that have no result, from the first on";
    radius: u8 = 1, 80:8 "pixels of the window on either side of its centre, 1 to the generated maximum"
        in |c| [1, c.gaussian.as_ref().map_or(1, |unit| unit.radius)];
    mean: i32 = 0, 96:32 "G_0; as all coefficients: 30 bits after the binary point";
    turn_1: u32 = 0, 128:32 "4·sin²(φ/2), φ = 2π / (2·radius + 1)";
    edge_1: i32 = 0, 160:32 "G_1·cos(φ·radius)";
    turn_2: u32 = 0, 192:32 "4·sin²(2φ/2)";
    edge_2: i32 = 0, 224:32 "G_2·cos(2φ·radius)";
    turn_3: u32 = 0, 256:32 when (|c| terms(c) > 2) "4·sin²(3φ/2) (if generated)";
    edge_3: i32 = 0, 288:32 when (|c| terms(c) > 2) "G_3·cos(3φ·radius) (if generated)";
    turn_4: u32 = 0, 320:32 when (|c| terms(c) > 3) "4·sin²(4φ/2) (if generated)";
    edge_4: i32 = 0, 352:32 when (|c| terms(c) > 3) "G_4·cos(4φ·radius) (if generated)";
}

/// Cosines of the Gaussian unit.
fn terms(c: &Config) -> usize {
    c.gaussian.as_ref().map_or(0, |unit| unit.terms)
}

payload! {
    /// `STORE` (tokens: only `pop_prev` and `push_prev`).
    Store STORE:
    format: StoreWidth = StoreWidth::S32, 12:3
        "0: 32 bits; if narrowing is generated, 1: 16 bits, 2: 8 bits; if packing is, 3 to 7: 4, 12, 20, 24, 28 bits"
        in |c| [0, StoreWidth::last(c) as usize];
    address: u16 = 0, 16:16 "first result word; address + count ≤ depth";
    count: u16 = 1, 32:16 "result words, ≥ 1";
    shift: u8 = 0, 48:5 "results are divided by 2^shift, half to even, then saturated; 0 if 32 bits";
    lanes: u8 = 0, 56:6 "results of a word that are sent, from lane 0 on, 1 to `drain` if packing is generated; 0: all"
        in |c| [0, if c.pack { c.array.drain } else { 0 }];
}

instructions! {
    /// Fills operand memories from the payload that follows it on the link.
    Load(payload: Load) "LOAD" {
        code: 1,
        units: 1,
        engine: Who::Load,
        tokens: tokens! {
            pop_next "wait for a token from the compute engine"
            push_next "give the compute engine a token when the payload is in memory and checked"
        },
        fields: LOAD,
        loops: None,
        present: |_| true,
    }
    /// Walks the operand memories with nested loops and leaves tiles of dot products in the result memory.
    Compute(payload: Compute) "COMPUTE" {
        code: 2,
        units: 4,
        engine: Who::Compute,
        tokens: COMPUTE_TOKENS,
        fields: COMPUTE,
        loops: Some(160),
        present: |_| true,
    }
    /// Sends result words to the host, narrowed if asked.
    Store(payload: Store) "STORE" {
        code: 3,
        units: 1,
        engine: Who::Store,
        tokens: STORE_TOKENS,
        fields: STORE,
        loops: None,
        present: |_| true,
    }
    /// Sends all registers to the host and restarts the counters.
    Read(payload: Tokens) "READ" {
        code: 4,
        units: 1,
        engine: Who::Store,
        tokens: STORE_TOKENS,
        fields: &[],
        loops: None,
        present: |_| true,
    }
    /// Waits until no engine can move, empties queues and tokens, restarts numbering and counters, answers.
    Reset "RESET" {
        code: 0x7e,
        units: 1,
        engine: Who::Load,
        tokens: &[],
        fields: &[],
        loops: None,
        present: |_| true,
    }
    /// Transforms samples and leaves spectra and a status word in the result memory (docs/fft.md; if generated).
    Transform(payload: Transform) "TRANSFORM" {
        code: 5,
        units: 1,
        engine: Who::Compute,
        tokens: COMPUTE_TOKENS,
        fields: TRANSFORM,
        loops: None,
        present: |c| c.fft.is_some(),
    }
    /// Filters lines of pixels with a window of cosines (docs/gaussian.md; if generated).
    Smooth(payload: Smooth) "SMOOTH" {
        code: 6,
        units: 4,
        engine: Who::Compute,
        tokens: COMPUTE_TOKENS,
        fields: SMOOTH,
        loops: None,
        present: |c| c.gaussian.is_some(),
    }
}

/// Tokens of an instruction of the compute engine.
const COMPUTE_TOKENS: &[Field] = tokens! {
    pop_prev "wait for a token from the load engine"
    pop_next "wait for a token from the store engine"
    push_prev "give the load engine a token when done"
    push_next "give the store engine a token when done"
};

/// Tokens of an instruction of the store engine.
const STORE_TOKENS: &[Field] = tokens! {
    pop_prev "wait for a token from the compute engine"
    push_prev "give the compute engine a token when done"
};

/// The opcode's place in every instruction.
pub const fn opcode() -> Field {
    Field::new("opcode", 0, 8, "the instruction")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use std::collections::BTreeSet;

    #[test]
    fn opcodes_and_names_are_unique_identifiers() {
        let codes: BTreeSet<_> = OPCODES.iter().map(|o| o.code).collect();
        let names: BTreeSet<_> = OPCODES.iter().map(|o| o.name).collect();
        assert_eq!((codes.len(), names.len()), (OPCODES.len(), OPCODES.len()));
        for f in OPCODES.iter().flat_map(|o| o.all_fields()) {
            let (first, rest) = f.name.split_at(1);
            assert!(first.chars().all(|c| c.is_ascii_lowercase()), "{}", f.name);
            assert!(
                rest.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'),
                "{}",
                f.name
            );
        }
    }

    #[test]
    fn fields_do_not_overlap_and_leave_the_checksum_free() {
        for o in OPCODES {
            let mut used = vec![false; o.units * 128];
            for f in o.all_fields() {
                for (b, bit) in used.iter_mut().enumerate().skip(f.offset).take(f.width) {
                    assert!(!*bit, "{}.{} overlaps at bit {b}", o.name, f.name);
                    *bit = true;
                }
            }
            assert!(used[o.units * 128 - 16..].iter().all(|b| !b), "{}: checksum", o.name);
            for f in o.reserved() {
                used[f.offset..f.offset + f.width].iter_mut().for_each(|bit| *bit = !*bit);
            }
            assert!(used[..o.units * 128 - 16].iter().all(|b| *b), "{}: bits of no field", o.name);
        }
    }

    #[test]
    fn bounds_are_bounds_of_the_field() {
        let least = Config::draw("least", |_| true, |_, _, values| values[0]);
        let most = Config::draw("most", |_| true, |_, _, values| values[values.len() - 1]);
        for c in [least, most] {
            for f in OPCODES.iter().flat_map(|o| o.fields) {
                let [lo, hi] = f.bound.map_or([0, 0], |bound| bound(&c));
                assert!(lo <= hi && hi < 1 << f.width, "{}: {lo} to {hi}", f.name);
            }
        }
    }
}
