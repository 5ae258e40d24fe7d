//! Pruning as part of a run.

use super::accounting::CycleTable;
use super::batches::Batches;
use super::{TrainError, Trainer};
use crate::backend::ledger::Ledger;
use crate::backend::{Backend, Mode, Pass, ProductError};
use crate::data::DataError;
use crate::network::Network;
use crate::prune::budget::Budget;
use crate::prune::cycles::CycleOracle;
use crate::prune::scores::{Batch, ScoringPasses, Source, Work};
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
        self.prune(|pruner, network, _, source| pruner.start(network, source))?;
        if let Some(pruner) = &self.pruner {
            pruner.before_step(&mut self.network, self.step);
        }
        self.charge_scoring(before);
        Ok(())
    }

    /// Masks after a step.
    pub(super) fn prune_after_step(&mut self) -> Result<(), TrainError> {
        let before = self.scoring_passes();
        self.prune(Pruner::after_step)?;
        self.charge_scoring(before);
        Ok(())
    }

    /// Lets the pruner, if there is one, choose masks with what scores may ask for.
    fn prune(&mut self, choose: Choice) -> Result<(), TrainError> {
        let (steps, seed) = (self.steps_in_all(), self.experiment.train.seed);
        let Some(pruner) = &mut self.pruner else { return Ok(()) };
        let size = self.experiment.data.batch;
        let (h, w, c) = self.data.shape;
        let mut scoring = Scoring {
            count: self
                .experiment
                .pruning
                .as_ref()
                .map_or(0, |p| p.batches)
                .min(self.batches.images() / size),
            batches: &mut self.batches,
            size: (size, h * w * c),
            backend: &mut self.backend,
            ledger: &mut self.training,
            at: (seed, self.step, steps),
            failure: None,
        };
        let chosen = choose(pruner, &mut self.network, self.step, &mut scoring);
        match scoring.failure {
            Some(Failure::Data(failure)) => Err(failure.into()),
            Some(Failure::Product(failure)) => Err(TrainError::naming(self.network.plan())(failure)),
            None => Ok(chosen?),
        }
    }
}

/// Something that a pruner does to a network after so many steps.
type Choice = fn(&mut Pruner, &mut Network, u64, &mut dyn Source) -> Result<(), PruneError>;

/// What scores may ask for, and what went wrong with it.
struct Scoring<'a> {
    batches: &'a mut Batches,
    count: usize,
    size: (usize, usize),
    backend: &'a mut Backend,
    /// What they cost is charged here.
    ledger: &'a mut Ledger,
    /// Seed, step, and steps of the run.
    at: (u64, u64, u64),
    failure: Option<Failure>,
}

enum Failure {
    Data(DataError),
    Product(ProductError),
}

impl Source for Scoring<'_> {
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
            self.failure = Some(Failure::Data(failure));
            vec![]
        })
    }

    fn run(&mut self, work: Work<'_>) -> bool {
        let (seed, step, steps) = self.at;
        let mut cost = self.ledger.emptied();
        let done = work(&mut Pass::new(Mode::Train, seed, step, self.backend, &mut cost).of(steps));
        self.ledger.add_scoring_passes(&cost);
        self.failure = done.err().map(Failure::Product);
        self.failure.is_none()
    }
}
