//! The bit-exact twin of the accelerator and its exact cycle model.
//!
//! ```text
//! words ─► [frontend] ─► instructions ─► [timing] who, when, registers
//!              │                            │ in the order of starting
//!              └─► [load] ─► [memory] ─► [units] gemm | fft ─► [memory] ─► [store] ─► packets
//! ```
//! One reading of `docs/accelerator.md`; the other one is the RTL. They share configuration and
//! instruction types, never arithmetic.
//!
//! ```
//! use tandem_model::{CycleModel, Twin};
//! use tandem_spec::engine::{Engine, Predict, RunOptions, Status};
//! use tandem_spec::{Config, Instruction, Stream, Tokens};
//!
//! let toml = "[array]\nrows = 2\ncols = 2\nlanes = 2\nrow_digit = 4\ncol_digit = 4\n\
//!             [memory]\nrow_depth = 8\ncol_depth = 8\nresult_depth = 8\n";
//! let config = Config::from_toml("tiny.toml", toml).unwrap();
//! let read = Instruction::Read(Tokens::default());
//! let mut stream = Stream::new(&config);
//! stream.push(&read);
//!
//! let outcome = Twin::new(&config).run(&stream, &RunOptions::default()).unwrap();
//! assert_eq!(outcome.status, Status::Idle);
//! let counters = outcome.packets[0].counters().unwrap();
//! assert_eq!(counters, CycleModel.predict(&config, &[read]));
//! assert_eq!(counters.total, 4); // word 0, CHECK 1, ISSUE 2, taken in cycle 3
//! ```

mod frontend;
pub mod hazard;
mod load;
mod memory;
mod store;
pub mod timing;
mod twin;
mod units;

pub use hazard::Hazard;
pub use timing::CycleModel;
pub use twin::Twin;
