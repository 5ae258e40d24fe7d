//! The engine `sim`: the accelerator's Verilog, simulated cycle by cycle with Verilator.
//!
//! ```text
//! Config ─► tandem-rtl ─► Verilog ─┬─ default.toml: build.rs ─► static library ─┐
//!                                  └─ any other: once, into the cache ─► .so ───┴─► Sim ─► Outcome
//! ```
//! ```no_run
//! use tandem_sim::{Sim, SimOptions};
//! use tandem_spec::{Config, Engine, Instruction, RunOptions, Status, Stream, Tokens};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::from_file("configs/accelerators/default.toml".as_ref())?;
//! let mut sim = Sim::new(&config, &SimOptions::default())?;
//! let mut stream = Stream::new(&config);
//! stream.push(&Instruction::Read(Tokens::default()));
//! let outcome = sim.run(&stream, &RunOptions::default())?;
//! assert_eq!(outcome.status, Status::Idle);
//! println!("{:?} after {} cycles", outcome.packets[0].counters(), sim.cycles());
//! # Ok(())
//! # }
//! ```
//!
//! # The ports
//! The harness knows nothing of the accelerator but its top-level ports, all unsigned, with n = link /
//! 32 lanes of 32 bits (one lane of the link's width if that is 8 or 16):
//!
//! | input | | output | |
//! |---|---|---|---|
//! | `clock` | no reset: registers have initial values | `in_ready` | the offered word passes, unless `in_first && in_closed` |
//! | `in_valid`, `in_first` | a word is offered, an instruction starts | `in_closed` | a word with `in_first` does not pass |
//! | `in_data_0` … | the word | `out_valid`, `out_data_0` … | a word is offered |
//! | `out_ready` | it is taken | `status_waiting` | the front end would take a word |
//! | | | `status_boundary` | … and is not inside an instruction or payload |
//! | | | `status_failed` | words are dropped until a RESET |
//! | | | `status_quiet` | compute engine, drain and store engine are stuck or idle, no output word is offered |
//! | | | `status_compute_pending`, `status_store_pending` | a queue is not empty |
//! | | | `status_load_number`, `status_compute_number`, `status_store_number` | instruction in the front end, at the queues' heads |
//!
//! All outputs are functions of registers. A run ends when all words have passed and `status_waiting &&
//! status_quiet`; [`tandem_spec::Status`] then follows from the other ports.
//!
//! # Speed
//! One call into C++ runs a whole stream, with one eval a cycle (`recipe/clock.rs` says how that is
//! exact). [`Sim::raw_cycles`] is the bare loop to compare with.
//!
//! # Boards
//! [`board`] simulates an accelerator behind its serial link, pin by pin, on a pseudo-terminal.
//!
//! # Environment
//! `TANDEM_CACHE` (folder of the cache), `VERILATOR` and `CXX` (programs): docs/environment.md.

#![deny(clippy::undocumented_unsafe_blocks)]

#[cfg(unix)]
pub mod board;
mod default_model;
mod ffi;
mod library;
mod options;
mod recipe;
mod sim;
mod whole;

pub use options::{Progress, SimOptions};
pub use recipe::design::Waveform;
pub use recipe::{BuildStep, Design, Interface, OLDEST_VERILATOR, Programs, Tools, version_text};
pub use sim::Sim;
