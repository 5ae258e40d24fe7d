//! Runs one tool, telling its lines as they come, and ends it with all that it started when the caller wishes to stop.

use crate::error::SynthError;
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::{BufRead, BufReader, PipeReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// Lines that an error keeps.
const TAIL: usize = 20;
/// How often the wish to stop is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// How long the group of a killed tool may take to end.
const LAST: Duration = Duration::from_secs(5);

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

/// Runs `command` in `dir`; `line` gets every line that it prints. Once `stop` is set, the command and every process of its
/// group are killed.
///
/// # Errors
/// [`SynthError::Missing`] if it cannot be started, [`SynthError::Stopped`], [`SynthError::Io`].
pub fn run(
    command: &mut Command,
    dir: &Path,
    stop: &AtomicBool,
    line: &mut dyn FnMut(&str),
) -> Result<Output, SynthError> {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().display().to_string();
    let words = std::iter::once(name.clone())
        .chain(command.get_args().map(|a| a.to_string_lossy().into_owned()).filter(|a| !a.contains('\n')));
    let text = words.collect::<Vec<_>>().join(" ");
    let fail = |e| SynthError::io(dir, e);
    let (reader, writer) = std::io::pipe().map_err(fail)?;
    let copy = writer.try_clone().map_err(fail)?;
    command.current_dir(dir).stdin(Stdio::null()).stdout(writer).stderr(copy).process_group(0);
    let mut child = command.spawn().map_err(|_| SynthError::Missing { tool: name })?;
    // our ends of the pipe, or its end is never seen
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let (sender, receiver) = channel();
    std::thread::spawn(move || each_line(reader, &sender));
    let mut lines = vec![];
    let status = watch(&mut child, &receiver, stop, &mut |l| {
        line(&l);
        lines.push(l);
    })
    .map_err(fail)?;
    match status {
        Some(status) => Ok(Output { lines, ok: status.success(), status: status.to_string(), command: text }),
        None => Err(SynthError::Stopped),
    }
}

/// The exit status of `child`, or none if it was stopped.
fn watch(
    child: &mut Child,
    lines: &Receiver<std::io::Result<String>>,
    stop: &AtomicBool,
    line: &mut dyn FnMut(String),
) -> std::io::Result<Option<ExitStatus>> {
    let mut read = Ok(());
    loop {
        if stop.load(Ordering::Relaxed) {
            // a group that has ended by itself needs no kill
            let _ = Pid::from_raw(child.id() as i32).map(|group| kill_process_group(group, Signal::KILL));
            child.wait()?;
            // whoever else wrote to the pipe is gone when it ends
            while lines.recv_timeout(LAST).is_ok() {}
            return Ok(None);
        }
        match lines.recv_timeout(LOOK) {
            Ok(Ok(text)) => line(text),
            Ok(Err(e)) => read = Err(e),
            Err(RecvTimeoutError::Timeout) => {}
            // all ends of the pipe are closed: it has ended or is about to
            Err(RecvTimeoutError::Disconnected) => {
                if let Some(status) = child.try_wait()? {
                    return read.map(|()| Some(status));
                }
                std::thread::sleep(LOOK / 10);
            }
        }
    }
}

fn each_line(from: PipeReader, to: &Sender<std::io::Result<String>>) {
    let (mut reader, mut bytes) = (BufReader::new(from), vec![]);
    loop {
        bytes.clear();
        let line = match reader.read_until(b'\n', &mut bytes) {
            Ok(0) => return,
            Ok(_) => Ok(String::from_utf8_lossy(&bytes).trim_end().to_owned()),
            Err(e) => Err(e),
        };
        let ends = line.is_err();
        if to.send(line).is_err() || ends {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn shell(script: &str) -> Command {
        let mut c = Command::new("sh");
        c.args(["-c", script]);
        c
    }

    #[test]
    fn lines_and_status_come_back() {
        let stop = AtomicBool::new(false);
        let mut seen = vec![];
        let mut command = shell("echo one; echo two >&2; printf three; exit 3");
        let out = run(&mut command, Path::new("."), &stop, &mut |l| seen.push(l.to_owned())).unwrap();
        assert_eq!((out.ok, &out.lines), (false, &seen));
        assert_eq!(seen, ["one", "two", "three"]);
        let said = out.success().unwrap_err().to_string();
        assert!(said.contains("exit status: 3") && said.ends_with("three"), "{said}");
    }

    #[test]
    fn a_stop_ends_the_tool_and_its_children() {
        let stop = AtomicBool::new(false);
        let mut pids = vec![];
        // neither heeds polite requests
        let mut command =
            shell("trap '' TERM INT; sh -c 'trap \"\" TERM INT; echo $$; sleep 600' & echo $$; wait");
        let start = Instant::now();
        let out = run(&mut command, Path::new("."), &stop, &mut |l| {
            pids.push(l.parse::<i32>().unwrap());
            stop.store(pids.len() == 2, Ordering::Relaxed);
        });
        assert!(matches!(out, Err(SynthError::Stopped)));
        assert!(start.elapsed() < Duration::from_secs(60));
        // whatever is left waits to be reaped
        let runs = |pid: &i32| {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            !matches!(stat.rsplit(") ").next().and_then(|s| s.chars().next()), None | Some('Z' | 'X'))
        };
        while pids.iter().any(runs) {
            assert!(start.elapsed() < Duration::from_secs(60), "{pids:?}");
            std::thread::yield_now();
        }
    }
}
