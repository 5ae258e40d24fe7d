//! `tandem gemm`.

use super::{Force, SetAccelerator};
use crate::Report;
use crate::engines::{self, EngineKind};
use crate::failure::check;
use crate::operands::{OperandArgs, Operands};
use anyhow::Result;
use ndarray::{Array, Dimension};
use ndarray_npy::WriteNpyExt;
use std::path::PathBuf;
use std::time::Instant;
use tandem_driver::{Cost, Device, GemmResult, Problem, RequestKind, mismatches};
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

/// Writes integers: of 32 bits if they suffice, else of 64.
pub fn save<D: Dimension>(output: &Output, y: &Array<i64, D>) -> Result<()> {
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

/// What there is to say of a product that ran.
pub struct Facts<'a> {
    pub config: &'a Config,
    pub engine: &'a EngineKind,
    pub device: &'a mut dyn Device,
    pub cost: &'a Cost,
    /// Results that are not those of plain integers.
    pub wrong: usize,
    /// Seconds.
    pub wall: f64,
}

impl Facts<'_> {
    /// A line for people, and the same for scripts.
    pub fn report(self, what: &str, problem: &Problem) -> (String, serde_json::Value) {
        let Facts { config, engine, device, cost, wrong, wall } = self;
        let utilisation = utilisation(config, cost.products, cost.span);
        let (bound, least) = cost.bound();
        let plan = device.describe(problem);
        let (plan, why) = plan.map_or((None, None), |d| (Some(d.plan), d.why));
        let how = plan.iter().chain(&why).cloned().collect::<Vec<_>>().join("; ");
        let text = format!(
            "{what} on {} ({}): {} cycles ({} predicted, bound by {}: at least {least}), utilisation {:.1} %, \
             {} digit products, {} link words in and {} out, {:.2} % of them instructions, {wrong} mismatches\n{how}",
            config.name,
            device.name(),
            cost.cycles,
            cost.predicted_cycles,
            bound.name(),
            100.0 * utilisation,
            cost.products,
            cost.words_in(),
            cost.words_out,
            100.0 * cost.instruction_words as f64 / cost.link_words.max(1) as f64,
        );
        let json = serde_json::json!({
            "engine": device.name(),
            "cycles": cost.cycles, "predicted_cycles": cost.predicted_cycles,
            "load_busy": cost.load_busy, "compute_busy": cost.compute_busy, "store_busy": cost.store_busy,
            "wait_drain": cost.wait_drain,
            "span": cost.span, "products": cost.products, "skipped": cost.skipped, "utilisation": utilisation,
            "instruction_words": cost.instruction_words, "link_words": cost.link_words,
            "words_in": cost.words_in(), "words_out": cost.words_out, "bound": bound.name(), "least_cycles": least,
            "plan": plan, "why": why,
            "mismatches": wrong, "wall_s": wall, "cycles_per_s": cost.cycles as f64 / wall,
            "link": engine.carried().as_ref().map(engines::carried_json),
        });
        (text, json)
    }
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
    let wrong = mismatches(&request, &y);
    let y = y.into_long();
    if let Some(output) = output {
        save(&output, &y)?;
    }
    let (m, k, n) = operands.shape();
    let facts =
        Facts { config: &config, engine: &args.engine, device: &mut *device, cost: &cost, wrong, wall };
    let (text, mut json) = facts.report(&format!("{m}×{k}×{n}"), &request.problem()?.into());
    let own =
        serde_json::json!({ "m": m, "k": k, "n": n, "magnitude_or": magnitude_or, "saturated": saturated });
    json.as_object_mut().expect("an object").extend(own.as_object().expect("an object").clone());
    if wrong > 0 || (args.engine.is_cycle_exact() && cost.cycles != cost.predicted_cycles) {
        return Err(check(text));
    }
    Ok(Report::new(text, json))
}
