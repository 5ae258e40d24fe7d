//! One axis: the settings that a point takes from it.

use serde::Deserialize;
use std::collections::BTreeSet;
use tandem_nn::config::Setting;
use toml::{Table, Value};

/// Most values of a range.
const LONGEST: usize = 10_000;

/// An axis, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Its name, in results and in `require`.
    pub name: String,
    key: Option<String>,
    values: Option<Vec<Value>>,
    range: Option<Range>,
    choices: Option<Vec<Choice>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Range {
    from: f64,
    to: f64,
    step: Option<f64>,
    times: Option<f64>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Choice {
    name: String,
    #[serde(default)]
    set: Table,
}

/// A value of an axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// How it is called.
    pub name: String,
    /// Its number, if it is one.
    pub number: Option<f64>,
    /// What it changes in the experiment.
    pub experiment: Table,
    /// What it changes in the accelerator.
    pub accelerator: Vec<Setting>,
}

impl Axis {
    /// All its values, each once.
    ///
    /// # Errors   the key that is wrong, below the axis's own, and why
    pub fn levels(&self) -> Result<Vec<Level>, (&'static str, String)> {
        let ways = [self.values.is_some(), self.range.is_some(), self.choices.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            return Err(("name", "expected one of `values`, `range` and `choices`".into()));
        }
        if let Some(choices) = &self.choices {
            if self.key.is_some() {
                return Err(("key", "choices set keys of their own".into()));
            }
            let mut names = BTreeSet::new();
            if choices.is_empty() || !choices.iter().all(|choice| names.insert(&choice.name)) {
                return Err(("choices", "expected at least one, each name once".into()));
            }
            return Ok(choices.iter().map(Choice::level).collect());
        }
        let Some(key) = &self.key else { return Err(("name", "expected `key` for its values".into())) };
        let values = match (&self.values, &self.range) {
            (Some(values), _) => values.clone(),
            (_, Some(range)) => range.values().map_err(|why| ("range", why))?,
            _ => unreachable!("looked at above"),
        };
        let mut levels: Vec<Level> = vec![];
        for value in values {
            let level = self.level(key, value);
            if levels.iter().any(|other| other.name == level.name) {
                return Err(("values", format!("{} stands there twice", level.name)));
            }
            levels.push(level);
        }
        if levels.is_empty() { Err(("values", "expected at least one".into())) } else { Ok(levels) }
    }

    fn level(&self, key: &str, value: Value) -> Level {
        let name = match &value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let number = match &value {
            Value::Integer(n) => Some(*n as f64),
            Value::Float(x) => Some(*x),
            _ => None,
        };
        let origin = format!("axis `{}`", self.name);
        let of_accelerator = key.strip_prefix("accelerator.");
        let setting = Setting::new(origin, of_accelerator.unwrap_or(key), value);
        let (experiment, accelerator) = match of_accelerator {
            Some(_) => (Table::new(), vec![setting]),
            None => (setting.table(), vec![]),
        };
        Level { name, number, experiment, accelerator }
    }
}

impl Choice {
    fn level(&self) -> Level {
        let mut experiment = self.set.clone();
        let mut accelerator = vec![];
        if let Some(Value::Table(table)) = experiment.get("accelerator") {
            accelerator =
                leaves("", table).map(|(key, value)| Setting::new(self.name.as_str(), &key, value)).collect();
            experiment.remove("accelerator");
        }
        Level { name: self.name.clone(), number: None, experiment, accelerator }
    }
}

/// All values of a table, each with its dotted key.
fn leaves<'a>(path: &str, table: &'a Table) -> Box<dyn Iterator<Item = (String, Value)> + 'a> {
    let path = if path.is_empty() { String::new() } else { format!("{path}.") };
    Box::new(table.iter().flat_map(move |(key, value)| match value {
        Value::Table(inner) => leaves(&format!("{path}{key}"), inner),
        value => Box::new(std::iter::once((format!("{path}{key}"), value.clone()))),
    }))
}

impl Range {
    fn values(&self) -> Result<Vec<Value>, String> {
        let next: Box<dyn Fn(usize) -> f64> = match (self.step, self.times) {
            (Some(step), None) if step > 0.0 => Box::new(move |i| self.from + step * i as f64),
            (None, Some(times)) if times > 1.0 && self.from > 0.0 => {
                Box::new(move |i| self.from * times.powi(i as i32))
            }
            _ => return Err("expected `step` above 0, or `times` above 1 and `from` above 0".into()),
        };
        if !(self.from <= self.to && self.to.is_finite()) {
            return Err(format!("from {} to {}: expected the smaller one first", self.from, self.to));
        }
        // a step of 0.1 does not add up exactly
        let enough = self.to + 1e-9 * self.to.abs().max(1.0);
        let all: Vec<f64> = (0..LONGEST).map(next).take_while(|x| *x <= enough).collect();
        if all.len() == LONGEST {
            return Err(format!("{LONGEST} values or more"));
        }
        let whole = all.iter().all(|x| x.fract() == 0.0);
        let value = |x: &f64| if whole { Value::Integer(*x as i64) } else { Value::Float(*x) };
        Ok(all.iter().map(value).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(text: &str) -> Result<Vec<Level>, (&'static str, String)> {
        toml::from_str::<Axis>(text).expect("an axis").levels()
    }

    #[test]
    fn ranges_are_whole_where_they_can_be() {
        let names =
            |text: &str| levels(text).map(|l| l.iter().map(|l| l.name.clone()).collect::<Vec<_>>().join(" "));
        let key = "name = \"a\"\nkey = \"bits.weights\"\n";
        let range = |inner: &str| names(&format!("{key}range = {{ {inner} }}"));
        assert_eq!(range("from = 2, to = 8, step = 2"), Ok("2 4 6 8".into()));
        assert_eq!(range("from = 2, to = 16, times = 2"), Ok("2 4 8 16".into()));
        assert_eq!(range("from = 0.1, to = 0.3, step = 0.1").map(|n| n.split(' ').count()), Ok(3));
        for wrong in [
            "from = 2, to = 1, step = 1",
            "from = 1, to = 2",
            "from = 0, to = 2, times = 2",
            "from = 1, to = 1e9, step = 1",
        ] {
            assert_eq!(range(wrong).expect_err(wrong).0, "range");
        }
    }

    #[test]
    fn what_an_axis_sets() {
        let rows =
            levels("name = \"rows\"\nkey = \"accelerator.array.rows\"\nvalues = [4, 8]").expect("fine");
        assert!(rows[1].experiment.is_empty());
        assert_eq!(
            rows[1].accelerator[0].table().to_string(),
            "array = { rows = 8 }\n".replace("array = { rows = 8 }\n", "[array]\nrows = 8\n")
        );
        assert_eq!(rows[0].number, Some(4.0));
        let choices = levels(
            "name = \"p\"\nchoices = [{ name = \"dense\" }, { name = \"x\", set.pruning.pattern = \"1:4\", set.accelerator.array.select = 4 }]",
        )
        .expect("fine");
        assert_eq!(choices[1].experiment["pruning"]["pattern"].as_str(), Some("1:4"));
        assert_eq!(choices[1].accelerator.len(), 1);
        assert!(choices[0].experiment.is_empty() && choices[0].number.is_none());
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, key) in [
            ("name = \"a\"\nkey = \"k\"", "name"),
            ("name = \"a\"\nvalues = [1]", "name"),
            ("name = \"a\"\nkey = \"k\"\nvalues = [1, 1]", "values"),
            ("name = \"a\"\nkey = \"k\"\nvalues = []", "values"),
            ("name = \"a\"\nkey = \"k\"\nchoices = [{ name = \"x\" }]", "key"),
            ("name = \"a\"\nchoices = [{ name = \"x\" }, { name = \"x\" }]", "choices"),
        ] {
            assert_eq!(levels(text).expect_err(text).0, key, "{text}");
        }
    }
}
