//! Networks, layers, quantizers and pruning, by their public interface.

mod common;

mod checkpoint;
mod cnn;
mod gradients;
mod identity;
mod initial;
mod interrupted;
mod learning;
mod philox;
mod products;
mod prune_budget;
mod prune_config;
mod prune_energy;
mod prune_scores;
mod prune_special_cases;
mod prune_spectral;
mod pruning;
mod quantizers;
mod reproducible;
mod spectral;
