//! Points of a plan trained, by threads or by Slurm, and by rungs.

use super::super::option;
use super::Args;
use super::plan::{Plan, Source};
use crate::engines::{self, EngineKind};
use crate::failure::{self, check};
use crate::stop::Stop;
use crate::sweep::{Cost, Limits, Line, Point, Slurm};
use crate::variant::{self, Job, Outcome, Progress};
use anyhow::{Context, Result};
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use tandem_nn::train::Trainer;

/// What became of the points of a plan.
#[derive(Default)]
pub(super) struct Trained {
    /// Those that have an outcome.
    pub lines: Vec<Line>,
    /// Those that failed, and why.
    pub failed: Vec<(Point, String)>,
    /// Nobody has stopped it.
    pub complete: bool,
}

/// What became of the float reference.
#[derive(Default)]
pub(super) struct Float {
    /// Of the seeds that were trained.
    pub outcomes: Vec<Outcome>,
    /// Seeds that failed, and why.
    pub failed: Vec<String>,
}

/// The rungs of `[halving]` before the last: of each, `train` trains the points that are left, and `plan` keeps those that go on.
/// What failed is in the result.
pub(super) fn halve(
    plan: &mut Plan,
    source: &Source,
    train: impl Fn(&Plan, &Source) -> Result<Trained>,
) -> Result<Trained> {
    let mut all = Trained { complete: true, ..Trained::default() };
    let Some(halving) = plan.sweep.halving.clone() else { return Ok(all) };
    plan.check_rungs()?;
    for epochs in &halving.epochs {
        let variants = source.variants.with(format!("train.epochs={epochs}"));
        let trained = train(&plan.rung(*epochs)?, &Source { variants, ..source.clone() })?;
        if !trained.complete {
            return Ok(Trained { failed: all.failed, ..trained });
        }
        plan.halve(&halving, *epochs, &trained);
        all.failed.extend(trained.failed);
    }
    Ok(all)
}

/// Who trains points: threads here, or Slurm.
pub(super) struct Pool<'a> {
    /// How many at a time, and what Slurm is told.
    pub args: &'a Args,
    /// Folder of the outcomes.
    pub output: &'a Path,
    /// Of Slurm, if it trains them.
    pub limits: Option<Limits>,
    /// What ends it.
    pub stop: Stop,
}

impl Pool<'_> {
    /// Trains the points of a plan; what is there stays.
    ///
    /// # Errors   the folder has other outcomes, or cannot be read or written; Slurm fails
    pub fn train(&self, plan: &Plan, source: &Source) -> Result<Trained> {
        // what is there must be of these points, before anything runs
        let there = kept(plan, source, self.output)?;
        let progress = Progress::new("points", plan.points.len(), there.iter().flatten().count());
        plan.left_out().lines().for_each(|line| progress.line(line));
        if let (Some(_), Some((point, _))) = (&plan.sweep.halving, plan.points.first()) {
            let epochs = point.variant().experiment.train.epochs;
            progress.line(&format!("halving: {} points, epochs = {epochs}", plan.points.len()));
        }
        let trained = match self.limits {
            Some(limits) => self.under_slurm(limits, plan, source, &there, &progress),
            None => self.here(plan, source, &there, &progress),
        };
        progress.end();
        trained
    }

    /// Trains the float reference, if the sweep has one: on threads here, also where Slurm trains the points. None if somebody stops it.
    ///
    /// # Errors   as [`train`](Self::train)
    pub fn float(&self, plan: &Plan) -> Result<Option<Float>> {
        let jobs = plan.float_jobs(self.output);
        if jobs.is_empty() {
            return Ok(Some(Float::default()));
        }
        let there = float_kept(&jobs)?;
        let progress = Progress::new("float references", jobs.len(), there.iter().flatten().count());
        let (kind, threads) = (&EngineKind::Float, variant::threads(self.args.jobs));
        let pool = variant::Pool { kind, threads, stop: &self.stop, progress: &progress };
        let made = pool.train(&jobs, &there, |_, outcome| outcome);
        progress.end();
        let (made, mut float) = (made?, Float::default());
        if made.len() < jobs.len() {
            return Ok(None);
        }
        for (job, made) in jobs.iter().zip(made) {
            match made {
                Ok(outcome) => float.outcomes.push(outcome),
                Err(error) => float.failed.push(format!("{}: {}", job.name, failure::text(&error))),
            }
        }
        Ok(Some(float))
    }

    fn here(
        &self,
        plan: &Plan,
        source: &Source,
        there: &[Option<Line>],
        progress: &Progress,
    ) -> Result<Trained> {
        let (kind, threads) = (&source.variants.engine, variant::threads(self.args.jobs));
        let pool = variant::Pool { kind, threads, stop: &self.stop, progress };
        let made = pool.train(&plan.jobs(self.output), there, |place, outcome| plan.line(place, &outcome))?;
        let mut trained = Trained { complete: made.len() == plan.points.len(), ..Trained::default() };
        for ((point, _), made) in plan.points.iter().zip(made) {
            match made {
                Ok(line) => trained.lines.push(line),
                Err(error) => trained.failed.push((point.clone(), failure::text(&error))),
            }
        }
        Ok(trained)
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
pub(super) fn there_is(plan: &Plan, source: &Source, output: &Path) -> Result<Trained> {
    let lines: Vec<_> = kept(plan, source, output)?.into_iter().flatten().collect();
    let failed = failures(plan, output);
    Ok(Trained { complete: lines.len() + failed.len() == plan.points.len(), lines, failed })
}

/// What is in a folder of the float reference.
pub(super) fn float_there_is(plan: &Plan, output: &Path) -> Result<Float> {
    let jobs = plan.float_jobs(output);
    let outcomes = float_kept(&jobs)?.into_iter().flatten().collect();
    let failed = jobs.iter().filter_map(|job| Some(format!("{}: {}", job.name, job.failure()?))).collect();
    Ok(Float { outcomes, failed })
}

fn float_kept(jobs: &[Job<'_>]) -> Result<Vec<Option<Outcome>>> {
    jobs.iter().map(|job| job.kept(&EngineKind::Float)).collect()
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

/// Of every point, what is there.
fn kept(plan: &Plan, source: &Source, folder: &Path) -> Result<Vec<Option<Line>>> {
    let of = |(place, job): (usize, Job<'_>)| {
        let outcome = job.kept(&source.variants.engine)?;
        Ok(outcome.map(|outcome| plan.line(place, &outcome)))
    };
    plan.jobs(folder).into_iter().enumerate().map(of).collect()
}

/// Points that failed, and why.
fn failures(plan: &Plan, folder: &Path) -> Vec<(Point, String)> {
    let of = |((point, _), job): (&(Point, Cost), Job<'_>)| Some((point.clone(), job.failure()?));
    plan.points.iter().zip(plan.jobs(folder)).filter_map(of).collect()
}

/// The first steps of some points on the simulated accelerator too: weights and cycles must agree.
pub(super) fn simulate(plan: &Plan, lines: &[Line]) -> Result<Vec<String>> {
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
            let backend = engines::backend(kind, &point.config, None)?;
            let data = Arc::clone(&plan.data(point).set);
            let mut trainer = Trainer::new(point.variant().experiment.clone(), data, backend)?;
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
