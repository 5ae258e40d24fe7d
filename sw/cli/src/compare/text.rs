//! A comparison as Markdown, which is text for the eye too.

use super::{Comparison, Line, Means};
use crate::variant::Mean;
use std::fmt::Write as _;

/// One table a column: accuracy, difference, cycles and their shares of the reference.
pub fn text(comparison: &Comparison, means: &Means) -> String {
    let mut s = String::new();
    let Some(reference) = means.reference() else { return s };
    let seeds = comparison.seeds.len();
    let dense = &reference.row;
    let _ = writeln!(
        s,
        "{dense}: {} %, {:.3e} compute cycles ({:.3e} with drain waits), {:.3e} in all; {seeds} {}\n",
        accuracy(&reference.accuracy),
        reference.compute,
        reference.with_drain,
        reference.cycles,
        if seeds == 1 { "seed" } else { "seeds" },
    );
    for column in comparison.columns() {
        let lines: Vec<_> = means.lines.iter().filter(|l| l.column.as_deref() == Some(column)).collect();
        if !lines.is_empty() {
            let compared = comparison.against.as_deref();
            let _ = writeln!(s, "{}", table(column, &lines, reference, compared));
        }
    }
    if means.lines.iter().filter_map(|l| l.difference).any(|d| d.is_separated()) {
        s += "*: differs from 0 at 5 % (paired by seed, Student's t)\n";
    }
    s
}

fn table(column: &str, lines: &[&Line], dense: &Line, against: Option<&str>) -> String {
    let share = |part: f64, whole: f64| format!("{:.3}", part / whole);
    let transforms = lines.iter().any(|line| line.busy[1] > 0.0);
    let mut head = vec![column.to_owned(), "accuracy %".to_owned()];
    head.extend(against.map(|row| format!("less {row}")));
    for name in ["weights %", "compute cycles", "of dense", "with drain", "all cycles", "of dense"] {
        head.push(name.replace("dense", &dense.row));
    }
    if transforms {
        head.extend(["MAC array", "FFT unit", "link", "largest"].map(str::to_owned));
    }
    let mut rows = vec![head];
    for line in lines {
        let mut cells = vec![line.row.clone(), accuracy(&line.accuracy)];
        if against.is_some() {
            cells.push(line.difference.as_ref().map_or(String::new(), difference));
        }
        cells.extend([
            format!("{:.1}", 100.0 * line.density),
            format!("{:.3e}", line.compute),
            share(line.compute, dense.compute),
            share(line.with_drain, dense.with_drain),
            format!("{:.3e}", line.cycles),
            share(line.cycles, dense.cycles),
        ]);
        if transforms {
            cells.extend(line.busy.map(|cycles| format!("{cycles:.3e}")));
        }
        rows.push(cells);
    }
    markdown(&rows)
}

/// Rows of cells, the first one the head, the first cell of each to the left, padded.
pub fn markdown(rows: &[Vec<String>]) -> String {
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let mut s = String::new();
    for (i, row) in rows.iter().enumerate() {
        let cells = row.iter().zip(&widths).enumerate().map(|(c, (cell, &w))| match c {
            0 => format!("| {cell:<w$} |"),
            _ => format!(" {cell:>w$} |"),
        });
        let _ = writeln!(s, "{}", cells.collect::<String>());
        if i == 0 {
            let rule = widths.iter().enumerate().map(|(c, &w)| match c {
                0 => format!("|{}|", "-".repeat(w + 2)),
                _ => format!("{}:|", "-".repeat(w + 1)),
            });
            let _ = writeln!(s, "{}", rule.collect::<String>());
        }
    }
    s
}

fn accuracy(mean: &Mean) -> String {
    let error = mean.standard_error.map_or(String::new(), |e| format!(" ± {:.2}", 100.0 * e));
    format!("{:.2}{error}", 100.0 * mean.mean)
}

fn difference(mean: &Mean) -> String {
    let error = mean.standard_error.map_or(String::new(), |e| format!(" ± {:.2}", 100.0 * e));
    format!("{:+.2}{error}{}", 100.0 * mean.mean, if mean.is_separated() { " *" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(values: &[f64]) -> Mean {
        Mean::of(values).expect("values")
    }

    #[test]
    fn tables_are_markdown_with_shares_of_dense() {
        let line = |row: &str, compute, difference| Line {
            row: row.to_owned(),
            column: Some("75 %".to_owned()),
            accuracy: mean(&[0.98, 0.99]),
            difference,
            density: 0.25,
            compute,
            with_drain: 2.0 * compute,
            cycles: 4.0 * compute,
            busy: [compute, 0.0, 2.0 * compute, 2.0 * compute],
        };
        let dense = Line { column: None, ..line("dense", 1e6, None) };
        let lines = [line("random", 2.5e5, None), line("gmp", 5e5, Some(mean(&[0.01, 0.0101])))];
        let lines: Vec<_> = lines.iter().collect();
        insta::assert_snapshot!(table("75 %", &lines, &dense, Some("random")), @r"
        | 75 %   |   accuracy % |    less random | weights % | compute cycles | of dense | with drain | all cycles | of dense |
        |--------|-------------:|---------------:|----------:|---------------:|---------:|-----------:|-----------:|---------:|
        | random | 98.50 ± 0.50 |                |      25.0 |        2.500e5 |    0.250 |      0.250 |    1.000e6 |    0.250 |
        | gmp    | 98.50 ± 0.50 | +1.00 ± 0.00 * |      25.0 |        5.000e5 |    0.500 |      0.500 |    2.000e6 |    0.500 |
        ");
    }
}
