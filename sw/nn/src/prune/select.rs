//! From scores to masks: first how many in each layer, then which.
//!
//! ```text
//! scores of all layers ─ budget ─► Amount of each layer ─ pattern ─► mask
//! ```

use super::budget::{self, Budget, erk, layerwise};
use super::config::Target;
use super::cycles::CycleOracle;
use super::mask;
use super::pattern::Structure;
use super::plan::PrunedLayer;
use super::rank::Scores;
use crate::layers::prunable::MaskPattern;
use crate::network::plan::NetworkPlan;
use crate::tensor::Mask;
use ndarray::Array2;

/// How many weights a layer keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// So many.
    Count(usize),
    /// N of each group.
    Level(usize),
}

/// A budget that cannot be met.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "budget of {limit} {unit}: the pruned layers need at least {least} at N = 1, and {fixed} lie in other layers"
)]
pub struct BudgetError {
    /// "cycles" or "weights".
    pub unit: &'static str,
    /// All that may be used.
    pub limit: u64,
    /// What the layers of the budget use at least.
    pub least: u64,
    /// What is used by layers that are not in it.
    pub fixed: u64,
}

/// Chooses amounts and masks.
pub struct Selector<'a> {
    /// The layers.
    pub layers: &'a [PrunedLayer],
    /// What is left in the end.
    pub target: Target,
    /// How it is shared.
    pub budget: Budget,
    /// What cycles cost.
    pub oracle: &'a dyn CycleOracle,
    /// The whole network.
    pub plan: &'a NetworkPlan,
}

impl Selector<'_> {
    /// The density of a layer in the end, if each layer is by itself; else that of all layers together.
    pub fn last(&self, layer: &PrunedLayer) -> f64 {
        match (layer.fixed, layer.structure, self.target) {
            (Some(n), Structure::Grouped { m, .. }, _) => n as f64 / m as f64,
            (_, _, Target::Density(share) | Target::Cycles(share)) => share,
            (_, _, Target::Pattern) => 1.0,
        }
    }

    /// What each layer keeps. `density`: d(t) of a final density.
    ///
    /// # Errors   the budget cannot be met
    pub fn amounts(&self, scores: &Scores, density: &dyn Fn(f64) -> f64) -> Result<Vec<Amount>, BudgetError> {
        let own = |layer: &PrunedLayer| amount(layer, density(self.last(layer)));
        let mut amounts: Vec<Amount> = self.layers.iter().map(own).collect();
        let open = self.open();
        let Some(&first) = open.first() else { return Ok(amounts) };
        let share = density(self.last(&self.layers[first]));
        match self.budget {
            Budget::Uniform => {}
            Budget::Global | Budget::Erk => {
                for (&l, density) in open.iter().zip(self.densities(&open, &scores.ranks, share)) {
                    amounts[l] = amount(&self.layers[l], density);
                }
            }
            Budget::Layerwise => {
                for (&l, n) in open.iter().zip(self.levels(&open, scores, share, &amounts)?) {
                    amounts[l] = Amount::Level(n);
                }
            }
        }
        Ok(amounts)
    }

    /// The counts of unstructured masks: for the rounds of an initial score.
    pub fn counts(&self, ranks: &[Array2<f64>], density: &dyn Fn(f64) -> f64) -> Vec<Amount> {
        let own =
            |layer: &PrunedLayer| Amount::Count(budget::count(density(self.last(layer)), layer.weights()));
        let mut amounts: Vec<Amount> = self.layers.iter().map(own).collect();
        let open = self.open();
        let Some(&first) = open.first() else { return amounts };
        if self.budget != Budget::Uniform {
            let share = density(self.last(&self.layers[first]));
            for (&l, density) in open.iter().zip(self.densities(&open, ranks, share)) {
                amounts[l] = Amount::Count(budget::count(density, self.layers[l].weights()));
            }
        }
        amounts
    }

    /// The layers that share the budget.
    fn open(&self) -> Vec<usize> {
        (0..self.layers.len()).filter(|&l| self.layers[l].fixed.is_none()).collect()
    }

    /// The density of each layer by shape, or by the best of all layers together.
    fn densities(&self, open: &[usize], ranks: &[Array2<f64>], share: f64) -> Vec<f64> {
        if self.budget == Budget::Erk {
            let extents: Vec<_> = open.iter().map(|&l| self.layers[l].extent).collect();
            return erk::densities(&extents, share);
        }
        let ranks: Vec<_> = open.iter().map(|&l| &ranks[l]).collect();
        let total = ranks.iter().map(|s| s.len()).sum();
        let counts = mask::top_k_counts(&ranks, budget::count(share, total));
        counts.iter().zip(&ranks).map(|(&count, s)| count as f64 / s.len() as f64).collect()
    }

    fn levels(
        &self,
        open: &[usize],
        scores: &Scores,
        share: f64,
        amounts: &[Amount],
    ) -> Result<Vec<usize>, BudgetError> {
        let curves: Vec<_> =
            open.iter().map(|&l| self.curve(&self.layers[l], &scores.ranks[l], &scores.shares[l])).collect();
        let (unit, limit, fixed) = match self.target {
            Target::Cycles(_) => {
                let dense: u64 = (0..self.plan.layers.len()).map(|layer| self.dense_cycles(layer)).sum();
                let inside = |layer: usize| open.iter().any(|&l| self.layers[l].layer == layer);
                let outside = (0..self.plan.layers.len()).filter(|&layer| !inside(layer));
                let fixed = outside.map(|layer| self.cycles_now(layer, amounts)).sum();
                ("cycles", (share * dense as f64) as u64, fixed)
            }
            _ => {
                let weights: usize = open.iter().map(|&l| self.layers[l].weights()).sum();
                ("weights", (share * weights as f64) as u64, 0)
            }
        };
        let levels = limit.checked_sub(fixed).and_then(|limit| layerwise::levels(&curves, limit));
        levels.ok_or_else(|| BudgetError {
            unit,
            limit,
            least: layerwise::size(&curves, &vec![1; curves.len()]),
            fixed,
        })
    }

    fn dense_cycles(&self, layer: usize) -> u64 {
        let products = &self.plan.layers[layer].products;
        if products.is_empty() {
            0
        } else {
            self.oracle.cycles(layer, MaskPattern { n: 1, m: 1, transposable: false })
        }
    }

    /// The cycles of a layer outside the budget, with the amount it has.
    fn cycles_now(&self, layer: usize, amounts: &[Amount]) -> u64 {
        let mut pruned = self.layers.iter().zip(amounts);
        match pruned.find(|(pruned, _)| pruned.layer == layer) {
            Some((pruned, Amount::Level(n))) => {
                let pattern = pruned.structure.pattern(*n).expect("levels are of groups");
                self.oracle.cycles(layer, pattern)
            }
            _ => self.dense_cycles(layer),
        }
    }

    fn curve(&self, layer: &PrunedLayer, ranks: &Array2<f64>, shares: &Array2<f64>) -> layerwise::Curve {
        let Structure::Grouped { m, .. } = layer.structure else {
            unreachable!("`layerwise` layers are grouped");
        };
        let points = (1..=m).map(|n| {
            let pattern = layer.structure.pattern(n).expect("grouped");
            let mask = mask::best(ranks, layer.groups, pattern);
            let kept = mask.iter().filter(|kept| **kept).count() as u64;
            (mask::retained(shares, &mask), (self.oracle.cycles(layer.layer, pattern), kept))
        });
        let (retained, (cycles, kept)): (Vec<_>, (Vec<_>, Vec<_>)) = points.unzip();
        let size = if matches!(self.target, Target::Cycles(_)) { cycles.clone() } else { kept };
        layerwise::Curve { retained, cycles, size }
    }
}

fn amount(layer: &PrunedLayer, density: f64) -> Amount {
    match layer.structure {
        Structure::Unstructured | Structure::Bins => Amount::Count(budget::count(density, layer.weights())),
        Structure::Grouped { m, .. } => Amount::Level(budget::level(density, m)),
    }
}

/// A mask and the pattern that it has, if it has one; `None` keeps all.
pub type Chosen = Option<(Mask, Option<MaskPattern>)>;

/// The best mask of an amount.
pub fn best(layer: &PrunedLayer, scores: &Array2<f64>, amount: Amount) -> Chosen {
    match (amount, layer.structure) {
        (Amount::Count(count), _) if count >= layer.weights() => None,
        (Amount::Count(count), Structure::Bins) => {
            let mask = mask::top_positions(scores, layer.groups, count);
            mask.iter().any(|kept| !kept).then_some((mask, None))
        }
        (Amount::Count(count), _) => Some((mask::top_k(scores, count), None)),
        (Amount::Level(n), Structure::Grouped { m, .. }) if n >= m => None,
        (Amount::Level(n), structure) => {
            let pattern = structure.pattern(n).expect("levels are of groups");
            Some((mask::best(scores, layer.groups, pattern), Some(pattern)))
        }
    }
}
