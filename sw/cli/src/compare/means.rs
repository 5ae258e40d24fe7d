//! Outcomes of all seeds together.

use super::{Cell, Comparison};
use crate::variant::{Mean, Outcome};
use serde::Serialize;
use tandem_nn::train::accounting::compute_cycles;

/// A row in a column, over seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Row, or the reference.
    pub row: String,
    /// Column; none of the reference.
    pub column: Option<String>,
    /// Share of test images with the right answer, 0 to 1.
    pub accuracy: Mean,
    /// Accuracy less that of the row that is compared with, seed by seed.
    pub difference: Option<Mean>,
    /// Share of all weights that is left.
    pub density: f64,
    /// Cycles in which the array computed, integrated over training.
    pub compute: f64,
    /// With the cycles in which it waited for results to leave.
    pub with_drain: f64,
    /// All cycles, link included.
    pub cycles: f64,
    /// Busy cycles of MAC array, FFT unit and link, and the largest of the three.
    pub busy: [f64; 4],
}

/// All lines of a comparison: the reference first, then column by column.
#[derive(Clone, Debug, Serialize)]
pub struct Means {
    /// The lines.
    pub lines: Vec<Line>,
}

impl Means {
    /// Of what has been run so far.
    pub fn new(comparison: &Comparison, outcomes: &[(Cell, Outcome)]) -> Self {
        let rows = comparison.rows();
        let columns = comparison.columns();
        let inner = columns.iter().flat_map(|c| rows.iter().map(move |r| (*r, Some(*c))));
        let all = std::iter::once((comparison.reference.as_str(), None)).chain(inner);
        let line = |(row, column): (&str, Option<&str>)| {
            let runs = of(outcomes, row, column);
            let mean = |value: &dyn Fn(&Outcome) -> f64| {
                Mean::of(&runs.iter().map(|o| value(o)).collect::<Vec<_>>())
            };
            let against = comparison.against.as_deref().filter(|name| *name != row && column.is_some());
            Some(Line {
                row: row.to_owned(),
                column: column.map(str::to_owned),
                accuracy: mean(&|o| o.test_accuracy)?,
                difference: against.and_then(|name| difference(&runs, &of(outcomes, name, column))),
                density: mean(&|o| o.density)?.mean,
                compute: mean(&|o| o.cost.cost.compute_busy as f64)?.mean,
                with_drain: mean(&|o| compute_cycles(&o.cost.cost) as f64)?.mean,
                cycles: mean(&|o| o.cost.cost.cycles as f64)?.mean,
                busy: [
                    mean(&|o| o.busy.mac as f64)?.mean,
                    mean(&|o| o.busy.fft as f64)?.mean,
                    mean(&|o| o.busy.link as f64)?.mean,
                    mean(&|o| o.busy.max as f64)?.mean,
                ],
            })
        };
        Means { lines: all.filter_map(line).collect() }
    }

    /// The experiment itself.
    pub fn reference(&self) -> Option<&Line> {
        self.lines.first().filter(|line| line.column.is_none())
    }
}

fn of<'a>(outcomes: &'a [(Cell, Outcome)], row: &str, column: Option<&str>) -> Vec<&'a Outcome> {
    let those = outcomes.iter().filter(|(cell, _)| cell.row == row && cell.column.as_deref() == column);
    those.map(|(_, outcome)| outcome).collect()
}

/// The mean difference of the seeds that both have.
fn difference(runs: &[&Outcome], others: &[&Outcome]) -> Option<Mean> {
    let pairs = runs.iter().filter_map(|run| {
        let other = others.iter().find(|other| other.seed == run.seed)?;
        Some(run.test_accuracy - other.test_accuracy)
    });
    Mean::of(&pairs.collect::<Vec<_>>())
}
