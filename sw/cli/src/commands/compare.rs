//! `tandem compare`.
//!
//! The output folder has, for each cell of the table, its experiment (`CELL.toml`) and its outcome (`CELL.json`),
//! and `table.md`, `table.json`, `chart.svg` of all. Cells that are there are not run again; why one failed is in `CELL.failed`. Cells
//! are trained and kept as points of a sweep are (`variant/`).

use super::Variants;
use crate::Report;
use crate::compare::{self, Cell, Comparison, Means};
use crate::engines;
use crate::failure::usage;
use crate::stop::Stop;
use crate::variant::{self, Data, Job, Outcome, Pool, Progress, Sets, Variant};
use anyhow::{Context, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
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
    let of_file = std::mem::take(&mut comparison.seeds);
    comparison.seeds = args.variants.seeds(Some(of_file)).unwrap_or_default();
    comparison.settings = args.variants.settings()?;
    std::fs::create_dir_all(&args.output).map_err(|e| usage(format!("{}: {e}", args.output.display())))?;
    let runs = runs(args, &comparison)?;
    let outcomes = match outcomes(args, &runs)? {
        Ok(outcomes) => runs.into_iter().map(|run| run.cell).zip(outcomes).collect::<Vec<_>>(),
        Err(stopped) => return Ok(stopped),
    };
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
struct Run {
    cell: Cell,
    experiment: Experiment,
    config: Config,
    data: Data,
}

impl Run {
    fn job(&self, folder: &Path) -> Job<'_> {
        let variant = Variant { experiment: &self.experiment, config: &self.config };
        let file = folder.join(format!("{}.json", self.cell.file));
        Job { variant, data: &self.data, file, name: self.cell.file.clone() }
    }
}

/// All cells, validated before the first one runs.
fn runs(args: &Args, comparison: &Comparison) -> Result<Vec<Run>> {
    let mut sets = Sets::new(args.variants.data.as_deref());
    let one = |cell: Cell| {
        let file = args.output.join(format!("{}.toml", cell.file));
        let experiment = Experiment::parse(Document::new(file, cell.experiment.as_str()))?;
        let data = sets.of(&experiment)?;
        let config = engines::accelerator(&experiment.accelerator_place())?;
        Ok(Run { cell, experiment, config, data })
    };
    comparison.cells()?.into_iter().map(one).collect()
}

/// The outcomes of all cells; or what to report, if somebody stops it.
///
/// # Errors   a cell failed: the others have run
fn outcomes(args: &Args, runs: &[Run]) -> Result<Result<Vec<Outcome>, Report>> {
    let engine = &args.variants.engine;
    let jobs: Vec<Job<'_>> = runs.iter().map(|run| run.job(&args.output)).collect();
    // what is there must be of these cells, before anything runs
    let there = jobs.iter().map(|job| job.kept(engine)).collect::<Result<Vec<_>>>()?;
    for (job, run) in jobs.iter().zip(runs).zip(&there).filter(|(_, kept)| kept.is_none()).map(|(of, _)| of) {
        replace(&job.file.with_extension("toml"), run.cell.experiment.as_bytes())?;
    }
    let stop = Stop::install()?;
    let progress = Progress::new("cells", jobs.len(), there.iter().flatten().count());
    let pool = Pool { kind: engine, threads: variant::threads(args.jobs), stop: &stop, progress: &progress };
    let made = pool.train(&jobs, &there, |place, outcome| {
        let (name, accuracy) = (&jobs[place].name, 100.0 * outcome.test_accuracy);
        let compute = outcome.cost.cost.compute_busy as f64;
        progress.line(&format!(
            "{name:<28} {accuracy:.2} %, {compute:.3e} compute cycles, {:.0} s",
            outcome.wall_s
        ));
        outcome
    })?;
    progress.end();
    if made.len() < jobs.len() {
        let text = format!("stopped after {} of {} cells; the same command goes on", made.len(), jobs.len());
        let report = Report::new(text.clone(), json!({ "stopped": text }));
        return Ok(Err(report.with_code(stop.exit_code())));
    }
    let named = |(made, job): (Result<Outcome>, &Job<'_>)| made.with_context(|| job.name.clone());
    Ok(Ok(made.into_iter().zip(&jobs).map(named).collect::<Result<_>>()?))
}
