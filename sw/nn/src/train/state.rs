//! The state of a run: to a file, from a file, to a digest.

use super::{TrainError, Trainer};
use crate::checkpoint::{CheckpointError, State};
use crate::ledger::Ledger;
use crate::optim::Optimizer;
use crate::tensor::Slot;
use ndarray::Array2;
use std::path::Path;

/// Metadata key under which a checkpoint keeps the text of its experiment.
pub const EXPERIMENT: &str = "experiment";
/// Key of the costs of training so far.
const COST: &str = "training_cost";

impl Trainer {
    /// All that decides the next step, and the experiment's text.
    pub fn state(&mut self) -> State {
        let mut state = self.weights_state();
        if let Some(pruner) = &self.pruner {
            pruner.save(&mut state);
        }
        state.set_network(&self.network.plan().fingerprint());
        state.set_metadata(EXPERIMENT, self.experiment.source());
        let cost = serde_json::to_string(&self.training).expect("counters are plain data");
        state.set_metadata(COST, &cost);
        state
    }

    fn weights_state(&mut self) -> State {
        let moments = self.experiment.train.optimizer.moments();
        let mut state = State::new();
        for (name, slot) in self.network.slots() {
            match slot {
                Slot::Parameter(parameter) => {
                    state.insert_array(&name, &parameter.value);
                    for (moment, kind) in parameter.moments.iter().zip(moments) {
                        state.insert_array(&format!("{name}.{kind}"), moment);
                    }
                }
                Slot::Buffer(buffer) => state.insert_array(&name, &buffer.value),
                Slot::Mask { mask, .. } => {
                    if let Some(mask) = mask {
                        state.insert_array(&name, &mask.mapv(u8::from));
                    }
                }
            }
        }
        let counters = [
            ("step", self.step),
            ("epoch", self.epoch),
            ("position", self.position as u64),
            ("seed", self.experiment.train.seed),
        ];
        for (name, value) in counters {
            state.insert(name, &[], &[value as i64]);
        }
        state
    }

    /// SHA-256 over the tensors of [`state`](Self::state), without those of pruning other than masks: what
    /// "the same weights" means.
    pub fn digest(&mut self) -> String {
        self.weights_state().digest()
    }

    /// Writes the state, atomically.
    ///
    /// # Errors   the file cannot be written
    pub fn save(&mut self, path: &Path) -> Result<(), TrainError> {
        Ok(self.state().save(path)?)
    }

    /// Continues from a saved state: the seed becomes the saved one.
    ///
    /// # Errors   the file cannot be read, or the state belongs to another network or optimiser; the
    /// run must not be used then
    pub fn load(&mut self, path: &Path) -> Result<(), TrainError> {
        Ok(self.restore(&State::load(path)?)?)
    }

    /// Continues from a state, as [`load`](Self::load).
    ///
    /// # Errors   as [`load`](Self::load)
    pub fn restore(&mut self, state: &State) -> Result<(), CheckpointError> {
        state.expect_network(&self.network.plan().fingerprint())?;
        let optimizer = self.experiment.train.optimizer;
        for (name, slot) in self.network.slots() {
            restore_slot(state, &name, slot, &optimizer)?;
        }
        let counter = |name| state.scalar::<i64>(name).map(|value| value as u64);
        self.step = counter("step")?;
        self.epoch = counter("epoch")?;
        self.position = counter("position")? as usize;
        self.experiment.train.seed = counter("seed")?;
        self.batches.reseed(self.experiment.train.seed);
        if let Some(pruner) = &mut self.pruner {
            pruner.reseed(self.experiment.train.seed);
            pruner.restore(state, &mut self.network)?;
        }
        let cost = state.metadata(COST).and_then(|text| serde_json::from_str::<Ledger>(text).ok());
        if let Some(cost) = cost.filter(|cost| cost.same_layers(&self.training)) {
            self.training = cost;
        }
        Ok(())
    }
}

fn restore_slot(
    state: &State,
    name: &str,
    slot: Slot<'_>,
    optimizer: &Optimizer,
) -> Result<(), CheckpointError> {
    match slot {
        Slot::Parameter(parameter) => {
            state.copy_into(name, &mut parameter.value)?;
            for (moment, kind) in parameter.moments.iter_mut().zip(optimizer.moments()) {
                state.copy_into(&format!("{name}.{kind}"), moment)?;
            }
        }
        Slot::Buffer(buffer) => state.copy_into(name, &mut buffer.value)?,
        Slot::Mask { shape, mask, .. } => {
            *mask = None;
            if state.tensor(name).is_some() {
                let mut saved = Array2::default(shape);
                state.copy_into(name, &mut saved)?;
                *mask = Some(saved.mapv(|kept: u8| kept != 0));
            }
        }
    }
    Ok(())
}
