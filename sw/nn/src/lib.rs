//! Trains low-bit neural networks whose matrix products run on a generated accelerator.
//!
//! ```text
//! experiment.toml ─► Experiment ─► NetworkPlan ─► Network ─┐
//!                      config      network::plan   network  ├─► Trainer ─► Device (driver)
//! data set ─► Dataset ──────────────────────────────────────┘    train     or the float reference
//!
//! tensor, random, number, digest ─► backend ─► quant, spectral ─► layers ─► network ─► prune ─► config ─► train
//!                                                                  checkpoint, optim, data ─────────────┘
//! ```
//!
//! Modules import from the left only.
//!
//! Every layer with weights hands its three products (forward, input gradient, weight gradient) to the
//! device as integers; the rest is f32 on the host. All of it is a function of experiment, data and
//! seed: the same bits for every exact device and every number of threads.
//!
//! ```
//! use std::sync::{Arc, atomic::AtomicBool};
//! use tandem_nn::{config::{Document, Experiment}, data, backend::Backend, train::{Part, Trainer}};
//!
//! let text = r#"
//!     name = "tiny"
//!     data = { set = "digits", batch = 32 }
//!     train = { epochs = 2, optimizer = "sgd", lr = 0.05, schedule = "cosine" }
//!     bits = { weights = 4, activations = 4, gradients = 8 }
//!     layer = [{ type = "flatten" }, { type = "linear", outputs = 10 }]
//! "#;
//! let experiment = Experiment::parse(Document::new("tiny.toml", text))?;
//! let digits = Arc::new(data::load("digits", None)?);
//! let mut trainer = Trainer::new(experiment, digits, Backend::Float)?;
//! let stop = AtomicBool::new(false);
//! while !trainer.is_finished() {
//!     trainer.epoch(&mut (), &stop)?;
//! }
//! let test = trainer.evaluate(Part::Test, &mut (), &stop)?.expect("nobody stopped it");
//! assert!(test.accuracy > 0.85);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod backend;
pub mod checkpoint;
pub mod choice;
pub mod config;
pub mod data;
pub mod digest;
pub mod layers;
pub mod network;
pub mod number;
pub mod optim;
pub mod prune;
pub mod quant;
pub mod random;
pub mod spectral;
pub mod tensor;
pub mod train;
