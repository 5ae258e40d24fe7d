//! `tandem board selftest`.

use super::{known, open};
use crate::Report;
use crate::engines::{self, Board, carried_json, carried_text};
use crate::failure::{check, usage};
use crate::operands::draw;
use anyhow::Result;
use clap::value_parser;
use serde_json::json;
use std::time::Instant;

use tandem_driver::{Device, Format, GemmRequest, Offload, Operand, ResultFormat, Sparsity, mismatches};
use tandem_model::CycleModel;

/// Arguments of `board selftest`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// The port, with its initial rate if that is not 115200.
    #[arg(value_name = "PORT[@BAUD]")]
    port: Board,
    /// Accelerator: a TOML file, or a name in configs/accelerators/. Else the one whose hash the board reports.
    #[arg(short, long, value_name = "ACCEL")]
    config: Option<String>,
    /// Products.
    #[arg(long, default_value_t = 12, value_parser = value_parser!(u32).range(1..=1_000_000))]
    products: u32,
    /// Seed of operands and shapes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Shape and widths of a product, from its number: every width occurs, signed and unsigned.
fn shape(i: u32, rows: usize, cols: usize) -> ((usize, usize, usize), Format, Format) {
    let n = i as usize;
    let sizes = (1 + n * 5 % (4 * rows + 3), 1 + n * 11 % 37, 1 + n * 7 % (4 * cols + 5));
    let format = |bits: u8, signed| if signed { Format::signed(bits) } else { Format::unsigned(bits) };
    (
        sizes,
        format(1 + (i % 8) as u8, i.is_multiple_of(2)),
        format(1 + (i * 3 % 8) as u8, !i.is_multiple_of(3)),
    )
}

/// Computes products on the board and compares them with plain integers.
pub fn run(args: &Args) -> Result<Report> {
    let config = match &args.config {
        Some(name) => engines::accelerator(name)?,
        None => {
            let hash = open(&args.port)?.hello().hash;
            known(hash).ok_or_else(|| {
                usage(format!("{}: accelerator {hash:016x} is not known here: give -c", args.port.port))
            })?
        }
    };
    let engine = engines::board(&args.port, &config)?;
    let carried = engine.carried();
    let mut device = Offload::new(engine, CycleModel);
    let (begun, mut wrong, mut results) = (Instant::now(), 0, 0);
    for i in 0..args.products {
        let ((m, k, n), x_format, w_format) = shape(i, config.array.rows, config.array.cols);
        let (x, w) = (draw(args.seed, 2 * i, (m, k), x_format), draw(args.seed, 2 * i + 1, (k, n), w_format));
        let request = GemmRequest {
            x: Operand::new(x.view(), x_format),
            w: Operand::new(w.view(), w_format),
            result: ResultFormat::Full,
            sparsity: Sparsity::Dense,
        };
        let y = device.run(request.into())?.into_gemm().y;
        results += m * n;
        wrong += mismatches(&request, &y);
    }
    let carried = *carried.lock().expect("no panic while it is held");
    let wall = begun.elapsed().as_secs_f64();
    let text = format!(
        "{}: {} products on {}, {results} results, {wrong} mismatches, {wall:.2} s\n{}",
        args.port.port,
        args.products,
        config.name,
        carried_text(&carried)
    );
    let json = json!({
        "port": args.port.port, "accelerator": config.name, "products": args.products, "results": results,
        "mismatches": wrong, "wall_s": wall, "link": carried_json(&carried),
    });
    if wrong > 0 { Err(check(text)) } else { Ok(Report::new(text, json)) }
}
