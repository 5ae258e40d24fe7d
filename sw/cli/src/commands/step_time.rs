//! How long a training step takes on a board, before it is taken.

use super::train::trainer;
use crate::engines::EngineKind;
use anyhow::Result;
use std::path::Path;
use tandem_link::prediction;
use tandem_nn::train::Trainer;
use tandem_spec::Config;

/// What a step takes on the line.
pub struct StepTime {
    /// Link words in both directions.
    words: u64,
    /// Bytes of one.
    bytes: usize,
    /// The line's rate.
    baud: u32,
    /// See [`prediction::seconds`].
    pub seconds: f64,
}

impl StepTime {
    /// From the link words of one step on the twin, taken from the checkpoint at which the run begins. None without a board, or
    /// if there is nothing left to do.
    pub fn predict(
        t: &Trainer,
        engine: &EngineKind,
        data: Option<&Path>,
        config: &Config,
        checkpoint: &Path,
    ) -> Result<Option<Self>> {
        let Some(carried) = engine.carried().filter(|_| !t.is_finished()) else { return Ok(None) };
        let mut twin = trainer(t.experiment().clone(), config, &EngineKind::Model, data, None)?;
        twin.load(checkpoint)?;
        let before = twin.training_cost().total().cost.link_words;
        twin.step()?;
        let words = twin.training_cost().total().cost.link_words - before;
        let (bytes, baud) = (config.link_bytes(), carried.baud);
        Ok(Some(StepTime { words, bytes, baud, seconds: prediction::seconds(words * bytes as u64, baud) }))
    }

    /// For people.
    pub fn text(&self) -> String {
        let StepTime { words, bytes, baud, seconds } = self;
        format!("about {seconds:.2} s a step: {words} link words of {bytes} bytes at {baud} baud")
    }
}
