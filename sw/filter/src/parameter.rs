//! Parameters of filters: declared once, read from texts, so that a command line and a file can have the same ones.

use crate::FilterError;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// A named parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name: an option without dashes, a key.
    pub name: &'static str,
    /// What stands for its value in a help text.
    pub value: &'static str,
    /// Its value if none is given; none: it must be given, or may be missing, as the help says.
    pub default: Option<&'static str>,
    /// One line.
    pub help: &'static str,
}

/// Values of a filter's parameters.
pub struct Values<'a> {
    kind: &'static str,
    parameters: &'static [Parameter],
    given: &'a BTreeMap<String, String>,
}

impl<'a> Values<'a> {
    /// What is given of the parameters of `kind`.
    ///
    /// # Errors   [`FilterError::UnknownParameter`]
    pub fn new(
        kind: &'static str,
        parameters: &'static [Parameter],
        given: &'a BTreeMap<String, String>,
    ) -> Result<Self, FilterError> {
        if let Some(name) = given.keys().find(|name| parameters.iter().all(|p| p.name != **name)) {
            let known: Vec<_> = parameters.iter().map(|p| p.name).collect();
            return Err(FilterError::UnknownParameter { kind, name: name.clone(), known: known.join(", ") });
        }
        Ok(Values { kind, parameters, given })
    }

    /// The text of a parameter, or its default.
    ///
    /// # Panics   no parameter has this name
    pub fn text(&self, name: &str) -> Option<&'a str> {
        let parameter = self.parameters.iter().find(|p| p.name == name).expect("a declared parameter");
        self.given.get(name).map(String::as_str).or(parameter.default)
    }

    /// A text that must be there.
    ///
    /// # Errors   [`FilterError::Missing`]
    pub fn needed(&self, name: &'static str) -> Result<&'a str, FilterError> {
        self.text(name).ok_or_else(|| FilterError::Missing { kind: self.kind, name: name.to_owned() })
    }

    /// Something is missing.
    pub(crate) fn missing<T>(&self, name: &str) -> Result<T, FilterError> {
        Err(FilterError::Missing { kind: self.kind, name: name.to_owned() })
    }

    /// A number or a fraction for which `holds`.
    ///
    /// # Errors   [`FilterError::Missing`], or [`FilterError::Value`] with what is `expected`
    pub fn number(
        &self,
        parameter: &Parameter,
        holds: impl Fn(f64) -> bool,
        expected: &str,
    ) -> Result<f64, FilterError> {
        let text = self.needed(parameter.name)?;
        let number = number(text).filter(|v| holds(*v));
        number.ok_or_else(|| refused(parameter.name, text, expected))
    }

    /// A whole number.
    ///
    /// # Errors   as [`number`](Self::number)
    pub fn whole(&self, parameter: &Parameter, range: RangeInclusive<usize>) -> Result<usize, FilterError> {
        let text = self.needed(parameter.name)?;
        let number = text.parse().ok().filter(|n| range.contains(n));
        number.ok_or_else(|| refused(parameter.name, text, &format!("{} to {}", range.start(), range.end())))
    }

    /// One of several names.
    ///
    /// # Errors   as [`number`](Self::number)
    pub fn choice(&self, name: &'static str, names: &[&'static str]) -> Result<&'static str, FilterError> {
        let text = self.needed(name)?;
        let found = names.iter().find(|n| **n == text).copied();
        found.ok_or_else(|| refused(name, text, &format!("one of {}", names.join(", "))))
    }
}

/// A number, or a fraction such as 1/16.
pub(crate) fn number(text: &str) -> Option<f64> {
    match text.split_once('/') {
        Some((over, under)) => Some(over.trim().parse::<f64>().ok()? / under.trim().parse::<f64>().ok()?),
        None => text.parse().ok(),
    }
}

/// A value that cannot be taken.
pub(crate) fn refused(name: &'static str, value: &str, expected: &str) -> FilterError {
    FilterError::Value { name, value: value.to_owned(), expected: expected.to_owned() }
}
