//! What several crates make together, by the command line or by the library: a suite a file.

#[path = "../common/mod.rs"]
mod common;

mod codebooks;
mod command_line;
mod convolutions;
mod cycles_only;
mod engines_agree;
mod environment;
mod estimate;
mod faults;
mod hazards;
mod interrupted;
mod kept;
mod limits;
mod link;
mod lint;
mod malformed;
mod outputs;
mod pages;
mod products;
mod pruning;
mod quantize;
mod report;
mod settings;
mod smoothing;
mod spectral;
mod sweep;
mod training;
mod transforms;
