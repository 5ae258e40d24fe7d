//! Runs one tool, telling its lines as they come.

use crate::error::SynthError;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

/// Lines that an error keeps.
const TAIL: usize = 20;

/// What a tool printed, whether it succeeded or not.
pub struct Output {
    /// All lines, standard output and standard error as they came.
    pub lines: Vec<String>,
    /// Success.
    pub ok: bool,
    status: String,
    command: String,
}

impl Output {
    /// # Errors
    /// [`SynthError::Failed`] unless the tool succeeded.
    pub fn success(self) -> Result<Vec<String>, SynthError> {
        if self.ok {
            return Ok(self.lines);
        }
        let from = self.lines.len().saturating_sub(TAIL);
        let tail = self.lines[from..].join("\n");
        Err(SynthError::Failed { command: self.command, status: self.status, tail })
    }
}

/// Runs `command` in `dir`; `line` gets every line that it prints.
///
/// # Errors
/// [`SynthError::Missing`] if it cannot be started, [`SynthError::Io`].
pub fn run(command: &mut Command, dir: &Path, line: &mut dyn FnMut(&str)) -> Result<Output, SynthError> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().display().to_string();
    let words = std::iter::once(name.clone())
        .chain(command.get_args().map(|a| a.to_string_lossy().into_owned()).filter(|a| !a.contains('\n')));
    let text = words.collect::<Vec<_>>().join(" ");
    let (reader, writer) = std::io::pipe().map_err(|e| SynthError::io(dir, e))?;
    let copy = writer.try_clone().map_err(|e| SynthError::io(dir, e))?;
    command.current_dir(dir).stdin(Stdio::null()).stdout(writer).stderr(copy);
    let mut child = command.spawn().map_err(|_| SynthError::Missing { tool: name })?;
    // our ends of the pipe, or its end is never seen
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut lines = vec![];
    let read = each_line(reader, |l| {
        line(l);
        lines.push(l.to_owned());
    });
    let status = child.wait().map_err(|e| SynthError::io(dir, e))?;
    read.map_err(|e| SynthError::io(dir, e))?;
    Ok(Output { lines, ok: status.success(), status: status.to_string(), command: text })
}

fn each_line(from: impl Read, mut f: impl FnMut(&str)) -> std::io::Result<()> {
    let (mut reader, mut bytes) = (BufReader::new(from), vec![]);
    while reader.read_until(b'\n', &mut bytes)? > 0 {
        f(String::from_utf8_lossy(&bytes).trim_end());
        bytes.clear();
    }
    Ok(())
}
