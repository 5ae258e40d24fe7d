//! What masks really keep.

use super::pruner::Pruner;
use crate::network::Network;
use serde::Serialize;

/// The mask of one layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PruningReport {
    /// The layer.
    pub layer: String,
    /// "dense", "unstructured", "bins", or a pattern such as "transposable 1:4".
    pub pattern: String,
    /// Weights that are kept.
    pub kept: usize,
    /// All weights.
    pub weights: usize,
    /// Their share.
    pub density: f64,
}

/// The masks of all layers with weights, first to last.
pub fn report(network: &mut Network, pruner: Option<&Pruner>) -> Vec<PruningReport> {
    let prunables = network.prunables();
    let line = |(tensor, (name, prunable)): (usize, &(&str, &mut dyn crate::layers::prunable::Prunable))| {
        let groups = prunable.groups();
        let weights = groups.contraction() * groups.outputs;
        let kept = prunable.mask().map_or(weights, |mask| mask.iter().filter(|kept| **kept).count());
        let pattern = pruner.and_then(|pruner| {
            let place = pruner.layers().iter().position(|layer| layer.tensor == tensor)?;
            Some((pruner.layers()[place].structure, pruner.patterns()[place]))
        });
        let pattern = match (prunable.mask(), pattern) {
            (None, _) => "dense".to_owned(),
            (Some(_), None) => "unstructured".to_owned(),
            (Some(_), Some((structure, None))) => structure.to_string(),
            (Some(_), Some((_, Some(pattern)))) => pattern.to_string(),
        };
        let density = kept as f64 / weights as f64;
        PruningReport { layer: (*name).to_owned(), pattern, kept, weights, density }
    };
    prunables.iter().enumerate().map(line).collect()
}
