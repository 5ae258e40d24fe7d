//! TRANSFORM: docs/fft.md in whole transforms.
//!
//! ```text
//! samples ─► passes of radix 2 or 4, in place ─► bit-reversed order undone ─► exponent, rounding ─► spectra
//! ```

mod flow;
mod passes;
mod touch;
mod twiddles;
mod unit;

use crate::memory::Memories;
use num_complex::Complex;
use passes::{Pass, passes};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use tandem_spec::config::Fft;
use tandem_spec::engine::{TransformKind, Transformed};
use tandem_spec::{Config, Transform};

pub(crate) use unit::FftUnit;

/// Samples from which on transforms are spread over threads.
const PARALLEL: usize = 1 << 14;

/// What transforms of one kind have in common.
struct Plan {
    passes: Vec<Pass>,
    /// Where result k lies after the last pass.
    order: Vec<usize>,
}

/// Plans by log2 of the points and shape.
type Plans = HashMap<(u8, bool), Arc<Plan>>;

impl Plan {
    /// The plan of a size and shape, made once.
    fn of(log_points: u8, tile: bool) -> Arc<Plan> {
        static PLANS: OnceLock<Mutex<Plans>> = OnceLock::new();
        let mut plans = PLANS.get_or_init(Mutex::default).lock().expect("nothing panics while it is held");
        plans.entry((log_points, tile)).or_insert_with(|| Arc::new(Plan::new(log_points, tile))).clone()
    }

    fn new(log_points: u8, tile: bool) -> Plan {
        let log = usize::from(log_points);
        let reversed = |v: usize, bits: usize| (0..bits).fold(0, |r, b| r << 1 | v >> b & 1);
        let order = (0..1usize << log).map(|k| match tile {
            false => reversed(k, log),
            true => {
                let side = log / 2;
                reversed(k >> side, side) << side | reversed(k & ((1 << side) - 1), side)
            }
        });
        Plan { passes: passes(log, tile), order: order.collect() }
    }
}

/// Transforms one line or tile in place; its exponent, and whether a part was clamped.
///
/// # Numeric
/// Samples of `bits` bits a part; only their low `bits` bits are looked at.
fn transform(plan: &Plan, bits: usize, kind: &TransformKind, samples: &mut [Complex<i32>]) -> Transformed {
    let guard = if kind.block { 0 } else { 2 };
    let cut = 32 - bits as u32;
    let part = |v: i32| i64::from(v << cut >> cut) << guard;
    let mut v: Vec<Complex<i64>> = samples
        .iter()
        .map(|z| if kind.inverse { Complex::new(z.im, z.re) } else { *z })
        .map(|z| Complex::new(part(z.re), part(z.im)))
        .collect();
    let mut stages = 0;
    for pass in &plan.passes {
        let done = stages + pass.stages();
        let shift = if kind.block { grown_out(done) - grown_out(stages) } else { pass.stages() };
        pass.run(&mut v, shift as u32);
        stages = done;
    }
    let (shift, exponent) = if kind.block {
        let ones = |v: i64| v ^ (v >> 63);
        let or = v.iter().fold(0, |or, z| or | ones(z.re) | ones(z.im));
        let shift = (64 - or.leading_zeros() as usize).saturating_sub(bits - 1);
        (shift, grown_out(stages) + shift)
    } else {
        (guard, stages)
    };
    let most = (1i64 << (bits - 1)) - 1;
    let mut clamped = false;
    let mut out = |v: i64| {
        let y = rounded(v, shift as u32);
        let kept = y.clamp(-most - 1, most);
        clamped |= kept != y;
        kept as i32
    };
    for (z, from) in samples.iter_mut().zip(&plan.order) {
        let (re, im) = (out(v[*from].re), out(v[*from].im));
        *z = if kind.inverse { Complex::new(im, re) } else { Complex::new(re, im) };
    }
    Transformed { exponent: exponent as u8, clamped }
}

/// H: bits that `block` has dropped after so many stages.
fn grown_out(stages: usize) -> usize {
    stages.saturating_sub(6)
}

/// v / 2^shift, rounded half to even.
fn rounded(v: i64, shift: u32) -> i64 {
    if shift == 0 {
        return v;
    }
    let half = 1i64 << (shift - 1);
    // one less than half, and one more if the floor is odd: ties go to even
    (v + half - 1 + (v >> shift & 1)) >> shift
}

/// Transforms rows of `2^log_points` samples each; what is left behind the last whole row stays as it is.
pub(crate) fn transform_all(
    bits: usize,
    kind: &TransformKind,
    samples: &mut [Complex<i32>],
) -> Vec<Transformed> {
    let points = 1 << kind.log_points;
    let plan = Plan::of(kind.log_points, kind.tile);
    if samples.len() < PARALLEL {
        return samples.chunks_exact_mut(points).map(|row| transform(&plan, bits, kind, row)).collect();
    }
    samples.par_chunks_exact_mut(points).map(|row| transform(&plan, bits, kind, row)).collect()
}

/// Executes a valid instruction: samples from their memory, spectra and status to the result memory.
fn execute(config: &Config, fft: &Fft, t: &Transform, memories: &mut Memories) {
    let kind = TransformKind { log_points: t.log_points, tile: t.tile, inverse: t.inverse, block: t.block };
    let (lanes, points) = (fft.samples, 1usize << t.log_points);
    let transforms = usize::from(t.count) * lanes;
    let first = usize::from(t.address) * fft.groups(config.link_bits) * lanes;
    // in memory a group of all lanes after the other; here transform after transform
    let place = |i: usize, n: usize| (i / lanes * points + n) * lanes + i % lanes;
    let mut samples = Vec::with_capacity(transforms * points);
    for i in 0..transforms {
        samples.extend((0..points).map(|n| memories.sample_at(first + place(i, n))));
    }
    let done = transform_all(fft.bits, &kind, &mut samples);
    let drain = config.array.drain;
    let words = (transforms * points).div_ceil(drain);
    let mut results = vec![0i32; (words + 1) * drain];
    for (i, row) in samples.chunks_exact(points).enumerate() {
        for (k, y) in row.iter().enumerate() {
            results[place(i, k)] = (y.re & 0xffff) | y.im << 16;
        }
    }
    for (i, d) in done.iter().enumerate() {
        let byte = i32::from(d.exponent) | i32::from(d.clamped) << 7;
        results[words * drain + i / 4] |= byte << (i % 4 * 8);
    }
    let depth = config.memory.result;
    for (w, word) in results.chunks_exact(drain).enumerate() {
        let address = (usize::from(t.result_base) + w) % depth;
        memories.result[address * drain..][..drain].copy_from_slice(word);
    }
}
