//! What variants differ from: the tables of a file, and later settings on top.

use super::place_accelerator;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tandem_nn::config::setting::overlay;
use tandem_nn::config::{ConfigError, Document, Experiment, Setting, SettingError};
use toml::{Table, Value};

/// The tables of a file.
#[derive(Clone, Debug, Default)]
pub struct Base {
    file: PathBuf,
    table: Table,
}

impl Base {
    /// An experiment's.
    ///
    /// # Errors   as [`Experiment::load`]
    pub fn experiment(file: &Path) -> Result<Self, ConfigError> {
        let experiment = Experiment::load(file)?;
        let table = toml::from_str(experiment.source()).expect("it is an experiment");
        Ok(Base::new(file, table))
    }

    /// Those that stand for a file.
    pub fn new(file: &Path, table: Table) -> Self {
        Base { file: file.to_owned(), table }
    }

    /// Where they were read from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Whether they have this key at the top.
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The same with `tables`, each with what an error calls it, then `settings`, then the variant's `own` keys.
    ///
    /// # Errors   a layer that there is not, or a key below a value that is no table
    pub fn with<'a>(
        &self,
        tables: impl IntoIterator<Item = (String, &'a Table)>,
        settings: impl IntoIterator<Item = &'a Setting>,
        own: &[(&str, Value)],
    ) -> Result<Table, SettingError> {
        let mut made = self.table.clone();
        for (origin, table) in tables {
            overlay(&mut made, table).map_err(|problem| SettingError { origin, problem })?;
        }
        for setting in settings {
            setting.apply(&mut made)?;
        }
        for (key, value) in own {
            Setting::new(self.file.to_string_lossy(), key, value.clone()).apply(&mut made)?;
        }
        Ok(made)
    }

    /// Makes an accelerator's path one that holds everywhere: it is as if it stood in this file.
    pub fn place(&self, table: &mut Table) {
        place_accelerator(table, self.file.parent().unwrap_or(Path::new("")));
    }
}

/// Whether there are seeds, each once.
///
/// # Errors   naming `seeds`
pub fn check_seeds(document: &Document, seeds: &[u64]) -> Result<(), ConfigError> {
    let each = seeds.iter().collect::<BTreeSet<_>>().len();
    match each == 0 || each < seeds.len() {
        true => Err(document.invalid("seeds", "expected at least one, each once")),
        false => Ok(()),
    }
}
