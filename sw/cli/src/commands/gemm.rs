//! `tandem gemm`.

use super::{Force, SetAccelerator};
use crate::Report;
use crate::engines::{self, EngineKind};
use crate::failure::check;
use crate::operands::{OperandArgs, Operands};
use anyhow::Result;
use ndarray::Array2;
use ndarray_npy::WriteNpyExt;
use std::path::PathBuf;
use std::time::Instant;
use tandem_driver::{GemmResult, mismatches};
use tandem_files::Output;
use tandem_spec::Config;

/// Arguments of `gemm`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL", default_value = "default")]
    pub config: String,
    /// Who computes.
    #[arg(long, default_value = "model")]
    pub engine: EngineKind,
    #[command(flatten)]
    set: SetAccelerator,
    #[command(flatten)]
    pub operands: OperandArgs,
    /// Where to write Y (int32 npy; int64 if sums may need it).
    #[arg(short, long, value_name = "Y.npy")]
    pub output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Write a waveform (.vcd or .fst; only `--engine sim`).
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

fn save(output: &Output, y: &Array2<i64>) -> Result<()> {
    let mut bytes = vec![];
    if y.iter().all(|v| i32::try_from(*v).is_ok()) {
        y.mapv(|v| v as i32).write_npy(&mut bytes)?;
    } else {
        y.write_npy(&mut bytes)?;
    }
    Ok(output.write(&bytes)?)
}

/// Share of the multipliers that worked, from the first to the last product.
pub fn utilisation(config: &Config, products: u64, span: u64) -> f64 {
    let a = &config.array;
    products as f64 / ((a.rows * a.cols * a.lanes) as f64 * span.max(1) as f64)
}

/// Computes the product and checks it against plain integers.
pub fn run(args: &Args) -> Result<Report> {
    let config = args.set.read(&args.config)?;
    let operands = Operands::new(&args.operands)?;
    let output = super::output(args.output.as_ref(), args.force)?;
    super::output(args.trace.as_ref(), args.force)?;
    let mut device = engines::device(&args.engine, &config, args.trace.as_deref())?;
    let request = operands.request();
    let start = Instant::now();
    let GemmResult { y, cost, magnitude_or, saturated } = device.run(request.into())?.into_gemm();
    let wall = start.elapsed().as_secs_f64();
    let wrong = mismatches(&request, y.view());
    if let Some(output) = output {
        save(&output, &y)?;
    }
    let utilisation = utilisation(&config, cost.products, cost.span);
    let (m, k, n) = operands.shape();
    let text = format!(
        "{m}×{k}×{n} on {} ({}): {} cycles ({} predicted), utilisation {:.1} %, {} digit products, \
         {:.2} % of link words are instructions, {wrong} mismatches",
        config.name,
        device.name(),
        cost.cycles,
        cost.predicted_cycles,
        100.0 * utilisation,
        cost.products,
        100.0 * cost.instruction_words as f64 / cost.link_words.max(1) as f64,
    );
    let json = serde_json::json!({
        "engine": device.name(), "m": m, "k": k, "n": n,
        "cycles": cost.cycles, "predicted_cycles": cost.predicted_cycles,
        "load_busy": cost.load_busy, "compute_busy": cost.compute_busy, "store_busy": cost.store_busy,
        "wait_drain": cost.wait_drain,
        "span": cost.span, "products": cost.products, "skipped": cost.skipped, "utilisation": utilisation,
        "instruction_words": cost.instruction_words, "link_words": cost.link_words,
        "magnitude_or": magnitude_or, "saturated": saturated,
        "mismatches": wrong, "wall_s": wall, "cycles_per_s": cost.cycles as f64 / wall,
        "link": args.engine.carried().as_ref().map(engines::carried_json),
    });
    if wrong > 0 || (args.engine.is_cycle_exact() && cost.cycles != cost.predicted_cycles) {
        return Err(check(text));
    }
    Ok(Report::new(text, json))
}
