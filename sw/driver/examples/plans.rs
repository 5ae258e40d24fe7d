//! Prints the plans of square products on `peer-8x8` and of LeNet-5's products (batch 64) on `default`.
//!
//! `cargo run --release -p tandem-driver --example plans`

use std::time::Instant;
use tandem_driver::gemm::{ResultWidth, Shape, TooLong, search};
use tandem_driver::{Format, GemmProblem, Selection};
use tandem_model::CycleModel;
use tandem_spec::Config;

/// Layer, images × positions, contraction, outputs.
const LENET: [(&str, usize, usize, usize); 5] = [
    ("conv1", 50176, 25, 6),
    ("conv2", 6400, 150, 16),
    ("fc1", 64, 400, 120),
    ("fc2", 64, 120, 84),
    ("fc3", 64, 84, 10),
];

fn show(config: &Config, name: &str, shape: Shape, x: Format, w: Format) -> Result<u64, TooLong> {
    let problem =
        GemmProblem { shape, x, w, result: ResultWidth::Full, selection: Selection::Dense, codes: None };
    let start = Instant::now();
    let p = search(config, &CycleModel, &problem)?;
    let ms = start.elapsed().as_secs_f64() * 1e3;
    let a = &config.array;
    let utilisation = p.cost.products as f64 / (p.cost.span * (a.rows * a.cols * a.lanes) as u64) as f64;
    println!(
        "| {name:14} | {:5} × {:5} × {:4} | {:7} | {:6} | {:5.1} % | {:4.2} % | {:3} | {:3} | {:2} | {} | {ms:4.1} |",
        shape.m,
        shape.k,
        shape.n,
        p.cost.cycles,
        p.plan.steps(config),
        100.0 * utilisation,
        100.0 * p.traffic.instruction_share(),
        p.plan.blocks.len(),
        p.plan.parts.len(),
        p.plan.transport.bits(),
        if p.plan.transposed { "W" } else { "X" },
    );
    Ok(p.cost.cycles)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config = |name: &str| {
        let path = format!("{}/../../configs/accelerators/{name}.toml", env!("CARGO_MANIFEST_DIR"));
        Config::from_file(path.as_ref())
    };
    println!(
        "| product | m × k × n | cycles | steps | utilisation | instructions | blocks | parts | bits | rows | ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let (u4, s4, s8) = (Format::unsigned(4), Format::signed(4), Format::signed(8));
    let peer = config("peer-8x8")?;
    for m in [16, 32, 64, 128, 256] {
        show(&peer, "peer", Shape { m, k: m, n: m }, s4, s4)?;
    }
    let default = config("default")?;
    let mut sum = 0;
    for (name, m, k, n) in LENET {
        sum += show(&default, &format!("{name} forward"), Shape { m, k, n }, u4, s4)?;
        if name != "conv1" {
            sum += show(&default, &format!("{name} input"), Shape { m, k: n, n: k }, s8, s4)?;
        }
        sum += show(&default, &format!("{name} weight"), Shape { m: k, k: m, n }, u4, s8)?;
    }
    println!("LeNet-5, one step: {sum} cycles");
    show(&default, "large", Shape { m: 1024, k: 1024, n: 1024 }, s4, s4)?;
    Ok(())
}
