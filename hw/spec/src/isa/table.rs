//! The table itself.

use super::field::{Field, Opcode, Who};
use crate::config::MAX_LOOPS;

macro_rules! fields {
    ($(#[$doc:meta])* $module:ident { $($id:ident $name:literal $offset:literal : $width:literal $text:literal;)* }) => {
        $(#[$doc])*
        pub mod $module {
            use super::Field;
            $(#[doc = $text]
              pub const $id: Field = Field { name: $name, offset: $offset, width: $width, doc: $text };)*
            /// All of them, in order of position.
            pub const FIELDS: &[Field] = &[$($id),*];
        }
    };
}

/// The opcode's place in every instruction.
pub const fn opcode() -> Field {
    Field { name: "opcode", offset: 0, width: 8, doc: "the instruction" }
}

fields! {
    /// Fields of `LOAD`.
    load {
        POP_NEXT "pop_next" 9:1 "wait for a token from the compute engine";
        PUSH_NEXT "push_next" 11:1 "give the compute engine a token when the payload is in memory and checked";
        BROADCAST "broadcast" 12:1 "1: the payload holds one element; every element in `mask` takes it";
        MEMORY "memory" 13:3 "code of a memory that is generated, see below";
        ADDRESS "address" 16:16 "first word; address + count ≤ depth; 0 for offsets";
        COUNT "count" 32:16 "words per element, ≥ 1; 1 for offsets";
        WORDS "words" 48:16 "link words per memory address, 1 to what covers every element";
        MASK "mask" 64:32 "bit e: row (column) e is written";
    }
}

fields! {
    /// Fields of `COMPUTE`, but its loops: see [`super::loop_fields`].
    compute {
        POP_PREV "pop_prev" 8:1 "wait for a token from the load engine";
        POP_NEXT "pop_next" 9:1 "wait for a token from the store engine";
        PUSH_PREV "push_prev" 10:1 "give the load engine a token when done";
        PUSH_NEXT "push_next" 11:1 "give the store engine a token when done";
        KEEP "keep" 12:1 "1: a tile's first step adds to the accumulators instead of clearing them";
        HOLD "hold" 13:1 "1: results stay in the accumulators, nothing is drained";
        ROW_SIGNED "row_signed" 14:1 "the top row digit is signed";
        COL_SIGNED "col_signed" 15:1 "the top column digit is signed";
        ROW_BASE "row_base" 16:16 "signed flat row address of step 0";
        COL_BASE "col_base" 32:16 "signed column address of step 0";
        INDEX_BASE "index_base" 48:16 "signed index address of step 0";
        RESULT_BASE "result_base" 64:16 "result address of the first word; wraps at the memory's depth";
        ROWS "rows" 80:6 "valid rows of a tile, 1 to the array's";
        ROWS_LAST "rows_last" 86:6 "valid rows in the last turn of level `row_edge`";
        ROW_EDGE "row_edge" 92:3 "a tile level, or 7: no edge";
        HELD "held" 95:1 "1: index r belongs to row r; word index_base + i is held for tile i (weight gradient)";
        COLS "cols" 96:6 "valid columns of a tile, 1 to the array's";
        COLS_LAST "cols_last" 102:6 "valid columns in the last turn of level `col_edge`";
        COL_EDGE "col_edge" 108:3 "a tile level, or 7: no edge";
        ROW_PLANES "row_planes" 112:5 "digit planes of the row operand, 1 to ⌈row_bits/row_digit⌉";
        COL_PLANES "col_planes" 117:5 "digit planes of the column operand, 1 to ⌈col_bits/col_digit⌉";
        TILES "tiles" 122:3 "the outermost `tiles` levels step from tile to tile, the others are summed over";
        SELECT "select" 125:3 "log2 M of N:M selection, up to log2 of the generated maximum";
        ROW_PLANE_STRIDE "row_plane_stride" 128:16 "added to the row address per row plane";
        COL_PLANE_STRIDE "col_plane_stride" 144:16 "added to the column address per column plane";
    }
}

fields! {
    /// Fields of `TRANSFORM`.
    transform {
        POP_PREV "pop_prev" 8:1 "wait for a token from the load engine";
        POP_NEXT "pop_next" 9:1 "wait for a token from the store engine";
        PUSH_PREV "push_prev" 10:1 "give the load engine a token when done";
        PUSH_NEXT "push_next" 11:1 "give the store engine a token when done";
        INVERSE "inverse" 12:1 "1: e^(+2πi·nk/N)";
        BLOCK "block" 13:1 "1: block floating point (if generated), 0: 1/2 a stage";
        TILE "tile" 14:1 "1: a square of 2^(log_points/2) points a side (if generated; log_points 4, 6 or 8)";
        ADDRESS "address" 16:16 "first word of the sample memory; address + count·2^log_points/R ≤ depth";
        COUNT "count" 32:16 "batches of `fft.samples` transforms, 1 to 4·drain/samples";
        RESULT_BASE "result_base" 48:16 "result address of the first word; wraps at the memory's depth";
        LOG_POINTS "log_points" 64:4 "log2 of the points, 2 to the generated maximum";
    }
}

fields! {
    /// Fields of `STORE`.
    store {
        POP_PREV "pop_prev" 8:1 "wait for a token from the compute engine";
        PUSH_PREV "push_prev" 10:1 "give the compute engine a token when done";
        FORMAT "format" 12:2 "0: 32 bits; if narrowing is generated, 1: 16 bits, 2: 8 bits";
        ADDRESS "address" 16:16 "first result word; address + count ≤ depth";
        COUNT "count" 32:16 "result words, ≥ 1";
        SHIFT "shift" 48:5 "results are divided by 2^shift, half to even, then saturated; 0 if 32 bits";
    }
}

fields! {
    /// Fields of `READ`.
    read {
        POP_PREV "pop_prev" 8:1 "wait for a token from the compute engine";
        PUSH_PREV "push_prev" 10:1 "give the compute engine a token when done";
    }
}

fields! {
    /// Fields of `RESET`: none.
    reset {}
}

/// Count, row stride and column stride of loop level `level` (0 is the outermost).
///
/// # Panics
/// If `level ≥ MAX_LOOPS`.
pub const fn loop_fields(level: usize) -> [Field; 3] {
    assert!(level < MAX_LOOPS);
    let o = 160 + 48 * level;
    [
        Field { name: "count", offset: o, width: 16, doc: "turns, ≥ 1" },
        Field {
            name: "row_stride",
            offset: o + 16,
            width: 16,
            doc: "signed, added to the row address per turn",
        },
        Field {
            name: "col_stride",
            offset: o + 32,
            width: 16,
            doc: "signed, added to the column and the index address per turn",
        },
    ]
}

/// Every instruction.
pub const OPCODES: &[Opcode] = &[
    Opcode {
        name: "LOAD",
        code: 1,
        units: 1,
        engine: Who::Load,
        fields: load::FIELDS,
        doc: "Fills operand memories from the payload that follows it on the link.",
    },
    Opcode {
        name: "COMPUTE",
        code: 2,
        units: 4,
        engine: Who::Compute,
        fields: compute::FIELDS,
        doc: "Walks the operand memories with nested loops and leaves tiles of dot products in the result memory.",
    },
    Opcode {
        name: "STORE",
        code: 3,
        units: 1,
        engine: Who::Store,
        fields: store::FIELDS,
        doc: "Sends result words to the host, narrowed if asked.",
    },
    Opcode {
        name: "READ",
        code: 4,
        units: 1,
        engine: Who::Store,
        fields: read::FIELDS,
        doc: "Sends all registers to the host and restarts the counters.",
    },
    Opcode {
        name: "RESET",
        code: 0x7e,
        units: 1,
        engine: Who::Load,
        fields: reset::FIELDS,
        doc: "Waits until no engine can move, empties queues and tokens, restarts numbering and counters, answers.",
    },
    Opcode {
        name: "TRANSFORM",
        code: 5,
        units: 1,
        engine: Who::Compute,
        fields: transform::FIELDS,
        doc: "Transforms samples and leaves spectra and a status word in the result memory (docs/fft.md; if generated).",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn opcodes_and_names_are_unique_identifiers() {
        let codes: BTreeSet<_> = OPCODES.iter().map(|o| o.code).collect();
        let names: BTreeSet<_> = OPCODES.iter().map(|o| o.name).collect();
        assert_eq!((codes.len(), names.len()), (OPCODES.len(), OPCODES.len()));
        for f in OPCODES.iter().flat_map(|o| o.fields) {
            assert!(f.name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{}", f.name);
        }
    }

    #[test]
    fn fields_do_not_overlap_and_leave_the_checksum_free() {
        for o in OPCODES {
            let loops: Vec<Field> =
                if o.name == "COMPUTE" { (0..MAX_LOOPS).flat_map(loop_fields).collect() } else { vec![] };
            let mut used = vec![false; o.units * 128];
            let all = o.fields.iter().copied().chain(loops).chain([opcode()]);
            for f in all {
                for (b, bit) in used.iter_mut().enumerate().skip(f.offset).take(f.width) {
                    assert!(!*bit, "{}.{} overlaps at bit {b}", o.name, f.name);
                    *bit = true;
                }
            }
            assert!(used[o.units * 128 - 16..].iter().all(|b| !b), "{}: checksum", o.name);
        }
    }
}
