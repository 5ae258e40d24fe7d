//! What a run tells while it runs.

use std::time::Duration;

/// One training step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepReport {
    /// Epoch it belongs to, from 0.
    pub epoch: u64,
    /// Steps taken, this one included.
    pub step: u64,
    /// Steps in an epoch.
    pub steps_per_epoch: u64,
    /// Epochs of the run.
    pub epochs: u64,
    /// Learning rate.
    pub lr: f64,
    /// Mean loss of the batch, before the update.
    pub loss: f64,
    /// Accuracy on the batch, before the update, 0 to 1.
    pub accuracy: f64,
    /// Images in the batch.
    pub images: usize,
    /// Wall-clock time of the step.
    pub wall: Duration,
    /// The part of it in which the step waited for its images.
    pub wait: Duration,
    /// Accelerator cycles of training so far.
    pub cycles: u64,
}

/// One epoch, interruptions aside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochReport {
    /// The epoch, from 0.
    pub epoch: u64,
    /// Mean loss over the steps.
    pub loss: f64,
    /// Mean accuracy over the steps, 0 to 1.
    pub accuracy: f64,
    /// Images trained on.
    pub images: usize,
    /// Images a second.
    pub images_per_s: f64,
    /// Share of the time in which steps waited for their images, 0 to 1.
    pub data_wait: f64,
}

/// An evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Images evaluated.
    pub images: usize,
    /// Mean loss.
    pub loss: f64,
    /// Share of images with the right answer, 0 to 1.
    pub accuracy: f64,
    /// Wall-clock time.
    pub wall: Duration,
}

/// Watches a run. `()` watches nothing.
pub trait Observer {
    /// After each step.
    fn step(&mut self, _: &StepReport) {}

    /// After each batch of an evaluation: images done, of how many.
    fn evaluation(&mut self, _done: usize, _images: usize) {}
}

impl Observer for () {}
