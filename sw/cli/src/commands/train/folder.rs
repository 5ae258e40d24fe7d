//! The folder of a run.
//!
//! ```text
//! experiment.toml, accelerator.toml    what is trained, and on what: as the run was started
//! checkpoint.safetensors               the state, history included; the run exists once it is there
//! log.jsonl                            a line an epoch, rendered from the checkpoint's history after each save
//! report.json, training.svg            rendered when the process ends
//! .lock                                locked by the process that trains
//! ```

use crate::failure::usage;
use anyhow::Result;
use serde_json::{Value, json};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use tandem_files::{Existing, FileError, FolderLock, LOCK_FILE, replace};
use tandem_nn::config::Experiment;
use tandem_nn::train::{History, Trainer};
use tandem_spec::Config;

/// Name of the checkpoint.
pub const CHECKPOINT: &str = "checkpoint.safetensors";
const EXPERIMENT: &str = "experiment.toml";
const ACCELERATOR: &str = "accelerator.toml";
const LOG: &str = "log.jsonl";
/// Name of the report.
pub const REPORT: &str = "report.json";
/// Name of the chart.
pub const CHART: &str = "training.svg";

/// A run's experiment and accelerator, as they lie in its folder.
pub fn open(folder: &Path) -> Result<(Experiment, Config)> {
    let experiment = Experiment::load(&folder.join(EXPERIMENT))?;
    let config = Config::from_file(&folder.join(ACCELERATOR))?;
    Ok((experiment, config))
}

/// The texts that a run starts from.
pub struct Recipe {
    /// The experiment, as TOML.
    pub experiment: String,
    /// The accelerator, as TOML.
    pub accelerator: String,
}

impl Recipe {
    fn files(&self) -> [(&'static str, &str); 2] {
        [(EXPERIMENT, &self.experiment), (ACCELERATOR, &self.accelerator)]
    }

    /// Checks that a run can start in `folder`: there is nothing but what an earlier start of the same run has left, which
    /// ended before its first checkpoint. With [`Existing::Replace`] anything may be there.
    pub fn check_vacant(&self, folder: &Path, existing: Existing) -> Result<()> {
        if folder.exists() && !folder.is_dir() {
            return Err(FileError::NotAFolder { path: folder.to_owned() }.into());
        }
        if existing == Existing::Replace {
            return Ok(());
        }
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(FileError::io(folder, e).into()),
        };
        for entry in entries {
            let entry = entry.map_err(|e| FileError::io(folder, e))?;
            let name = entry.file_name();
            let left = self.files().iter().any(|(file, text)| {
                name == *file && fs::read(entry.path()).is_ok_and(|old| old == text.as_bytes())
            });
            if left || name == LOCK_FILE || tandem_files::is_temporary(&name) {
                continue;
            }
            let way_out = if folder.join(CHECKPOINT).exists() {
                "resume it with --resume, choose -o, or begin anew with --force"
            } else {
                "choose -o, or --force"
            };
            let folder = folder.display();
            let name = name.display();
            return Err(usage(format!(
                "{folder}: exists and has {name}; nothing is overwritten ({way_out})"
            )));
        }
        Ok(())
    }
}

/// A run's folder, which no other process trains in.
pub struct RunFolder {
    path: PathBuf,
    /// Lines of the log, once this process has written it.
    logged: Cell<Option<usize>>,
    _lock: FolderLock,
}

impl RunFolder {
    /// A folder for a new run, with its recipe.
    pub fn start(path: &Path, recipe: &Recipe, existing: Existing) -> Result<Self> {
        recipe.check_vacant(path, existing)?;
        fs::create_dir_all(path).map_err(|e| FileError::io(path, e))?;
        let lock = FolderLock::take(path)?;
        recipe.check_vacant(path, existing)?;
        // of a run that is replaced, its state goes first: what is left then is no run
        for file in [CHECKPOINT, LOG, REPORT, CHART] {
            match fs::remove_file(path.join(file)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(FileError::io(&path.join(file), e).into());
                }
                _ => {}
            }
        }
        for (file, text) in recipe.files() {
            replace(&path.join(file), text.as_bytes())?;
        }
        Ok(RunFolder { path: path.to_owned(), logged: Cell::new(None), _lock: lock })
    }

    /// The folder of a run that goes on.
    pub fn resume(path: &Path) -> Result<Self> {
        let name = path.display();
        if !path.is_dir() {
            return Err(usage(format!("{name}: no such folder")));
        }
        if !path.join(EXPERIMENT).exists() {
            return Err(usage(format!("{name}: is no run: it has no {EXPERIMENT}")));
        }
        let lock = FolderLock::take(path)?;
        if !path.join(CHECKPOINT).exists() {
            return Err(usage(format!(
                "{name}: has no {CHECKPOINT}: the run ended before its first step; start it again with the same `tandem train -c`"
            )));
        }
        Ok(RunFolder { path: path.to_owned(), logged: Cell::new(None), _lock: lock })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its checkpoint.
    pub fn checkpoint(&self) -> PathBuf {
        self.path.join(CHECKPOINT)
    }

    /// Saves a run: the checkpoint, and the log, which is rendered from it.
    pub fn save(&self, trainer: &mut Trainer) -> Result<()> {
        trainer.save(&self.checkpoint())?;
        let lines = log(trainer.history());
        if self.logged.get() != Some(lines.len()) {
            let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
            self.write(LOG, text.as_bytes())?;
            self.logged.set(Some(lines.len()));
        }
        Ok(())
    }

    /// Writes a file of the run.
    pub fn write(&self, name: &str, content: &[u8]) -> Result<()> {
        Ok(replace(&self.path.join(name), content)?)
    }
}

/// A line for each epoch that was tested.
pub fn log(history: &History) -> Vec<Value> {
    let tested = history.epochs().iter().filter_map(|e| Some((e, e.test?)));
    let line = tested.map(|(e, test)| {
        json!({
            "epoch": e.report.epoch + 1, "loss": e.report.loss, "train_accuracy": e.report.accuracy,
            "test_accuracy": test.accuracy, "test_loss": test.loss, "images_per_s": e.report.images_per_s,
            "data_wait": e.report.data_wait, "cycles": e.cycles,
        })
    });
    line.collect()
}
