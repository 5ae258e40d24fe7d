//! The table `[data]`.

use super::{ConfigError, Document};
use crate::data::Options;
use crate::data::step::{List, Step};
use crate::number::Int;
use serde::Deserialize;
use toml::{Table, Value};

/// A length of a picture's side.
type Side = Int<1, 4096>;

/// The table `[data]`, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawData {
    set: String,
    batch: Int<1, 65_536>,
    images: Option<Int<1, 1_000_000_000>>,
    #[serde(default)]
    validation: Int<0, 1_000_000_000>,
    size: Option<[Side; 2]>,
    channels: Option<usize>,
    memory: Option<Int<0, 1_000_000_000>>,
    preprocess: Option<Value>,
    augment: Option<Value>,
}

/// What to train on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataConfig {
    /// Name of the data set.
    pub set: String,
    /// How it is read.
    pub options: Options,
    /// Images in a step. An epoch's last images that do not fill one are left out.
    pub batch: usize,
    /// The first images of the training set are trained on, so many; `None`: all that are not held back.
    pub images: Option<usize>,
    /// The last images of the training set, held back for choices.
    pub validation: usize,
    /// What is done to every image.
    pub preprocess: Vec<Step>,
    /// How training images are changed.
    pub augment: Vec<Step>,
}

impl DataConfig {
    pub(super) fn new(raw: RawData, document: &Document) -> Result<Self, ConfigError> {
        let mut options = Options { size: raw.size.map(|[h, w]| (h.get(), w.get())), ..Options::default() };
        if let Some(channels) = raw.channels {
            if ![1, 3].contains(&channels) {
                return Err(document.invalid("data.channels", "must be 1 (grey) or 3 (RGB)"));
            }
            options.channels = Some(channels);
        }
        if let Some(mebibytes) = raw.memory {
            options.memory = (mebibytes.get() as u64) << 20;
        }
        options.check(&raw.set).map_err(|e| document.invalid(&format!("data.{}", e.key), e.problem))?;
        Ok(DataConfig {
            set: raw.set,
            options,
            batch: raw.batch.get(),
            images: raw.images.map(Int::get),
            validation: raw.validation.get(),
            preprocess: steps(List::Preprocess, raw.preprocess, document)?,
            augment: steps(List::Augment, raw.augment, document)?,
        })
    }

    /// How many of `all` training images are trained on.
    pub fn training_images(&self, all: usize) -> usize {
        self.images.unwrap_or_else(|| all.saturating_sub(self.validation))
    }
}

/// A list as written, checked.
fn steps(list: List, value: Option<Value>, document: &Document) -> Result<Vec<Step>, ConfigError> {
    let path = format!("data.{}", list.key());
    let example = match list {
        List::Preprocess => "[{ kind = \"median\", size = 3 }]",
        List::Augment => "[{ kind = \"shift\", pixels = 1 }]",
    };
    let tables = match value {
        None => return Ok(vec![]),
        Some(Value::Array(tables)) => tables,
        Some(_) => return Err(document.invalid(&path, format!("must be a list such as {example}"))),
    };
    let read = |(i, table): (usize, Value)| {
        let path = format!("{path}[{i}]");
        let Value::Table(table) = table else {
            return Err(document.invalid(&path, format!("must be a table as in {example}")));
        };
        let step = step(table, &path, document)?;
        list.check(&step).map_err(|e| match e.key.as_str() {
            "" => document.invalid(&path, e.problem),
            key => document.invalid(&format!("{path}.{key}"), e.problem),
        })?;
        Ok(step)
    };
    tables.into_iter().enumerate().map(read).collect()
}

fn step(table: Table, path: &str, document: &Document) -> Result<Step, ConfigError> {
    let mut step = Step { kind: String::new(), values: Default::default() };
    for (key, value) in table {
        let expected = "must be a number, a text, or a list of numbers or of rows of them";
        let text = text(&value).ok_or_else(|| document.invalid(&format!("{path}.{key}"), expected))?;
        match key.as_str() {
            "kind" => step.kind = text,
            _ => drop(step.values.insert(key, text)),
        }
    }
    Ok(step)
}

/// A value as on a command line: a kernel's rows are `1 2 1; 2 4 2; 1 2 1`.
fn text(value: &Value) -> Option<String> {
    let join = |values: &[Value], of: &dyn Fn(&Value) -> Option<String>, joint| {
        let texts: Option<Vec<_>> = values.iter().map(of).collect();
        texts.map(|texts| texts.join(joint))
    };
    let single = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    };
    match value {
        Value::Array(rows) if rows.iter().any(Value::is_array) => {
            join(rows, &|row| join(row.as_array()?, &single, " "), "; ")
        }
        Value::Array(numbers) => join(numbers, &single, " "),
        value => single(value),
    }
}
