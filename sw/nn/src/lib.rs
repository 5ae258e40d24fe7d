//! Trains low-bit neural networks whose matrix products run on a generated accelerator.
//!
//! ```text
//! experiment.toml ─► Experiment ─► NetworkPlan ─► Network ─┐
//!                      config        plan           layers  ├─► Trainer ─► Device (driver)
//! data set ─► Dataset ──────────────────────────────────────┘    train     or the float reference
//! ```
//!
//! Every layer with weights hands its three products (forward, input gradient, weight gradient) to the
//! device as integers; the rest is f32 on the host. All of it is a function of experiment, data and
//! seed: the same bits for every exact device and every number of threads.

pub mod blocks;
pub mod checkpoint;
pub mod config;
pub mod data;
pub mod digest;
pub mod engine;
pub mod gemm;
pub mod layers;
pub mod ledger;
pub mod loss;
pub mod network;
pub mod optim;
pub mod philox;
pub mod plan;
pub mod prunable;
pub mod quant;
pub mod random;
pub mod schedule;
pub mod tensor;
pub mod train;
