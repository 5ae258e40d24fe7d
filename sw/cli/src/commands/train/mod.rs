//! `tandem train`.
//!
//! ```text
//! start or resume ─► step … step ─► test ─┐  checkpoint (every N steps, after each epoch, after its test), log
//!                      └──────────────────┘  a signal: checkpoint, and out
//! ```

mod folder;
mod progress;
mod report;

pub use folder::open;

use super::Force;
use super::step_time::StepTime;
use crate::Report;
use crate::engines::{self, EngineKind};
use crate::failure::usage;
use crate::stop::Stop;
use anyhow::Result;
use folder::{Recipe, RunFolder};
use progress::Progress;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_nn::checkpoint::State;
use tandem_nn::config::{Document, Experiment, Setting};
use tandem_nn::data;
use tandem_nn::train::identity::{Identity, IdentityError};
use tandem_nn::train::{Observer, Part, Tested, TrainError, Trainer};
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
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "output", "force", "seed", "set"])]
    resume: Option<PathBuf>,
    /// Start from the trained weights of another run of the same network (its folder, or a checkpoint): bits, quantizers, pruning, engine and
    /// accelerator may differ.
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// New folder for the run.
    #[arg(short, long, value_name = "RUN")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Seed instead of the experiment's.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
    seed: Option<i64>,
    /// Changes a key of the experiment, such as train.epochs=5 or layer.conv1.bits.weights=2.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Stop after so many steps in all (the run can be resumed).
    #[arg(long, value_name = "N")]
    steps: Option<u64>,
    /// Save a checkpoint every N steps, beside the one after each epoch; 0: only that one.
    #[arg(long, value_name = "N", default_value_t = 200)]
    checkpoint_every: u64,
    /// Threads; results do not depend on it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Write a waveform (.vcd or .fst; only `--engine sim`).
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

/// A trainer with its data and engine.
pub fn trainer(
    experiment: Experiment,
    config: &Config,
    kind: &EngineKind,
    data_dir: Option<&Path>,
    trace: Option<&Path>,
) -> Result<Trainer> {
    let set = &experiment.data.set;
    let data = Arc::new(data::load_with(set, data_dir, &experiment.data.options)?);
    super::data::note_skipped(set, data_dir)?;
    let mut trainer = Trainer::new(experiment, data, engines::backend(kind, config, trace)?)?;
    trainer.set_accelerator(&config.to_toml());
    Ok(trainer)
}

/// Takes the weights of a run, to look at them.
///
/// # Errors   there is no checkpoint, or it is of another experiment or accelerator
pub fn restore(t: &mut Trainer, run: &Path) -> Result<()> {
    let checkpoint = run.join(folder::CHECKPOINT);
    let state = State::load(&checkpoint)?;
    match Identity::saved(&state).and_then(|saved| t.identity().check(&saved)) {
        Ok(()) => {}
        // other images are a question of their own; weights are weights, whoever made them
        Err(e @ (IdentityError::Data { .. } | IdentityError::Numerics { .. } | IdentityError::Unknown)) => {
            eprintln!("note: checkpoint {}: {e}", checkpoint.display());
        }
        Err(difference) => return Err(TrainError::Identity { file: checkpoint, difference }.into()),
    }
    Ok(t.restore(&state)?)
}

/// The checkpoint of a run's folder, or the file itself.
fn checkpoint(run: &Path) -> PathBuf {
    if run.is_dir() { run.join(folder::CHECKPOINT) } else { run.to_owned() }
}

fn start(args: &Args) -> Result<(RunFolder, Trainer, Config)> {
    let trace = args.trace.as_deref();
    if let Some(path) = &args.resume {
        let folder = RunFolder::resume(path)?;
        let (experiment, config) = folder::open(path)?;
        let mut t = trainer(experiment, &config, &args.engine, args.data.as_deref(), trace)?;
        t.resume(&folder.checkpoint())?;
        return Ok((folder, t, config));
    }
    let Some(file) = &args.config else { return Err(usage("give -c EXPERIMENT.toml or --resume RUN")) };
    let mut settings = super::settings(&args.set)?;
    settings.extend(args.seed.map(|seed| Setting::new(format!("--seed {seed}"), "train.seed", seed)));
    let experiment = Experiment::parse(Document::read_file(file)?.with(settings)?)?;
    let place = args.accelerator.clone().unwrap_or_else(|| experiment.accelerator_place());
    let config = engines::accelerator(&place)?;
    let source = experiment.source().to_owned();
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("runs/{}-{}", experiment.name, experiment.train.seed)));
    let files = Recipe { experiment: source, accelerator: config.to_toml() };
    // before the data are read and a simulator is built, and again when the folder is ours
    let existing = args.force.existing();
    files.check_vacant(&path, existing)?;
    let from = args.from.as_deref().map(|run| State::load(&checkpoint(run))).transpose()?;
    let mut t = trainer(experiment, &config, &args.engine, args.data.as_deref(), trace)?;
    if let Some(state) = from {
        t.start_from(&state)?;
    }
    let folder = RunFolder::start(&path, &files, existing)?;
    folder.save(&mut t)?;
    Ok((folder, t, config))
}

/// Trains, saving as it goes.
pub fn run(args: &Args) -> Result<Report> {
    match args.threads {
        Some(n) => rayon::ThreadPoolBuilder::new().num_threads(n.into()).build()?.install(|| train(args)),
        None => train(args),
    }
}

fn train(args: &Args) -> Result<Report> {
    // nothing to save yet: a signal ends the process
    let stop = Stop::install_at_once()?;
    let (folder, mut t, config) = start(args)?;
    let mut progress = Progress::new(&t);
    progress.line(&format!("{} on {} ({})", t.experiment().name, config.name, t.backend().name()));
    progress.line(t.network().plan().describe().trim_end());
    if t.dropped_images() > 0 {
        progress.line(&dropped(&t));
    }
    let predicted = StepTime::predict(&t, &args.engine, args.data.as_deref(), &config, &folder.checkpoint())?;
    if let Some(p) = &predicted {
        progress.line(&p.text());
    }
    stop.note();
    progress.begin();
    let enough = |t: &Trainer| t.is_finished() || args.steps.is_some_and(|n| t.steps() >= n);
    while !stop.asked() {
        // also of an epoch after which an earlier process was interrupted
        if t.history().epochs().last().is_some_and(|e| e.test.is_none()) {
            let Some(test) = t.evaluate(Part::Test, &mut (), stop.flag())? else { break };
            t.record_test(&test);
            folder.save(&mut t)?;
            progress.epoch(&t);
        } else if enough(&t) {
            break;
        } else {
            let s = t.step()?;
            progress.step(&s);
            let every = args.checkpoint_every;
            if t.epochs() > s.epoch || (every > 0 && t.steps().is_multiple_of(every)) {
                folder.save(&mut t)?;
            }
        }
    }
    folder.save(&mut t)?;
    progress.end();
    if !t.is_finished() {
        let path = folder.path().display();
        progress.line(&format!("stopped after step {}; go on with --resume {path}", t.steps()));
    }
    let test = test(&mut t, &stop)?;
    let carried = args.engine.carried().map(|c| (c, predicted));
    let report = report::write(&folder, &mut t, &config, test, &progress, carried.as_ref())?;
    Ok(report.with_code(stop.exit_code()))
}

/// What the test set gives now; none if a signal came: whoever stops a run does not wait for it.
fn test(t: &mut Trainer, stop: &Stop) -> Result<Option<Tested>> {
    match t.history().epochs().last() {
        Some(last) if t.history().running_images() == 0 && last.test.is_some() => Ok(last.test),
        _ if stop.asked() => Ok(None),
        _ => {
            let test = t.evaluate(Part::Test, &mut (), stop.flag())?;
            Ok(test.map(|test| Tested { loss: test.loss, accuracy: test.accuracy }))
        }
    }
}

/// Says that a batch does not divide the set.
fn dropped(t: &Trainer) -> String {
    let (used, dropped) = (t.images_per_epoch(), t.dropped_images());
    format!(
        "each epoch trains on {used} of {} images: {dropped}, others each time, do not fill a batch of {}",
        used + dropped,
        t.experiment().data.batch
    )
}
