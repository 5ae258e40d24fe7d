//! Constraints between axes.

use exmex::{Express, FlatExVal, Val};
use std::collections::BTreeMap;

/// An expression over axes in braces that is true of the points that are wanted.
#[derive(Clone, Debug)]
pub struct Require {
    text: String,
    expression: FlatExVal<i32, f64>,
}

impl Require {
    /// Reads an expression; its names are axes.
    ///
    /// # Errors   why it is none
    pub fn parse(text: &str, axes: &[&str]) -> Result<Self, String> {
        let expression = exmex::parse_val::<i32, f64>(text).map_err(|e| format!("{text}: {e}"))?;
        if let Some(unknown) = expression.var_names().iter().find(|name| !axes.contains(&name.as_str())) {
            return Err(format!("{text}: no axis `{unknown}`, expected one of {}", axes.join(", ")));
        }
        Ok(Require { text: text.to_owned(), expression })
    }

    /// Whether it holds for these numbers of axes.
    ///
    /// # Errors   an axis without a number, or a result that is neither true nor false
    pub fn holds(&self, numbers: &BTreeMap<&str, Option<f64>>) -> Result<bool, String> {
        let value = |name: &String| match numbers.get(name.as_str()) {
            Some(Some(x)) => Ok(Val::Float(*x)),
            _ => Err(format!("{}: `{name}` is not a number", self.text)),
        };
        let values = self.expression.var_names().iter().map(value).collect::<Result<Vec<_>, _>>()?;
        match self.expression.eval(&values) {
            Ok(Val::Bool(holds)) => Ok(holds),
            Ok(_) => Err(format!("{}: neither true nor false", self.text)),
            Err(e) => Err(format!("{}: {e}", self.text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_over_axes() {
        let axes = ["weights", "rows of array"];
        let numbers = BTreeMap::from([("weights", Some(4.0)), ("rows of array", Some(8.0))]);
        let holds = |text: &str| Require::parse(text, &axes)?.holds(&numbers);
        assert_eq!(holds("{weights} <= {rows of array}"), Ok(true));
        assert_eq!(holds("weights * {rows of array} < 32"), Ok(false));
        assert_eq!(holds("weights == 4 && {rows of array} > 4.5"), Ok(true));
        assert!(holds("weights +").is_err());
        assert!(
            holds("{bits} > 2")
                .unwrap_err()
                .contains("no axis `bits`, expected one of weights, rows of array")
        );
        assert!(holds("weights + 1").unwrap_err().contains("neither true nor false"));
        let none = BTreeMap::from([("weights", None)]);
        let require = Require::parse("weights > 1", &axes).unwrap();
        assert!(require.holds(&none).unwrap_err().contains("`weights` is not a number"));
    }
}
