//! Matrix products by hand-written programs against plain integer arithmetic.
//!
//! ```text
//! k = (g·lanes + lane)·m + v          row word: flat address p·plane + i·G·m + g·m + v, lane
//!                                     column word: q·plane + j·G·n + g·n + t, lane; index word alike
//! ```
//! G groups of m·lanes; a column keeps at most n of m. Dense is n = m = 1.

use proptest::prelude::*;
use tandem_model::Twin;
use tandem_spec::engine::{Engine, RunOptions, Status};
use tandem_spec::isa::words_per_address;
use tandem_spec::packet::Kind;
use tandem_spec::{
    Compute, Config, Instruction, Load, Loop, Memory, Packet, Store, StoreWidth, Stream, Tokens,
};
use tandem_stimuli::Random;

#[derive(Clone, Copy, Debug)]
struct Operand {
    bits: usize,
    signed: bool,
}

impl Operand {
    /// A value from random bits.
    fn value(self, random: u32) -> i64 {
        let v = i64::from(random) & ((1 << self.bits) - 1);
        if self.signed && v >> (self.bits - 1) == 1 { v - (1 << self.bits) } else { v }
    }
}

#[derive(Clone, Debug)]
struct Case {
    config: Config,
    x: Operand,
    w: Operand,
    /// Rows, inner, columns.
    size: (usize, usize, usize),
    /// log2 of m, and n.
    pattern: (usize, usize),
    /// COMPUTEs that share a sum, if there is only one tile.
    parts: usize,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let array = (1usize..5, 1usize..5, 0u32..4, 0u32..4, 0u32..4, 0u32..5);
    let rest = (16usize..33, 3u32..8, 1usize..5, 0u32..3);
    let operands = ((1usize..17, any::<bool>()), (1usize..17, any::<bool>()));
    let size = (1usize..8, 1usize..40, 1usize..8);
    (array, rest, operands, size, 0usize..5, 1usize..17, 1usize..4, any::<u64>()).prop_map(
        |((rows, cols, lanes, xd, wd, select), (acc, link, hop, drain), (x, w), size, m, n, parts, seed)| {
            let drain = (1 << drain).min(cols.next_power_of_two());
            let toml = format!(
                "[array]\nrows={rows}\ncols={cols}\nlanes={}\nrow_digit={}\ncol_digit={}\nselect={}\nhop={hop}\n\
                 acc_bits={acc}\ndrain={drain}\n[memory]\nrow_depth={}\ncol_depth=8192\nindex_depth=8192\n\
                 result_depth=256\n[link]\nbits={}\n[control]\npack={}\n",
                1 << lanes,
                1 << xd,
                1 << wd,
                1 << select,
                8192 >> select,
                1 << link,
                seed % 2 == 1
            );
            let m = m.min(select as usize);
            Case {
                config: Config::from_toml("case", &toml).unwrap(),
                x: Operand { bits: x.0, signed: x.1 },
                w: Operand { bits: w.0, signed: w.1 },
                size,
                pattern: (m, if m == 0 { 1 } else { (n - 1) % (1 << m) + 1 }),
                parts,
                seed,
            }
        },
    )
}

/// A memory's image: digits by element, flat address and lane.
struct Image {
    memory: Memory,
    elements: usize,
    banks: usize,
    lanes: usize,
    digit: usize,
    digits: std::collections::HashMap<(usize, usize, usize), u8>,
    end: usize,
}

impl Image {
    fn new(config: &Config, memory: Memory) -> Self {
        let a = &config.array;
        let (elements, banks, digit) = match memory {
            Memory::Row => (a.rows, a.select, a.row_digit),
            Memory::Col => (a.cols, 1, a.col_digit),
            _ => (a.cols, 1, config.index_bits()),
        };
        let lanes = if memory == Memory::Index { config.index_lanes() } else { a.lanes };
        Image { memory, elements, banks, lanes, digit, digits: Default::default(), end: 0 }
    }

    fn set(&mut self, element: usize, address: usize, lane: usize, digit: u8) {
        self.digits.insert((element, address, lane), digit);
        self.end = self.end.max(address / self.banks + 1);
    }

    /// Loads the whole image.
    fn push(&self, config: &Config, stream: &mut Stream, push_next: bool) {
        let words = words_per_address(config, self.memory, self.elements);
        let mut payload = vec![];
        for address in 0..self.end.max(1) {
            let mut bits = vec![];
            for e in 0..self.elements {
                for flat in address * self.banks..(address + 1) * self.banks {
                    for lane in 0..self.lanes {
                        let d = self.digits.get(&(e, flat, lane)).copied().unwrap_or(0);
                        bits.extend((0..self.digit).map(|b| d >> b & 1));
                    }
                }
            }
            bits.resize(words * config.link_bits, 0);
            payload.extend(bits.chunks(8).map(|b| b.iter().rev().fold(0u8, |v, b| v << 1 | b)));
        }
        let load = Load {
            tokens: Tokens { push_next, ..Tokens::default() },
            broadcast: false,
            memory: self.memory,
            address: 0,
            count: self.end.max(1) as u16,
            words: words as u16,
            mask: u32::MAX,
        };
        stream.push_load(load, &payload);
    }
}

/// X `[row][k]` and W `[k][column]`, of which at most n of m are not zero.
fn matrices(c: &Case) -> (Vec<Vec<i64>>, Vec<Vec<i64>>) {
    let mut random = generator(c.seed);
    let (rows, inner, cols) = c.size;
    let x = (0..rows).map(|_| (0..inner).map(|_| c.x.value(random())).collect()).collect();
    let mut w: Vec<Vec<i64>> = (0..inner).map(|_| (0..cols).map(|_| c.w.value(random())).collect()).collect();
    let m = 1 << c.pattern.0;
    for column in 0..cols {
        for group in (0..inner).step_by(m) {
            let kept: Vec<usize> = (0..c.pattern.1).map(|_| group + random() as usize % m).collect();
            for (k, row) in w.iter_mut().enumerate().skip(group).take(m) {
                row[column] *= i64::from(kept.contains(&k) || m == 1);
            }
        }
    }
    (x, w)
}

/// Random numbers of 32 bits.
fn generator(seed: u64) -> impl FnMut() -> u32 {
    let mut random = Random(seed);
    move || random.any() as u32
}

fn level(count: usize, row: usize, col: usize) -> Loop {
    Loop { count: count as u16, row_stride: row as i16, col_stride: col as i16 }
}

/// Elements of a full tile, and of the last one.
fn full(all: usize, side: usize) -> u8 {
    all.min(side) as u8
}

fn last(all: usize, side: usize) -> u8 {
    ((all - 1) % side + 1) as u8
}

struct Program {
    stream: Stream,
    number_of_store: u32,
}

fn program(c: &Case, format: StoreWidth, shift: u8) -> Program {
    let (config, a) = (&c.config, &c.config.array);
    let ((rows, inner, cols), (log_m, n)) = (c.size, c.pattern);
    let m = 1usize << log_m;
    let groups = inner.div_ceil(a.lanes * m);
    let tiles = (rows.div_ceil(a.rows), cols.div_ceil(a.cols));
    let planes = (config.row_planes(c.x.bits), config.col_planes(c.w.bits));
    let plane = (tiles.0 * groups * m, tiles.1 * groups * n);
    let (x, w) = matrices(c);
    let digit = |v: i64, width: usize, p: usize| (v >> (p * width) & ((1 << width) - 1)) as u8;
    let mut images = [Memory::Row, Memory::Col, Memory::Index].map(|memory| Image::new(config, memory));
    let [row, col, index] = &mut images;
    for k in 0..inner {
        let (g, lane, v) = (k / m / a.lanes, k / m % a.lanes, k % m);
        for (r, x) in x.iter().enumerate() {
            for p in 0..planes.0 {
                let at = p * plane.0 + (r / a.rows * groups + g) * m + v;
                row.set(r % a.rows, at, lane, digit(x[k], a.row_digit, p));
            }
        }
        for (j, value) in w[k].iter().enumerate().filter(|(_, value)| **value != 0) {
            let before = (k - v..k).filter(|k| w[*k][j] != 0).count();
            let at = (j / a.cols * groups + g) * n + before;
            for q in 0..planes.1 {
                col.set(j % a.cols, q * plane.1 + at, lane, digit(*value, a.col_digit, q));
            }
            if m > 1 {
                index.set(j % a.cols, at, lane, v as u8);
            }
        }
    }
    let mut stream = Stream::new(config);
    row.push(config, &mut stream, false);
    if m > 1 {
        index.push(config, &mut stream, false);
    }
    col.push(config, &mut stream, true);
    let mut loops = [Loop::default(); 7];
    loops[0] = level(tiles.0, groups * m, 0);
    loops[1] = level(tiles.1, 0, groups * n);
    loops[4] = level(n, 0, 1);
    let parts = if tiles == (1, 1) { c.parts.min(groups) } else { 1 };
    for part in 0..parts {
        let (from, to) = (part * groups / parts, (part + 1) * groups / parts);
        loops[3] = level(to - from, m, n);
        let compute = Compute {
            tokens: Tokens { pop_prev: part == 0, push_next: part + 1 == parts, ..Tokens::default() },
            keep: part > 0,
            hold: part + 1 < parts,
            row_signed: c.x.signed,
            col_signed: c.w.signed,
            row_base: (from * m) as i16,
            col_base: (from * n) as i16,
            index_base: (from * n) as i16,
            rows: full(rows, a.rows),
            rows_last: last(rows, a.rows),
            row_edge: 0,
            cols: full(cols, a.cols),
            cols_last: last(cols, a.cols),
            col_edge: 1,
            row_planes: planes.0 as u8,
            col_planes: planes.1 as u8,
            tiles: 2,
            select: log_m as u8,
            row_plane_stride: plane.0 as i16,
            col_plane_stride: plane.1 as i16,
            loops,
            ..Compute::default()
        };
        stream.push(&Instruction::Compute(compute));
    }
    let per_row: usize = (0..tiles.1).map(|j| (cols - j * a.cols).min(a.cols).div_ceil(a.drain)).sum();
    let store = Store {
        tokens: Tokens { pop_prev: true, ..Tokens::default() },
        format,
        address: 0,
        count: (rows * per_row) as u16,
        shift,
        lanes: 0,
    };
    stream.push(&Instruction::Store(store));
    let number_of_store = stream.instructions().0.len() as u32 - 1;
    Program { stream, number_of_store }
}

/// The product, wrapped to `acc_bits`, in the order and with the padding of the result words.
fn expected(c: &Case) -> Vec<i32> {
    let (x, w) = matrices(c);
    let a = &c.config.array;
    let (rows, _, cols) = c.size;
    let mut list = vec![];
    for i in (0..rows).step_by(a.rows) {
        for j in (0..cols).step_by(a.cols) {
            for row in &x[i..(i + a.rows).min(rows)] {
                let tile: Vec<usize> = (j..(j + a.cols).min(cols)).collect();
                for group in tile.chunks(a.drain) {
                    let dot = |j: &usize| row.iter().zip(&w).map(|(x, w)| x * w[*j]).sum::<i64>();
                    let wrap = |v: i64| (v << (64 - a.acc_bits) >> (64 - a.acc_bits)) as i32;
                    list.extend(group.iter().map(|j| wrap(dot(j))));
                    list.resize(list.len().next_multiple_of(a.drain), 0);
                }
            }
        }
    }
    list
}

/// dW = Xᵀ·dY of the kept entries only: row = group of m inputs, column = output, lane = image.
///
/// ```text
/// row word: flat address p·plane + (i·B + b)·m + v, lane      X[image b·lanes + lane, input (i·rows + r)·m + v]
/// column word: q·plane + j·B + b, lane                        dY[image, output j·cols + c]
/// index word: (i·J + j)·n + t, entry r                        the t-th kept entry of the group
/// ```
/// Returns the program and, for each result, the input and output that it belongs to.
fn weight_gradient(c: &Case) -> (Stream, Vec<Option<(usize, usize)>>) {
    let (config, a) = (&c.config, &c.config.array);
    let ((inputs, images, outputs), (log_m, n)) = (c.size, c.pattern);
    let m = 1usize << log_m;
    let inputs = inputs * m;
    let mut random = generator(c.seed ^ 0x5555);
    let blocks = images.div_ceil(a.lanes);
    let tiles = ((inputs / m).div_ceil(a.rows), outputs.div_ceil(a.cols));
    let planes = (config.row_planes(c.x.bits), config.col_planes(c.w.bits));
    let plane = (tiles.0 * blocks * m, tiles.1 * blocks);
    let (x, dy) = gradient_operands(c);
    let digit = |v: i64, width: usize, p: usize| (v >> (p * width) & ((1 << width) - 1)) as u8;
    let mut memories = [Memory::Row, Memory::Col, Memory::Index].map(|memory| Image::new(config, memory));
    let [row, col, index] = &mut memories;
    for image in 0..images {
        let (b, lane) = (image / a.lanes, image % a.lanes);
        for (k, x) in x[image].iter().enumerate() {
            let (g, v) = (k / m, k % m);
            for p in 0..planes.0 {
                let at = p * plane.0 + (g / a.rows * blocks + b) * m + v;
                row.set(g % a.rows, at, lane, digit(*x, a.row_digit, p));
            }
        }
        for (o, dy) in dy[image].iter().enumerate() {
            for q in 0..planes.1 {
                col.set(o % a.cols, q * plane.1 + o / a.cols * blocks + b, lane, digit(*dy, a.col_digit, q));
            }
        }
    }
    let mut order = vec![];
    for (i, j) in (0..tiles.0).flat_map(|i| (0..tiles.1).map(move |j| (i, j))) {
        for t in 0..n {
            let word = (i * tiles.1 + j) * n + t;
            for r in 0..a.rows {
                for c in 0..a.cols.next_multiple_of(a.drain) {
                    let (g, o) = (i * a.rows + r, j * a.cols + c);
                    let inside = c < a.cols && g < inputs / m && o < outputs;
                    let pick = random() as usize % m;
                    if inside {
                        index.set(c, word, r, pick as u8);
                    }
                    if g < inputs / m
                        && j * a.cols + c / a.drain * a.drain < outputs
                        && c / a.drain * a.drain < a.cols
                    {
                        order.push(inside.then_some((g * m + pick, o)));
                    }
                }
            }
        }
    }
    let mut stream = Stream::new(config);
    row.push(config, &mut stream, false);
    index.push(config, &mut stream, false);
    col.push(config, &mut stream, true);
    let mut loops = [Loop::default(); 7];
    loops[0] = level(tiles.0, blocks * m, 0);
    loops[1] = level(tiles.1, 0, blocks);
    loops[2] = level(n, 0, 0);
    loops[4] = level(blocks, m, 1);
    let compute = Compute {
        tokens: Tokens { pop_prev: true, push_next: true, ..Tokens::default() },
        row_signed: c.x.signed,
        col_signed: c.w.signed,
        rows: full(inputs / m, a.rows),
        rows_last: last(inputs / m, a.rows),
        row_edge: 0,
        cols: full(outputs, a.cols),
        cols_last: last(outputs, a.cols),
        col_edge: 1,
        row_planes: planes.0 as u8,
        col_planes: planes.1 as u8,
        tiles: 3,
        select: log_m as u8,
        held: true,
        row_plane_stride: plane.0 as i16,
        col_plane_stride: plane.1 as i16,
        loops,
        ..Compute::default()
    };
    stream.push(&Instruction::Compute(compute));
    let store = Store {
        tokens: Tokens { pop_prev: true, ..Tokens::default() },
        format: StoreWidth::S32,
        address: 0,
        count: (order.len() / a.drain) as u16,
        shift: 0,
        lanes: 0,
    };
    stream.push(&Instruction::Store(store));
    (stream, order)
}

/// X `[image][input]` and dY `[image][output]`.
fn gradient_operands(c: &Case) -> (Vec<Vec<i64>>, Vec<Vec<i64>>) {
    let mut random = generator(c.seed);
    let (groups, images, outputs) = c.size;
    let x = (0..images).map(|_| (0..groups << c.pattern.0).map(|_| c.x.value(random())).collect()).collect();
    let dy = (0..images).map(|_| (0..outputs).map(|_| c.w.value(random())).collect()).collect();
    (x, dy)
}

/// v / 2^shift half to even, in integers: the even one of the two nearest.
fn rounded(v: i64, shift: u32) -> i64 {
    let twice = 2 * v + (1 << shift);
    let (up, tie) = (twice.div_euclid(2 << shift), twice.rem_euclid(2 << shift) == 0);
    if tie && up % 2 != 0 { up - 1 } else { up }
}

fn result(c: &Case, format: StoreWidth, shift: u8) -> Packet {
    let p = program(c, format, shift);
    let outcome = Twin::new(&c.config).run(&p.stream, &RunOptions::default()).unwrap();
    assert_eq!(outcome.status, Status::Idle);
    let [packet] = <[Packet; 1]>::try_from(outcome.packets).unwrap();
    assert_eq!((packet.kind, packet.instruction), (Kind::Result, p.number_of_store));
    packet
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn products_are_exact(c in case()) {
        let p = result(&c, StoreWidth::S32, 0);
        let list = expected(&c);
        let found: Vec<i32> =
            p.data.chunks(4).map(|b| i32::from_le_bytes(b.try_into().unwrap())).take(list.len()).collect();
        prop_assert_eq!(&found, &list);
        prop_assert_eq!(p.summary, [list.iter().fold(0, |or, v| or | v.unsigned_abs()), 0, 0, 0]);
    }

    #[test]
    fn held_indices_compute_the_kept_gradients(c in case().prop_filter("selects", |c| c.config.array.select > 1)) {
        let a = &c.config.array;
        let words = (c.size.0.div_ceil(a.rows) * c.size.1.div_ceil(a.lanes)) << c.pattern.0;
        prop_assume!(words * c.config.row_planes(c.x.bits) <= c.config.memory.row * a.select);
        let (stream, order) = weight_gradient(&c);
        prop_assume!(order.len() / a.drain <= c.config.memory.result);
        let outcome = Twin::new(&c.config).run(&stream, &RunOptions::default()).unwrap();
        prop_assert_eq!(outcome.status, Status::Idle);
        let (x, dy) = gradient_operands(&c);
        let wrap = |v: i64| (v << (64 - a.acc_bits) >> (64 - a.acc_bits)) as i32;
        let dot = |(k, o): (usize, usize)| x.iter().zip(&dy).map(|(x, dy)| x[k] * dy[o]).sum::<i64>();
        let expected: Vec<i32> = order.iter().map(|at| at.map_or(0, |at| wrap(dot(at)))).collect();
        let data = outcome.packets[0].data.chunks(4).map(|b| i32::from_le_bytes(b.try_into().unwrap()));
        prop_assert_eq!(data.take(expected.len()).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn narrow_results_are_rounded_and_saturated(c in case(), shift in 0u8..32, pick in 0usize..7) {
        let narrow = if c.config.pack { &[4, 8, 12, 16, 20, 24, 28][..] } else { &[8, 16] };
        let bits = narrow[pick % narrow.len()];
        let p = result(&c, *StoreWidth::ALL.iter().find(|f| f.bits() == bits).unwrap(), shift);
        let list = expected(&c);
        let most = (1i64 << (bits - 1)) - 1;
        let exact: Vec<i64> = list.iter().map(|v| rounded((*v).into(), shift.into())).collect();
        let clamped = exact.iter().map(|y| *y.clamp(&(-most - 1), &most));
        let mut data: Vec<bool> = clamped.flat_map(|y| (0..bits).map(move |b| y >> b & 1 == 1)).collect();
        data.resize(data.len().next_multiple_of(c.config.link_bits), false);
        let found: Vec<bool> = p.data.iter().flat_map(|byte| (0..8).map(move |b| byte >> b & 1 == 1)).collect();
        prop_assert_eq!(found, data);
        let clamped = exact.iter().filter(|y| !(-most - 1..=most).contains(*y)).count() as u32;
        prop_assert_eq!(p.summary, [list.iter().fold(0, |or, v| or | v.unsigned_abs()), clamped, 0, 0]);
    }
}
