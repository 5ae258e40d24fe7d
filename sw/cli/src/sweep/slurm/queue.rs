//! Slurm's commands, and what they say.

use crate::failure::tool;
use anyhow::Result;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

/// Lines of a failing command that are told.
const LINES: usize = 5;

/// A task of a job array that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Task {
    /// The array's job.
    pub job: u64,
    /// Its place in the array.
    pub index: usize,
    /// Whether it has begun.
    pub is_running: bool,
    /// Why it has not, in Slurm's words.
    pub reason: String,
    /// The array's name.
    pub name: String,
}

/// How much the controller takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Tasks of an array.
    pub array: usize,
    /// Tasks in the queue.
    pub queue: usize,
}

impl Limits {
    /// The controller's.
    ///
    /// # Errors   there is no Slurm, it does not answer, or it takes no arrays
    pub fn ask() -> Result<Self> {
        let said = run(Command::new("scontrol").args(["show", "config"]))?;
        Limits::parse(&said).map_err(|why| tool(format!("scontrol show config: {why}")))
    }

    /// Of what `scontrol show config` says: an array's tasks are numbered below MaxArraySize; half of MaxJobCount is left to
    /// others and to tasks that have just ended, which count too.
    fn parse(said: &str) -> Result<Self, String> {
        let value = |name: &str| {
            let mut lines = said.lines().filter_map(|line| line.split_once('='));
            let found = lines.find(|(key, _)| key.trim() == name);
            found.and_then(|(_, value)| value.trim().parse::<usize>().ok()).ok_or(format!("no {name}"))
        };
        let (array, queue) = (value("MaxArraySize")?, value("MaxJobCount")? / 2);
        if array < 2 {
            return Err(format!("MaxArraySize is {array}: job arrays are off"));
        }
        let queue = queue.max(1);
        Ok(Limits { array: array.min(queue), queue })
    }
}

/// The user's tasks that have not ended, of arrays whose name begins with `prefix`.
///
/// # Errors   Slurm does not answer
pub fn tasks(prefix: &str) -> Result<BTreeSet<Task>> {
    let mut command = Command::new("squeue");
    // variables that choose and filter what it prints
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("SQUEUE_")) {
        command.env_remove(name);
    }
    let said = run(command.args(["--me", "--array", "--noheader", "--format=%F|%K|%T|%r|%j"]))?;
    Ok(said.lines().filter_map(task).filter(|task| task.name.starts_with(prefix)).collect())
}

/// A line of `squeue`; none of what is no task of an array or ends.
fn task(line: &str) -> Option<Task> {
    let mut fields = line.splitn(5, '|').map(str::trim);
    let (job, index) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    let is_running = match fields.next()? {
        "PENDING" | "CONFIGURING" | "REQUEUED" | "REQUEUE_HOLD" | "REQUEUE_FED" | "SPECIAL_EXIT" => false,
        "RUNNING" | "SUSPENDED" | "STOPPED" | "RESIZING" | "SIGNALING" | "STAGE_OUT" => true,
        _ => return None,
    };
    let (reason, name) = (fields.next()?.to_owned(), fields.next()?.to_owned());
    Some(Task { job, index, is_running, reason, name })
}

/// Submits a job array, and returns its job.
///
/// # Errors   Slurm refuses it
pub fn submit(arguments: &[OsString]) -> Result<u64> {
    let said = run(Command::new("sbatch").arg("--parsable").args(arguments))?;
    // JOB, or JOB;CLUSTER
    let job = said.trim().split(';').next().unwrap_or_default();
    job.parse().map_err(|_| tool(format!("sbatch: no job in `{}`", said.trim())))
}

/// Whether `sbatch` was refused because so many jobs are there, or would be.
pub fn is_limit(error: &anyhow::Error) -> bool {
    let said = format!("{error:#}");
    ["SubmitJob", "submit limit", "temporarily unable"].iter().any(|text| said.contains(text))
}

/// Ends jobs, whether they have begun or not.
///
/// # Errors   Slurm does not answer
pub fn cancel(jobs: &BTreeSet<u64>) -> Result<()> {
    let jobs: Vec<_> = jobs.iter().map(ToString::to_string).collect();
    jobs.chunks(500).try_for_each(|jobs| run(Command::new("scancel").args(jobs)).map(drop))
}

/// What a command prints. It has a process group of its own: an interrupt at the terminal is for us, who tell Slurm.
fn run(command: &mut Command) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).process_group(0).output().map_err(|e| match e.kind() {
        ErrorKind::NotFound => tool(format!(
            "{program} was not found: --slurm submits job arrays to Slurm (apt-get install slurm-client); without it, points are \
             trained here"
        )),
        _ => tool(format!("{program}: {e}")),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(tool(format!("{program}: {}: {}", output.status, end_of(&output.stderr, LINES))))
}

/// The last lines that are not empty, as one.
pub fn end_of(said: &[u8], count: usize) -> String {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<_> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(count)..].join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_those_of_the_controller() {
        let of = |array: u32, jobs: u32| {
            Limits::parse(&format!("MaxArraySize            = {array}\nMaxJobCount             = {jobs}\n"))
        };
        assert_eq!(of(1001, 10000), Ok(Limits { array: 1001, queue: 5000 }));
        assert_eq!(of(1001, 100), Ok(Limits { array: 50, queue: 50 }));
        assert_eq!(of(2, 1), Ok(Limits { array: 1, queue: 1 }));
        assert!(of(0, 100).is_err_and(|why| why.contains("MaxArraySize is 0")));
        assert_eq!(Limits::parse("MaxArraySize = many"), Err("no MaxArraySize".into()));
    }

    #[test]
    fn tasks_are_read_and_what_ends_is_gone() {
        let found = |line: &str| task(line).map(|task| (task.job, task.index, task.is_running, task.name));
        assert_eq!(found("7|0|RUNNING|None|a-1"), Some((7, 0, true, "a-1".into())));
        assert_eq!(found("7|12|PENDING|Priority|a|b"), Some((7, 12, false, "a|b".into())));
        for line in [
            "7|0|COMPLETING|None|a",
            "7|0|TIMEOUT|TimeLimit|a",
            "8|N/A|RUNNING|None|shell",
            "",
            "7|0",
            "slurm_load_jobs error",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn limits_of_submission_are_told_from_mistakes() {
        let refused = |text: &str| is_limit(&tool(text));
        assert!(refused(
            "sbatch: error: QOSMaxSubmitJobPerUserLimit; sbatch: error: Batch job submission failed"
        ));
        assert!(refused(
            "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
        ));
        assert!(!refused("sbatch: error: invalid partition specified: none"));
    }
}
