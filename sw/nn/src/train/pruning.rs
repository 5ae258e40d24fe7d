//! Pruning as part of a run.

use super::accounting::CycleTable;
use super::batches::Batches;
use super::{TrainError, Trainer};
use crate::backend::Backend;
use crate::config::Experiment;
use crate::data::{DataError, Dataset};
use crate::prune::budget::Budget;
use crate::prune::cycles::CycleOracle;
use crate::prune::scores::{Batch, ScoringPasses};
use crate::prune::{PruneError, Pruner, PruningReport, report};
use ndarray::Array2;

impl Trainer {
    /// Predicts the cycles of `[pruning]` budgets by `oracle` instead of the device's cycle model (on the float
    /// engine: instead of counting multiplications).
    pub fn set_cycle_oracle(&mut self, oracle: Box<dyn CycleOracle>) {
        if let Some(pruner) = &mut self.pruner {
            pruner.set_cycle_oracle(oracle);
            self.has_oracle = true;
        }
    }

    /// The dense passes that pruning scores took so far, interruptions included: to be charged as such.
    pub fn scoring_passes(&self) -> ScoringPasses {
        self.pruner.as_ref().map(Pruner::scoring_passes).unwrap_or_default()
    }

    /// Who chooses masks, if the experiment prunes.
    pub fn pruner(&self) -> Option<&Pruner> {
        self.pruner.as_ref()
    }

    /// What the masks of all layers with weights keep.
    pub fn pruning_report(&mut self) -> Vec<PruningReport> {
        report(&mut self.network, self.pruner.as_ref())
    }

    /// The cycle model as the oracle of budgets, where one asks for cycles and no other was set.
    fn predict_cycles(&mut self) {
        if std::mem::replace(&mut self.has_oracle, true) {
            return;
        }
        let layerwise = self.experiment.pruning.as_ref().is_some_and(|p| p.budget == Budget::Layerwise);
        if let (Some(pruner), Backend::Device(device), true) =
            (&mut self.pruner, &mut self.backend, layerwise)
        {
            let table = CycleTable::new(self.network.plan(), pruner.layers(), &mut **device);
            pruner.set_cycle_oracle(Box::new(table));
        }
    }

    /// Masks before the first step; asks for what the next step has to leave behind.
    pub(super) fn prune_before_step(&mut self) -> Result<(), TrainError> {
        self.predict_cycles();
        let before = self.scoring_passes();
        let Some(pruner) = &mut self.pruner else { return Ok(()) };
        let mut scoring = Scoring::new(&mut self.batches, &self.data, &self.experiment);
        let started = pruner.start(&mut self.network, &mut || scoring.batches());
        scoring.checked(started)?;
        pruner.before_step(&mut self.network, self.step);
        self.charge_scoring(before);
        Ok(())
    }

    /// Masks after a step.
    pub(super) fn prune_after_step(&mut self) -> Result<(), TrainError> {
        let before = self.scoring_passes();
        let Some(pruner) = &mut self.pruner else { return Ok(()) };
        let mut scoring = Scoring::new(&mut self.batches, &self.data, &self.experiment);
        let changed = pruner.after_step(&mut self.network, self.step, &mut || scoring.batches());
        scoring.checked(changed)?;
        self.charge_scoring(before);
        Ok(())
    }
}

/// The batches of scores, and what went wrong with them.
struct Scoring<'a> {
    batches: &'a mut Batches,
    count: usize,
    size: (usize, usize),
    failure: Option<DataError>,
}

impl<'a> Scoring<'a> {
    fn new(batches: &'a mut Batches, data: &Dataset, experiment: &Experiment) -> Self {
        let count = experiment.pruning.as_ref().map_or(0, |pruning| pruning.batches);
        let (size, (h, w, c)) = (experiment.data.batch, data.shape);
        Scoring { count: count.min(batches.images() / size), batches, size: (size, h * w * c), failure: None }
    }

    /// The first batches of the first epoch, or as many as it has, in f64; none if one cannot be made.
    fn batches(&mut self) -> Vec<Batch> {
        let (size, _) = self.size;
        let mut input = Array2::zeros(self.size);
        let mut batch = |batch: usize| {
            let labels = self.batches.training(0, batch * size..(batch + 1) * size, &mut input)?;
            Ok((input.mapv(f64::from), labels))
        };
        let all: Result<_, DataError> = (0..self.count).map(&mut batch).collect();
        all.unwrap_or_else(|failure| {
            self.failure = Some(failure);
            vec![]
        })
    }

    /// What came of the scores, unless a batch could not be made.
    fn checked<T>(self, scored: Result<T, PruneError>) -> Result<T, TrainError> {
        match self.failure {
            Some(failure) => Err(failure.into()),
            None => Ok(scored?),
        }
    }
}
