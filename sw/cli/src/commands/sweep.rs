//! `tandem sweep`.
//!
//! ```text
//! DIR/ID.json        outcome of a point, kept for what made it        DIR/results.csv    a line a point
//! DIR/ID.failed      why a point failed, until it runs again          DIR/summary.json   groups of seeds, fronts, what was left out and why
//! DIR/float-SEED.json, .failed: the float reference                   DIR/front.svg      accuracy against cycles of training
//! DIR/slurm          lists and logs of tasks under Slurm              DIR/report.html    all of it, to look at
//! ```
//! `plan`, `run --point ID` and `collect` are its three parts, for schedulers: any machine that sees the sweep and the folder
//! can run any point, twice or interrupted, and nothing is lost. `--slurm` has Slurm run them. A sweep that trains nothing has no
//! outcomes: its results are the costs.

mod plan;
mod train;

use super::Variants;
use crate::Report;
use crate::failure::usage;
use crate::stop::Stop;
use crate::sweep::{Detail, Group, Limits, Line, Point, Results, chart, page};
use crate::variant::Mean;
use anyhow::Result;
use plan::{Plan, Source};
use serde_json::json;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use tandem_files::replace;
use train::{Float, Pool, Trained, float_there_is, halve, simulate, there_is};

/// Arguments of `sweep`.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    part: Option<Part>,
    /// Axes, constraints and budget: a TOML file.
    #[arg(value_name = "SWEEP.toml", required = true)]
    sweep: Option<PathBuf>,
    #[command(flatten)]
    variants: Variants,
    /// Folder of the outcomes; what is in it already is kept and used.
    #[arg(short, long, value_name = "DIR", required_unless_present = "plan")]
    output: Option<PathBuf>,
    /// Points at a time, a thread each [default: one a processor]; with --slurm, tasks [default: all that Slurm lets run].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Points as tasks of Slurm's job arrays: machines that see this program, the sweep and the folder where they are here.
    #[arg(long)]
    slurm: bool,
    /// An argument for sbatch, such as --slurm-arg=--partition=long; may be repeated.
    #[arg(long, value_name = "ARG", requires = "slurm", allow_hyphen_values = true)]
    slurm_arg: Vec<String>,
    /// Only the points and their costs: nothing is trained.
    #[arg(long)]
    plan: bool,
}

#[derive(clap::Subcommand)]
enum Part {
    /// The points that are to be trained, a JSON object a line.
    Plan {
        #[command(flatten)]
        source: Source,
    },
    /// Trains one point; a point that is there stays.
    Run {
        #[command(flatten)]
        source: Source,
        /// Folder of the outcomes.
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
        /// Its name.
        #[arg(long, value_name = "ID")]
        point: String,
    },
    /// The results of what is there.
    Collect {
        #[command(flatten)]
        source: Source,
        /// Folder of the outcomes.
        #[arg(short, long, value_name = "DIR")]
        output: PathBuf,
    },
}

/// Plans, trains, reports.
pub fn run(args: &Args) -> Result<Report> {
    match &args.part {
        Some(Part::Plan { source }) => lines(&Plan::new(source, None)?),
        Some(Part::Run { source, output, point }) => one(source, output, point),
        Some(Part::Collect { source, output }) => {
            let mut plan = Plan::new(source, None)?;
            if !plan.sweep.trains() {
                create(output)?;
                return report(&plan, output, Made { lines: plan.lines(), ..Made::default() });
            }
            let halved = halve(&mut plan, source, |rung, source| there_is(rung, source, output))?;
            let Trained { lines, failed, .. } = there_is(&plan, source, output)?;
            let failed = [halved.failed, failed].concat();
            let float = float_there_is(&plan, output)?;
            report(&plan, output, Made { lines, failed, float, ..Made::default() })
        }
        None => {
            let file = args.sweep.clone().expect("clap wants it");
            sweep(args, &Source { sweep: file, variants: args.variants.clone() })
        }
    }
}

fn lines(plan: &Plan) -> Result<Report> {
    let objects: Vec<_> = plan.points.iter().map(|point| plan.object(point)).collect();
    let text: Vec<_> = objects.iter().map(ToString::to_string).collect();
    Ok(Report::new(text.join("\n"), json!({ "points": objects, "left_out": plan.reasons() })))
}

fn one(source: &Source, output: &Path, id: &str) -> Result<Report> {
    let plan = Plan::new(source, Some(id))?;
    if !plan.sweep.trains() {
        let file = source.sweep.display();
        return Err(usage(format!("--point {id}: {file} trains nothing; its results are made by `collect`")));
    }
    let Some(place) = plan.points.iter().position(|(point, _)| point.id == id) else {
        let left_out = plan.skipped.iter().find(|s| s.id.as_deref() == Some(id));
        let why = left_out.map_or("no point has this name".into(), |s| format!("left out: {}", s.reason));
        return Err(usage(format!("--point {id}: {why}")));
    };
    create(output)?;
    let (line, is_new) = plan.train(place, &source.variants.engine, output)?;
    let accuracy = 100.0 * line.accuracy().expect("it was trained");
    let text = format!("{id} {accuracy:.2} %{}", if is_new { "" } else { ", kept" });
    Ok(Report::new(text, json!({ "point": line, "kept": !is_new })))
}

fn create(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| usage(format!("{}: {e}", folder.display())))
}

fn sweep(args: &Args, source: &Source) -> Result<Report> {
    let mut plan = Plan::new(source, None)?;
    plan.check_rungs()?;
    if args.plan {
        let cycles: f64 = plan.points.iter().map(|(_, cost)| cost.get("training_cycles")).sum();
        let cycles = match plan.sweep.trains() {
            true => format!("{cycles:.3e} cycles of training"),
            false => "nothing is trained".to_owned(),
        };
        let text = format!("{} points, {cycles}\n{}", plan.points.len(), plan.left_out());
        let Report { json, .. } = lines(&plan)?;
        return Ok(Report::new(text, json));
    }
    let output = args.output.as_deref().expect("clap wants it");
    if !plan.sweep.trains() {
        if args.slurm {
            return Err(usage(format!("--slurm: {} trains nothing", source.sweep.display())));
        }
        create(output)?;
        return report(&plan, output, Made { lines: plan.lines(), ..Made::default() });
    }
    let limits = args.slurm.then(Limits::ask).transpose()?;
    create(output)?;
    let pool = Pool { args, output, limits, stop: Stop::install()? };
    let mut trained = halve(&mut plan, source, |rung, source| pool.train(rung, source))?;
    let mut failed = std::mem::take(&mut trained.failed);
    if trained.complete {
        trained = pool.train(&plan, source)?;
    }
    failed.append(&mut trained.failed);
    let lines = trained.lines;
    let float = if trained.complete { pool.float(&plan)? } else { None };
    let Some(float) = float else {
        let count = plan.points.len();
        let text = format!("stopped after {} of {count} points; the same command goes on", lines.len());
        let report = Report::new(text.clone(), json!({ "stopped": text }));
        return Ok(report.with_code(pool.stop.exit_code()));
    };
    let simulated = simulate(&plan, &lines)?;
    report(&plan, output, Made { lines, failed, float, simulated })
}

/// What has become of a sweep.
#[derive(Default)]
struct Made {
    /// The points that have figures.
    lines: Vec<Line>,
    /// Points that failed, and why.
    failed: Vec<(Point, String)>,
    /// The float reference.
    float: Float,
    /// Points that agree with the simulator.
    simulated: Vec<String>,
}

fn report(plan: &Plan, output: &Path, made: Made) -> Result<Report> {
    let Made { lines, failed, float, simulated } = made;
    let known: HashSet<_> =
        lines.iter().map(|line| &line.id).chain(failed.iter().map(|(point, _)| &point.id)).collect();
    let missing = plan.points.iter().filter(|(point, _)| !known.contains(&point.id)).count();
    let float_accuracy =
        Mean::of(&float.outcomes.iter().map(|outcome| outcome.test_accuracy).collect::<Vec<_>>());
    let results = Results::new(plan.sweep.axes(), lines);
    let mut json = results.json();
    json["name"] = json!(plan.sweep.name);
    json["left_out"] = json!(plan.reasons());
    json["failed"] = failed
        .iter()
        .map(|(point, why)| json!({ "id": point.id, "levels": point.levels, "reason": why }))
        .collect();
    json["simulated"] = json!(simulated);
    json["float"] = json!(float_accuracy.map(|accuracy| json!({
        "accuracy": accuracy,
        "points": float.outcomes.iter().map(|o| json!({ "seed": o.seed, "accuracy": o.test_accuracy, "digest": o.weights_digest })).collect::<Vec<_>>(),
    })));
    json["missing"] = json!(missing);
    json["network"] = json!(plan.sweep.kind());
    json["grown"] = json!(plan.sweep.grown().collect::<Vec<_>>());
    json["float_failed"] = json!(float.failed);
    replace(&output.join("results.csv"), results.csv().as_bytes())?;
    if !results.groups.is_empty() {
        replace(
            &output.join("front.svg"),
            chart(&results, float_accuracy.map(|accuracy| accuracy.mean))?.as_bytes(),
        )?;
    }
    let points: HashMap<_, _> = plan.points.iter().map(|(point, _)| (&point.id, point)).collect();
    let detail = |group: &Group| {
        let id = &group.ids[0];
        let (network, accelerator) = (points[id].network.source(), points[id].config.to_toml());
        Detail { network, accelerator, products: &plan.products[id] }
    };
    replace(&output.join("report.html"), page(&results, &json, detail).as_bytes())?;
    replace(&output.join("summary.json"), serde_json::to_string_pretty(&json)?.as_bytes())?;
    let what = if plan.sweep.trains() { "points trained" } else { "points, nothing is trained" };
    let mut text = format!("{}: {} {what}\n", plan.sweep.name, results.lines.len());
    text += &plan.left_out();
    for (point, why) in &failed {
        text += &format!("failed: {}: {why}\n", point.levels.join(", "));
    }
    if missing > 0 {
        text += &format!("{missing} are missing\n");
    }
    if !simulated.is_empty() {
        text += &format!("{} points agree with the simulator\n", simulated.len());
    }
    for why in &float.failed {
        text += &format!("failed: {why}\n");
    }
    if let Some(accuracy) = float_accuracy {
        text += &format!("float reference: {:.2} %\n", 100.0 * accuracy.mean);
    }
    text += &results.text();
    text += &format!("results {}", output.display());
    Ok(Report::new(text, json).with_code(u8::from(!failed.is_empty() || !float.failed.is_empty())))
}
