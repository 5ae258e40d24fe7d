//! Changes to a TOML document that do not come from its file: `--set KEY=VALUE`, `--seed`, the cells of a comparison.
//!
//! They go into the parsed document, never into its text, so that every way to write a table is the same.
//!
//! - Tables are merged, everything else is replaced; later settings win.
//! - `layer` is an array of tables. A setting reaches one of them by its name (`layer.conv1.bits.weights`), which for a layer
//!   without one is its type and count (`layer.linear2.outputs`).

use std::collections::BTreeMap;
use toml::{Table, Value};

/// The array whose tables are reached by name.
const LAYER: &str = "layer";

/// One change, and how its author wrote it.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    origin: String,
    path: Vec<String>,
    value: Value,
}

/// A setting that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}: {problem}")]
pub struct SettingError {
    /// How it was written, such as `--set train.epochs=5`.
    pub origin: String,
    /// What is wrong with it and what is allowed.
    pub problem: String,
}

impl Setting {
    /// Reads `KEY=VALUE` as given to the option `--set`. The key is dotted as in TOML. The value is TOML too; what is not, is
    /// text, so that `accelerator=minimal` and `pruning.pattern=1:4` need no quotes of their own.
    ///
    /// # Errors   no `=`, no key, or a value that begins as a text, array or table of TOML and is none
    pub fn parse(text: &str) -> Result<Self, SettingError> {
        let origin = format!("--set {text}");
        let fail = |problem: &str| SettingError { origin: origin.clone(), problem: problem.to_owned() };
        let (key, value) = split(text).ok_or_else(|| fail("expected KEY=VALUE, such as train.epochs=5"))?;
        let path = key_path(key).ok_or_else(|| fail("the key is not a dotted key of TOML"))?;
        let value = value.trim();
        let value = match toml::from_str::<Table>(&format!("v = {value}")) {
            // a pattern such as 12:16 is no time of day
            Ok(mut table) if table.len() == 1 && !table["v"].is_datetime() => {
                table.remove("v").expect("it has one")
            }
            Err(error) if value.starts_with(['"', '\'', '[', '{']) => {
                return Err(fail(&format!("the value is not TOML: {}", error.message())));
            }
            _ => Value::String(value.to_owned()),
        };
        Ok(Setting { origin, path, value })
    }

    /// The setting of a layer's key: a dotted key of plain names below the layer, whose own name may be any.
    pub fn of_layer(origin: impl Into<String>, layer: &str, key: &str, value: impl Into<Value>) -> Self {
        let mut setting = Setting::new(origin, key, value);
        setting.path.splice(0..0, [LAYER.to_owned(), layer.to_owned()]);
        setting
    }

    /// The setting of a dotted key of plain names, written as `origin`.
    pub fn new(origin: impl Into<String>, key: &str, value: impl Into<Value>) -> Self {
        Setting {
            origin: origin.into(),
            path: key.split('.').map(str::to_owned).collect(),
            value: value.into(),
        }
    }

    /// How it was written.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Changes `document`.
    ///
    /// # Errors   a layer that there is not, or a key below a value that is no table
    pub fn apply(&self, document: &mut Table) -> Result<(), SettingError> {
        overlay(document, &self.table())
            .map_err(|problem| SettingError { origin: self.origin.clone(), problem })
    }

    /// The setting as tables in each other.
    pub fn table(&self) -> Table {
        let (last, tables) = self.path.split_last().expect("a key has a part");
        let innermost = Table::from_iter([(last.clone(), self.value.clone())]);
        tables
            .iter()
            .rev()
            .fold(innermost, |inner, key| Table::from_iter([(key.clone(), Value::Table(inner))]))
    }

    /// Whether it says what `place` holds: a path as in [`super::Document`], with layers by number.
    pub(super) fn reaches(&self, place: &str, layers: &[String]) -> bool {
        let mut parts = self.path.iter();
        let mut start = match (parts.next().map(String::as_str), parts.clone().next()) {
            (Some(LAYER), Some(name)) => match layers.iter().position(|layer| layer == name) {
                Some(i) => {
                    parts.next();
                    format!("{LAYER}[{i}]")
                }
                None => return false,
            },
            (Some(first), _) => first.to_owned(),
            (None, _) => return false,
        };
        for part in parts {
            start = format!("{start}.{part}");
        }
        place.strip_prefix(&start).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    }
}

/// Key and value of `KEY=VALUE`: at the first `=` outside quotes.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '=') => return Some((&text[..at], &text[at + 1..])),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    None
}

/// The parts of a dotted key.
fn key_path(key: &str) -> Option<Vec<String>> {
    if key.contains(['\n', '\r', '#']) {
        return None;
    }
    let mut value = Value::Table(toml::from_str(&format!("{key} = 0")).ok()?);
    let mut path = vec![];
    while let Value::Table(table) = value {
        let (part, inner) = table.into_iter().next()?;
        path.push(part);
        value = inner;
    }
    Some(path)
}

/// Sets what `settings` says: tables are merged, layers found by name, all else is replaced.
///
/// # Errors   a layer that there is not, or a key below a value that is no table
pub fn overlay(table: &mut Table, settings: &Table) -> Result<(), String> {
    for (key, value) in settings {
        match (table.get_mut(key), value) {
            (Some(Value::Table(inner)), Value::Table(value)) => overlay(inner, value)?,
            (Some(Value::Array(layers)), Value::Table(value)) if key == LAYER => {
                overlay_layers(layers, value)?
            }
            (Some(old), Value::Table(_)) if !old.is_array() => {
                return Err(format!("`{key}` is {}, not a table", old.type_str()));
            }
            _ => {
                table.insert(key.clone(), value.clone());
            }
        }
    }
    Ok(())
}

fn overlay_layers(layers: &mut [Value], settings: &Table) -> Result<(), String> {
    let names = layer_names(layers);
    for (name, value) in settings {
        let Some(place) = names.iter().position(|n| n == name) else {
            return Err(format!("no layer `{name}`, expected one of {}", names.join(", ")));
        };
        match (&mut layers[place], value) {
            (Value::Table(layer), Value::Table(value)) => overlay(layer, value)?,
            (layer, value) => *layer = value.clone(),
        }
    }
    Ok(())
}

/// The layers' names: as given, or type and count.
pub(super) fn layer_names(layers: &[Value]) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let text = |layer: &'_ Value, key| layer.get(key).and_then(Value::as_str).map(str::to_owned);
    layers
        .iter()
        .map(|layer| {
            let kind = layer.get("type").and_then(Value::as_str).unwrap_or_default();
            let count = counts.entry(kind).or_default();
            *count += 1;
            text(layer, "name").unwrap_or_else(|| format!("{kind}{count}"))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_toml_or_text() {
        let value = |text: &str| Setting::parse(text).map(|s| (s.path.join("/"), s.value));
        let text = |t: &str| Value::String(t.to_owned());
        for (written, path, expected) in [
            ("train.epochs=5", "train/epochs", Value::Integer(5)),
            ("train.lr = 1e-3", "train/lr", Value::Float(1e-3)),
            ("accelerator=minimal", "accelerator", text("minimal")),
            ("accelerator=\"minimal\"", "accelerator", text("minimal")),
            ("pruning.pattern=1:4", "pruning/pattern", text("1:4")),
            ("pruning.pattern=12:16", "pruning/pattern", text("12:16")),
            ("pruning.pattern=transposable 1:4", "pruning/pattern", text("transposable 1:4")),
            ("name=a=b", "name", text("a=b")),
            ("layer.\"a=b\".kernel=3", "layer/a=b/kernel", Value::Integer(3)),
            ("bias=false", "bias", Value::Boolean(false)),
            ("name=", "name", text("")),
            ("pruning.layers=[\"a\"]", "pruning/layers", Value::Array(vec![text("a")])),
        ] {
            assert_eq!(value(written), Ok((path.to_owned(), expected)), "{written}");
        }
        for wrong in
            ["train.epochs", "=5", "a..b=1", "a\nb=1", "a=\"open", "a=[1", "[train]\nseed=1", "a b=1"]
        {
            assert!(value(wrong).is_err(), "{wrong}");
        }
        // a value cannot add lines
        assert_eq!(value("a=1\nb=2"), Ok(("a".to_owned(), text("1\nb=2"))));
    }

    #[test]
    fn layers_have_names() {
        let base = "[[layer]]\ntype = \"linear\"\n[[layer]]\ntype = \"linear\"\nname = \"out\"\nbits = { weights = 4 }\n";
        let mut table: Table = toml::from_str(base).unwrap();
        for setting in ["layer.linear1.outputs=7", "layer.out.bits.weights=2", "layer.out.bits.gradients=4"] {
            Setting::parse(setting).unwrap().apply(&mut table).unwrap();
        }
        assert_eq!(table["layer"][0]["outputs"].as_integer(), Some(7));
        assert_eq!(table["layer"][1]["bits"].to_string(), "{ gradients = 4, weights = 2 }");
        let error = Setting::parse("layer.conv9.kernel=3").unwrap().apply(&mut table).unwrap_err();
        assert_eq!(
            error.to_string(),
            "--set layer.conv9.kernel=3: no layer `conv9`, expected one of linear1, out"
        );
        let error = Setting::parse("layer.out.type.x=3").unwrap().apply(&mut table).unwrap_err();
        assert!(error.problem.contains("`type` is string, not a table"), "{error}");
    }
}
