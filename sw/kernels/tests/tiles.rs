//! Tiles on every level of this machine against plain sums.

use proptest::prelude::*;
use tandem_kernels::quads::{Quad, STRIDE, add_quads};
use tandem_kernels::{Bytes, COLUMNS, Element, Level, Panel, ROWS, Terms, Words, add_products};

/// Operands of a tile: A's values, rows, segments, elements of a segment, B's values.
#[derive(Clone, Debug)]
struct Case {
    a: Vec<i32>,
    rows: [usize; ROWS],
    segments: Vec<usize>,
    length: usize,
    columns: usize,
    b: Vec<i32>,
}

fn cases(a: std::ops::RangeInclusive<i32>, b: std::ops::RangeInclusive<i32>) -> impl Strategy<Value = Case> {
    (1usize..4, 1usize..40, 1usize..40).prop_flat_map(move |(segments, length, columns)| {
        (
            prop::collection::vec(a.clone(), 300),
            prop::array::uniform8(0usize..120),
            prop::collection::vec(0usize..100, segments),
            prop::collection::vec(b.clone(), segments * length * columns),
        )
            .prop_map(move |(a, rows, segments, b)| Case { a, rows, segments, length, columns, b })
    })
}

fn agree<E: Element + std::fmt::Debug>(case: &Case, zero: i32) {
    let Case { rows, segments, length, columns, b, .. } = case;
    let value = |s: usize, i: usize, o: usize| b[(s * length + i) * columns + o];
    let panel = Panel::<E>::new(segments.clone(), *length, *columns, value);
    sums_are_plain(case, &panel, zero, &value);
    // one, two or all of four, as the rows happen to begin
    let few = |s: usize, i: usize, o: usize| {
        let is_kept = (i / 4 + i % 4 + o + s) % 4 < 1 + rows[0] % 3;
        if is_kept { value(s, i, o) } else { 0 }
    };
    sums_are_plain(case, &Panel::<E>::new(segments.clone(), *length, *columns, few), zero, &few);
    let mut columnwise = Panel::<E>::zeros(segments.clone(), *length, *columns);
    for s in 0..segments.len() {
        let values: Vec<_> = (0..*columns).flat_map(|o| (0..*length).map(move |i| value(s, i, o))).collect();
        columnwise.fill_columns(s, &values);
    }
    columnwise.add_up();
    assert_eq!(format!("{columnwise:?}"), format!("{panel:?}"), "column after column");
}

/// Tiles of `panel` at every level, whether or not they pass over zeros.
fn sums_are_plain<E: Element + std::fmt::Debug>(
    case: &Case,
    panel: &Panel<E>,
    zero: i32,
    value: &dyn Fn(usize, usize, usize) -> i32,
) {
    let Case { a, rows, segments, length, columns, .. } = case;
    let stored: Vec<_> = a.iter().map(|v| E::left(*v, zero)).collect();
    for level in Level::all() {
        let mut skipping = panel.clone();
        skipping.skip_zeros(level, usize::MAX);
        for (panel, block) in
            [panel, &skipping].into_iter().flat_map(|p| (0..p.blocks()).map(move |b| (p, b)))
        {
            let mut c = [panel.start(block, zero); ROWS];
            E::tile(level, &stored, rows, panel, block, &mut c);
            for (row, c) in rows.iter().zip(&c) {
                for (o, c) in (block * COLUMNS..*columns).zip(c) {
                    let products = segments.iter().enumerate().flat_map(|(s, from)| {
                        (0..*length).map(move |i| i64::from(a[row + from + i]) * i64::from(value(s, i, o)))
                    });
                    assert_eq!(i64::from(*c), products.sum::<i64>(), "{level:?}, column {o}");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn bytes_without_sign(case in cases(0..=255, -128..=127)) {
        agree::<Bytes>(&case, 0);
    }

    #[test]
    fn bytes_with_sign(case in cases(-128..=127, -128..=127)) {
        agree::<Bytes>(&case, 128);
    }

    #[test]
    fn words(case in cases(-2048..=2047, -2048..=2047)) {
        agree::<Words>(&case, 0);
    }
}

proptest! {
    #[test]
    fn quads(
        a in prop::collection::vec(any::<u8>(), 400),
        b in prop::collection::vec(any::<i8>(), 500),
        strides in 0usize..4,
        quads in prop::collection::vec((0usize..200, prop::array::uniform4(0usize..300)), 0..10),
        start in -9i32..9,
    ) {
        let length = strides * STRIDE;
        let bytes: Vec<_> = b.iter().map(|v| *v as u8).collect();
        let quads: Vec<_> = quads.into_iter().map(|(a, b)| Quad { a, b }).collect();
        let plain = |from: usize, to: usize| (0..length).map(|i| i32::from(a[from + i]) * i32::from(b[to + i])).sum::<i32>();
        let expected: Vec<_> = quads.iter().map(|quad| quad.b.map(|to| start + plain(quad.a, to))).collect();
        for level in Level::all() {
            let mut sums = vec![[start; 4]; quads.len()];
            add_quads(level, &a, &bytes, &quads, length, &mut sums);
            prop_assert_eq!(&sums, &expected, "{:?}", level);
        }
    }
}

proptest! {
    #[test]
    fn pixels_become_planes(
        row in prop::collection::vec(any::<i8>(), 0..2000),
        channels in 1usize..70,
        zero in 0i32..=128,
        more in 0usize..20,
    ) {
        let row = &row[..row.len() / channels * channels];
        let (pixels, mark) = (row.len() / channels, 77);
        let pitch = pixels + more;
        for level in Level::all() {
            let mut planes = vec![mark; channels * pitch];
            Bytes::spread(level, row, channels, zero, &mut planes, pitch);
            let mut wide = vec![i16::from(mark); channels * pitch];
            Words::spread(level, row, channels, 0, &mut wide, pitch);
            for at in 0..channels * pitch {
                let (c, x) = (at / pitch, at % pitch);
                let value = (x < pixels).then(|| row[x * channels + c]);
                prop_assert_eq!(planes[at], value.map_or(mark, |v| (i32::from(v) + zero) as u8), "{:?}", level);
                prop_assert_eq!(wide[at], value.map_or(i16::from(mark), i16::from));
            }
        }
    }
}

#[test]
#[should_panic(expected = "vectors end inside")]
fn no_quad_reads_beyond_the_end() {
    let quad = Quad { a: 1, b: [0; 4] };
    add_quads(Level::best(), &[0; 64], &[0; 64], &[quad], 64, &mut [[0; 4]]);
}

/// Elements at both ends, where what is narrower than 32 bits would saturate or wrap.
#[test]
fn extremes() {
    for (a, b) in [(255, 127), (255, -128), (0, -128)] {
        let case = Case {
            a: vec![a; 300],
            rows: [0, 1, 2, 3, 4, 5, 6, 7],
            segments: vec![0, 50],
            length: 37,
            columns: 17,
            b: vec![b; 2 * 37 * 17],
        };
        agree::<Bytes>(&case, 0);
        agree::<Words>(&case, 0);
    }
}

#[test]
#[should_panic(expected = "a row from 100 reaches 8 of 107")]
fn nothing_is_read_beyond_the_end() {
    let panel = Panel::<Bytes>::new(vec![0, 4], 3, 1, |_, _, _| 1);
    let (a, rows) = ([0; 107], [0, 0, 0, 0, 0, 0, 0, 100]);
    Bytes::tile(Level::best(), &a, &rows, &panel, 0, &mut [[0; COLUMNS]; ROWS]);
}

/// Sums of columns are the same bits on every level.
#[test]
fn sums_of_columns() {
    use tandem_kernels::columns::{self, Backward};
    let value = |i: usize| ((i * 7919) % 10_007) as f32 * 1e-3 - 4.0;
    for columns in [1, 3, 8, 15, 16, 17, 40] {
        let of = |salt: usize| -> Vec<f32> { (0..77 * columns).map(|i| value(i * salt + salt)).collect() };
        let (x, dy, y, mean, inverse) = (of(1), of(3), of(5), of(7), of(11));
        let (mean, inverse) = (&mean[..columns], &inverse[..columns]);
        let means: Vec<f64> = mean.iter().map(|v| f64::from(*v)).collect();
        let run = |level: Level, gate: Option<&[f32]>| {
            let mut all = vec![vec![0.25f64; columns]; 4];
            columns::add(level, &x, &mut all[0]);
            columns::add_squares(level, &x, &means, &mut all[1]);
            let (a, b) = all.split_at_mut(3);
            let backward = Backward { x: &x, dy: &dy, gate, mean, inverse };
            columns::add_backward(level, backward, &mut a[2], &mut b[0]);
            all
        };
        for gate in [None, Some(&y[..])] {
            let expected = run(Level::all()[0], gate);
            for level in Level::all() {
                assert_eq!(run(level, gate), expected, "{level:?}, {columns} columns");
            }
            let plain: f64 = (0..77).fold(0.25, |sum, row| sum + f64::from(x[row * columns]));
            assert_eq!(expected[0][0], plain);
            let passes = |i: usize| gate.is_none_or(|gate| gate[i] > 0.0);
            let sum = |sum: f64, row: usize| {
                sum + if passes(row * columns) { f64::from(dy[row * columns]) } else { 0.0 }
            };
            assert_eq!(expected[2][0], (0..77).fold(0.25, sum));
        }
    }
}

/// Float tiles are the plain loop, bit for bit, on every level.
#[test]
fn float_products_in_order() {
    let value = |i: usize| ((i * 7919) % 10_007) as f32 * 1e-3 - 4.0;
    let a: Vec<f32> = (0..2000).map(value).collect();
    let b: Vec<f32> = (0..16 * 90).map(|i| value(3 * i + 1)).collect();
    let regular = |distance: usize| std::array::from_fn(|i| i * distance);
    let scattered = [0, 3, 900, 20, 20, 7, 41, 500];
    let cases: [([usize; ROWS], &[usize], usize, usize); 7] = [
        (regular(1), &[0], 90, 8),
        (regular(90), &[0], 90, 1),
        (regular(3), &[11, 4, 300], 17, 5),
        (scattered, &[0, 100, 70, 1000], 22, 1),
        (regular(1), &[5], 1, 1),
        (regular(7), &[5], 0, 3),
        (scattered, &[], 4, 1),
    ];
    for ((rows, runs, length, step), apart) in
        cases.into_iter().flat_map(|case| [(case, false), (case, true)])
    {
        let mut expected = [[0.25f32; COLUMNS]; ROWS];
        for (row, c) in rows.iter().zip(&mut expected) {
            for (o, c) in c.iter_mut().enumerate() {
                for (r, run) in runs.iter().enumerate() {
                    let term = |t: usize| a[row + run + t * step] * b[16 * (r * length + t) + o];
                    if apart {
                        *c += (0..length).fold(0.0, |sum, t| sum + term(t));
                    } else {
                        (0..length).for_each(|t| *c += term(t));
                    }
                }
            }
        }
        for level in Level::all() {
            let mut c = [[0.25f32; COLUMNS]; ROWS];
            add_products(level, &a, Terms { rows, runs, length, step, apart }, &b, &mut c);
            assert_eq!(c, expected, "{level:?}");
        }
    }
}
