//! Runs a tool and says what went wrong.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use tandem_spec::EngineError;

/// Lines of a tool's messages that an error keeps.
const TAIL_LINES: usize = 20;

/// A tool in an error message: its name and what to do if it is missing.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// Name.
    pub name: &'static str,
    /// How to install it, or how to name another one.
    pub install: &'static str,
}

/// Verilator.
pub const VERILATOR: Tool = Tool {
    name: "verilator",
    install: "install it (Debian, Ubuntu: apt-get install verilator; macOS: brew install verilator) \
              or set VERILATOR to its path",
};

/// The C++ compiler.
pub const CXX: Tool = Tool {
    name: "C++ compiler",
    install: "install one (Debian, Ubuntu: apt-get install g++; macOS: xcode-select --install) \
              or set CXX to its path",
};

/// Runs `command` to its end.
///
/// # Errors
/// [`EngineError::Tool`]: missing (with what to install), or failed (command, exit code, tail of its messages).
pub fn run(tool: Tool, command: &mut Command) -> Result<Output, EngineError> {
    let error = |what: String| EngineError::Tool { tool: tool.name.into(), what };
    let output = command.stdin(Stdio::null()).output().map_err(|e| {
        let program = command.get_program().display();
        // a working directory that is missing gives the same code: it is ours, so that is our bug
        error(match e.kind() {
            ErrorKind::NotFound => format!("`{program}` was not found; {}", tool.install),
            _ => format!("cannot run `{program}`: {e}"),
        })
    })?;
    if output.status.success() {
        return Ok(output);
    }
    let how = match output.status.code() {
        Some(code) => format!("failed with exit code {code}"),
        None => format!("was ended: {}", output.status),
    };
    Err(error(format!("`{}` {how}\n{}", shell_line(command), tail(&output))))
}

/// An error of reading or writing `path`.
pub fn io_error(path: &Path, source: std::io::Error) -> EngineError {
    EngineError::Io { file: path.display().to_string(), source }
}

/// [`std::fs::write`] with the file in its error.
///
/// # Errors
/// [`EngineError::Io`].
pub fn write(path: &Path, content: &str) -> Result<(), EngineError> {
    std::fs::write(path, content).map_err(|e| io_error(path, e))
}

/// [`std::fs::create_dir_all`] with the folder in its error.
///
/// # Errors
/// [`EngineError::Io`].
pub fn create_dir(path: &Path) -> Result<(), EngineError> {
    std::fs::create_dir_all(path).map_err(|e| io_error(path, e))
}

fn shell_line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let quoted = words.map(|w| {
        let w = w.to_string_lossy();
        if w.contains(char::is_whitespace) { format!("'{w}'") } else { w.into_owned() }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

fn tail(output: &Output) -> String {
    let text = if output.stderr.trim_ascii().is_empty() { &output.stdout } else { &output.stderr };
    let text = String::from_utf8_lossy(text);
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(command: &mut Command) -> String {
        run(CXX, command).unwrap_err().to_string()
    }

    #[test]
    fn a_missing_tool_says_how_to_get_it() {
        let m = message(&mut Command::new("/nowhere/c++"));
        assert!(m.contains("`/nowhere/c++` was not found; install one"), "{m}");
    }

    #[test]
    fn a_failing_tool_shows_command_code_and_the_end_of_its_messages() {
        let script = "for i in $(seq 100); do echo line$i >&2; done; exit 7";
        let m = message(Command::new("sh").args(["-c", script]));
        assert!(m.contains("`sh -c 'for i"), "{m}");
        assert!(m.contains("failed with exit code 7\nline81\n") && m.ends_with("line100"), "{m}");
        let m = message(Command::new("sh").args(["-c", "kill -9 $$"]));
        assert!(m.contains("was ended: signal: 9"), "{m}");
    }
}
