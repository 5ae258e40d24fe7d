//! Training: steps, epochs, evaluation, and a state that resumes to the same bits.
//!
//! ```text
//! step:  batch ─► forward ─► loss ─► backward ─► optimiser ─► masks          (observer told, stop flag honoured between)
//! state: parameters, moments, statistics, scales, masks, pruning, step, epoch, position, seed, history, identity
//! ```
//!
//! A run is a function of its experiment, data and seed on every exact device.

pub mod accounting;
mod batches;
mod error;
mod finite;
mod history;
pub mod identity;
mod pipeline;
mod pruning;
mod report;
mod state;
mod tensors;

pub use error::TrainError;
pub use history::{EpochRecord, History, Tested};
pub use report::{EpochReport, Evaluation, Observer, StepReport};
pub use state::EXPERIMENT;
pub use tensors::{LayerTensors, Used};

use crate::backend::ledger::Ledger;
use crate::backend::{Backend, Mode, Pass};
use crate::config::Experiment;
use crate::data::Dataset;
use crate::network::Network;
use crate::network::loss::{Outcome, cross_entropy};
use crate::prune::Pruner;
use crate::tensor::{Shape, Slot};
use crate::train::identity::Identity;
use batches::Batches;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// Which images to evaluate on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Those that are trained on.
    Train,
    /// The training images that are held back.
    Validation,
    /// The test set.
    Test,
}

/// A training run.
pub struct Trainer {
    experiment: Experiment,
    data: Arc<Dataset>,
    backend: Backend,
    network: Network,
    batches: Batches,
    pruner: Option<Pruner>,
    /// Budgets know the cycles of this engine, or of a given oracle.
    has_oracle: bool,
    /// Steps taken.
    step: u64,
    /// Epochs finished.
    epoch: u64,
    /// Images of the running epoch that were trained on.
    position: usize,
    training: Ledger,
    evaluation: Ledger,
    history: History,
    /// The accelerator's TOML text.
    accelerator: String,
    /// See [`initial`](Self::initial).
    initial: Option<String>,
    /// Made when it is asked for: the data are read for it.
    identity: OnceLock<Identity>,
}

impl Trainer {
    /// A run before its first step.
    ///
    /// # Errors   the experiment does not suit the data
    pub fn new(experiment: Experiment, data: Arc<Dataset>, backend: Backend) -> Result<Self, TrainError> {
        let (h, w, c) = data.shape;
        let plan = experiment.plan(Shape { h, w, c }, data.classes)?;
        experiment.check_images(data.train.len())?;
        let ledger = Ledger::new(plan.layers.iter().map(|layer| layer.name.as_str()));
        let mut network = Network::new(plan, experiment.train.seed);
        for (_, slot) in network.slots() {
            if let Slot::Parameter(parameter) = slot {
                experiment.train.optimizer.prepare(parameter);
            }
        }
        let images = experiment.data.training_images(data.train.len());
        let steps = (images / experiment.data.batch) as u64 * experiment.train.epochs;
        let pruner = match &experiment.pruning {
            Some(config) => {
                let pruner = Pruner::new(config, &mut network, steps, experiment.train.seed);
                Some(pruner.map_err(|unfit| experiment.unfit_pruning(unfit))?)
            }
            None => None,
        };
        Ok(Trainer {
            batches: Batches::new(&experiment, images, &data),
            pruner,
            has_oracle: false,
            experiment,
            data,
            backend,
            network,
            step: 0,
            epoch: 0,
            position: 0,
            training: ledger.clone(),
            evaluation: ledger,
            history: History::default(),
            accelerator: String::new(),
            initial: None,
            identity: OnceLock::new(),
        })
    }

    /// The experiment.
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The network, to prune or inspect.
    pub fn network_mut(&mut self) -> &mut Network {
        &mut self.network
    }

    /// The engine.
    pub fn backend(&self) -> &Backend {
        &self.backend
    }

    /// What training cost so far, interruptions included.
    pub fn training_cost(&self) -> &Ledger {
        &self.training
    }

    /// What evaluation cost in this process.
    pub fn evaluation_cost(&self) -> &Ledger {
        &self.evaluation
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Epochs finished.
    pub fn epochs(&self) -> u64 {
        self.epoch
    }

    /// Steps in an epoch.
    pub fn steps_per_epoch(&self) -> u64 {
        (self.batches.images() / self.experiment.data.batch) as u64
    }

    /// Steps of the whole run.
    pub fn steps_in_all(&self) -> u64 {
        self.steps_per_epoch() * self.experiment.train.epochs
    }

    /// Images trained on in an epoch: whole batches.
    pub fn images_per_epoch(&self) -> u64 {
        self.steps_per_epoch() * self.experiment.data.batch as u64
    }

    /// Images left out of each epoch, other ones each time, because they do not fill a batch.
    pub fn dropped_images(&self) -> u64 {
        self.batches.images() as u64 - self.images_per_epoch()
    }

    /// What was done, epoch by epoch.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Notes what the test set gives after the last finished epoch.
    pub fn record_test(&mut self, test: &Evaluation) {
        self.history.test(test);
    }

    /// Whether all epochs are done.
    pub fn is_finished(&self) -> bool {
        self.epoch >= self.experiment.train.epochs
    }

    /// Trains on one batch.
    ///
    /// # Errors   an image cannot be read or prepared, a product failed, masks could not be chosen, or the loss, a weight, a moment or a statistic is not a
    /// finite number; the run must not be used then
    /// # Panics   if the run [is finished](Self::is_finished), or was [loaded](Self::load) from one with other images or
    /// another batch
    pub fn step(&mut self) -> Result<StepReport, TrainError> {
        assert!(!self.is_finished(), "a step after the last epoch");
        // On a worker of the pool, so that the many short loops of a step start without a hand-over.
        let report = rayon::scope(|_| self.step_on_worker())?;
        self.history.add(&report, self.epoch > report.epoch);
        Ok(report)
    }

    fn step_on_worker(&mut self) -> Result<StepReport, TrainError> {
        let start = Instant::now();
        let batch = self.experiment.data.batch;
        let (epoch, lr) = (self.epoch, self.learning_rate());
        self.prune_before_step()?;
        let input = self.network.input_mut(batch);
        let (labels, wait) = self.batches.next(epoch, self.position, input)?;

        let seed = self.experiment.train.seed;
        let steps = self.steps_in_all();
        let mut pass =
            Pass::new(Mode::Train, seed, self.step, &mut self.backend, &mut self.training).of(steps);
        let named = TrainError::naming(self.network.plan());
        self.network.forward(&mut pass).map_err(&named)?;
        let (logits, gradient) = self.network.logits_and_gradient();
        let outcome = cross_entropy(logits, &labels, gradient);
        if !outcome.loss.is_finite() {
            return Err(TrainError::Diverged { step: self.step });
        }
        self.network.backward(&mut pass).map_err(&named)?;

        self.step += 1;
        if let Some(pruner) = &self.pruner {
            pruner.refine_gradients(&mut self.network);
        }
        for (_, slot) in self.network.slots() {
            if let Slot::Parameter(parameter) = slot {
                self.experiment.train.optimizer.update(parameter, lr, self.step);
            }
        }
        self.check_finite()?;
        self.position += batch;
        if self.position + batch > self.batches.images() {
            self.position = 0;
            self.epoch += 1;
        }
        self.prune_after_step()?;
        Ok(StepReport {
            epoch,
            step: self.step,
            steps_per_epoch: self.steps_per_epoch(),
            epochs: self.experiment.train.epochs,
            lr,
            loss: outcome.loss / batch as f64,
            accuracy: outcome.correct as f64 / batch as f64,
            images: batch,
            wall: start.elapsed(),
            wait,
            cycles: self.training.total().cost.cycles,
        })
    }

    fn learning_rate(&self) -> f64 {
        let train = &self.experiment.train;
        train.schedule.rate(self.step, self.steps_per_epoch(), train.epochs)
    }

    /// Trains to the end of the running epoch.
    ///
    /// Returns `None` if `stop` was set; the run can then be saved, or go on. The report is of the whole epoch, its steps
    /// before an interruption included.
    ///
    /// # Errors   as [`step`](Self::step)
    /// # Panics   as [`step`](Self::step)
    pub fn epoch(
        &mut self,
        observer: &mut dyn Observer,
        stop: &AtomicBool,
    ) -> Result<Option<EpochReport>, TrainError> {
        let epoch = self.epoch;
        while self.epoch == epoch {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let step = self.step()?;
            observer.step(&step);
        }
        Ok(self.history.epochs().last().map(|e| e.report))
    }

    /// Runs the network on images, without training.
    ///
    /// Returns `None` if `stop` was set.
    ///
    /// # Errors   an image cannot be read or prepared, a product failed, or the loss is not a finite number
    pub fn evaluate(
        &mut self,
        part: Part,
        observer: &mut dyn Observer,
        stop: &AtomicBool,
    ) -> Result<Option<Evaluation>, TrainError> {
        let range = match part {
            Part::Train => 0..self.batches.images(),
            Part::Validation => {
                let all = self.data.train.len();
                all - self.experiment.data.validation..all
            }
            Part::Test => 0..self.data.test.len(),
        };
        let start = Instant::now();
        let mut sum = Outcome { loss: 0.0, correct: 0 };
        for first in range.clone().step_by(self.experiment.data.batch) {
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let images = first..(first + self.experiment.data.batch).min(range.end);
            let outcome = rayon::scope(|_| self.evaluate_batch(part, images.clone()))?;
            if !outcome.loss.is_finite() {
                return Err(TrainError::Unfit { first: images.start, last: images.end - 1 });
            }
            sum.loss += outcome.loss;
            sum.correct += outcome.correct;
            observer.evaluation(images.end - range.start, range.len());
        }
        Ok(Some(Evaluation {
            images: range.len(),
            loss: sum.loss / range.len().max(1) as f64,
            accuracy: sum.correct as f64 / range.len().max(1) as f64,
            wall: start.elapsed(),
        }))
    }

    fn evaluate_batch(&mut self, part: Part, images: Range<usize>) -> Result<Outcome, TrainError> {
        let split = if part == Part::Test { &self.data.test } else { &self.data.train };
        let labels = split.labels[images.clone()].to_vec();
        let input = self.network.input_mut(images.len());
        self.batches.plain(part == Part::Test, images, input)?;
        let (seed, steps) = (self.experiment.train.seed, self.steps_in_all());
        let (backend, ledger) = (&mut self.backend, &mut self.evaluation);
        let mut pass = Pass::new(Mode::Evaluate, seed, self.step, backend, ledger).of(steps);
        let named = TrainError::naming(self.network.plan());
        self.network.forward(&mut pass).map_err(named)?;
        let (logits, gradient) = self.network.logits_and_gradient();
        Ok(cross_entropy(logits, &labels, gradient))
    }
}
