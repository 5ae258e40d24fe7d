//! `tandem compare`.
//!
//! The output folder has, for each cell of the table, its experiment (`CELL.toml`) and its outcome (`CELL.json`),
//! and `table.md`, `table.json`, `chart.svg` of all. Cells that are there are not run again.

use super::Variants;
use crate::Report;
use crate::compare::{self, Cell, Comparison, Means};
use crate::engines::{self, EngineKind};
use crate::failure::usage;
use crate::variant::{self, Data, Outcome, Sets, Variant};
use anyhow::{Context, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use tandem_files::replace;
use tandem_nn::config::{Document, Experiment};
use tandem_spec::Config;

/// Arguments of `compare`.
#[derive(clap::Args)]
pub struct Args {
    /// Rows and columns: a TOML file.
    #[arg(value_name = "TABLE.toml")]
    table: PathBuf,
    /// Folder of the outcomes; what is in it already is kept and used.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    variants: Variants,
    /// Cells at a time, a thread each [default: one a processor].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
}

/// Runs what is missing, then reports.
pub fn run(args: &Args) -> Result<Report> {
    args.variants.check()?;
    let mut comparison = Comparison::load(&args.table)?;
    comparison.seeds = args.variants.seeds(Some(comparison.seeds)).expect("a table has seeds");
    comparison.settings = args.variants.settings()?;
    std::fs::create_dir_all(&args.output).map_err(|e| usage(format!("{}: {e}", args.output.display())))?;
    let outcomes = run_cells(args, &comparison)?;
    let means = Means::new(&comparison, &outcomes);
    let text = compare::text(&comparison, &means);
    let json = json!({ "name": comparison.name, "folder": args.output, "lines": means.lines });
    replace(&args.output.join("table.md"), text.as_bytes())?;
    replace(&args.output.join("table.json"), serde_json::to_string_pretty(&json)?.as_bytes())?;
    replace(&args.output.join("chart.svg"), compare::chart(&comparison, &means)?.as_bytes())?;
    let chart = args.output.join("chart.svg");
    Ok(Report::new(format!("{}\n{text}\nchart {}", comparison.name, chart.display()), json))
}

/// A cell with its validated experiment, its accelerator and its data.
struct Job {
    cell: Cell,
    experiment: Experiment,
    config: Config,
    data: Data,
}

/// All cells, validated before the first one runs.
fn jobs(args: &Args, comparison: &Comparison) -> Result<Vec<Job>> {
    let mut sets = Sets::new(args.variants.data.as_deref());
    let mut jobs = vec![];
    for cell in comparison.cells()? {
        let file = args.output.join(format!("{}.toml", cell.file));
        // What ran stays; `variant::run` refuses to mix.
        if !file.with_extension("json").exists() {
            replace(&file, cell.experiment.as_bytes())?;
        }
        let experiment = Experiment::parse(Document::new(file, cell.experiment.as_str()))?;
        let data = sets.of(&experiment)?;
        let config = engines::accelerator(&experiment.accelerator_place())?;
        jobs.push(Job { cell, experiment, config, data });
    }
    Ok(jobs)
}

fn run_cells(args: &Args, comparison: &Comparison) -> Result<Vec<(Cell, Outcome)>> {
    let jobs = jobs(args, comparison)?;
    let stop = AtomicBool::new(false);
    let one = |place: usize| {
        let outcome = one(&jobs[place], &args.variants.engine, &args.output, (place, jobs.len()));
        stop.fetch_or(outcome.is_err(), Ordering::Relaxed);
        outcome
    };
    let outcomes = variant::each(jobs.len(), variant::threads(args.jobs), &stop, one)?;
    let outcomes = outcomes.into_iter().collect::<Result<Vec<_>>>()?;
    Ok(jobs.iter().map(|job| job.cell.clone()).zip(outcomes).collect())
}

fn one(job: &Job, engine: &EngineKind, folder: &Path, (place, count): (usize, usize)) -> Result<Outcome> {
    let file = folder.join(format!("{}.json", job.cell.file));
    let variant = Variant { experiment: &job.experiment, config: &job.config };
    let run = variant::run(variant, &job.data, engine, &file);
    let (outcome, is_new) = run.with_context(|| job.cell.file.clone())?;
    let compute = outcome.cost.cost.compute_busy as f64;
    eprintln!(
        "{:>4} of {count}  {:<28} {:.2} %, {compute:.3e} compute cycles, {}",
        place + 1,
        job.cell.file,
        100.0 * outcome.test_accuracy,
        if is_new { format!("{:.0} s", outcome.wall_s) } else { "kept".to_owned() },
    );
    Ok(outcome)
}
