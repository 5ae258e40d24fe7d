//! What a comparison consists of.

use crate::variant::{Base, check_seeds, place_accelerator};
use anyhow::Result;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tandem_nn::config::{ConfigError, Document, Setting, SettingError};
use toml::{Table, Value};

/// A table of rows and columns, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Its name.
    pub name: String,
    experiment: PathBuf,
    /// Seeds of each row in each column.
    pub seeds: Vec<u64>,
    /// The row that others are compared with.
    pub against: Option<String>,
    /// The experiment itself.
    #[serde(default = "dense")]
    pub reference: String,
    #[serde(default)]
    set: Table,
    #[serde(rename = "column")]
    columns: Vec<Column>,
    #[serde(rename = "row")]
    rows: Vec<Row>,
    #[serde(skip)]
    base: Base,
    #[serde(skip)]
    file: PathBuf,
    /// Settings of the command line, which win over all others.
    #[serde(skip)]
    pub settings: Vec<Setting>,
}

fn dense() -> String {
    "dense".to_owned()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Column {
    name: String,
    #[serde(default)]
    set: Table,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    control: Option<String>,
    #[serde(default)]
    set: Table,
    #[serde(default)]
    at: BTreeMap<String, Table>,
}

/// One run of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Row, or the reference.
    pub row: String,
    /// Column; none of the reference.
    pub column: Option<String>,
    /// Seed.
    pub seed: u64,
    /// Name of its files, without extension.
    pub file: String,
    /// Its experiment as TOML.
    pub experiment: String,
}

impl Comparison {
    /// Reads a table and the experiment that it varies.
    ///
    /// # Errors   a file cannot be read, is not TOML, or has a key or value that is not allowed
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let document = Document::read_file(path)?;
        let mut comparison: Comparison =
            toml::from_str(document.text()).map_err(|error| document.explain(&error))?;
        comparison.check(&document)?;
        let folder = folder_of(path);
        comparison.base = Base::experiment(&folder.join(&comparison.experiment))?;
        let rows = comparison.rows.iter_mut().flat_map(|row| row.at.values_mut().chain([&mut row.set]));
        for settings in
            rows.chain(comparison.columns.iter_mut().map(|c| &mut c.set)).chain([&mut comparison.set])
        {
            place_accelerator(settings, folder);
        }
        comparison.file = path.to_owned();
        Ok(comparison)
    }

    fn check(&self, document: &Document) -> Result<(), ConfigError> {
        let none = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            format!("expected one of {}", names.join(", "))
        };
        check_seeds(document, &self.seeds)?;
        let (rows, columns) = (self.rows(), self.columns());
        if self.against.as_deref().is_some_and(|name| !rows.contains(&name)) {
            return Err(document.invalid("against", none(&rows)));
        }
        let taken = |what: &str, name: &str| {
            format!("another {what}'s results have the same name in files, `{}`", slug(name))
        };
        let mut files = BTreeSet::from([slug(&self.reference)]);
        for (i, row) in self.rows.iter().enumerate() {
            if row.control.as_deref().is_some_and(|name| !rows.contains(&name)) {
                return Err(document.invalid(&format!("row[{i}].control"), none(&rows)));
            }
            if let Some(column) = row.at.keys().find(|name| !columns.contains(&name.as_str())) {
                return Err(document.invalid(&format!("row[{i}].at.{column}"), none(&columns)));
            }
            if !files.insert(slug(&row.name)) {
                return Err(document.invalid(&format!("row[{i}].name"), taken("row", &row.name)));
            }
        }
        let mut files = BTreeSet::new();
        match columns.iter().position(|name| !files.insert(slug(name))) {
            Some(i) => Err(document.invalid(&format!("column[{i}].name"), taken("column", columns[i]))),
            None => Ok(()),
        }
    }

    /// Names of the rows.
    pub fn rows(&self) -> Vec<&str> {
        self.rows.iter().map(|row| row.name.as_str()).collect()
    }

    /// Names of the columns.
    pub fn columns(&self) -> Vec<&str> {
        self.columns.iter().map(|column| column.name.as_str()).collect()
    }

    /// The row that this one is the control of.
    pub fn control(&self, row: &str) -> Option<&str> {
        self.rows.iter().find(|r| r.name == row)?.control.as_deref()
    }

    /// All runs: seed by seed, so that a job that was stopped has whole tables.
    ///
    /// # Errors   a setting that cannot be made
    pub fn cells(&self) -> Result<Vec<Cell>, SettingError> {
        let mut cells = vec![];
        for &seed in &self.seeds {
            cells.push(self.cell(&self.reference, None, seed, &[])?);
            for (column, row) in self.columns.iter().flat_map(|c| self.rows.iter().map(move |r| (c, r))) {
                let own = row.at.get(&column.name);
                let settings: Vec<_> = [&column.set, &row.set].into_iter().chain(own).collect();
                cells.push(self.cell(&row.name, Some(&column.name), seed, &settings)?);
            }
        }
        Ok(cells)
    }

    fn cell(
        &self,
        row: &str,
        column: Option<&str>,
        seed: u64,
        settings: &[&Table],
    ) -> Result<Cell, SettingError> {
        let names: Vec<_> = [Some(row), column].into_iter().flatten().map(slug).collect();
        let file = format!("{}-{seed}", names.join("-"));
        // the reference takes no table that the experiment lacks
        let suits = |key: &str, value: &Value| column.is_some() || !value.is_table() || self.base.has(key);
        let mut everywhere = self.set.clone();
        everywhere.retain(|key, value| suits(key, value));
        let name = [Some(row), column].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let origin = format!("{}: {name}", self.file.display());
        let tables = [&everywhere].into_iter().chain(settings.iter().copied());
        let tables = tables.map(|table| (origin.clone(), table));
        let settings =
            self.settings.iter().filter(|s| s.table().iter().all(|(key, value)| suits(key, value)));
        let own = [("name", Value::from(file.as_str())), ("train.seed", Value::from(seed as i64))];
        let mut experiment = self.base.with(tables, settings, &own)?;
        // a path of the experiment's own, or from the command line
        self.base.place(&mut experiment);
        Ok(Cell {
            row: row.to_owned(),
            column: column.map(str::to_owned),
            seed,
            file,
            experiment: toml::to_string(&experiment).expect("tables of TOML are TOML"),
        })
    }
}

fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

/// A name as part of a file's name.
fn slug(name: &str) -> String {
    let lower = name.to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric() && c != '.').filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use tandem_nn::config::Experiment;

    const TABLE: &str = r#"
name = "digits"
experiment = "base.toml"
seeds = [3, 4]
against = "random"
set.data.images = 64
[[column]]
name = "75 %"
set.pruning.pattern = "1:4"
[[column]]
name = "50 %"
set.pruning.pattern = "2:4"
[[row]]
name = "random"
set.pruning.method = "random"
[[row]]
name = "late gmp"
control = "random"
set.pruning = { method = "gmp", end = 0.5 }
at."75 %".pruning.end = 0.9
"#;

    fn load(table: &str) -> Result<Comparison, ConfigError> {
        let dir = tempfile::tempdir().expect("a folder");
        let base = include_str!("../../../../configs/experiments/digits-mlp.toml");
        std::fs::write(dir.path().join("base.toml"), base).expect("written");
        let file = dir.path().join("table.toml");
        std::fs::write(&file, table).expect("written");
        Comparison::load(&file)
    }

    #[test]
    fn cells_are_the_experiment_with_later_settings_on_top() {
        let cells = load(TABLE).expect("valid").cells().expect("settings");
        let names: Vec<_> = cells.iter().map(|cell| cell.file.as_str()).collect();
        let first = ["dense-3", "random-75-3", "late-gmp-75-3", "random-50-3", "late-gmp-50-3"];
        assert_eq!(names[..5], first);
        assert_eq!((names.len(), names[5]), (10, "dense-4"));
        let parsed: Vec<_> = cells
            .iter()
            .map(|c| Experiment::parse(Document::new(&c.file, &c.experiment)).expect("valid"))
            .collect();
        assert!(parsed[0].pruning.is_none());
        assert!(parsed.iter().all(|e| e.data.images == Some(64) && e.layers.len() == 4));
        let end = |cell: usize| parsed[cell].pruning.as_ref().map(|p| (p.method, p.span.1));
        assert_eq!((end(2), end(4)), (Some(("gmp", 0.9)), Some(("gmp", 0.5))));
        assert_eq!((parsed[1].train.seed, parsed[6].train.seed), (3, 4));
    }

    #[test]
    fn the_command_line_wins() {
        let mut comparison = load(TABLE).expect("valid");
        comparison.settings = ["data.images = 128", "pruning.end = 0.25", "layer.fc1.outputs=9"]
            .map(|text| Setting::parse(text).expect("KEY=VALUE"))
            .into();
        let cells = comparison.cells().expect("settings");
        assert!(!cells[0].experiment.contains("pruning"), "{}", cells[0].experiment);
        assert!(cells.iter().all(|cell| cell.experiment.contains("images = 128")));
        assert!(cells.iter().all(|cell| cell.experiment.contains("outputs = 9")));
        assert!(cells[2].experiment.contains("end = 0.25"), "{}", cells[2].experiment);
    }

    #[test]
    fn mistakes_name_file_key_and_what_is_allowed() {
        let cases = [
            ("seeds = [3, 4]", "seeds = [3, 3]", "`seeds`: expected at least one, each once"),
            (
                "against = \"random\"",
                "against = \"rnd\"",
                "`against` = \"rnd\": expected one of `random`, `late gmp`",
            ),
            ("control = \"random\"", "control = \"rnd\"", "`row[1].control` = \"rnd\": expected one of"),
            ("at.\"75 %\"", "at.\"70 %\"", "`row[1].at.70 %`"),
            ("name = \"late gmp\"", "name = \"Random\"", "`row[1].name` = \"Random\": another row"),
            ("name = \"50 %\"", "name = \"75%\"", "`column[1].name` = \"75%\": another column"),
            ("seeds =", "seed =", "unknown field `seed`"),
            ("\"base.toml\"", "\"bse.toml\"", "bse.toml: "),
        ];
        for (from, to, expected) in cases {
            let error = load(&TABLE.replacen(from, to, 1)).expect_err(to).to_string();
            assert!(error.contains(expected), "{to}: {error}");
        }
    }
}
