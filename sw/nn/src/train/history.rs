//! What a run has done, epoch by epoch.
//!
//! It is saved with the weights, so that it is always the history of the weights beside it: a run that was interrupted
//! anywhere has the same history as one that was not, times aside. It is no part of the weights' digest.

use super::report::{EpochReport, Evaluation, StepReport};
use crate::checkpoint::{CheckpointError, State};
use std::time::Duration;

/// Loss and accuracy, both means, and images a second of each epoch.
const EPOCHS: &str = "history.epochs";
/// Images and accelerator cycles so far of each epoch.
const COUNTS: &str = "history.counts";
/// Whether each epoch was tested.
const TESTED: &str = "history.tested";
/// Test loss and accuracy of each epoch.
const TEST: &str = "history.test";
/// Sums of loss and accuracy over the running epoch's images, and its seconds.
const RUNNING: &str = "history.running";
/// Share of the time in which each epoch waited for images, and seconds of that in the running epoch.
const WAITS: &str = "history.waits";
/// The running epoch's images.
const IMAGES: &str = "history.images";

/// What the test set gave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tested {
    /// Mean loss.
    pub loss: f64,
    /// Share of images with the right answer, 0 to 1.
    pub accuracy: f64,
}

/// A finished epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochRecord {
    /// Its training.
    pub report: EpochReport,
    /// Accelerator cycles of training so far.
    pub cycles: u64,
    /// Its test, once there was one.
    pub test: Option<Tested>,
}

/// All finished epochs, and the running one.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    epochs: Vec<EpochRecord>,
    loss: f64,
    accuracy: f64,
    images: usize,
    wall: Duration,
    wait: Duration,
}

impl History {
    /// The finished epochs, first to last.
    pub fn epochs(&self) -> &[EpochRecord] {
        &self.epochs
    }

    /// Images of the running epoch that were trained on.
    pub fn running_images(&self) -> usize {
        self.images
    }

    /// Adds a step; `ends` if its epoch is finished.
    pub(super) fn add(&mut self, step: &StepReport, ends: bool) {
        self.loss += step.loss * step.images as f64;
        self.accuracy += step.accuracy * step.images as f64;
        self.images += step.images;
        self.wall += step.wall;
        self.wait += step.wait;
        if ends {
            let images = self.images as f64;
            // a clock may stand still
            let seconds = self.wall.as_secs_f64().max(1e-9);
            let report = EpochReport {
                epoch: step.epoch,
                loss: self.loss / images,
                accuracy: self.accuracy / images,
                images: self.images,
                images_per_s: images / seconds,
                data_wait: self.wait.as_secs_f64() / seconds,
            };
            let epochs = std::mem::take(&mut self.epochs);
            *self = History { epochs, ..History::default() };
            self.epochs.push(EpochRecord { report, cycles: step.cycles, test: None });
        }
    }

    /// Notes what the test set gives after the last finished epoch.
    pub(super) fn test(&mut self, test: &Evaluation) {
        if let Some(last) = self.epochs.last_mut() {
            last.test = Some(Tested { loss: test.loss, accuracy: test.accuracy });
        }
    }

    /// Adds it to a state.
    pub(super) fn save(&self, state: &mut State) {
        let n = self.epochs.len();
        let of = |f: &dyn Fn(&EpochRecord) -> Vec<f64>| self.epochs.iter().flat_map(f).collect::<Vec<_>>();
        let means = of(&|e| vec![e.report.loss, e.report.accuracy, e.report.images_per_s]);
        let tests = of(&|e| e.test.map_or(vec![0.0; 2], |t| vec![t.loss, t.accuracy]));
        let counts: Vec<i64> =
            self.epochs.iter().flat_map(|e| [e.report.images as i64, e.cycles as i64]).collect();
        let tested: Vec<u8> = self.epochs.iter().map(|e| e.test.is_some().into()).collect();
        state.insert(EPOCHS, &[n, 3], &means);
        state.insert(COUNTS, &[n, 2], &counts);
        state.insert(TEST, &[n, 2], &tests);
        state.insert(TESTED, &[n], &tested);
        state.insert(RUNNING, &[3], &[self.loss, self.accuracy, self.wall.as_secs_f64()]);
        let mut waits = of(&|e| vec![e.report.data_wait]);
        waits.push(self.wait.as_secs_f64());
        state.insert(WAITS, &[n + 1], &waits);
        state.insert(IMAGES, &[], &[self.images as i64]);
    }

    /// The history of a state with so many finished epochs and images of the running one; none in states that have none.
    ///
    /// # Errors   it is of other epochs or images, or a tensor has another type or shape
    pub(super) fn restore(state: &State, epochs: u64, position: usize) -> Result<Self, CheckpointError> {
        if state.tensor(EPOCHS).is_none() {
            return Ok(History::default());
        }
        let n = epochs as usize;
        let means: Vec<f64> = state.get(EPOCHS, &[n, 3])?;
        let counts = state.get::<i64>(COUNTS, &[n, 2])?;
        let tests: Vec<f64> = state.get(TEST, &[n, 2])?;
        let tested: Vec<u8> = state.get(TESTED, &[n])?;
        let running: Vec<f64> = state.get(RUNNING, &[3])?;
        // checkpoints from before there were waits have none
        let waits: Vec<f64> = match state.tensor(WAITS) {
            Some(_) => state.get(WAITS, &[n + 1])?,
            None => vec![0.0; n + 1],
        };
        let images = state.count(IMAGES)?;
        if images != position as u64 {
            return Err(state.invalid(IMAGES, images as i64, format!("{position}, the position")));
        }
        let epoch = |i: usize| EpochRecord {
            report: EpochReport {
                epoch: i as u64,
                loss: means[3 * i],
                accuracy: means[3 * i + 1],
                images: counts[2 * i] as usize,
                images_per_s: means[3 * i + 2],
                data_wait: waits[i],
            },
            cycles: counts[2 * i + 1] as u64,
            test: (tested[i] != 0).then(|| Tested { loss: tests[2 * i], accuracy: tests[2 * i + 1] }),
        };
        let seconds = |name, value| {
            Duration::try_from_secs_f64(value)
                .map_err(|_| state.invalid(name, value as i64, "seconds".to_owned()))
        };
        let (wall, wait) = (seconds(RUNNING, running[2])?, seconds(WAITS, waits[n])?);
        Ok(History {
            epochs: (0..n).map(epoch).collect(),
            loss: running[0],
            accuracy: running[1],
            images: position,
            wall,
            wait,
        })
    }
}
