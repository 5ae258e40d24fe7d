//! Variants trained on threads: what is there stays, and what fails does not stop the others.
//!
//! ```text
//! FILE.json     outcome of a variant, kept for what made it        FILE.failed   why it failed, until it runs again
//! ```

use super::{Data, Outcome, Progress, Variant, each, kept_of, run};
use crate::engines::EngineKind;
use crate::failure;
use crate::stop::Stop;
use anyhow::{Context, Result};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// A variant to train.
pub struct Job<'a> {
    /// What is trained.
    pub variant: Variant<'a>,
    /// Its data.
    pub data: &'a Data,
    /// Its outcome.
    pub file: PathBuf,
    /// How it is called.
    pub name: String,
}

impl Job<'_> {
    /// Trains it, or takes its outcome, if that is there. True if it was trained.
    ///
    /// # Errors   the file has another outcome, or training fails, of which a file tells then
    pub fn run(&self, kind: &EngineKind) -> Result<(Outcome, bool)> {
        let failed = self.file.with_extension("failed");
        match run(self.variant, self.data, kind, &self.file) {
            Ok(made) => {
                if failed.exists() {
                    std::fs::remove_file(&failed).with_context(|| failed.display().to_string())?;
                }
                Ok(made)
            }
            Err(error) => {
                tandem_files::replace(&failed, failure::text(&error).as_bytes())?;
                Err(error)
            }
        }
    }

    /// Its outcome, if it is there.
    ///
    /// # Errors   there is another one, or none that can be read
    pub fn kept(&self, kind: &EngineKind) -> Result<Option<Outcome>> {
        kept_of(self.variant, self.data, kind, &self.file)
    }

    /// Why it failed, if it did.
    pub fn failure(&self) -> Option<String> {
        // it ran since, and was stopped before this was taken away
        if self.file.exists() {
            return None;
        }
        std::fs::read_to_string(self.file.with_extension("failed")).ok()
    }
}

/// Who trains jobs.
pub struct Pool<'a> {
    /// Who computes their products.
    pub kind: &'a EngineKind,
    /// How many at a time.
    pub threads: usize,
    /// What ends it.
    pub stop: &'a Stop,
    /// Where it tells how far it is.
    pub progress: &'a Progress,
}

impl Pool<'_> {
    /// What `of` makes of the outcome of each job, in their order, or why it failed. What is `there` stays; the last ones are missing if
    /// somebody stops it.
    ///
    /// # Errors   a full or failing disk, which ends all
    pub fn train<T: Clone + Send + Sync>(
        &self,
        jobs: &[Job<'_>],
        there: &[Option<T>],
        of: impl Fn(usize, Outcome) -> T + Sync,
    ) -> Result<Vec<Result<T>>> {
        let train = |place: usize| {
            if let Some(kept) = &there[place] {
                return Ok(kept.clone());
            }
            let made = jobs[place].run(self.kind);
            if let Err(error) = &made {
                self.progress.line(&format!("{}: {}", jobs[place].name, failure::text(error)));
                if is_disk(error) {
                    self.stop.flag().store(true, Ordering::Relaxed);
                }
            }
            let made = made.map(|(outcome, _)| of(place, outcome));
            self.progress.add(1, "");
            made
        };
        let made = each(jobs.len(), self.threads, self.stop.flag(), train)?;
        let (full, made): (Vec<_>, Vec<_>) =
            made.into_iter().partition(|made| made.as_ref().is_err_and(is_disk));
        full.into_iter().next_back().map_or(Ok(made), |error| Err(error.err().expect("it is one")))
    }
}

/// A full or failing disk, which fails everywhere.
fn is_disk(error: &anyhow::Error) -> bool {
    failure::exit_code(error) == 1 && error.chain().any(|e| e.is::<std::io::Error>())
}
