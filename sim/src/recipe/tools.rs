//! The programs that build a model, and their versions.

use super::command::{CXX, VERILATOR, run};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use tandem_spec::EngineError;

/// Which programs to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// Verilator.
    pub verilator: PathBuf,
    /// The C++ compiler: program and first arguments.
    pub cxx: Vec<OsString>,
}

impl Default for Programs {
    /// `$VERILATOR` or `verilator`; `$CXX` (split at blanks) or `c++`.
    fn default() -> Self {
        let set = |name| std::env::var(name).ok().filter(|v| !v.trim().is_empty());
        Programs {
            verilator: set("VERILATOR").map_or_else(|| "verilator".into(), PathBuf::from),
            cxx: set("CXX").unwrap_or_else(|| "c++".into()).split_whitespace().map(OsString::from).collect(),
        }
    }
}

/// Programs that were found, with their versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tools {
    /// The programs.
    pub programs: Programs,
    /// What `verilator --version` prints.
    pub verilator_version: String,
    /// First line of what the C++ compiler prints for `--version`.
    pub cxx_version: String,
}

impl Tools {
    /// Asks both programs for their versions.
    ///
    /// # Errors
    /// [`EngineError::Tool`] if one is missing or fails.
    pub fn find(programs: Programs) -> Result<Tools, EngineError> {
        let first_line = |bytes: Vec<u8>| {
            String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().trim().to_string()
        };
        let mut tools = Tools { programs, verilator_version: String::new(), cxx_version: String::new() };
        tools.verilator_version = first_line(run(VERILATOR, tools.verilator().arg("--version"))?.stdout);
        tools.cxx_version = first_line(run(CXX, tools.cxx().arg("--version"))?.stdout);
        Ok(tools)
    }

    /// A command that runs Verilator.
    pub fn verilator(&self) -> Command {
        Command::new(&self.programs.verilator)
    }

    /// A command that runs the C++ compiler.
    pub fn cxx(&self) -> Command {
        let (program, arguments) = self.programs.cxx.split_first().expect("a program");
        let mut c = Command::new(program);
        c.args(arguments);
        c
    }

    /// The folder of Verilator's headers and run-time sources.
    ///
    /// # Errors
    /// [`EngineError::Tool`].
    pub fn include(&self) -> Result<PathBuf, EngineError> {
        let root = run(VERILATOR, self.verilator().args(["--getenv", "VERILATOR_ROOT"]))?.stdout;
        Ok(PathBuf::from(String::from_utf8_lossy(&root).trim()).join("include"))
    }
}
