//! `tandem train`.
//!
//! A run is a folder: `experiment.toml`, `accelerator.toml`, `checkpoint.safetensors`, `log.jsonl`,
//! `report.json`, `training.svg`. It is written as it goes, so that a killed run can be resumed.

use super::gemm::utilisation;
use super::step_time::StepTime;
use crate::engines::{self, EngineKind};
use crate::failure::usage;
use crate::stop::Stop;
use crate::{Report, commands};
use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;
use tandem_files::{FileError, replace};
use tandem_link::Statistics;
use tandem_nn::config::{Document, Experiment, Setting};
use tandem_nn::data;
use tandem_nn::engine::Engine;
use tandem_nn::train::{EpochReport, Evaluation, Observer, Part, StepReport, Trainer};
use tandem_spec::Config;

/// Arguments of `train`.
#[derive(clap::Args)]
pub struct Args {
    /// Experiment: a TOML file.
    #[arg(short, long, value_name = "EXPERIMENT.toml", required_unless_present = "resume")]
    config: Option<PathBuf>,
    /// Who computes the products.
    #[arg(long, default_value = "model")]
    engine: EngineKind,
    /// Accelerator instead of the experiment's: a TOML file or a name.
    #[arg(long, value_name = "ACCEL", conflicts_with = "resume")]
    accelerator: Option<String>,
    /// Folder of the data sets.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Go on with a run.
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "output", "seed", "set"])]
    resume: Option<PathBuf>,
    /// New folder for the run.
    #[arg(short, long, value_name = "RUN")]
    output: Option<PathBuf>,
    /// Seed instead of the experiment's.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
    seed: Option<i64>,
    /// Changes a key of the experiment, such as train.epochs=5 or layer.conv1.bits.weights=2.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Stop after so many steps in all (the run can be resumed).
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Save a checkpoint every N steps, beside the one after each epoch.
    #[arg(long, value_name = "N", default_value_t = 200)]
    checkpoint_every: u64,
    /// Threads; results do not depend on it.
    #[arg(long)]
    threads: Option<usize>,
    /// Write a waveform (.vcd or .fst; only `--engine sim`).
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// Names inside a run's folder.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
const EXPERIMENT: &str = "experiment.toml";
const ACCELERATOR: &str = "accelerator.toml";
const LOG: &str = "log.jsonl";

/// A run's experiment, accelerator and data, as they lie in its folder.
pub fn open(folder: &Path) -> Result<(Experiment, Config)> {
    let experiment = Experiment::load(&folder.join(EXPERIMENT))?;
    let config = Config::from_file(&folder.join(ACCELERATOR))?;
    Ok((experiment, config))
}

/// A trainer with its data and engine.
pub fn trainer(
    experiment: Experiment,
    config: &Config,
    kind: &EngineKind,
    data_dir: Option<&Path>,
    trace: Option<&Path>,
) -> Result<Trainer> {
    let data = Arc::new(data::load(&experiment.data.set, data_dir)?);
    let engine = match kind {
        EngineKind::Float => Engine::Float,
        kind => Engine::Device(engines::device(kind, config, trace)?),
    };
    Ok(Trainer::new(experiment, data, engine)?)
}

struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
    images: usize,
}

impl Progress {
    fn new(trainer: &Trainer) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let total = trainer.steps_per_epoch() * trainer.experiment().train.epochs;
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} eta {eta}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::new(total).with_style(style).with_position(trainer.steps());
            bar.reset_eta();
            bar
        });
        Progress { bar, started: Instant::now(), images: 0 }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }
}

impl Observer for Progress {
    fn step(&mut self, s: &StepReport) {
        self.images += s.images;
        if let Some(bar) = &self.bar {
            bar.set_position(s.step);
            bar.set_message(format!(
                "epoch {}/{} loss {:.3} acc {:.1} % {:.0} images/s {:.2e} cycles",
                s.epoch + 1,
                s.epochs,
                s.loss,
                100.0 * s.accuracy,
                self.images as f64 / self.started.elapsed().as_secs_f64(),
                s.cycles as f64
            ));
        }
    }
}

/// What a run has logged: one line an epoch.
fn history(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(LOG)).unwrap_or_default();
    text.lines().filter_map(|l| serde_json::from_str(l).ok()).collect()
}

fn log_epoch(folder: &Path, e: &EpochReport, test: &Evaluation, cycles: u64) -> Result<()> {
    let mut kept: Vec<Value> =
        history(folder).into_iter().filter(|l| l["epoch"].as_u64() < Some(e.epoch + 1)).collect();
    kept.push(json!({
        "epoch": e.epoch + 1, "loss": e.loss, "train_accuracy": e.accuracy, "test_accuracy": test.accuracy,
        "test_loss": test.loss, "images_per_s": e.images_per_s, "cycles": cycles,
    }));
    let text: String = kept.iter().map(|l| format!("{l}\n")).collect();
    Ok(replace(&folder.join(LOG), text.as_bytes())?)
}

fn start(args: &Args) -> Result<(PathBuf, Trainer, Config)> {
    if let Some(folder) = &args.resume {
        let (experiment, config) = open(folder)?;
        let mut t = trainer(experiment, &config, &args.engine, args.data.as_deref(), args.trace.as_deref())?;
        t.load(&folder.join(CHECKPOINT))?;
        return Ok((folder.clone(), t, config));
    }
    let Some(file) = &args.config else { return Err(usage("give -c EXPERIMENT.toml or --resume RUN")) };
    let mut settings = commands::settings(&args.set)?;
    settings.extend(args.seed.map(|seed| Setting::new(format!("--seed {seed}"), "train.seed", seed)));
    let experiment = Experiment::parse(Document::read_file(file)?.with(settings)?)?;
    let place = args.accelerator.clone().unwrap_or_else(|| experiment.accelerator_place());
    let config = engines::accelerator(&place)?;
    let source = experiment.source().to_owned();
    let folder = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("runs/{}-{}", experiment.name, experiment.train.seed)));
    let occupied = std::fs::read_dir(&folder).is_ok_and(|mut d| d.next().is_some());
    if occupied {
        return Err(usage(format!(
            "{}: exists; nothing is overwritten (resume it with --resume, or choose -o)",
            folder.display()
        )));
    }
    let mut t = trainer(experiment, &config, &args.engine, args.data.as_deref(), args.trace.as_deref())?;
    std::fs::create_dir_all(&folder).map_err(|e| FileError::io(&folder, e))?;
    replace(&folder.join(EXPERIMENT), source.as_bytes())?;
    replace(&folder.join(ACCELERATOR), config.to_toml().as_bytes())?;
    t.save(&folder.join(CHECKPOINT))?;
    Ok((folder, t, config))
}

/// Trains, saving as it goes.
pub fn run(args: &Args) -> Result<Report> {
    if let Some(n) = args.threads {
        let pool = rayon_pool(n)?;
        return pool.install(|| train(args));
    }
    train(args)
}

fn rayon_pool(threads: usize) -> Result<rayon::ThreadPool> {
    if threads == 0 {
        return Err(usage("--threads 0: expected at least 1"));
    }
    Ok(rayon::ThreadPoolBuilder::new().num_threads(threads).build()?)
}

fn train(args: &Args) -> Result<Report> {
    let (folder, mut t, config) = start(args)?;
    let stop = Stop::install()?;
    let checkpoint = folder.join(CHECKPOINT);
    let mut progress = Progress::new(&t);
    progress.line(&format!("{} on {} ({})", t.experiment().name, config.name, t.engine().name()));
    progress.line(t.network().plan().describe().trim_end());
    let predicted = StepTime::predict(&t, &args.engine, args.data.as_deref(), &config, &checkpoint)?;
    if let Some(p) = &predicted {
        progress.line(&p.text());
    }
    let begun = Instant::now();
    let mut last = None;
    while !t.is_finished() && !stop.asked() && args.steps.is_none_or(|n| t.steps() < n) {
        let Some(epoch) = epoch(&mut t, args, &checkpoint, &mut progress, stop.flag())? else { break };
        let Some(test) = t.evaluate(Part::Test, &mut (), stop.flag())? else { break };
        t.save(&checkpoint)?;
        let cycles = t.training_cost().total().cost.cycles;
        log_epoch(&folder, &epoch, &test, cycles)?;
        progress.line(&format!(
            "epoch {:>3}: loss {:.4}, train {:.2} %, test {:.2} %, {:.0} images/s, {:.3e} cycles",
            epoch.epoch + 1,
            epoch.loss,
            100.0 * epoch.accuracy,
            100.0 * test.accuracy,
            epoch.images_per_s,
            cycles as f64
        ));
        last = Some((epoch, test));
    }
    t.save(&checkpoint)?;
    if let Some(bar) = &progress.bar {
        bar.finish_and_clear();
    }
    if !t.is_finished() {
        progress.line(&format!("stopped after step {}; go on with --resume {}", t.steps(), folder.display()));
    }
    let test = match last {
        Some((_, test)) if t.is_finished() => test,
        _ => t.evaluate(Part::Test, &mut (), &AtomicBool::new(false))?.context("evaluation")?,
    };
    let images_per_s = progress.images as f64 / begun.elapsed().as_secs_f64();
    let carried = args.engine.carried().map(|c| (c, predicted));
    let report = report(&folder, &mut t, &config, &test, images_per_s, begun, carried.as_ref())?;
    Ok(report.with_code(stop.exit_code()))
}

/// One epoch, step by step, with checkpoints in between. `None` if it was not finished.
fn epoch(
    t: &mut Trainer,
    args: &Args,
    checkpoint: &Path,
    progress: &mut Progress,
    stop: &AtomicBool,
) -> Result<Option<EpochReport>> {
    let mut report = EpochReport::new(t.epochs());
    let started = Instant::now();
    while t.epochs() == report.epoch {
        if stop.load(Ordering::Relaxed) || args.steps.is_some_and(|n| t.steps() >= n) {
            return Ok(None);
        }
        let s = t.step()?;
        progress.step(&s);
        report.add(&s);
        if args.checkpoint_every > 0 && t.steps().is_multiple_of(args.checkpoint_every) {
            t.save(checkpoint)?;
        }
    }
    report.finish(started.elapsed());
    Ok(Some(report))
}

fn report(
    folder: &Path,
    t: &mut Trainer,
    config: &Config,
    test: &Evaluation,
    images_per_s: f64,
    begun: Instant,
    board: Option<&(Statistics, Option<StepTime>)>,
) -> Result<Report> {
    let carried = board.map(|b| &b.0);
    let digest = t.digest();
    let layers = t.training_cost().cycles_by_layer();
    let total = t.training_cost().total().cost;
    let transforms = t.training_cost().transforms().cost;
    let utilisation = utilisation(config, total.products, total.span - transforms.span);
    let (account, scoring) = (t.accounting(), t.training_cost().scoring());
    let loss = history(folder).last().and_then(|l| l["loss"].as_f64());
    let json = json!({
        "run": folder, "engine": t.engine().name(), "accelerator": config.name,
        "test_accuracy": test.accuracy, "test_loss": test.loss, "loss": loss, "epochs": t.epochs(),
        "steps": t.steps(), "images_per_s": images_per_s, "wall_s": begun.elapsed().as_secs_f64(),
        "weights_digest": digest, "cycles": total.cycles, "predicted_cycles": total.predicted_cycles,
        "load_busy": total.load_busy, "compute_busy": total.compute_busy, "store_busy": total.store_busy,
        "products": total.products, "skipped": total.skipped, "utilisation": utilisation,
        "wait_drain": total.wait_drain, "cycles_by_layer": layers, "accounting": account, "scoring": scoring,
        "fft_cycles": transforms.cycles, "busy": t.training_cost().busy(),
        "link": carried.map(engines::carried_json),
        "predicted_s_per_step": board.and_then(|b| b.1.as_ref()).map(|p| p.seconds),
    });
    replace(&folder.join("report.json"), serde_json::to_string_pretty(&json)?.as_bytes())?;
    let lines = history(folder);
    if !lines.is_empty() {
        replace(&folder.join("training.svg"), commands::plot::training(&lines)?.as_bytes())?;
    }
    let mut text = String::new();
    if !t.engine().is_float() {
        text += &commands::plot::table(&layers);
        if transforms.cycles > 0 {
            text += &commands::plot::busy(&t.training_cost().busy());
        }
        if t.experiment().pruning.is_some() {
            text += &commands::plot::account(&account, &scoring);
        }
    }
    text += &format!(
        "test accuracy {:.2} %, {} epochs, {:.3e} cycles, utilisation {:.1} %\nweights {digest}\nrun {}",
        100.0 * test.accuracy,
        t.epochs(),
        total.cycles as f64,
        100.0 * utilisation,
        folder.display()
    );
    if let Some(carried) = carried {
        text += &format!("\n{}", engines::carried_text(carried));
    }
    std::io::stderr().flush()?;
    Ok(Report::new(text, json))
}
