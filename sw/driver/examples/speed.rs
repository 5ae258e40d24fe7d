//! Measures the exact products of one LeNet-5 step (batch 64), packing and unpacking.
//!
//! `cargo run --release -p tandem-driver --example speed`

use ndarray::{Array2, ArrayView2};
use std::time::Instant;
use tandem_driver::{Device, DeviceError, Exact, Format, GemmRequest, Operand, ResultFormat, Sparsity};
use tandem_model::CycleModel;
use tandem_spec::Config;

const LENET: [(&str, usize, usize, usize); 5] = [
    ("conv1", 50176, 25, 6),
    ("conv2", 6400, 150, 16),
    ("fc1", 64, 400, 120),
    ("fc2", 64, 120, 84),
    ("fc3", 64, 84, 10),
];

fn matrix(rows: usize, cols: usize, format: Format) -> Array2<i32> {
    let (lo, hi) = format.range();
    Array2::from_shape_fn((rows, cols), |(i, j)| lo + ((i * 7919 + j * 104_729) as i32 & (hi - lo)))
}

fn request<'a>(x: ArrayView2<'a, i32>, xf: Format, w: ArrayView2<'a, i32>, wf: Format) -> GemmRequest<'a> {
    let operand = |values, format| Operand::new(values, format);
    GemmRequest {
        x: operand(x, xf),
        w: operand(w, wf),
        result: ResultFormat::Full,
        sparsity: Sparsity::Dense,
    }
}

/// Milliseconds of the fastest of 30 runs.
fn time(mut f: impl FnMut()) -> f64 {
    let run = |_| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64() * 1e3
    };
    (0..30).map(run).fold(f64::MAX, f64::min)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/accelerators/default.toml");
    let config = Config::from_file(path.as_ref())?;
    let mut device = Exact::new(config, CycleModel);
    let (u4, s4, s8) = (Format::unsigned(4), Format::signed(4), Format::signed(8));
    let (mut exact, mut lower) = (0.0, 0.0);
    for (name, m, k, n) in LENET {
        let (x, w, dy) = (matrix(m, k, u4), matrix(k, n, s4), matrix(m, n, s8));
        let products = [
            ("forward", request(x.view(), u4, w.view(), s4)),
            ("input", request(dy.view(), s8, w.t(), s4)),
            ("weight", request(x.t(), u4, dy.view(), s8)),
        ];
        for (product, r) in products.iter().filter(|p| (name, p.0) != ("conv1", "input")) {
            let mut result: Result<_, DeviceError> = device.run((*r).into());
            let ms = time(|| result = device.run((*r).into()));
            let cycles = result?.into_gemm().cost.cycles;
            let lowered = device.planner().lower(r)?;
            let packing = time(|| drop(device.planner().lower(r)));
            let bytes = lowered.stream.bytes.len() as f64;
            println!(
                "{name} {product}: exact {ms:6.3} ms, {:5.1} GMAC/s; lowering {packing:6.3} ms, {:6.0} MB/s; {cycles} cycles",
                (m * k * n) as f64 / ms / 1e6,
                bytes / packing / 1e3,
            );
            exact += ms;
            lower += packing;
        }
    }
    println!("one step: exact {exact:.2} ms, lowering {lower:.2} ms");
    Ok(())
}
