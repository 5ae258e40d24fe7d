//! An experiment's text, and the places of keys in it.

use super::ConfigError;
use std::ops::Range;
use std::path::PathBuf;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A TOML text that came from a file.
#[derive(Clone, Debug)]
pub struct Document {
    file: PathBuf,
    text: String,
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
        Document { file: file.into(), text: text.into() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as a tree.
    ///
    /// # Errors   [`ConfigError::Syntax`] if it is not TOML
    pub fn tree(&self) -> Result<DeTable<'_>, ConfigError> {
        match DeTable::parse(&self.text) {
            Ok(tree) => Ok(tree.into_inner()),
            Err(error) => Err(ConfigError::Syntax {
                file: self.file.clone(),
                line: self.line(error.span().map_or(0, |span| span.start)),
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
        ConfigError::Invalid {
            file: self.file.clone(),
            line: self.line(place.key.start),
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
            line: self.line(place.map_or(0, |place| place.key.start)),
            key: if path.is_empty() { "top level" } else { path }.to_owned(),
            value: None,
            problem: problem.to_owned(),
        }
    }

    fn line(&self, at: usize) -> usize {
        1 + self.text[..at.min(self.text.len())].matches('\n').count()
    }

    fn places(&self) -> Vec<Place> {
        let mut places = Vec::new();
        if let Ok(tree) = DeTable::parse(&self.text) {
            collect_table("", tree.get_ref(), &mut places);
        }
        places
    }
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
