//! What a run needs of its pruning to go on: frozen scores, patterns, passes.
//!
//! It is saved beside the weights, but is no part of their digest.

use super::pattern::Structure;
use super::plan::PrunedLayer;
use super::pruner::Pruner;
use super::rank::Scores;
use super::scores::{Passes, ScoringPasses};
use crate::checkpoint::{CheckpointError, State};
use crate::network::Network;
use ndarray::Array2;

/// N of each layer's pattern, 0 without one; there once pruning has started.
const LEVELS: &str = "pruning.levels";
/// Forward and backward passes of batches and of single inputs.
const PASSES: &str = "pruning.passes";

/// Names of the frozen ranks and shares of a layer.
fn names(layer: &PrunedLayer) -> [String; 2] {
    ["rank", "share"].map(|scale| format!("pruning.{}.{scale}", layer.name))
}

impl Pruner {
    /// Adds its state.
    pub fn save(&self, state: &mut State) {
        if !self.started {
            return;
        }
        let levels: Vec<i64> = self.patterns().iter().map(|p| p.map_or(0, |p| p.n as i64)).collect();
        state.insert(LEVELS, &[levels.len()], &levels);
        let ScoringPasses { batches, single } = self.passes;
        let passes = [batches.forward, batches.backward, single.forward, single.backward];
        state.insert(PASSES, &[4], &passes.map(|count| count as i64));
        let Some(Scores { ranks, shares }) = &self.frozen else { return };
        for ((layer, ranks), shares) in self.layers.iter().zip(ranks).zip(shares) {
            let [rank, share] = names(layer);
            state.insert_array(&rank, ranks);
            state.insert_array(&share, shares);
        }
    }

    /// Goes on from a state, whose masks the network has already.
    ///
    /// # Errors   the state is of another pruning
    pub fn restore(&mut self, state: &State, network: &mut Network) -> Result<(), CheckpointError> {
        self.started = state.tensor(LEVELS).is_some();
        self.frozen = None;
        self.patterns.fill(None);
        self.passes = ScoringPasses::default();
        if !self.started {
            return Ok(());
        }
        let levels: Vec<i64> = state.get(LEVELS, &[self.layers.len()])?;
        let passes: Vec<i64> = state.get(PASSES, &[4])?;
        if let Some(&count) = passes.iter().chain(&levels).find(|count| **count < 0) {
            return Err(state.invalid(PASSES, count, "0 or more, as in `pruning.levels`".to_owned()));
        }
        let pair = |i: usize| Passes { forward: passes[i] as u64, backward: passes[i + 1] as u64 };
        self.passes = ScoringPasses { batches: pair(0), single: pair(2) };
        if self.layers.iter().any(|layer| state.tensor(&names(layer)[0]).is_some()) {
            let mut frozen = Scores { ranks: Vec::new(), shares: Vec::new() };
            for layer in &self.layers {
                let [rank, share] = names(layer);
                for (name, scores) in [(rank, &mut frozen.ranks), (share, &mut frozen.shares)] {
                    let mut saved = Array2::zeros((layer.groups.contraction(), layer.groups.outputs));
                    state.copy_into(&name, &mut saved)?;
                    scores.push(saved);
                }
            }
            self.frozen = Some(frozen);
        }
        let mut prunables = network.prunables();
        for ((layer, &n), pattern) in self.layers.iter().zip(&levels).zip(&mut self.patterns) {
            if let (1.., Structure::Grouped { m, .. }) = (n, layer.structure) {
                *pattern = layer.structure.pattern((n as usize).min(m));
            }
            let prunable = &mut prunables[layer.tensor].1;
            let mask = prunable.mask().cloned();
            prunable.set_mask(mask, *pattern);
        }
        Ok(())
    }
}
