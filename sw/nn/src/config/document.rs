//! An experiment's text, and the places of keys in it.

use super::setting::layer_names;
use super::{ConfigError, Setting, SettingError};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};
use toml::{Spanned, Table, Value};

/// A TOML text that came from a file, with settings made to it.
#[derive(Clone, Debug)]
pub struct Document {
    file: PathBuf,
    text: String,
    /// The file's own text, if settings changed it.
    written: Option<String>,
    settings: Vec<Setting>,
}

/// A key or element, and where it and its value are.
struct Place {
    path: String,
    key: Range<usize>,
    value: Range<usize>,
}

impl Document {
    /// A text and the file it came from.
    pub fn new(file: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Document { file: file.into(), text: text.into(), written: None, settings: vec![] }
    }

    /// Reads a file.
    ///
    /// # Errors   [`ConfigError::Read`]
    pub fn read_file(file: &Path) -> Result<Self, ConfigError> {
        match tandem_files::read_text(file) {
            Ok(text) => Ok(Document::new(file, text)),
            Err(source) => Err(ConfigError::Read { file: file.to_owned(), source }),
        }
    }

    /// The same with `settings` made, in this order. Errors about what they say name them instead of a line.
    ///
    /// # Errors   the text is not TOML, or a setting cannot be made
    pub fn with(self, settings: Vec<Setting>) -> Result<Self, ConfigError> {
        if settings.is_empty() {
            return Ok(self);
        }
        self.tree()?;
        let mut table: Table = toml::from_str(&self.text).expect("it was parsed");
        for setting in &settings {
            setting.apply(&mut table)?;
        }
        let text = toml::to_string(&table).expect("a table of TOML is TOML");
        let made = self.settings.into_iter().chain(settings).collect();
        Ok(Document {
            file: self.file,
            text,
            written: Some(self.written.unwrap_or(self.text)),
            settings: made,
        })
    }

    /// The text, settings included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file that it came from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The text as a tree.
    ///
    /// # Errors   [`ConfigError::Syntax`] if it is not TOML
    pub fn tree(&self) -> Result<DeTable<'_>, ConfigError> {
        match DeTable::parse(&self.text) {
            Ok(tree) => Ok(tree.into_inner()),
            Err(error) => Err(ConfigError::Syntax {
                file: self.file.clone(),
                line: line(&self.text, error.span().map_or(0, |span| span.start)),
                problem: error.message().to_owned(),
            }),
        }
    }

    /// The error of deserializing a part of the tree, with the key that it is about.
    pub fn explain(&self, error: &toml::de::Error) -> ConfigError {
        let at = error.span().map_or(0, |span| span.start);
        let size = |range: &Range<usize>| range.contains(&at).then_some(range.len());
        let nearest = |place: &Place| size(&place.key).into_iter().chain(size(&place.value)).min();
        let places = self.places();
        let place =
            places.iter().filter_map(|place| Some((nearest(place)?, place))).min_by_key(|(size, _)| *size);
        match place {
            Some((_, place)) => self.invalid_place(place, error.message()),
            None => self.missing("", error.message()),
        }
    }

    /// The error that the value of `path`, such as `data.batch` or `layer[2].kernel`, is not allowed.
    ///
    /// If there is no such key, its nearest table is named.
    pub fn invalid(&self, path: &str, problem: impl Into<String>) -> ConfigError {
        let places = self.places();
        match places.iter().find(|place| place.path == path) {
            Some(place) => self.invalid_place(place, &problem.into()),
            None => self.missing(path, &problem.into()),
        }
    }

    fn invalid_place(&self, place: &Place, problem: &str) -> ConfigError {
        let value = self.text[place.value.clone()].trim();
        let inline = !value.is_empty() && !value.starts_with('[') && !value.contains('\n');
        if let Some(setting) = self.setting_of(&place.path) {
            return ConfigError::Setting(SettingError {
                origin: setting.origin().to_owned(),
                problem: format!("`{}`: {problem}", place.path),
            });
        }
        ConfigError::Invalid {
            file: self.file.clone(),
            line: self.line_of(place),
            key: place.path.clone(),
            value: inline.then(|| value.to_owned()),
            problem: problem.to_owned(),
        }
    }

    fn missing(&self, path: &str, problem: &str) -> ConfigError {
        let table = path.rsplit_once('.').map_or("", |(table, _)| table);
        let places = self.places();
        let place = places.iter().find(|place| place.path == table);
        ConfigError::Invalid {
            file: self.file.clone(),
            line: place.map_or(1, |place| self.line_of(place)),
            key: if path.is_empty() { "top level" } else { path }.to_owned(),
            value: None,
            problem: problem.to_owned(),
        }
    }

    /// The line of the file that a place came from: the same key's, if the text is not the file's.
    fn line_of(&self, place: &Place) -> usize {
        match &self.written {
            None => line(&self.text, place.key.start),
            Some(written) => {
                let places = places(written);
                let same = places.iter().find(|other| other.path == place.path);
                same.map_or(1, |other| line(written, other.key.start))
            }
        }
    }

    /// The last setting that says what `path` holds.
    fn setting_of(&self, path: &str) -> Option<&Setting> {
        let table: Table = toml::from_str(&self.text).ok()?;
        let layers =
            table.get("layer").and_then(Value::as_array).map_or(vec![], |layers| layer_names(layers));
        self.settings.iter().rev().find(|setting| setting.reaches(path, &layers))
    }

    fn places(&self) -> Vec<Place> {
        places(&self.text)
    }
}

fn line(text: &str, at: usize) -> usize {
    1 + text[..at.min(text.len())].matches('\n').count()
}

fn places(text: &str) -> Vec<Place> {
    let mut places = Vec::new();
    if let Ok(tree) = DeTable::parse(text) {
        collect_table("", tree.get_ref(), &mut places);
    }
    places
}

fn collect_table(prefix: &str, table: &DeTable<'_>, places: &mut Vec<Place>) {
    for (key, value) in table.iter() {
        let path =
            if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        collect(path, key.span(), value, places);
    }
}

fn collect(path: String, key: Range<usize>, value: &Spanned<DeValue<'_>>, places: &mut Vec<Place>) {
    match value.get_ref() {
        DeValue::Table(table) => collect_table(&path, table, places),
        DeValue::Array(array) => {
            for (i, value) in array.iter().enumerate() {
                collect(format!("{path}[{i}]"), value.span(), value, places);
            }
        }
        _ => {}
    }
    places.push(Place { path, key, value: value.span() });
}
