//! Bounds and shapes once more, by hand from docs/accelerator.md, docs/fft.md and docs/gaussian.md: a wrong row of a table does not go unseen.

use proptest::prelude::*;
use tandem_spec::config::TABLES;
use tandem_spec::isa::{OPCODES, Shape};
use tandem_spec::{Config, Memory};

fn drawn(picks: Vec<usize>, unit: bool) -> Config {
    let mut picks = picks.into_iter().cycle();
    Config::draw("drawn", |_| unit, move |_, _, values| values[picks.next().unwrap() % values.len()])
}

fn log2(n: usize) -> usize {
    (0..).find(|b| 1 << b >= n).unwrap()
}

/// Least and largest value of a field; `None` if its width is its bound, or another field.
fn field(c: &Config, opcode: &str, field: &str) -> Option<[usize; 2]> {
    let a = &c.array;
    let fft = c.fft.as_ref();
    Some(match (opcode, field) {
        ("COMPUTE", "rows" | "rows_last") => [1, a.rows],
        ("COMPUTE", "cols" | "cols_last") => [1, a.cols],
        ("COMPUTE", "row_planes") => [1, a.row_bits.div_ceil(a.row_digit)],
        ("COMPUTE", "col_planes") => [1, a.col_bits.div_ceil(a.col_digit)],
        ("COMPUTE", "tiles") => [0, c.loops],
        ("COMPUTE", "select") => [0, log2(a.select)],
        ("COMPUTE", "held") => [0, if a.select == 1 { 0 } else { 1 }],
        ("STORE", "format") => [0, if c.pack { 7 } else { 2 * usize::from(c.narrow) }],
        ("STORE", "lanes") => [0, if c.pack { a.drain } else { 0 }],
        ("TRANSFORM", "block") => [0, fft?.block.into()],
        ("TRANSFORM", "tile") => [0, fft?.tiles.into()],
        ("TRANSFORM", "count") => [1, 4 * a.drain / fft?.samples],
        ("TRANSFORM", "log_points") => [if fft?.any_size { 2 } else { log2(fft?.points) }, log2(fft?.points)],
        ("SMOOTH", "radius") => [1, c.gaussian.as_ref()?.radius],
        _ => return None,
    })
}

fn shape(c: &Config, memory: Memory) -> Option<Shape> {
    let (a, m) = (&c.array, &c.memory);
    let shape = |elements, depth, banks, lanes, digit, piece| {
        let planar = memory == Memory::Code;
        Some(Shape { elements, depth, banks, lanes, digit, piece, planar })
    };
    match memory {
        Memory::Row => shape(a.rows, m.row, a.select, a.lanes, a.row_digit, 32),
        Memory::Col => shape(a.cols, m.col, 1, a.lanes, a.col_digit, 32),
        Memory::Index if a.select == 1 => None,
        Memory::Index => {
            let entries = a.lanes.max(1 << log2(a.rows));
            shape(a.cols, m.index, 1, entries, [1, 2, 4][log2(log2(a.select))], 32)
        }
        Memory::Offset => shape(a.rows, 1, 1, 2, 8, 32),
        Memory::Sample => {
            let fft = c.fft.as_ref()?;
            shape(1, fft.depth, 1, (32 * fft.samples).max(c.link_bits) / 8, 8, 16)
        }
        Memory::Pixel => {
            let unit = c.gaussian.as_ref()?;
            shape(1, unit.depth, 1, (64 * unit.pixels).max(c.link_bits) / 8, 8, 16)
        }
        Memory::Code => {
            let book = c.codebook.as_ref()?;
            shape(a.cols, book.depth, book.code_bits, words_of_codes(c) * a.lanes, 1, 32)
        }
        Memory::Level => {
            let book = c.codebook.as_ref()?;
            shape(a.cols, 1, 1, (book.level_bits / a.col_digit) << book.code_bits, a.col_digit, 32)
        }
    }
}

/// G.
fn words_of_codes(c: &Config) -> usize {
    let line = 1 << log2(c.array.cols * c.array.lanes);
    (0..).map(|log| 1 << log).find(|g| g * line >= c.link_bits).unwrap()
}

/// All values of a key, and its default.
fn key(c: &Config, table: &str, name: &str) -> (Vec<usize>, Option<usize>) {
    let a = &c.array;
    let powers = |lo: usize, hi: usize| (0..20).map(|b| 1 << b).filter(|v| (lo..=hi).contains(v)).collect();
    let range = |lo: usize, hi: usize| (lo..=hi).collect();
    let rounded = 1 << log2(a.cols);
    match (table, name) {
        ("array", "rows" | "cols") => (range(1, 32), None),
        ("array", "lanes") => (vec![1, 2, 4, 8, 16, 32], None),
        ("array", "row_digit" | "col_digit") => (vec![1, 2, 4, 8], None),
        ("array", "row_bits") => (range(a.row_digit, 16), Some(16)),
        ("array", "col_bits") => (range(a.col_digit, 16), Some(16)),
        ("array", "acc_bits") => (range(16, 32), Some(32)),
        ("array", "select") => (vec![1, 2, 4, 8, 16], Some(1)),
        ("array", "hop") => {
            let fits = |h: &usize| (a.rows - 1) / h <= (a.cols - 1) / h + 6;
            ((1..=32).filter(fits).collect(), Some(32))
        }
        ("array", "pipeline") => (vec![5, 9], Some(5)),
        ("array", "drain") => (powers(1, rounded), Some(rounded)),
        ("memory", "row_depth") => (powers(2, 32768 / a.select), None),
        ("memory", "col_depth") => (powers(2, 32768), None),
        ("memory", "index_depth") => (powers(2, 32768), Some(c.memory.col)),
        ("memory", "result_depth") => {
            // a result word holds `drain` complex halves, `samples` transforms at a time; one more word for the status
            let words = c.fft.as_ref().map_or(2, |f| (f.points * f.samples).div_ceil(a.drain) + 1);
            (powers(words, 32768), None)
        }
        ("link", "bits") => (vec![8, 16, 32, 64, 128], Some(128)),
        ("control", "loops") => (vec![5, 6, 7], Some(5)),
        ("control", "queue") => (powers(1, 64), Some(4)),
        ("control", "address_bits") => {
            let mut deepest = (a.select * c.memory.row).max(c.memory.col);
            if a.select > 1 {
                deepest = deepest.max(c.memory.index);
            }
            if let Some(book) = &c.codebook {
                deepest = deepest.max(words_of_codes(c) * book.depth);
            }
            (range(log2(deepest) + 1, 16), Some(16))
        }
        ("control", "counters") => (vec![0, 1], Some(0)),
        ("control", "narrow") => (vec![0, 1], Some(1)),
        ("control", "pack") => (if c.narrow { vec![0, 1] } else { vec![0] }, Some(0)),
        ("control", "reset") => (vec![0, 1], Some(0)),
        ("codebook", "code_bits") => (vec![1, 2, 3, 4], None),
        ("codebook", "level_bits") => {
            let digits = [1, 2, 4, 8, 16].map(|n| n * a.col_digit);
            (digits.into_iter().filter(|bits| *bits <= a.col_bits).collect(), Some(a.col_digit))
        }
        ("codebook", "depth") => (powers(2, 32768 / words_of_codes(c)), None),
        ("gaussian", "pixels") => (powers(1, a.drain.min(8)), Some(1)),
        ("gaussian", "radius") => (range(1, 255), None),
        ("gaussian", "terms") => (vec![2, 3, 4], Some(3)),
        ("gaussian", "depth") => (powers(2, 32768), None),
        ("fft", "points") => (powers(4, 16384), None),
        ("fft", "samples") => (powers(1, a.drain.min(8)), Some(1)),
        ("fft", "bits") => (range(8, 16), Some(16)),
        ("fft", "depth") => {
            let f = c.fft.as_ref().unwrap();
            let words = f.points * (32 * f.samples) / (32 * f.samples).max(c.link_bits);
            (powers(words.max(2), 32768), None)
        }
        ("fft", "block") => (vec![0, 1], Some(1)),
        ("fft", "tiles") => {
            let room = c.fft.as_ref().unwrap().points >= 16;
            (if room { vec![0, 1] } else { vec![0] }, Some(room.into()))
        }
        ("fft", "sizes") => {
            let f = c.fft.as_ref().unwrap();
            let largest = !f.tiles || [16, 64, 256].contains(&f.points);
            (if largest { vec![0, 1] } else { vec![1] }, Some(1))
        }
        other => panic!("{other:?} is not in this list"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn every_row_says_what_the_pages_say(picks in prop::collection::vec(any::<usize>(), 64), unit in any::<bool>()) {
        let c = drawn(picks, unit);
        for op in OPCODES {
            prop_assert_eq!((op.present)(&c), !["TRANSFORM", "SMOOTH"].contains(&op.name) || unit, "{}", op.name);
            for f in op.fields.iter().filter(|_| (op.present)(&c)) {
                prop_assert_eq!(f.bound.map(|b| b(&c)), field(&c, op.name, f.name), "{}.{}", op.name, f.name);
            }
        }
        for memory in Memory::ALL {
            prop_assert_eq!(memory.shape(&c), shape(&c, memory), "{:?}", memory);
        }
        for table in TABLES.iter().filter(|t| t.optional.is_none() || unit) {
            for k in table.keys.iter().filter(|k| (k.when)(&c)) {
                let found = ((k.allowed)(&c).values(), k.default.map(|d| d(&c)));
                prop_assert_eq!(found, key(&c, table.name, k.name), "{}.{}", table.name, k.name);
            }
        }
    }
}
