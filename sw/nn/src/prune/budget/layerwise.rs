//! A budget becomes a pattern: N_l of M for each layer.
//!
//! ```text
//! from dense, lower the N_l that loses least retained score per unit of cost saved, until Σ cost ≤ limit;
//! then raise, while it fits, the N_l that regains most per unit;
//! then raise one and lower another, while that fits and regains score
//! ```
//!
//! A level that saves nothing (a link-bound layer, a group shorter than N) is passed over to a lower
//! one that does.

/// What a layer keeps and costs at each level.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Retained score with N = 1, 2, …, M.
    pub retained: Vec<f64>,
    /// Cost with N = 1, 2, …, M: cycles or weights.
    pub cost: Vec<u64>,
}

impl Curve {
    fn step(&self, from: usize, to: usize) -> Step {
        let cost = |n: usize| self.cost[n - 1] as f64;
        Step { score: self.retained[from - 1] - self.retained[to - 1], cost: cost(from) - cost(to) }
    }
}

/// A difference between two levels.
#[derive(Clone, Copy)]
struct Step {
    score: f64,
    cost: f64,
}

/// The N of each layer whose costs together are at most `limit`; `None` if N = 1 everywhere costs more.
///
/// # Panics   if a curve is empty or its two parts differ in length
pub fn levels(curves: &[Curve], limit: u64) -> Option<Vec<usize>> {
    assert!(curves.iter().all(|c| !c.cost.is_empty() && c.cost.len() == c.retained.len()), "empty curve");
    let mut levels: Vec<usize> = curves.iter().map(|c| c.cost.len()).collect();
    while cost(curves, &levels) > limit {
        let lower = candidates(curves, &levels, |level, _| 1..level);
        let saving = lower.filter(|(_, _, step)| step.cost > 0.0);
        // Of equal ratios the first layer and its highest level.
        let best = saving.min_by(|(la, na, a), (lb, nb, b)| {
            ratio(a).total_cmp(&ratio(b)).then(la.cmp(lb)).then(nb.cmp(na))
        });
        let (layer, level, _) = best?;
        levels[layer] = level;
    }
    fill(curves, &mut levels, limit);
    while let Some(better) = exchange(curves, &levels, limit) {
        levels = better;
        fill(curves, &mut levels, limit);
    }
    Some(levels)
}

/// Raises levels while something fits.
fn fill(curves: &[Curve], levels: &mut [usize], limit: u64) {
    loop {
        let room = (limit - cost(curves, levels)) as f64;
        let higher = candidates(curves, levels, |level, m| level + 1..m + 1);
        let fitting = higher.filter(|(_, _, step)| step.score < 0.0 && -step.cost <= room);
        // A step that costs nothing comes first; of equal ratios the first layer and its lowest level.
        let best = fitting.max_by(|(la, na, a), (lb, nb, b)| {
            let free = |step: &Step| if step.cost >= 0.0 { f64::INFINITY } else { ratio(step) };
            free(a).total_cmp(&free(b)).then(lb.cmp(la)).then(nb.cmp(na))
        });
        let Some((layer, level, _)) = best else { return };
        levels[layer] = level;
    }
}

/// The pair of a higher and a lower level that fits and regains most; of equal ones the first.
fn exchange(curves: &[Curve], levels: &[usize], limit: u64) -> Option<Vec<usize>> {
    let mut best = (retained(curves, levels), None);
    let higher: Vec<_> = candidates(curves, levels, |level, m| level + 1..m + 1).collect();
    for (up, raised, _) in higher {
        for (down, lowered, _) in candidates(curves, levels, |level, _| 1..level).filter(|(l, ..)| *l != up) {
            let mut changed = levels.to_vec();
            (changed[up], changed[down]) = (raised, lowered);
            let kept = retained(curves, &changed);
            if kept > best.0 && cost(curves, &changed) <= limit {
                best = (kept, Some(changed));
            }
        }
    }
    best.1
}

/// The cost of all layers together.
pub fn cost(curves: &[Curve], levels: &[usize]) -> u64 {
    curves.iter().zip(levels).map(|(curve, level)| curve.cost[level - 1]).sum()
}

/// The retained score of all layers together.
pub fn retained(curves: &[Curve], levels: &[usize]) -> f64 {
    curves.iter().zip(levels).map(|(curve, level)| curve.retained[level - 1]).sum()
}

fn ratio(step: &Step) -> f64 {
    step.score / step.cost
}

/// All moves of one layer, as (layer, level, step).
fn candidates<'a>(
    curves: &'a [Curve],
    levels: &'a [usize],
    range: impl Fn(usize, usize) -> std::ops::Range<usize> + 'a,
) -> impl Iterator<Item = (usize, usize, Step)> + 'a {
    curves.iter().zip(levels).enumerate().flat_map(move |(layer, (curve, &level))| {
        range(level, curve.cost.len()).map(move |to| (layer, to, curve.step(level, to)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Scores that fall off in each group, costs in proportion to N above a fixed part.
    fn curves() -> impl Strategy<Value = Vec<Curve>> {
        let layer = (prop::collection::vec(0u32..1000, 8), 1u64..500, 0u64..300, 1.0..50.0);
        let layer = layer.prop_map(|(mut gains, each, fixed, weight): (Vec<u32>, _, _, f64)| {
            gains.sort_unstable_by(|a, b| b.cmp(a));
            let sums = gains.iter().scan(0.0, |sum, &gain| {
                *sum += weight * f64::from(gain);
                Some(*sum)
            });
            Curve { retained: sums.collect(), cost: (1..=8).map(|n| fixed + n * each).collect() }
        });
        prop::collection::vec(layer, 1..6)
    }

    proptest! {
        /// At the cost of uniform N:M the greedy choice keeps no less.
        #[test]
        fn greedy_beats_uniform_at_equal_cost(curves in curves(), n in 1usize..9) {
            let uniform = vec![n; curves.len()];
            let limit = cost(&curves, &uniform);
            let chosen = levels(&curves, limit).expect("uniform fits");
            prop_assert!(cost(&curves, &chosen) <= limit);
            // Of the fractional optimum greedy misses one step of one layer at most: the largest step.
            let step = |c: &Curve| c.retained.windows(2).map(|w| w[1] - w[0]).fold(c.retained[0], f64::max);
            let slack = curves.iter().map(step).fold(0.0, f64::max);
            prop_assert!(retained(&curves, &chosen) + slack >= retained(&curves, &uniform));
        }

        /// Nothing more fits.
        #[test]
        fn the_budget_is_used(curves in curves(), share in 0.0..1.0) {
            let (least, most) = (vec![1; curves.len()], vec![8; curves.len()]);
            let (low, high) = (cost(&curves, &least), cost(&curves, &most));
            let limit = low + (share * (high - low) as f64) as u64;
            let chosen = levels(&curves, limit).expect("the least fits");
            for layer in 0..curves.len() {
                let mut more = chosen.clone();
                more[layer] += 1;
                if more[layer] <= 8 && curves[layer].retained[more[layer] - 1] > curves[layer].retained[chosen[layer] - 1] {
                    prop_assert!(cost(&curves, &more) > limit);
                }
            }
        }
    }

    /// Two layers of equal cost, one of which holds nearly all of the score in one weight of each group.
    #[test]
    fn greedy_retains_more_than_uniform_at_equal_cycles() {
        let cost: Vec<u64> = (1..=4).map(|n| 100 * n).collect();
        let flat = Curve { retained: vec![10.0, 20.0, 30.0, 40.0], cost: cost.clone() };
        let steep = Curve { retained: vec![37.0, 38.0, 39.0, 40.0], cost };
        let curves = [flat, steep];
        let chosen = levels(&curves, 400).expect("fits");
        assert_eq!(chosen, [3, 1]);
        assert_eq!(super::cost(&curves, &chosen), super::cost(&curves, &[2, 2]));
        assert_eq!(retained(&curves, &chosen), 67.0);
        assert_eq!(retained(&curves, &[2, 2]), 58.0);
    }

    #[test]
    fn levels_that_save_nothing_are_passed_over() {
        let plateau = Curve { retained: vec![1.0, 2.0, 3.0], cost: vec![10, 50, 50] };
        assert_eq!(levels(std::slice::from_ref(&plateau), 40), Some(vec![1]));
        assert_eq!(levels(std::slice::from_ref(&plateau), 50), Some(vec![3]));
        assert_eq!(levels(&[plateau], 9), None);
    }
}
