//! Points as tasks of job arrays under Slurm. All machines see the program, the sweep and its folder under the same paths.
//!
//! ```text
//!  points ─► DIR/slurm/N.points ─ sbatch ─► tasks: line I of the list ─ sweep run --point ─► DIR/ID.json, ID.failed
//!     ▲                                        │ DIR/slurm/N-I.log                              │
//!     └── lost: gone from squeue, and no file ◄┴────────────────────────────────────────────────┘
//! ```
//! What is true is in the folder; the queue only says which tasks have not ended, so no accounting is needed. An array's name is
//! made from the folder and the list's number: a command that is started again finds the tasks of the one before.

mod queue;
mod tasks;

pub use queue::Limits;

use super::point::short_digest;
use crate::failure::{self, usage};
use crate::stop::Stop;
use crate::variant::Progress;
use anyhow::{Context, Result};
use queue::Task;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tandem_files::{Existing, FileError, replace, write};
use tasks::{AGAIN, Event, Open, Place, State};

/// Between two looks at the queue: a twentieth of the time that has passed, within these.
const PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_secs(10)];
/// Looks in a row that Slurm may leave unanswered.
const PATIENCE: usize = 30;
/// Lines of a lost task's log that are told.
const LINES: usize = 3;

/// What a task runs. One thread, or as many as processors are asked for: several runs at a time use them better.
const SCRIPT: &str = r#"#!/bin/sh
# A task of a job array: LIST PROGRAM ARGUMENT..., with the point in its line of the list.
set -eu
point=$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" "$1")
shift
export RAYON_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}"
exec "$@" "$point"
"#;

/// How points become tasks.
pub struct Slurm<'a> {
    /// What the controller takes.
    pub limits: Limits,
    /// Folder of the outcomes.
    pub folder: &'a Path,
    /// Trains the point whose name follows.
    pub command: Vec<OsString>,
    /// For `sbatch`, before its own.
    pub arguments: &'a [String],
    /// Tasks at a time, if not as many as Slurm lets run.
    pub jobs: Option<u16>,
}

impl Slurm<'_> {
    /// Trains points (ID and name), until each has an outcome or has failed; false if a signal came before.
    ///
    /// # Errors   Slurm refuses a job or does not answer, or the folder cannot be read or written
    pub fn train(&self, points: &[(&str, String)], stop: &Stop, progress: &Progress) -> Result<bool> {
        if points.is_empty() {
            return Ok(true);
        }
        let folder = self.folder.canonicalize().with_context(|| self.folder.display().to_string())?;
        let mut arrays = Arrays::new(self, folder, points)?;
        arrays.adopt(&queue::tasks(&arrays.prefix)?, progress);
        let begun = Instant::now();
        let mut unanswered = 0;
        loop {
            let answer = arrays.look(progress).and_then(|()| arrays.submit(stop));
            match answer {
                Ok(()) => unanswered = 0,
                // what is queued goes on without us
                Err(e)
                    if failure::exit_code(&e) == 3 && arrays.open.queued() > 0 && unanswered < PATIENCE =>
                {
                    if unanswered == 0 {
                        progress.line(&failure::text(&e));
                    }
                    unanswered += 1;
                }
                Err(e) => return Err(e),
            }
            if arrays.open.is_empty() {
                return Ok(true);
            }
            let until = Instant::now() + (begun.elapsed() / 20).clamp(PAUSES[0], PAUSES[1]);
            while !stop.asked() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(50));
            }
            if stop.asked() {
                if let Err(e) = queue::cancel(&arrays.open.jobs()) {
                    progress.line(&format!("{}; its tasks go on", failure::text(&e)));
                }
                return Ok(false);
            }
        }
    }
}

/// Job arrays of a folder.
struct Arrays<'a> {
    slurm: &'a Slurm<'a>,
    folder: PathBuf,
    /// Of lists and logs.
    lists: PathBuf,
    /// Its arrays are named so, and a list's number.
    prefix: String,
    /// The list that was written last.
    list: u64,
    names: BTreeMap<String, String>,
    open: Open,
    /// Tasks of an array: fewer once more were refused.
    array: usize,
    /// Points in the queue when more were refused.
    full: Option<usize>,
}

impl<'a> Arrays<'a> {
    fn new(slurm: &'a Slurm<'a>, folder: PathBuf, points: &[(&str, String)]) -> Result<Self> {
        if folder.to_str().is_none_or(|path| path.contains(['\\', '\n'])) {
            return Err(usage(format!("{}: Slurm takes no logs in a folder of this name", folder.display())));
        }
        let digest = short_digest(folder.as_os_str().as_encoded_bytes());
        let lists = folder.join("slurm");
        std::fs::create_dir_all(&lists).map_err(|e| usage(format!("{}: {e}", lists.display())))?;
        replace(&lists.join("task.sh"), SCRIPT.as_bytes())?;
        let number = |name: &String| name.strip_suffix(".points")?.parse().ok();
        Ok(Arrays {
            slurm,
            prefix: format!("tandem-{digest}-"),
            list: names_in(&lists)?.iter().filter_map(number).max().unwrap_or(0),
            names: points.iter().map(|(id, name)| ((*id).to_owned(), name.clone())).collect(),
            open: Open::new(points.iter().map(|(id, _)| *id)),
            array: slurm.limits.array,
            full: None,
            folder,
            lists,
        })
    }

    fn list_of(&self, number: u64) -> PathBuf {
        self.lists.join(format!("{number}.points"))
    }

    /// Takes the tasks that an earlier command left in the queue.
    fn adopt(&mut self, tasks: &BTreeSet<Task>, progress: &Progress) {
        let mut lists: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        let mut adopted = 0;
        for task in tasks {
            let Some(list) = task.name.strip_prefix(&self.prefix).and_then(|n| n.parse().ok()) else {
                continue;
            };
            let points = lists.entry(list).or_insert_with(|| {
                // a list that somebody has removed is of no point
                let text = std::fs::read_to_string(self.list_of(list)).unwrap_or_default();
                text.lines().map(str::to_owned).collect()
            });
            if let Some(point) = points.get(task.index) {
                let place = Place { job: task.job, list, index: task.index };
                adopted += usize::from(self.open.submitted(point, place));
            }
        }
        if adopted > 0 {
            progress.line(&format!("{adopted} in the queue already"));
        }
    }

    /// What became of the points: the queue first, so that what has left it has written its file.
    fn look(&mut self, progress: &Progress) -> Result<()> {
        let tasks = queue::tasks(&self.prefix)?;
        let there = names_in(&self.folder)?;
        let alive = tasks.iter().map(|task| (task.job, task.index)).collect();
        let events = self.open.look(&alive, |point| match () {
            () if there.contains(&format!("{point}.json")) => State::Trained,
            () if there.contains(&format!("{point}.failed")) => State::Failed,
            () => State::Open,
        });
        let (mut ended, mut lost) = (0, 0);
        for event in events {
            match event {
                Event::Trained(_) => ended += 1,
                Event::Failed(point) => {
                    ended += 1;
                    let why = std::fs::read_to_string(self.failed(&point)).unwrap_or_default();
                    progress.line(&format!("{}: {why}", self.names[&point]));
                }
                Event::Lost(..) => lost += 1,
                Event::GivenUp(point, place) => {
                    ended += 1;
                    let why = self.reason(place);
                    progress.line(&format!("{}: {why}", self.names[&point]));
                    replace(&self.failed(&point), why.as_bytes())?;
                }
            }
        }
        if lost > 0 {
            progress.line(&format!("{lost} lost: tasks that ended without an outcome; submitted again"));
        }
        let running = tasks.iter().filter(|task| task.is_running).count();
        let note = match tasks.first() {
            // what waits for ever should say so
            Some(task) if running == 0 => format!("0 running: {}", task.reason),
            _ => format!("{running} running"),
        };
        progress.add(ended, &note);
        Ok(())
    }

    fn failed(&self, point: &str) -> PathBuf {
        self.folder.join(format!("{point}.failed"))
    }

    /// Why a point is given up: the end of its last task's log.
    fn reason(&self, place: Place) -> String {
        let log = self.lists.join(format!("{}-{}.log", place.list, place.index));
        let end = match queue::end_of(&std::fs::read(&log).unwrap_or_default(), LINES) {
            nothing if nothing.is_empty() => "it says nothing".to_owned(),
            end => end,
        };
        format!(
            "{} tasks ended without an outcome, the last one {}_{}: {end}",
            AGAIN + 1,
            place.job,
            place.index
        )
    }

    /// Submits what waits, an array at a time, as far as there is room.
    fn submit(&mut self, stop: &Stop) -> Result<()> {
        while self.open.waiting() > 0 && !stop.asked() {
            let queued = self.open.queued();
            let count = self.open.waiting().min(self.array);
            // the limit of tasks at a time is an array's, so there is one
            let is_room = match self.slurm.jobs {
                Some(_) => queued == 0,
                None => queued + count <= self.slurm.limits.queue,
            };
            if !is_room || self.full.is_some_and(|full| queued > full / 2) {
                return Ok(());
            }
            self.full = None;
            let points = self.open.first(count);
            match self.submit_array(&points) {
                Ok(()) => {}
                Err(e) if queue::is_limit(&e) && queued > 0 => self.full = Some(queued),
                Err(e) if queue::is_limit(&e) && count > 1 => self.array = count / 2,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    fn submit_array(&mut self, points: &[String]) -> Result<()> {
        for failed in points.iter().map(|point| self.failed(point)).filter(|failed| failed.exists()) {
            std::fs::remove_file(&failed).with_context(|| failed.display().to_string())?;
        }
        let text: String = points.iter().map(|point| format!("{point}\n")).collect();
        let list = loop {
            self.list += 1;
            let list = self.list_of(self.list);
            match write(&list, Existing::Keep, text.as_bytes()) {
                // another command in the same folder
                Err(FileError::Exists { .. }) => {}
                written => break written.map(|()| list)?,
            }
        };
        let limit = self.slurm.jobs.map_or_else(String::new, |jobs| format!("%{jobs}"));
        // a percent sign begins a field of a log's name
        let logs = self.lists.to_string_lossy().replace('%', "%%");
        let here = std::env::current_dir().context("the present folder")?;
        let mut arguments: Vec<OsString> = self.slurm.arguments.iter().map(OsString::from).collect();
        arguments.push(format!("--job-name={}{}", self.prefix, self.list).into());
        arguments.push(format!("--array=0-{}{limit}", points.len() - 1).into());
        arguments.push(format!("--output={logs}/{}-%a.log", self.list).into());
        arguments.extend(["--chdir".into(), here.into_os_string()]);
        arguments.extend([self.lists.join("task.sh").into_os_string(), list.into_os_string()]);
        arguments.extend(self.slurm.command.iter().cloned());
        let job = queue::submit(&arguments)?;
        for (index, point) in points.iter().enumerate() {
            self.open.submitted(point, Place { job, list: self.list, index });
        }
        Ok(())
    }
}

/// Names of what is in a folder: read anew, where a look at a single file may be answered from memory.
fn names_in(folder: &Path) -> Result<BTreeSet<String>> {
    let names = || -> std::io::Result<BTreeSet<String>> {
        let names =
            std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
        names.collect()
    };
    names().with_context(|| folder.display().to_string())
}
