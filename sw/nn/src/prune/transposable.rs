//! The best transposable mask of one block.
//!
//! ```text
//! maximise Σ w_ij·x_ij      x_ij ∈ {0, 1}, Σ_j x_ij ≤ n, Σ_i x_ij ≤ n, w_ij > 0
//! ```
//!
//! n = 1 is the assignment problem (Kuhn–Munkres, by the `pathfinding` crate, rectangular at the edges).
//! Larger n is a b-matching with edges of capacity 1, a transportation problem: repeating rows and
//! columns n times would let one weight be kept twice, so it is solved as a minimum-cost flow by
//! successive shortest paths. Each path is a heaviest one of the residual graph, so that every
//! intermediate flow has the largest weight of its size; the gains only fall, so that the largest of all
//! is reached when no path gains. Flows of integers are integers: the result is exact.
//!
//! # Source   Ahuja, Magnanti, Orlin, "Network Flows", 1993, successive shortest paths

use pathfinding::prelude::{Matrix, kuhn_munkres};

/// The integer of the largest score.
const LARGEST: f64 = (1u64 << 36) as f64;
/// A block has 16² elements at most: the sum of 256 − index is less than this, and the sum of weights less
/// than 2⁶².
const TIE: i64 = 1 << 17;

/// Scores as integers, of which the sum of a block is exact.
#[derive(Clone, Copy)]
pub(super) struct FixedPoint {
    scale: f64,
}

impl FixedPoint {
    /// The fixed point of scores: their largest magnitude becomes 2³⁶.
    pub fn of(scores: &[f64]) -> Self {
        let largest = scores.iter().fold(0.0, |m: f64, s| m.max(s.abs()));
        assert!(largest.is_finite(), "scores are finite");
        FixedPoint { scale: if largest > 0.0 { LARGEST / largest } else { 0.0 } }
    }

    /// The weight of element `index` of a block, above 0: of equal sums of scores, the one of more
    /// elements and lower indices is larger.
    ///
    /// # Panics   if the score is negative
    pub fn weight(self, score: f64, index: usize) -> i64 {
        assert!(score >= 0.0, "score {score} is negative");
        (score * self.scale).round_ties_even() as i64 * TIE + 256 - index as i64
    }
}

/// Which elements of a block, row-major, the best mask with at most `n` a row and column keeps.
pub(super) fn keep_block(weights: &[i64], rows: usize, columns: usize, n: usize) -> Vec<bool> {
    if n >= rows.max(columns) {
        vec![true; weights.len()]
    } else if n == 1 {
        assign(weights, rows, columns)
    } else {
        flow(weights, rows, columns, n)
    }
}

fn assign(weights: &[i64], rows: usize, columns: usize) -> Vec<bool> {
    let matrix = Matrix::from_vec(rows, columns, weights.to_vec()).expect("rows·columns weights");
    let mut kept = vec![false; weights.len()];
    if rows <= columns {
        for (row, column) in kuhn_munkres(&matrix).1.into_iter().enumerate() {
            kept[row * columns + column] = true;
        }
    } else {
        for (column, row) in kuhn_munkres(&matrix.transposed()).1.into_iter().enumerate() {
            kept[row * columns + column] = true;
        }
    }
    kept
}

fn flow(weights: &[i64], rows: usize, columns: usize, n: usize) -> Vec<bool> {
    let mut kept = vec![false; weights.len()];
    let mut row_room = vec![n.min(columns); rows];
    let mut column_room = vec![n.min(rows); columns];
    while let Some(path) = heaviest_path(weights, &kept, &row_room, &column_room) {
        let (first, last) = (path[0], path[path.len() - 1]);
        row_room[first / columns] -= 1;
        column_room[last % columns] -= 1;
        path.into_iter().for_each(|edge| kept[edge] = !kept[edge]);
    }
    kept
}

/// The edges of the heaviest path from a row with room to a column with room, over edges that are not
/// kept and backwards over kept ones, if one gains.
fn heaviest_path(
    weights: &[i64],
    kept: &[bool],
    row_room: &[usize],
    column_room: &[usize],
) -> Option<Vec<usize>> {
    const NONE: i64 = i64::MIN;
    let columns = column_room.len();
    let mut row_gain: Vec<i64> = row_room.iter().map(|&room| if room > 0 { 0 } else { NONE }).collect();
    let mut column_gain = vec![NONE; columns];
    // The edge over which each row and column is reached.
    let (mut into_row, mut into_column) = (vec![None; row_room.len()], vec![None; columns]);
    let mut changed = true;
    while changed {
        changed = false;
        for (edge, (&weight, &kept)) in weights.iter().zip(kept).enumerate() {
            let (row, column) = (edge / columns, edge % columns);
            if kept {
                if column_gain[column] != NONE && column_gain[column] - weight > row_gain[row] {
                    row_gain[row] = column_gain[column] - weight;
                    into_row[row] = Some(edge);
                    changed = true;
                }
            } else if row_gain[row] != NONE && row_gain[row] + weight > column_gain[column] {
                column_gain[column] = row_gain[row] + weight;
                into_column[column] = Some(edge);
                changed = true;
            }
        }
    }
    let ends = (0..columns).filter(|&c| column_room[c] > 0 && column_gain[c] > 0);
    // Of equal gains the first column.
    let mut column = ends.reduce(|a, b| if column_gain[b] > column_gain[a] { b } else { a })?;
    let mut path = Vec::new();
    loop {
        let edge = into_column[column].expect("a reached column");
        path.push(edge);
        match into_row[edge / columns] {
            Some(back) => {
                path.push(back);
                column = back % columns;
            }
            None => break,
        }
    }
    path.reverse();
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// The two algorithms are exact, so they agree in weight where both apply.
        #[test]
        fn the_flow_solves_the_assignment_problem_too(
            (rows, columns, weights) in (1usize..17, 1usize..17).prop_flat_map(|(r, c)| {
                (Just(r), Just(c), prop::collection::vec(1i64..1000, r * c))
            }),
        ) {
            let total = |kept: Vec<bool>| -> (usize, i64) {
                let kept = weights.iter().zip(kept).filter(|(_, k)| *k);
                kept.fold((0, 0), |(count, sum), (w, _)| (count + 1, sum + w))
            };
            let flow = total(flow(&weights, rows, columns, 1));
            prop_assert_eq!(flow, total(assign(&weights, rows, columns)));
            prop_assert_eq!(flow.0, rows.min(columns));
        }
    }

    /// Three weights of 1 cannot be kept with all others: a full block would lose one.
    #[test]
    fn the_heaviest_block_may_keep_fewer() {
        let weights = [12, 0, 4, 7, 22, 0, 0, 0, 5, 0, 1, 1, 0, 0, 0, 0];
        let kept = keep_block(&weights, 4, 4, 3);
        let total: i64 = weights.iter().zip(&kept).filter(|(_, k)| **k).map(|(w, _)| w).sum();
        assert_eq!(total, 52);
    }
}
