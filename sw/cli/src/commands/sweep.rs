//! `tandem sweep`.
//!
//! ```text
//! DIR/ID.json        outcome of a point, kept for what made it        DIR/results.csv    a line a point
//! DIR/ID.failed      why a point failed, until it runs again          DIR/summary.json   groups of seeds, fronts, what was left out and why
//! DIR/slurm          lists and logs of tasks under Slurm              DIR/front.svg      accuracy against cycles of training
//!                                                                     DIR/report.html    all of it, to look at
//! ```
//! `plan`, `run --point ID` and `collect` are its three parts, for schedulers: any machine that sees the sweep and the folder
//! can run any point, twice or interrupted, and nothing is lost. `--slurm` has Slurm run them.

use super::{Variants, option};
use crate::Report;
use crate::engines::{self, EngineKind};
use crate::failure::{self, check, usage};
use crate::stop::Stop;
use crate::sweep::{
    Cost, Costs, Detail, Group, Halving, Limits, Line, Point, Product, Progress, Results, Skipped, Slurm,
    Sweep, chart, page, prune,
};
use crate::variant::{self, Data, Mean, Sets};
use anyhow::{Context, Result};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tandem_files::replace;
use tandem_nn::backend::Backend;
use tandem_nn::train::Trainer;

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

/// What is swept.
#[derive(Clone, clap::Args)]
struct Source {
    /// Axes, constraints and budget: a TOML file.
    #[arg(value_name = "SWEEP.toml")]
    sweep: PathBuf,
    #[command(flatten)]
    variants: Variants,
}

/// A sweep, what is to be trained of it, and what is not.
struct Plan {
    sweep: Sweep,
    points: Vec<(Point, Cost)>,
    skipped: Vec<Skipped>,
    data: BTreeMap<String, Data>,
    /// Of a step of each point, by its name.
    products: HashMap<String, Vec<Product>>,
}

impl Plan {
    /// All points; or of one that is named, those which decide whether it is left out: all with its network.
    fn new(source: &Source, only: Option<&str>) -> Result<Self> {
        let variants = &source.variants;
        variants.check()?;
        let mut sweep = Sweep::load(&source.sweep)?;
        sweep.seeds = variants.seeds(sweep.seeds);
        sweep.settings = variants.settings()?;
        let (mut points, mut skipped) = sweep.points()?;
        if let Some(id) = only {
            let network = points.iter().find(|p| p.id == id).map(|p| p.variant.experiment.keys());
            points.retain(|p| Some(p.variant.experiment.keys()) == network);
        }
        let mut data = BTreeMap::new();
        let mut sets = Sets::new(variants.data.as_deref());
        for point in &points {
            let experiment = &point.variant.experiment;
            data.insert(experiment.data.set.clone(), sets.of(experiment)?);
        }
        let known = |(name, data): (&String, &Data)| {
            let set = &data.set;
            (name.clone(), ((set.shape, set.classes), set.train.images.nrows()))
        };
        let known: HashMap<_, _> = data.iter().map(known).collect();
        let mut costs = Costs::new(known);
        let mut priced = vec![];
        for point in points {
            match costs.of(&point) {
                Ok(cost) => priced.push((point, cost)),
                Err(why) => skipped.push(point.skipped(why)),
            }
        }
        let left_out = prune(&priced, &sweep.budget);
        let mut points = vec![];
        for (point, why) in priced.into_iter().zip(left_out) {
            match why {
                Some(why) => skipped.push(why),
                None => points.push(point),
            }
        }
        Ok(Plan { sweep, points, skipped, data, products: costs.into_products() })
    }

    fn data(&self, point: &Point) -> &Data {
        &self.data[&point.variant.experiment.data.set]
    }

    fn file(folder: &Path, point: &Point, ending: &str) -> PathBuf {
        folder.join(format!("{}.{ending}", point.id))
    }

    /// Trains a point, or takes what is there.
    fn train(&self, place: usize, engine: &EngineKind, folder: &Path) -> Result<(Line, bool)> {
        let (point, cost) = &self.points[place];
        let failed = Self::file(folder, point, "failed");
        let made = variant::run(&point.variant, self.data(point), engine, &Self::file(folder, point, "json"));
        match made {
            Ok((outcome, is_new)) => {
                if failed.exists() {
                    std::fs::remove_file(&failed).with_context(|| failed.display().to_string())?;
                }
                Ok((Line::new(point, *cost, &outcome), is_new))
            }
            Err(error) => {
                replace(&failed, failure::text(&error).as_bytes())?;
                Err(error)
            }
        }
    }

    /// Keeps the points that go on after a rung of so many epochs: with all their seeds, or not at all.
    fn halve(&mut self, halving: &Halving, epochs: u32, trained: &Trained) {
        let failed: HashSet<_> = trained.failed.iter().map(|(point, _)| point.levels.clone()).collect();
        let mut accuracies: HashMap<&[String], Vec<f64>> = HashMap::new();
        for line in &trained.lines {
            accuracies.entry(&line.levels).or_default().push(line.accuracy);
        }
        // a point with its seeds once, in the order of the points
        let mut seen = HashSet::new();
        let groups = self.points.iter().filter(|(point, _)| seen.insert(&point.levels));
        let groups: Vec<_> = groups.filter(|(point, _)| !failed.contains(&point.levels)).collect();
        let measure = |(point, cost): &&(Point, Cost)| {
            let accuracy = accuracies.get(&point.levels[..]).and_then(|of| Mean::of(of));
            (cost.training_cycles as f64, accuracy.map_or(f64::NAN, |mean| mean.mean))
        };
        let places = halving.survivors(&groups.iter().map(measure).collect::<Vec<_>>());
        let go_on: HashSet<_> = places.iter().map(|i| groups[*i].0.levels.clone()).collect();
        let (count, all) = (go_on.len(), groups.len());
        let points = std::mem::take(&mut self.points).into_iter();
        let (stay, leave): (Vec<_>, Vec<_>) = points.partition(|(point, _)| go_on.contains(&point.levels));
        self.points = stay;
        for (point, _) in &leave {
            if trained.failed.iter().any(|(other, _)| other.is_sibling(point)) {
                continue;
            }
            let why = match failed.contains(&point.levels) {
                true => format!("halving: another seed failed in epochs = {epochs}"),
                false => {
                    format!("halving: after epochs = {epochs} not among the {count} of {all} that go on")
                }
            };
            self.skipped.push(point.skipped(why));
        }
    }

    fn object(&self, (point, cost): &(Point, Cost)) -> serde_json::Value {
        let levels: serde_json::Map<_, _> = self
            .sweep
            .axes()
            .into_iter()
            .map(str::to_owned)
            .zip(point.levels.iter().map(|l| json!(l)))
            .collect();
        json!({ "id": point.id, "levels": levels, "seed": point.seed, "cost": cost })
    }

    fn reasons(&self) -> Vec<serde_json::Value> {
        let one = |s: &Skipped| json!({ "id": s.id, "levels": s.levels, "seed": s.seed, "reason": s.reason });
        self.skipped.iter().map(one).collect()
    }

    /// What is left out, in a few lines.
    fn left_out(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for skipped in &self.skipped {
            *counts.entry(skipped.reason.split(':').next().unwrap_or_default()).or_default() += 1;
        }
        counts.iter().map(|(reason, n)| format!("{n} left out: {reason}\n")).collect()
    }
}

/// Plans, trains, reports.
pub fn run(args: &Args) -> Result<Report> {
    match &args.part {
        Some(Part::Plan { source }) => lines(&Plan::new(source, None)?),
        Some(Part::Run { source, output, point }) => one(source, output, point),
        Some(Part::Collect { source, output }) => {
            let mut plan = Plan::new(source, None)?;
            let halved = halve(&mut plan, source, |rung, source| there_is(rung, source, output))?;
            let Trained { lines, failed, .. } = there_is(&plan, source, output)?;
            let failed = [halved.failed, failed].concat();
            report(&plan, output, lines, &failed, &[])
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
    let Some(place) = plan.points.iter().position(|(point, _)| point.id == id) else {
        let left_out = plan.skipped.iter().find(|s| s.id.as_deref() == Some(id));
        let why = left_out.map_or("no point has this name".into(), |s| format!("left out: {}", s.reason));
        return Err(usage(format!("--point {id}: {why}")));
    };
    create(output)?;
    let (line, is_new) = plan.train(place, &source.variants.engine, output)?;
    let text = format!("{id} {:.2} %{}", 100.0 * line.accuracy, if is_new { "" } else { ", kept" });
    Ok(Report::new(text, json!({ "point": line, "kept": !is_new })))
}

fn create(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| usage(format!("{}: {e}", folder.display())))
}

fn sweep(args: &Args, source: &Source) -> Result<Report> {
    let mut plan = Plan::new(source, None)?;
    if args.plan {
        let cycles: f64 = plan.points.iter().map(|(_, cost)| cost.training_cycles as f64).sum();
        let text =
            format!("{} points, {cycles:.3e} cycles of training\n{}", plan.points.len(), plan.left_out());
        let Report { json, .. } = lines(&plan)?;
        return Ok(Report::new(text, json));
    }
    let output = args.output.as_deref().expect("clap wants it");
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
    if !trained.complete {
        let count = plan.points.len();
        let text = format!("stopped after {} of {count} points; the same command goes on", lines.len());
        let report = Report::new(text.clone(), json!({ "stopped": text }));
        return Ok(report.with_code(pool.stop.exit_code()));
    }
    let simulated = simulate(&plan, &lines)?;
    report(&plan, output, lines, &failed, &simulated)
}

/// What became of the points of a plan.
#[derive(Default)]
struct Trained {
    lines: Vec<Line>,
    failed: Vec<(Point, String)>,
    /// Nobody has stopped it.
    complete: bool,
}

/// The rungs of `[halving]` before the last: of each, `train` trains the points that are left, and `plan` keeps those that go on.
/// What failed is in the result.
fn halve(
    plan: &mut Plan,
    source: &Source,
    train: impl Fn(&Plan, &Source) -> Result<Trained>,
) -> Result<Trained> {
    let mut all = Trained { complete: true, ..Trained::default() };
    let Some(halving) = plan.sweep.halving.clone() else { return Ok(all) };
    for epochs in &halving.epochs {
        let variants = source.variants.with(format!("train.epochs={epochs}"));
        let short = Source { variants, ..source.clone() };
        let mut rung = Plan::new(&short, None)?;
        let left: HashSet<_> = plan.points.iter().map(|(point, _)| (&point.levels, point.seed)).collect();
        rung.points.retain(|(point, _)| left.contains(&(&point.levels, point.seed)));
        if rung.points.len() < plan.points.len() {
            let what = "no axis may set train.epochs, and none of the rungs may leave out what the last one does not";
            return Err(usage(format!("{}: halving: {what}", source.sweep.display())));
        }
        rung.skipped.clear();
        let trained = train(&rung, &short)?;
        if !trained.complete {
            return Ok(Trained { failed: all.failed, ..trained });
        }
        plan.halve(&halving, *epochs, &trained);
        all.failed.extend(trained.failed);
    }
    Ok(all)
}

/// Who trains points: threads here, or Slurm.
struct Pool<'a> {
    args: &'a Args,
    output: &'a Path,
    limits: Option<Limits>,
    stop: Stop,
}

impl Pool<'_> {
    fn train(&self, plan: &Plan, source: &Source) -> Result<Trained> {
        // what is there must be of these points, before anything runs
        let there = kept(plan, source, self.output)?;
        let progress = Progress::new(plan.points.len(), there.iter().flatten().count());
        plan.left_out().lines().for_each(|line| progress.line(line));
        if let (Some(_), Some((point, _))) = (&plan.sweep.halving, plan.points.first()) {
            let epochs = point.variant.experiment.train.epochs;
            progress.line(&format!("halving: {} points, epochs = {epochs}", plan.points.len()));
        }
        let trained = match self.limits {
            Some(limits) => self.under_slurm(limits, plan, source, &there, &progress),
            None => self.here(plan, source, &there, &progress),
        };
        progress.end();
        trained
    }

    fn here(
        &self,
        plan: &Plan,
        source: &Source,
        there: &[Option<Line>],
        progress: &Progress,
    ) -> Result<Trained> {
        let train = |place: usize| {
            if let Some(line) = &there[place] {
                return Ok(line.clone());
            }
            let made = plan.train(place, &source.variants.engine, self.output);
            if let Err(error) = &made {
                let name = plan.points[place].0.levels.join(", ");
                progress.line(&format!("{name}: {}", failure::text(error)));
                if is_disk(error) {
                    self.stop.flag().store(true, Ordering::Relaxed);
                }
            }
            progress.add(1, "");
            made.map(|(line, _)| line)
        };
        let threads = variant::threads(self.args.jobs);
        let made = variant::each(plan.points.len(), threads, self.stop.flag(), train)?;
        let mut trained = Trained { complete: made.len() == plan.points.len(), ..Trained::default() };
        let mut full = None;
        for (place, made) in made.into_iter().enumerate() {
            match made {
                Ok(line) => trained.lines.push(line),
                Err(error) => {
                    trained.failed.push((plan.points[place].0.clone(), failure::text(&error)));
                    if is_disk(&error) {
                        full = Some(error);
                    }
                }
            }
        }
        full.map_or(Ok(trained), Err)
    }

    /// The same by Slurm: what is there in the end is what was trained.
    fn under_slurm(
        &self,
        limits: Limits,
        plan: &Plan,
        source: &Source,
        there: &[Option<Line>],
        progress: &Progress,
    ) -> Result<Trained> {
        let command = point_command(source, self.output)?;
        let (arguments, jobs) = (&self.args.slurm_arg[..], self.args.jobs);
        let slurm = Slurm { limits, folder: self.output, command, arguments, jobs };
        let open = plan.points.iter().zip(there).filter(|(_, line)| line.is_none());
        let open: Vec<_> = open.map(|((point, _), _)| (point.id.as_str(), point.levels.join(", "))).collect();
        let complete = slurm.train(&open, &self.stop, progress)?;
        Ok(Trained { complete, ..there_is(plan, source, self.output)? })
    }
}

/// What is in a folder of the points of a plan.
fn there_is(plan: &Plan, source: &Source, output: &Path) -> Result<Trained> {
    let lines: Vec<_> = kept(plan, source, output)?.into_iter().flatten().collect();
    let failed = failures(plan, output);
    Ok(Trained { complete: lines.len() + failed.len() == plan.points.len(), lines, failed })
}

/// The command that trains a point, up to its name.
fn point_command(source: &Source, output: &Path) -> Result<Vec<OsString>> {
    let program = std::env::current_exe().context("the path of this program")?;
    let mut command = vec![program.into_os_string(), "sweep".into(), "run".into()];
    command.push(source.sweep.as_os_str().to_owned());
    command.push(option("--output", output));
    command.extend(source.variants.arguments());
    command.push("--point".into());
    Ok(command)
}

/// A full or failing disk, which fails everywhere.
fn is_disk(error: &anyhow::Error) -> bool {
    failure::exit_code(error) == 1 && error.chain().any(|e| e.is::<std::io::Error>())
}

/// Of every point, what is there.
fn kept(plan: &Plan, source: &Source, folder: &Path) -> Result<Vec<Option<Line>>> {
    let of = |(point, cost): &(Point, Cost)| {
        let file = Plan::file(folder, point, "json");
        let outcome = variant::kept_of(&point.variant, plan.data(point), &source.variants.engine, &file)?;
        Ok(outcome.map(|outcome| Line::new(point, *cost, &outcome)))
    };
    plan.points.iter().map(of).collect()
}

/// Points that failed, and why.
fn failures(plan: &Plan, folder: &Path) -> Vec<(Point, String)> {
    let of = |(point, _): &(Point, Cost)| {
        // it ran since, and was stopped before this was taken away
        if Plan::file(folder, point, "json").exists() {
            return None;
        }
        let text = std::fs::read_to_string(Plan::file(folder, point, "failed")).ok()?;
        Some((point.clone(), text))
    };
    plan.points.iter().filter_map(of).collect()
}

/// The first steps of some points on the simulated accelerator too: weights and cycles must agree.
fn simulate(plan: &Plan, lines: &[Line]) -> Result<Vec<String>> {
    let Some(wanted) = plan.sweep.check.filter(|c| c.points > 0 && !lines.is_empty()) else {
        return Ok(vec![]);
    };
    let count = wanted.points.min(lines.len());
    let mut agreed = vec![];
    for i in 0..count {
        // evenly over all, the first and the last among them
        let id = &lines[if count == 1 { 0 } else { i * (lines.len() - 1) / (count - 1) }].id;
        let (point, _) = plan.points.iter().find(|(point, _)| point.id == *id).expect("it was trained");
        let first = |kind: &EngineKind| -> Result<(String, u64)> {
            let device = engines::device(kind, &point.variant.config, None)?;
            let data = Arc::clone(&plan.data(point).set);
            let mut trainer = Trainer::new(point.variant.experiment.clone(), data, Backend::Device(device))?;
            while !trainer.is_finished() && trainer.steps() < wanted.steps {
                trainer.step()?;
            }
            Ok((trainer.digest(), trainer.training_cost().total().cost.cycles))
        };
        let (model, sim) = (first(&EngineKind::Model)?, first(&EngineKind::Sim)?);
        if model != sim {
            let name = point.levels.join(", ");
            return Err(check(format!(
                "{id} ({name}): after {} steps the simulator has weights {} in {} cycles, the twin {} in {}",
                wanted.steps, sim.0, sim.1, model.0, model.1
            )));
        }
        agreed.push(id.clone());
    }
    Ok(agreed)
}

fn report(
    plan: &Plan,
    output: &Path,
    lines: Vec<Line>,
    failed: &[(Point, String)],
    simulated: &[String],
) -> Result<Report> {
    let known: HashSet<_> =
        lines.iter().map(|line| &line.id).chain(failed.iter().map(|(point, _)| &point.id)).collect();
    let missing = plan.points.iter().filter(|(point, _)| !known.contains(&point.id)).count();
    let results = Results::new(plan.sweep.axes(), lines);
    let mut json = results.json();
    json["name"] = json!(plan.sweep.name);
    json["left_out"] = json!(plan.reasons());
    json["failed"] = failed
        .iter()
        .map(|(point, why)| json!({ "id": point.id, "levels": point.levels, "reason": why }))
        .collect();
    json["simulated"] = json!(simulated);
    json["missing"] = json!(missing);
    replace(&output.join("results.csv"), results.csv().as_bytes())?;
    if !results.groups.is_empty() {
        let picture = chart(&results.axes, &results.groups, &results.fronts[0].1)?;
        replace(&output.join("front.svg"), picture.as_bytes())?;
    }
    let accelerators: HashMap<_, _> =
        plan.points.iter().map(|(point, _)| (&point.id, point.variant.config.to_toml())).collect();
    let experiments: HashMap<_, _> =
        plan.points.iter().map(|(point, _)| (&point.id, point.variant.experiment.source())).collect();
    let detail = |group: &Group| {
        let id = &group.ids[0];
        Detail { experiment: experiments[id], accelerator: &accelerators[id], products: &plan.products[id] }
    };
    replace(&output.join("report.html"), page(&results, &json, detail).as_bytes())?;
    replace(&output.join("summary.json"), serde_json::to_string_pretty(&json)?.as_bytes())?;
    let mut text = format!("{}: {} points trained\n", plan.sweep.name, results.lines.len());
    text += &plan.left_out();
    for (point, why) in failed {
        text += &format!("failed: {}: {why}\n", point.levels.join(", "));
    }
    if missing > 0 {
        text += &format!("{missing} are missing\n");
    }
    if !simulated.is_empty() {
        text += &format!("{} points agree with the simulator\n", simulated.len());
    }
    text += &results.text();
    text += &format!("results {}", output.display());
    Ok(Report::new(text, json).with_code(u8::from(!failed.is_empty())))
}
