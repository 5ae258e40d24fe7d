//! The programs that build a model, and their versions.

use super::command::{CXX, VERILATOR, run};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use tandem_spec::EngineError;

/// The oldest Verilator that builds models, as major and minor number: 5.006.
pub const OLDEST_VERILATOR: (u32, u32) = (5, 6);

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
    /// What `verilator --version` prints, with the version of its headers if that has no number.
    pub verilator_version: String,
    /// First line of what the C++ compiler prints for `--version`.
    pub cxx_version: String,
}

impl Tools {
    /// Asks both programs for their versions.
    ///
    /// # Errors
    /// [`EngineError::Tool`] if one is missing or fails, or Verilator is older than [`OLDEST_VERILATOR`].
    pub fn find(programs: Programs) -> Result<Tools, EngineError> {
        let mut tools = Tools::find_verilator(programs)?;
        tools.cxx_version = first_line(run(CXX, tools.cxx().arg("--version"))?.stdout);
        Ok(tools)
    }

    /// Asks Verilator only; the other version stays empty.
    ///
    /// # Errors
    /// As [`Tools::find`].
    pub fn find_verilator(programs: Programs) -> Result<Tools, EngineError> {
        let mut tools = Tools { programs, verilator_version: String::new(), cxx_version: String::new() };
        tools.verilator_version = tools.ask_verilator()?;
        if let Some(number) = tools.verilator_number().filter(|n| *n < OLDEST_VERILATOR) {
            let what = format!(
                "version {} is too old: expected {} or a newer one; {}",
                version_text(number),
                version_text(OLDEST_VERILATOR),
                VERILATOR.install
            );
            return Err(EngineError::Tool { tool: VERILATOR.name.into(), what });
        }
        Ok(tools)
    }

    /// Major and minor number of Verilator, if it tells them.
    pub fn verilator_number(&self) -> Option<(u32, u32)> {
        number(&self.verilator_version)
    }

    /// A build from a source archive leaves the number out of what it prints, but not out of its headers.
    fn ask_verilator(&self) -> Result<String, EngineError> {
        let said = first_line(run(VERILATOR, self.verilator().arg("--version"))?.stdout);
        if number(&said).is_some() {
            return Ok(said);
        }
        let header = self.include().ok().map(|dir| dir.join("verilated_config.h"));
        let header = header.and_then(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
        Ok(match version_of_header(&header) {
            Some(version) => format!("Verilator {version} {said}").trim_end().to_owned(),
            None => said,
        })
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

fn first_line(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).lines().next().unwrap_or_default().trim().to_string()
}

/// As Verilator writes it: 5.006.
pub fn version_text((major, minor): (u32, u32)) -> String {
    format!("{major}.{minor:03}")
}

/// The first number `MAJOR.MINOR` in `Verilator 5.006 2023-01-22 …`.
fn number(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.strip_prefix("Verilator ")?.split_whitespace().next()?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The string that `verilated_config.h` defines as `VERILATOR_VERSION`.
fn version_of_header(header: &str) -> Option<&str> {
    let line = header.lines().find_map(|l| l.trim().strip_prefix("#define VERILATOR_VERSION "))?;
    Some(line.trim().trim_matches('"')).filter(|v| !v.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_either_place() {
        assert_eq!(number("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)"), Some(OLDEST_VERILATOR));
        assert_eq!(number("Verilator 5.49 rev vUNKNOWN-built20260516"), Some((5, 49)));
        assert_eq!(number("Verilator 4.228 2022-10-01"), Some((4, 228)));
        assert_eq!((number(""), number("rev vUNKNOWN")), (None, None));
        assert_eq!(version_text(OLDEST_VERILATOR), "5.006");
        let header = "#define VERILATOR_PRODUCT \"Verilator\"\n#define VERILATOR_VERSION \"5.49\"\n#define VERILATOR_VERSION_INTEGER \n";
        assert_eq!(version_of_header(header), Some("5.49"));
        assert_eq!(version_of_header("#define VERILATOR_VERSION_INTEGER 5"), None);
    }
}
