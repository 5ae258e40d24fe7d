//! The state of a run: to a file, from a file, to a digest.

use super::{History, TrainError, Trainer, finite};
use crate::backend::ledger::Ledger;
use crate::checkpoint::{CheckpointError, State};
use crate::optim::Optimizer;
use crate::tensor::{Mask, Slot, keep};
use crate::train::identity::Identity;
use ndarray::Array2;
use std::path::Path;
use std::sync::OnceLock;

/// Metadata key under which a checkpoint keeps the text of its experiment.
pub const EXPERIMENT: &str = "experiment";
/// Key of the costs of training so far.
const COST: &str = "training_cost";

impl Trainer {
    /// All that decides the next step, the history, the experiment's text, and what it was made from.
    pub fn state(&mut self) -> State {
        let mut state = self.weights_state();
        if let Some(pruner) = &self.pruner {
            pruner.save(&mut state);
        }
        state.set_network(&self.network.plan().fingerprint());
        state.set_metadata(EXPERIMENT, self.experiment.source());
        let cost = serde_json::to_string(&self.training).expect("counters are plain data");
        state.set_metadata(COST, &cost);
        self.history.save(&mut state);
        self.identity().save(&mut state);
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
                Slot::Statistic(buffer) | Slot::Buffer(buffer) => state.insert_array(&name, &buffer.value),
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

    /// SHA-256 over the tensors of [`state`](Self::state), without those of pruning other than masks and
    /// without the history: what "the same weights" means.
    pub fn digest(&mut self) -> String {
        self.weights_state().digest()
    }

    /// Writes the state, atomically.
    ///
    /// # Errors   the file cannot be written, or a value is not a finite number: what was there before stays
    pub fn save(&mut self, path: &Path) -> Result<(), TrainError> {
        self.check_finite()?;
        Ok(self.state().save(path)?)
    }

    /// What the run is made from.
    pub fn identity(&self) -> &Identity {
        self.identity.get_or_init(|| {
            let identity = Identity::new(&self.experiment, &self.accelerator, self.data.digest());
            Identity { initial: self.initial.clone(), ..identity }
        })
    }

    /// Makes an accelerator, by its TOML text, part of the [identity](Self::identity).
    ///
    /// # Panics   if it is not TOML
    pub fn set_accelerator(&mut self, toml: &str) {
        self.accelerator = toml.to_owned();
        self.identity = OnceLock::new();
    }

    /// Starts a run that has not begun from the weights of a saved one, whatever it was trained by: parameters, those that a mask drops as 0,
    /// and statistics of batch normalization. Quantizers, masks and moments begin anew: they belong to how it is trained.
    ///
    /// # Errors   a tensor is missing, or has another shape, or values that are not finite numbers; the run must not be used then
    /// # Panics   if steps were taken
    pub fn start_from(&mut self, state: &State) -> Result<(), CheckpointError> {
        assert_eq!(self.step, 0, "a run that has not begun");
        finite::check(state)?;
        let mut slots = self.network.slots();
        for (name, slot) in &mut slots {
            match slot {
                Slot::Parameter(parameter) if parameter.floor.is_none() => {
                    state.copy_into(name, &mut parameter.value)?;
                    if let Some(mask) = saved_mask(state, &format!("{name}_mask"), parameter.value.dim())? {
                        keep(&mut parameter.value, &mask);
                    }
                }
                Slot::Statistic(buffer) => state.copy_into(name, &mut buffer.value)?,
                Slot::Parameter(_) | Slot::Buffer(_) | Slot::Mask { .. } => {}
            }
        }
        drop(slots);
        self.initial = Some(self.digest());
        self.identity = OnceLock::new();
        Ok(())
    }

    /// Digest of the weights that the run started from, if they were another's.
    pub fn initial(&self) -> Option<&str> {
        self.initial.as_deref()
    }

    /// Goes on with a run: continues from a saved state that was made from the same.
    ///
    /// # Errors   as [`load`](Self::load), or the state was made from something else ([`Identity::check`])
    pub fn resume(&mut self, path: &Path) -> Result<(), TrainError> {
        let state = State::load(path)?;
        let same = Identity::saved(&state).and_then(|saved| self.identity().check(&saved));
        same.map_err(|difference| TrainError::Identity { file: path.to_owned(), difference })?;
        self.restore(&state)?;
        Ok(self.check_counters(&state)?)
    }

    /// Takes a saved state, whatever it was made from, as long as the network is the same: the seed becomes the saved one.
    /// To train on, rather than to evaluate, [`resume`](Self::resume).
    ///
    /// # Errors   the file cannot be read, or the state belongs to another network or optimiser, or has counts that no run
    /// has or values that are not finite numbers; the run must not be used then
    pub fn load(&mut self, path: &Path) -> Result<(), TrainError> {
        Ok(self.restore(&State::load(path)?)?)
    }

    /// Continues from a state, as [`load`](Self::load).
    ///
    /// # Errors   as [`load`](Self::load)
    pub fn restore(&mut self, state: &State) -> Result<(), CheckpointError> {
        state.expect_network(&self.network.plan().fingerprint())?;
        finite::check(state)?;
        self.restore_counters(state)?;
        let optimizer = self.experiment.train.optimizer;
        for (name, slot) in self.network.slots() {
            restore_slot(state, &name, slot, &optimizer)?;
        }
        self.batches.reseed(self.experiment.train.seed);
        if let Some(pruner) = &mut self.pruner {
            pruner.reseed(self.experiment.train.seed);
            pruner.restore(state, &mut self.network)?;
        }
        let cost = state.metadata(COST).and_then(|text| serde_json::from_str::<Ledger>(text).ok());
        if let Some(cost) = cost.filter(|cost| cost.same_layers(&self.training)) {
            self.training = cost;
        }
        self.history = History::restore(state, self.epoch, self.position)?;
        self.initial = Identity::saved(state).ok().and_then(|saved| saved.initial);
        self.identity = OnceLock::new();
        Ok(())
    }

    /// # Errors   counters that no run has
    fn restore_counters(&mut self, state: &State) -> Result<(), CheckpointError> {
        let [step, epoch, position, seed] =
            ["step", "epoch", "position", "seed"].map(|name| state.count(name));
        let (step, epoch, position, seed) = (step?, epoch?, position?, seed?);
        let (epochs, images) = (self.experiment.train.epochs, self.batches.images() as u64);
        let invalid = |name, value: u64, expected| Err(state.invalid(name, value as i64, expected));
        if epoch > epochs {
            return invalid("epoch", epoch, format!("at most {epochs}, the epochs of the run"));
        }
        if position >= images {
            return invalid("position", position, format!("less than the {images} images of an epoch"));
        }
        (self.step, self.epoch, self.position) = (step, epoch, position as usize);
        self.experiment.train.seed = seed;
        Ok(())
    }

    /// # Errors   counters that no run of this experiment has
    fn check_counters(&self, state: &State) -> Result<(), CheckpointError> {
        let (position, batch) = (self.position as u64, self.experiment.data.batch as u64);
        let invalid = |name, value: u64, expected| Err(state.invalid(name, value as i64, expected));
        if position >= self.images_per_epoch() || !position.is_multiple_of(batch) {
            let most = self.images_per_epoch() - batch;
            return invalid("position", position, format!("a multiple of {batch} from 0 to {most}"));
        }
        let steps = self.epoch * self.steps_per_epoch() + position / batch;
        if self.step != steps {
            let expected = format!("{steps}, those of {} epochs and {position} images", self.epoch);
            return invalid("step", self.step, expected);
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
        Slot::Statistic(buffer) | Slot::Buffer(buffer) => state.copy_into(name, &mut buffer.value)?,
        Slot::Mask { shape, mask, .. } => {
            *mask = saved_mask(state, name, shape)?;
        }
    }
    Ok(())
}

fn saved_mask(state: &State, name: &str, shape: (usize, usize)) -> Result<Option<Mask>, CheckpointError> {
    if state.tensor(name).is_none() {
        return Ok(None);
    }
    let mut saved = Array2::default(shape);
    state.copy_into(name, &mut saved)?;
    Ok(Some(saved.mapv(|kept: u8| kept != 0)))
}
