//! Constraints between axes.

use exmex::{BinOp, Express, FlatEx, MakeOperators, Operator, Val, ValMatcher, ValOpsFactory};
use std::collections::BTreeMap;

type Number = Val<i32, f64>;

/// The operators of the library, `&&` and `||` below comparisons: there they are above them, so that `a == 4 && b > 2` would
/// be a comparison with `4 && b`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Operators;

impl MakeOperators<Number> for Operators {
    fn make<'a>() -> Vec<Operator<'a, Number>> {
        let mut all = ValOpsFactory::<i32, f64>::make();
        all.retain(|operator| !["&&", "||"].contains(&operator.repr()));
        let both = BinOp { apply: |a, b| logic(a, b, |a, b| a && b), prio: -1, is_commutative: true };
        let either = BinOp { apply: |a, b| logic(a, b, |a, b| a || b), prio: -2, is_commutative: true };
        all.extend([Operator::make_bin("&&", both), Operator::make_bin("||", either)]);
        all
    }
}

/// Of two that are true or false; nothing of others.
fn logic(a: Number, b: Number, of: fn(bool, bool) -> bool) -> Number {
    match (a, b) {
        (Val::Bool(a), Val::Bool(b)) => Val::Bool(of(a, b)),
        _ => Val::None,
    }
}

/// An expression over axes in braces that is true of the points that are wanted.
#[derive(Clone, Debug)]
pub struct Require {
    text: String,
    expression: FlatEx<Number, Operators, ValMatcher>,
}

impl Require {
    /// Reads an expression; its names are axes.
    ///
    /// # Errors   why it is none
    pub fn parse(text: &str, axes: &[&str]) -> Result<Self, String> {
        let expression = FlatEx::parse(text).map_err(|e| format!("{text}: {e}"))?;
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
        assert_eq!(holds("weights == 8 || {rows of array} == 8 && weights < 5"), Ok(true));
        assert_eq!(holds("weights / 8 == 0.5 && weights != 3"), Ok(true));
        assert!(holds("weights && 3").unwrap_err().contains("neither true nor false"));
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
