//! Transforms: the twin's fast passes against a literal reading of docs/fft.md and against double
//! precision, within bounds that follow from the word lengths; noise; what overflows and what cannot.

#[path = "support/signals.rs"]
mod signals;
#[path = "support/spectrum.rs"]
mod spectrum;

use num_complex::Complex;
use proptest::prelude::*;
use signals::{Shape, Signal, bound, exact, samples, signal};
use spectrum::Spectrum;
use tandem_model::CycleModel;
use tandem_spec::engine::{TransformKind, Transformed, UnitModel};
use tandem_stimuli::Random;

fn line(log_points: u8, inverse: bool, block: bool) -> TransformKind {
    TransformKind { log_points, tile: false, inverse, block }
}

fn fast(bits: u32, kind: &TransformKind, x: &[Complex<i32>]) -> (Signal, Transformed) {
    let mut y = x.to_vec();
    let done = CycleModel.transforms(bits as usize, kind, &mut y);
    assert_eq!(done.len(), 1);
    (y, done[0])
}

fn literal(bits: u32, kind: &TransformKind, x: &[Complex<i32>]) -> Spectrum {
    let x: Vec<_> = x.iter().map(|z| (z.re.into(), z.im.into())).collect();
    spectrum::transform(bits, kind, &x)
}

/// Fast, literal and double precision agree; returns the literal reading.
fn agree(bits: u32, kind: &TransformKind, x: &[Complex<i32>]) -> Spectrum {
    let ((y, done), read) = (fast(bits, kind, x), literal(bits, kind, x));
    let same = y.iter().zip(&read.y).all(|(a, b)| (i64::from(a.re), i64::from(a.im)) == *b);
    assert!(same && y.len() == read.y.len(), "{bits} bits, {kind:?}");
    assert_eq!((u32::from(done.exponent), done.clamped), (read.exponent, read.clamped), "{kind:?}");
    let (most, near) = (2f64.powi(bits as i32 - 1), bound(kind, x, &done));
    let mut beyond = 0f64;
    for (y, wanted) in y.iter().zip(exact(kind, x)) {
        for (y, wanted) in [(y.re, wanted.re), (y.im, wanted.im)] {
            let wanted = wanted / 2f64.powi(done.exponent.into());
            let off = (f64::from(y) - wanted.clamp(-most, most - 1.0)).abs();
            assert!(off <= near, "{bits} bits, {kind:?}: {off} from {wanted}, bound {near}");
            beyond = beyond.max(wanted - (most - 1.0)).max(-most - wanted);
        }
    }
    // A flag stands for a part that is beyond the range, as far as rounding lets one tell.
    assert!(if done.clamped { beyond > -near } else { beyond < near }, "{kind:?}: {beyond} beyond");
    read
}

/// Every kind of this size.
fn kinds(log_points: u8) -> impl Iterator<Item = TransformKind> {
    let square = [4, 6, 8].contains(&log_points);
    (0..8).filter(move |k| k & 1 == 0 || square).map(move |k| TransformKind {
        log_points,
        tile: k & 1 == 1,
        inverse: k & 2 == 2,
        block: k & 4 == 4,
    })
}

fn shape() -> impl Strategy<Value = Shape> {
    prop_oneof![
        (0u32..14).prop_map(Shape::Noise),
        Just(Shape::Impulse),
        Just(Shape::Constant),
        (-40i32..40).prop_map(|k| Shape::Tone(k.into())),
        (-40.0..40.0f64).prop_map(Shape::Tone),
        (-40i32..40).prop_map(|k| Shape::Square(k.into())),
        (-40.0..40.0f64).prop_map(Shape::Square),
        Just(Shape::Corners),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn three_readings_agree(bits in 8u32..17, log in 2u8..11, shape in shape(), seed in any::<u64>()) {
        for kind in kinds(log) {
            agree(bits, &kind, &signal(shape, 1 << log, bits, seed));
        }
    }

    #[test]
    fn transforms_turn_back(log in 2u8..11, shape in shape(), seed in any::<u64>()) {
        let x = signal(shape, 1 << log, 16, seed);
        for kind in kinds(log).filter(|k| k.block && !k.inverse) {
            let (y, there) = fast(16, &kind, &x);
            let (z, back) = fast(16, &TransformKind { inverse: true, ..kind }, &y);
            // N errors of at most near(there) steps a part, over N; then those of the way back
            let way = |kind, x: &Signal, done: &Transformed| bound(kind, x, done) * f64::from(1u32 << done.exponent);
            let clip = |done: &Transformed| f64::from(done.clamped);
            let errors = way(&kind, &x, &there) + clip(&there) * f64::from(1u32 << there.exponent);
            let returned = (way(&kind, &y, &back) + clip(&back) * f64::from(1u32 << back.exponent))
                * f64::from(1u32 << there.exponent) / x.len() as f64;
            let unit = 2f64.powi(i32::from(there.exponent) + i32::from(back.exponent) - i32::from(log));
            for (x, z) in x.iter().zip(&z) {
                let off = Complex::new(f64::from(z.re) * unit - f64::from(x.re), f64::from(z.im) * unit - f64::from(x.im));
                prop_assert!(off.norm() <= 2f64.sqrt() * (errors + returned), "{kind:?}: {off} of {errors} + {returned}");
            }
        }
    }
}

#[test]
fn large_transforms_agree() {
    for log in 11..=14 {
        for kind in kinds(log) {
            for shape in [Shape::Noise(0), Shape::Square(5.0), Shape::Tone(1000.25), Shape::Corners] {
                agree(16, &kind, &signal(shape, 1 << log, 16, log.into()));
            }
        }
    }
}

#[test]
fn rows_are_transformed_one_by_one() {
    let mut random = Random(1);
    for (log_points, rows) in [(3, 5), (8, 150), (14, 3)] {
        let kind = line(log_points, false, true);
        let all = samples(&mut random, rows << log_points, 1 << 15);
        let mut y = all.clone();
        let done = CycleModel.transforms(16, &kind, &mut y);
        assert_eq!(done.len(), rows);
        let points = 1 << log_points;
        for ((x, y), done) in all.chunks(points).zip(y.chunks(points)).zip(done) {
            assert_eq!((y.to_vec(), done), fast(16, &kind, x));
        }
    }
}

#[test]
fn only_the_low_bits_of_a_sample_count() {
    let x = samples(&mut Random(2), 64, 1 << 9);
    let mut high = x.clone();
    high.iter_mut().enumerate().for_each(|(i, z)| *z += Complex::new(i as i32 % 7 - 3, 2) * 1024);
    let kind = line(6, false, false);
    assert_eq!(fast(10, &kind, &x), fast(10, &kind, &high));
}

#[test]
fn spectra_that_are_known() {
    let done = |exponent, clamped| Transformed { exponent, clamped };
    let z = Complex::new;
    let mut impulse = vec![z(0, 0); 256];
    impulse[0] = z(16384, -8192);
    assert_eq!(fast(16, &line(8, false, false), &impulse), (vec![z(64, -32); 256], done(8, false)));
    assert_eq!(fast(16, &line(8, true, true), &impulse), (vec![z(4096, -2048); 256], done(2, false)));
    let mut wanted = vec![z(0, 0); 64];
    wanted[0] = z(32000, -16);
    assert_eq!(fast(16, &line(6, false, true), &[z(1000, 0); 64]).0[0], z(32000, 0));
    assert_eq!(fast(16, &line(6, false, true), &vec![z(2000, -1); 64]), (wanted.clone(), done(2, false)));
    wanted[0] = z(2000, -1);
    assert_eq!(fast(16, &line(6, true, false), &vec![z(2000, -1); 64]), (wanted, done(6, false)));
    // i^n turns N/4 times: bin N/4 forward, bin 3N/4 the other way
    let turning: Signal = (0..16).map(|n| [z(100, 0), z(0, 100), z(-100, 0), z(0, -100)][n % 4]).collect();
    for (inverse, bin) in [(false, 4), (true, 12)] {
        let mut wanted = vec![z(0, 0); 16];
        wanted[bin] = z(1600, 0);
        assert_eq!(fast(16, &line(4, inverse, true), &turning), (wanted, done(0, false)));
    }
    // the second row of a tile: alternating signs along the columns' index
    let tile: Signal =
        (0..16).map(|n| if n / 4 == 1 { z(if n % 2 == 0 { 5 } else { -5 }, 0) } else { z(0, 0) }).collect();
    let kind = TransformKind { tile: true, ..line(4, false, true) };
    let rows = [z(20, 0), z(0, -20), z(-20, 0), z(0, 20)];
    let wanted: Signal = (0..16).map(|n| if n % 4 == 2 { rows[n / 4] } else { z(0, 0) }).collect();
    assert_eq!(fast(16, &kind, &tile), (wanted, done(0, false)));
}

#[test]
fn a_square_wave_is_clamped_where_scaled() {
    for log in 5..=10 {
        // 4/π of full scale: beyond it in one part if the phase puts all of it there
        let x = signal(Shape::Square(3.0), 1 << log, 16, 0);
        let quiet: Signal = x.iter().map(|z| z / 2).collect();
        let most = |y: &Signal| y.iter().map(|z| z.re.abs().max(z.im.abs())).max();
        let turned: Signal =
            x.iter().map(|z| Complex::new(z.re / 2 - z.im / 2, z.re / 2 + z.im / 2)).collect();
        let spectra = [&x, &quiet, &turned].map(|x| agree(16, &line(log, false, false), x));
        assert!(spectra[0].clamped && !spectra[1].clamped, "{log}");
        let (y, done) = fast(16, &line(log, false, true), &x);
        assert!(!done.clamped && most(&y) > Some(16383));
    }
}

#[test]
fn block_exponents_leave_one_rounding_to_clamp() {
    // 65535 has 16 bits without sign: halved, 32767.5 rounds to even, out of range
    let x = [16384, 16384, 16384, 16383].map(|re| Complex::new(re, 0));
    let (y, done) = fast(16, &line(2, false, true), &x);
    assert_eq!((y[0], done), (Complex::new(32767, 0), Transformed { exponent: 1, clamped: true }));
    let x = x.map(|z| -z);
    let (y, done) = fast(16, &line(2, false, true), &x);
    assert_eq!((y[0], done), (Complex::new(-32768, 0), Transformed { exponent: 1, clamped: false }));
}

/// Samples in a corner that follow i^j over the quarters of a period: all of it is in one output of a
/// pass, half way through turned by 45°, so that √2 of it is in one part.
fn coherent(n: usize, period: usize, bits: u32) -> Signal {
    let most = (1 << (bits - 1)) - 1;
    let corners = [(1, 1), (-1, 1), (-1, -1), (1, -1)].map(|(re, im)| Complex::new(re * most, im * most));
    (0..n).map(|i| corners[i % period * 4 / period]).collect()
}

#[test]
fn the_widths_of_the_page_are_needed() {
    for bits in [8, 12, 16] {
        let reached = |kind, period| {
            let read = agree(bits, &kind, &coherent(1 << kind.log_points, period, bits));
            read.peak as f64 / 2f64.powf(f64::from(bits) + 0.5)
        };
        // (1 − 2^(1−b)): corners are one step inside
        let full = 1.0 - 2f64.powi(1 - bits as i32) - 1e-3;
        for log in [4, 6, 8, 10, 12] {
            // √2·2^(b+1): b + 3 bits
            assert!(reached(line(log, false, false), 1 << log) > 2.0 * full, "{bits} {log}");
        }
        for log in [8, 10, 12] {
            // √2·2^(b+5) after six stages: b + 7 bits
            assert!(reached(line(log, false, true), 1 << (log - 4)) > 32.0 * full, "{bits} {log}");
        }
    }
}

/// 10·log10 of signal to noise of `count` transforms of uniform noise, against double precision.
fn snr(log_points: u8, amplitude: i32, block: bool, inverse: bool) -> f64 {
    let (mut random, kind) = (Random(7), line(log_points, inverse, block));
    let (mut power, mut noise) = (0.0, 0.0);
    for _ in 0..40 {
        let x = samples(&mut random, 1 << log_points, amplitude);
        let (y, done) = fast(16, &kind, &x);
        for (y, wanted) in y.iter().zip(exact(&kind, &x)) {
            let y = Complex::new(f64::from(y.re), f64::from(y.im)) * 2f64.powi(done.exponent.into());
            power += wanted.norm_sqr();
            noise += (y - wanted).norm_sqr();
        }
    }
    10.0 * (power / noise).log10()
}

#[test]
fn noise_is_as_low_as_the_page_says() {
    for inverse in [false, true] {
        for (log, amplitude, block, least) in [
            (8, 1 << 14, false, 64.0),
            (8, 1 << 14, true, 80.0),
            (10, 1 << 15, false, 62.0),
            (10, 1 << 15, true, 78.0),
        ] {
            let db = snr(log, amplitude, block, inverse);
            assert!(db >= least, "{} points, block {block}: {db:.2} dB", 1 << log);
            // the page's 65.05 dB, from variances of roundings alone; n squares of a rounding error have a mean
            // that is right to √(0.8/n), here 0.6 %, and five times that is 0.13 dB
            assert!(block || (db - 65.05).abs() < 0.13, "{} points: {db:.2} dB", 1 << log);
        }
    }
}
