//! Values out of a parsed document.

use super::key::{Allowed, Key, Table};
use super::{ConfigError, TABLES};

/// Refuses tables and keys that there are not.
pub(super) fn known(file: &str, document: &toml::Table) -> Result<(), ConfigError> {
    let unknown = |key: String, known: Vec<&'static str>| ConfigError::Unknown {
        file: file.into(),
        key,
        known: known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "),
    };
    for (name, value) in document.iter().filter(|(name, _)| *name != "name") {
        let Some(table) = TABLES.iter().find(|t| t.name == name) else {
            let known = std::iter::once("name").chain(TABLES.iter().map(|t| t.name)).collect();
            return Err(unknown(name.clone(), known));
        };
        let toml::Value::Table(keys) = value else {
            return Err(ConfigError::Value {
                file: file.into(),
                key: name.clone(),
                value: value.to_string(),
                allowed: format!("a table: [{name}]"),
            });
        };
        if let Some(key) = keys.keys().find(|k| table.keys.iter().all(|known| known.name != **k)) {
            return Err(unknown(format!("{name}.{key}"), table.keys.iter().map(|k| k.name).collect()));
        }
    }
    Ok(())
}

/// The value of `key`.
pub(super) fn value(
    file: &str,
    document: &toml::Table,
    table: &Table,
    key: &Key,
    allowed: &Allowed,
    default: Option<usize>,
) -> Result<usize, ConfigError> {
    let (file, name) = (file.to_owned(), format!("{}.{}", table.name, key.name));
    let given = document.get(table.name).and_then(|t| t.get(key.name));
    match (given, default) {
        (None, None) => Err(ConfigError::Missing { file, key: name, allowed: allowed.to_string() }),
        (given, default) => {
            let written = given.cloned().unwrap_or_else(|| allowed.written(default.unwrap_or_default()));
            allowed.read(&written).ok_or_else(|| ConfigError::Value {
                file,
                key: name,
                value: written.to_string(),
                allowed: allowed.to_string(),
            })
        }
    }
}
