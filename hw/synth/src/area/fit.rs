//! Least squares with coefficients that are not negative.

use super::data::Line;
use super::terms::{Kind, Terms, terms, unit};
use super::{AreaModel, Coefficients};

/// A small unit's error counts as if it had so many cells.
const FLOOR: f64 = 300.0;
/// Rounds over all coefficients; they settle long before.
const ROUNDS: usize = 20_000;

/// The sum of terms by their coefficients; a term without one counts nothing.
pub fn predict(terms: &Terms, by: &Coefficients) -> f64 {
    terms.iter().map(|(name, value)| value * by.get(*name).copied().unwrap_or(0.0)).sum()
}

/// Terms and cells `measured` of accelerators and, below them, of units by themselves.
pub fn measured(
    model: &AreaModel,
    kind: Kind,
    lines: &[&Line],
    measured: impl Fn(&Line) -> u64,
) -> Vec<(Terms, f64)> {
    let terms = |line: &Line| match &line.unit {
        Some(name) => unit(kind, &line.config, line.hard.unwrap_or(0), name).unwrap_or_default(),
        None => terms(kind, &line.config, model.hard(&line.config)),
    };
    lines.iter().map(|line| (terms(line), measured(line) as f64)).collect()
}

/// Coefficients c ≥ 0 with the least Σ ((Σ term · c − measured) / max(measured, 300))², one after the other until they settle. A term that a
/// line does not have is 0.
pub fn fit(lines: &[(Terms, f64)]) -> Coefficients {
    let mut names: Vec<&str> = vec![];
    for (name, _) in lines.iter().flat_map(|(terms, _)| terms) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let value = |terms: &Terms, name: &str| terms.iter().find(|t| t.0 == name).map_or(0.0, |t| t.1);
    let column =
        |t: usize| lines.iter().map(|(terms, y)| value(terms, names[t]) / y.max(FLOOR)).collect::<Vec<f64>>();
    let columns: Vec<Vec<f64>> = (0..names.len()).map(column).collect();
    let mut by = vec![0.0; names.len()];
    let mut rest: Vec<f64> = lines.iter().map(|(_, y)| y / y.max(FLOOR)).collect();
    for _ in 0..ROUNDS {
        for (column, c) in columns.iter().zip(&mut by) {
            let square: f64 = column.iter().map(|x| x * x).sum();
            if square == 0.0 {
                continue;
            }
            let slope: f64 = column.iter().zip(&rest).map(|(x, r)| x * r).sum();
            let new = f64::max(0.0, *c + slope / square);
            rest.iter_mut().zip(column).for_each(|(r, x)| *r -= (new - *c) * x);
            *c = new;
        }
    }
    // three digits are more than the data say
    let round = |c: f64| (c * 1e3).round() / 1e3;
    names.iter().zip(by).map(|(name, c)| ((*name).to_owned(), round(c))).filter(|(_, c)| *c > 0.0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_come_back_and_none_is_negative() {
        let terms = |x: f64, y: f64| vec![("one", 1.0), ("x", x), ("y", y)];
        let line = |x: f64, y: f64, of: &dyn Fn(f64, f64) -> f64| (terms(x, y), of(x, y));
        let places = [(100.0, 200.0), (300.0, 100.0), (500.0, 700.0), (200.0, 900.0), (800.0, 300.0)];
        let fitted = |of: &dyn Fn(f64, f64) -> f64| fit(&places.map(|(x, y)| line(x, y, of)));
        let exact = fitted(&|x, y| 100.0 + 3.0 * x + 0.5 * y);
        assert_eq!((exact["one"], exact["x"], exact["y"]), (100.0, 3.0, 0.5));
        assert!((predict(&terms(4.0, 4.0), &exact) - 114.0).abs() < 1e-9);
        assert!(!fitted(&|x, y| 100.0 + 3.0 * x - 2.0 * y).contains_key("y"));
        assert!(fit(&[]).is_empty());
    }
}
