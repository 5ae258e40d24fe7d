//! What zeros of weights save on the host: products of ResNet-20's convolutions, batch 128, dense and pruned, in turn.
//!
//! ```text
//! cargo bench -p tandem-driver --bench sparse
//! ```
//! W 4 bits, A 4 bits, G 8 bits; medians of rounds, and the ratio dense to pruned.

#[path = "../tests/common/mod.rs"]
mod common;

use common::{Random, shipped};
use std::time::Instant;
use tandem_driver::conv::{ConvProduct, ConvRequest, Window};
use tandem_driver::{Device, Exact, Format, Operand, Pattern, ResultFormat, Sparsity};
use tandem_model::CycleModel;

const BATCH: usize = 128;
const ROUNDS: usize = 101;
const PRODUCTS: [(ConvProduct, &str); 3] = [
    (ConvProduct::Forward, "forward"),
    (ConvProduct::InputGradient, "input gradient"),
    (ConvProduct::WeightGradient, "weight gradient"),
];

fn main() {
    let mut random = Random(1);
    for (n, m) in [(1, 4), (2, 4), (1, 8)] {
        println!("{n}:{m}");
        let mut totals = [0.0; 2];
        for (size, channels) in [(32, 16), (16, 32), (8, 64)] {
            let window =
                Window { image: [size; 2], channels, kernel: [3; 2], stride: [1; 2], padding: [1; 2] };
            for (product, name) in PRODUCTS {
                let times = measure(&mut random, product, window, (n, m));
                println!(
                    "    {size:2}x{size:<2} {channels:2} channels, {name:15} {:7.2} ms dense, {:7.2} ms pruned: {:.2}",
                    times[0] * 1e3,
                    times[1] * 1e3,
                    times[0] / times[1]
                );
                totals.iter_mut().zip(times).for_each(|(total, time)| *total += time);
            }
        }
        println!("    all: {:.2}", totals[0] / totals[1]);
    }
}

/// Seconds of a product, dense and pruned.
fn measure(random: &mut Random, product: ConvProduct, window: Window, (n, m): (usize, usize)) -> [f64; 2] {
    let channels = window.channels;
    let [activations, weights, gradients] = [Format::unsigned(4), Format::signed(4), Format::signed(8)];
    let (x, w) = match product {
        ConvProduct::Forward => (activations, weights),
        ConvProduct::InputGradient => (gradients, weights),
        ConvProduct::WeightGradient => (activations, gradients),
    };
    let second = match product {
        ConvProduct::WeightGradient => (BATCH * window.places(), channels),
        _ => (window.volume(), channels),
    };
    let bytes =
        |random: &mut Random, shape, format: Format| random.matrix(shape, format.range()).mapv(|v| v as i8);
    let a = bytes(random, (BATCH, window.features()), x);
    let dense = bytes(random, second, w);
    let pattern = Pattern { n, m, run: channels };
    let mut pruned = dense.mapv(i32::from);
    match product {
        ConvProduct::Forward => drop(pattern.project(&mut pruned)),
        ConvProduct::InputGradient => {
            let mut turned = pruned.t().as_standard_layout().into_owned();
            pattern.project(&mut turned);
            pruned = turned.t().as_standard_layout().into_owned();
        }
        ConvProduct::WeightGradient => {}
    }
    let kept = (product == ConvProduct::WeightGradient)
        .then(|| pattern.project(&mut random.matrix((window.volume(), channels), (1, 100))));
    let pruned = pruned.mapv(|v| v as i8);
    let mut device = Exact::new(shipped("sparse-8x16x4"), CycleModel);
    let mut times = [vec![], vec![]];
    for _ in 0..=ROUNDS {
        for (is_pruned, times) in times.iter_mut().enumerate() {
            let (w_values, pattern, kept) = match is_pruned {
                0 => (&dense, None, None),
                _ => (&pruned, Some(pattern), kept.as_ref()),
            };
            let request = ConvRequest {
                product,
                window,
                x: Operand::new(a.view(), x),
                w: Operand::new(w_values.view(), w),
                result: ResultFormat::Full,
                sparsity: Sparsity::new(pattern, kept),
            };
            let start = Instant::now();
            device.run(request.into()).unwrap_or_else(|e| panic!("{e}"));
            times.push(start.elapsed().as_secs_f64());
        }
    }
    // the first round plans
    times.map(|mut times| {
        times.remove(0);
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}
