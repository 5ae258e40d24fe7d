//! A budget becomes a pattern: N_l of M for each layer.
//!
//! ```text
//! from dense, lower the N_l that loses least retained score per cycle saved, until Σ size ≤ limit;
//! then raise, while it fits, the N_l that regains most per cycle;
//! then raise one and lower another, while that fits, regains score and costs no cycles beyond a limit on them
//! ```
//!
//! The size is what the budget limits: cycles too, or kept weights. A level that is not smaller (a drain-bound
//! layer, a group shorter than N) is passed over to a lower one that is; one that is smaller but saves no
//! cycles comes last.

/// What a layer keeps and costs at each level.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Retained score with N = 1, 2, …, M.
    pub retained: Vec<f64>,
    /// Cycles with N = 1, 2, …, M.
    pub cycles: Vec<u64>,
    /// What the budget limits with N = 1, 2, …, M: cycles, or kept weights.
    pub size: Vec<u64>,
}

impl Curve {
    fn step(&self, from: usize, to: usize) -> Step {
        let saved = |of: &[u64]| of[from - 1] as f64 - of[to - 1] as f64;
        let score = self.retained[from - 1] - self.retained[to - 1];
        Step { score, cycles: saved(&self.cycles), size: saved(&self.size) }
    }
}

/// A difference between two levels.
#[derive(Clone, Copy)]
struct Step {
    score: f64,
    cycles: f64,
    size: f64,
}

/// The N of each layer whose sizes together are at most `limit`; `None` if N = 1 everywhere is larger.
///
/// # Panics   if a curve is empty or its parts differ in length
pub fn levels(curves: &[Curve], limit: u64) -> Option<Vec<usize>> {
    let sound = |c: &Curve| !c.size.is_empty() && [c.cycles.len(), c.retained.len()] == [c.size.len(); 2];
    assert!(curves.iter().all(sound), "curves of one length");
    let mut levels: Vec<usize> = curves.iter().map(|c| c.size.len()).collect();
    while size(curves, &levels) > limit {
        let lower = candidates(curves, &levels, |level, _| 1..level);
        let saving = lower.filter(|(_, _, step)| step.size > 0.0);
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
        let room = (limit - size(curves, levels)) as f64;
        let higher = candidates(curves, levels, |level, m| level + 1..m + 1);
        let fitting = higher.filter(|(_, _, step)| step.score < 0.0 && -step.size <= room);
        // A step that costs nothing comes first; of equal ratios the first layer and its lowest level.
        let best = fitting.max_by(|(la, na, a), (lb, nb, b)| {
            let free = |step: &Step| if step.cycles >= 0.0 { f64::INFINITY } else { ratio(step) };
            free(a).total_cmp(&free(b)).then(lb.cmp(la)).then(nb.cmp(na))
        });
        let Some((layer, level, _)) = best else { return };
        levels[layer] = level;
    }
}

/// The pair of a higher and a lower level that fits and regains most; of equal ones the first.
///
/// Where the budget is of weights, the pair must not cost cycles.
fn exchange(curves: &[Curve], levels: &[usize], limit: u64) -> Option<Vec<usize>> {
    let most_cycles = if curves.iter().all(|c| c.size == c.cycles) { limit } else { cycles(curves, levels) };
    let mut best = (retained(curves, levels), None);
    let higher: Vec<_> = candidates(curves, levels, |level, m| level + 1..m + 1).collect();
    for (up, raised, _) in higher {
        for (down, lowered, _) in candidates(curves, levels, |level, _| 1..level).filter(|(l, ..)| *l != up) {
            let mut changed = levels.to_vec();
            (changed[up], changed[down]) = (raised, lowered);
            let fits = size(curves, &changed) <= limit && cycles(curves, &changed) <= most_cycles;
            let kept = retained(curves, &changed);
            if fits && kept > best.0 {
                best = (kept, Some(changed));
            }
        }
    }
    best.1
}

fn cycles(curves: &[Curve], levels: &[usize]) -> u64 {
    curves.iter().zip(levels).map(|(curve, level)| curve.cycles[level - 1]).sum()
}

/// The size of all layers together.
pub fn size(curves: &[Curve], levels: &[usize]) -> u64 {
    curves.iter().zip(levels).map(|(curve, level)| curve.size[level - 1]).sum()
}

/// The retained score of all layers together.
pub fn retained(curves: &[Curve], levels: &[usize]) -> f64 {
    curves.iter().zip(levels).map(|(curve, level)| curve.retained[level - 1]).sum()
}

fn ratio(step: &Step) -> f64 {
    if step.cycles == 0.0 { f64::INFINITY } else { step.score / step.cycles }
}

/// All moves of one layer, as (layer, level, step).
fn candidates<'a>(
    curves: &'a [Curve],
    levels: &'a [usize],
    range: impl Fn(usize, usize) -> std::ops::Range<usize> + 'a,
) -> impl Iterator<Item = (usize, usize, Step)> + 'a {
    curves.iter().zip(levels).enumerate().flat_map(move |(layer, (curve, &level))| {
        range(level, curve.size.len()).map(move |to| (layer, to, curve.step(level, to)))
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
            let cycles: Vec<u64> = (1..=8).map(|n| fixed + n * each).collect();
            Curve { retained: sums.collect(), size: cycles.clone(), cycles }
        });
        prop::collection::vec(layer, 1..6)
    }

    proptest! {
        /// At the cost of uniform N:M the greedy choice keeps no less.
        #[test]
        fn greedy_beats_uniform_at_equal_cost(curves in curves(), n in 1usize..9) {
            let uniform = vec![n; curves.len()];
            let limit = size(&curves, &uniform);
            let chosen = levels(&curves, limit).expect("uniform fits");
            prop_assert!(size(&curves, &chosen) <= limit);
            // Of the fractional optimum greedy misses one step of one layer at most: the largest step.
            let step = |c: &Curve| c.retained.windows(2).map(|w| w[1] - w[0]).fold(c.retained[0], f64::max);
            let slack = curves.iter().map(step).fold(0.0, f64::max);
            prop_assert!(retained(&curves, &chosen) + slack >= retained(&curves, &uniform));
        }

        /// Nothing more fits.
        #[test]
        fn the_budget_is_used(curves in curves(), share in 0.0..1.0) {
            let (least, most) = (vec![1; curves.len()], vec![8; curves.len()]);
            let (low, high) = (size(&curves, &least), size(&curves, &most));
            let limit = low + (share * (high - low) as f64) as u64;
            let chosen = levels(&curves, limit).expect("the least fits");
            for layer in 0..curves.len() {
                let mut more = chosen.clone();
                more[layer] += 1;
                if more[layer] <= 8 && curves[layer].retained[more[layer] - 1] > curves[layer].retained[chosen[layer] - 1] {
                    prop_assert!(size(&curves, &more) > limit);
                }
            }
        }
    }

    /// Two layers of equal cost, one of which holds nearly all of the score in one weight of each group.
    #[test]
    fn greedy_retains_more_than_uniform_at_equal_cycles() {
        let size: Vec<u64> = (1..=4).map(|n| 100 * n).collect();
        let flat = Curve { retained: vec![10.0, 20.0, 30.0, 40.0], cycles: size.clone(), size: size.clone() };
        let steep = Curve { retained: vec![37.0, 38.0, 39.0, 40.0], cycles: size.clone(), size };
        let curves = [flat, steep];
        let chosen = levels(&curves, 400).expect("fits");
        assert_eq!(chosen, [3, 1]);
        assert_eq!(super::size(&curves, &chosen), super::size(&curves, &[2, 2]));
        assert_eq!(retained(&curves, &chosen), 67.0);
        assert_eq!(retained(&curves, &[2, 2]), 58.0);
    }

    /// Of two layers with the same scores and weights, the one that saves more cycles is pruned.
    #[test]
    fn a_budget_of_weights_is_spent_where_cycles_are_saved() {
        let curve = |each: u64| Curve {
            retained: vec![1.0, 2.0, 3.0, 4.0],
            cycles: (1..=4).map(|n| each * n).collect(),
            size: vec![10, 20, 30, 40],
        };
        assert_eq!(levels(&[curve(1), curve(50)], 60), Some(vec![4, 2]));
        assert_eq!(levels(&[curve(50), curve(0)], 60), Some(vec![2, 4]));
        assert_eq!(levels(&[curve(50), curve(0)], 40), Some(vec![1, 3]));
    }

    #[test]
    fn levels_that_save_nothing_are_passed_over() {
        let size = vec![10, 50, 50];
        let plateau = Curve { retained: vec![1.0, 2.0, 3.0], cycles: size.clone(), size };
        assert_eq!(levels(std::slice::from_ref(&plateau), 40), Some(vec![1]));
        assert_eq!(levels(std::slice::from_ref(&plateau), 50), Some(vec![3]));
        assert_eq!(levels(&[plateau], 9), None);
    }

    /// A weight of the first layer retains twice as much, but takes a hundred times the cycles.
    #[test]
    fn a_budget_of_weights_is_not_spent_on_cycles() {
        let size: Vec<u64> = (1..=4).map(|n| 10 * n).collect();
        let cycles = |each: u64| (1..=4).map(|n| n * each).collect();
        let dear = Curve { retained: vec![2.0, 4.0, 6.0, 8.0], cycles: cycles(100), size: size.clone() };
        let cheap = Curve { retained: vec![1.0, 2.0, 3.0, 4.0], cycles: cycles(1), size };
        assert_eq!(levels(&[dear, cheap], 50), Some(vec![1, 4]));
    }
}
