//! Verilog → Verilator → object files: one recipe for `build.rs` and for the run-time cache.
//!
//! ```text
//! Design ─► verilate ─► C++ + ports.h + model.h + shim.cpp or pins.cpp ─► compile ─► objects ─► static library (build.rs)
//!    └► key                                                                    └──► shared library (cache)
//! ```
//! `build.rs` includes this folder by path, so it uses nothing else of the crate.

pub mod clock;
pub mod command;
pub mod compile;
pub mod design;
pub mod tools;
pub mod verilate;

pub use design::{Design, Interface, Key};
pub use tools::{OLDEST_VERILATOR, Programs, Tools, version_text};

/// What a build is doing, for whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildStep {
    /// Another process or thread builds the same; waiting for it.
    Waiting,
    /// Verilator translates the design to C++.
    Verilating,
    /// The C++ compiler compiles so many files.
    Compiling {
        /// Translation units.
        files: usize,
    },
    /// The shared library is linked.
    Linking,
}

impl std::fmt::Display for BuildStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BuildStep::Waiting => f.write_str("waiting for another build of the same model"),
            BuildStep::Verilating => f.write_str("verilating"),
            BuildStep::Compiling { files } => write!(f, "compiling {files} C++ files"),
            BuildStep::Linking => f.write_str("linking"),
        }
    }
}

/// Told about each step of a build.
pub type Report<'a> = &'a (dyn Fn(BuildStep) + 'a);
