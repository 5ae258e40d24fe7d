//! Regrowth: the worst weights make room for those with the largest gradients.
//!
//! ```text
//! kept       the best mask of the active weights
//! core       kept without its share·|kept| lowest scores
//! new mask   the best of: core first, then the largest |∂L/∂w| of all others
//! ```
//!
//! # Source   Evci et al. 2020, section 3

use super::plan::PrunedLayer;
use super::rank::ranks;
use super::select::{Amount, Chosen, best};
use crate::tensor::{Mask, keep};
use ndarray::Array2;

/// The mask of `amount` after `share` of its weights were replaced; `None` keeps all.
///
/// `active` are the weights in use, `None` for all; without the dense `gradient` nothing is replaced.
/// Scores are ranks.
pub fn replace(
    layer: &PrunedLayer,
    scores: &Array2<f64>,
    active: Option<&Mask>,
    gradient: Option<&Array2<f32>>,
    amount: Amount,
    share: f64,
) -> Chosen {
    let mut active_scores = scores + 1.0;
    if let Some(active) = active {
        keep(&mut active_scores, active);
    }
    let kept = best(layer, &active_scores, amount);
    let Some(gradient) = gradient else { return kept };
    let (mut core, _) = kept?;
    let kept = core.iter().filter(|kept| **kept).count();
    let dropped = (share * kept as f64) as usize;
    let mut order: Vec<_> = core.indexed_iter().filter(|(_, kept)| **kept).map(|(at, _)| at).collect();
    // Of equal scores the one with the higher index goes.
    order.sort_by(|&a, &b| active_scores[a].total_cmp(&active_scores[b]).then(b.cmp(&a)));
    order.iter().take(dropped).for_each(|&at| core[at] = false);

    let size = gradient.mapv(|g| f64::from(g).abs());
    let [mut wanted] = <[_; 1]>::try_from(ranks(&[&size])).expect("one layer");
    // One weight of the core excludes two others at most, of rank 1 at most.
    wanted.zip_mut_with(&core, |wanted, &core| *wanted = if core { 3.0 } else { *wanted });
    best(layer, &wanted, amount)
}
