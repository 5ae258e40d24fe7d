//! Widths and quantizers of all layers with the least noise under a budget.
//!
//! ```text
//! noise of a layer   n_W + n_X + n_dY: noise-to-signal of the operands, each in two of its three products
//! budget             Σ cycles of a training step, or Σ bits of kept weights
//! ```
//!
//! Relative errors of a product's operands add, and those of layers are added as they are: a network is as good as its signal is clean
//! in each of them. Biased quantizers of gradients are left out: their error does not average out over steps. Of each operand's
//! quantizers only those matter that no other beats in noise at the same widths; a layer's choices are then a front of noise against cost.
//! Fronts are joined layer by layer, what another one beats left out; of more than 4096 joint choices the best of each range of sizes stays.

use super::measure::Candidate;
use crate::backend::Product;
use crate::layers::LayerBits;
use crate::layers::prunable::MaskPattern;
use crate::network::plan::LayerPlan;
use crate::quant::gradient::GRADIENTS;
use crate::quant::{CLIPS, Clip, octav};
use serde::Serialize;
use std::collections::HashMap;
use tandem_driver::Device;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// Cycles of a training step, all three products of all layers, transfers included.
    Cycles,
    /// Bits of kept weights.
    WeightBits,
}

/// A layer with its candidates.
pub struct Layer<'a> {
    /// The layer as it is planned now.
    pub plan: &'a LayerPlan,
    /// Images of a batch.
    pub batch: usize,
    /// Weights that are kept.
    pub weights: usize,
    /// The pattern of its mask.
    pub pattern: Option<MaskPattern>,
    /// Candidates of weights, input and output gradients.
    pub candidates: [&'a [Candidate]; 3],
}

/// What is chosen for a layer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Choice {
    /// Weights.
    pub weights: Candidate,
    /// Input.
    pub activations: Candidate,
    /// Output gradients.
    pub gradients: Candidate,
    /// Noise: see the [module](self).
    pub noise: f64,
    /// Cycles of its products in a training step.
    pub cycles: u64,
    /// Bits of its kept weights.
    pub weight_bits: u64,
    /// The next larger choice: noise that it would save, and what it would add to what is limited. None if there is none.
    pub next: Option<(f64, u64)>,
}

impl Choice {
    fn size(&self, limit: Limit) -> u64 {
        match limit {
            Limit::Cycles => self.cycles,
            Limit::WeightBits => self.weight_bits,
        }
    }
}

/// The layer's bits with these quantizers.
pub fn bits_of(
    bits: &LayerBits,
    weights: &Candidate,
    activations: &Candidate,
    gradients: &Candidate,
) -> LayerBits {
    let clip =
        |candidate: &Candidate, now| CLIPS.iter().find(|c| c.name == candidate.quantizer).unwrap_or(now);
    let kind = GRADIENTS.iter().find(|kind| kind.name == gradients.quantizer);
    let mut fitting = bits.fitting;
    let tables = [weights, activations].into_iter().filter(|c| clip(c, bits.weight_clip).is_coded);
    let widest = tables.map(|c| c.bits).max().unwrap_or(0);
    fitting.level_bits = fitting.level_bits.filter(|levels| *levels >= widest);
    LayerBits {
        weights: weights.bits,
        weight_clip: clip(weights, bits.weight_clip),
        weight_channels: weights.by_channel,
        activations: activations.bits,
        activation_clip: clip(activations, bits.activation_clip),
        gradients: gradients.bits,
        gradient_quantizer: kind.unwrap_or(bits.gradient_quantizer),
        fitting,
        ..*bits
    }
}

/// The choices with the least noise in all that together keep to `most`.
///
/// # Errors   what the smallest choices take, if that is more
pub fn choose(
    layers: &[Layer<'_>],
    limit: Limit,
    most: u64,
    device: &mut dyn Device,
) -> Result<Vec<Choice>, u64> {
    let fronts: Vec<Vec<Choice>> = layers.iter().map(|layer| front(layer, limit, device)).collect();
    let costs = |front: &Vec<Choice>| front.iter().map(|c| (c.size(limit), c.noise)).collect::<Vec<_>>();
    let picks = join(&fronts.iter().map(costs).collect::<Vec<_>>(), most)?;
    Ok(fronts.into_iter().zip(picks).map(|(front, pick)| front[pick].clone()).collect())
}

/// Joint choices that are kept while fronts are joined.
const MOST_JOINT: usize = 4096;

/// Of each front, (size, noise) from small to large, one place, so that sizes together are at most `most` and noise is least.
///
/// # Errors   what the smallest places take, if that is more
fn join(fronts: &[Vec<(u64, f64)>], most: u64) -> Result<Vec<usize>, u64> {
    let least: u64 = fronts.iter().map(|front| front[0].0).sum();
    if least > most {
        return Err(least);
    }
    let mut rest = least;
    let mut joint: Vec<(u64, f64, Vec<usize>)> = vec![(0, 0.0, vec![])];
    for front in fronts {
        rest -= front[0].0;
        let room = most - rest;
        let mut next = vec![];
        for (from, (size, noise, _)) in joint.iter().enumerate() {
            let places = front.iter().enumerate();
            next.extend(places.map(|(place, own)| (size + own.0, noise + own.1, from, place)));
        }
        next.retain(|(size, ..)| *size <= room);
        next.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut best = f64::INFINITY;
        next.retain(|(_, noise, ..)| {
            let better = *noise < best;
            best = best.min(*noise);
            better
        });
        if next.len() > MOST_JOINT {
            // the smallest stays, so that there is always one that fits; noise falls with size, so the last of a range is its best
            let range = |size: u64| (size as u128 * MOST_JOINT as u128 / (u128::from(room) + 1)) as usize;
            let last = |i: usize| i + 1 == next.len() || range(next[i].0) != range(next[i + 1].0);
            next = (0..next.len()).filter(|i| *i == 0 || last(*i)).map(|i| next[i]).collect();
        }
        let picks = |from: usize, place| joint[from].2.iter().copied().chain([place]).collect();
        joint = next.iter().map(|&(size, noise, from, place)| (size, noise, picks(from, place))).collect();
    }
    Ok(joint.pop().map(|(_, _, picks)| picks).unwrap_or_default())
}

/// The choices that no other beats in both noise and size, from small to large.
fn front(layer: &Layer<'_>, limit: Limit, device: &mut dyn Device) -> Vec<Choice> {
    let bits = &layer.plan.bits;
    let [w, x, g] = layer.candidates;
    let (w, x) = (standing_in(w, bits.weight_clip), standing_in(x, bits.activation_clip));
    let g: Vec<Candidate> = g.iter().filter(|c| !is_biased(c)).cloned().collect();
    let (w, x, g) = (best_of_width(&w), best_of_width(&x), best_of_width(&g));
    let mut costs = Costs { layer, device, known: HashMap::new() };
    let kept = layer.weights as u64;
    let mut all = vec![];
    for weights in &w {
        for activations in &x {
            for gradients in &g {
                let noise = weights.noise + activations.noise + gradients.noise;
                let Some(cycles) = costs.cycles(weights, activations, gradients) else { continue };
                all.push(Choice {
                    weight_bits: kept * u64::from(weights.bits),
                    weights: (*weights).clone(),
                    activations: (*activations).clone(),
                    gradients: (*gradients).clone(),
                    noise,
                    cycles,
                    next: None,
                });
            }
        }
    }
    // of equal sizes the least noise, of equal noise the fewest cycles
    all.sort_by(|a, b| {
        a.size(limit).cmp(&b.size(limit)).then(a.noise.total_cmp(&b.noise)).then(a.cycles.cmp(&b.cycles))
    });
    let mut least = f64::INFINITY;
    all.retain(|choice| {
        let better = choice.noise < least;
        least = least.min(choice.noise);
        better
    });
    for i in 1..all.len() {
        let (noise, size) = (all[i].noise, all[i].size(limit));
        all[i - 1].next = Some((all[i - 1].noise - noise, size - all[i - 1].size(limit)));
    }
    all
}

/// Candidates where the experiment trains the clip: it is kept, at widths whose noise is that of `octav`, from where training goes on.
fn standing_in(candidates: &[Candidate], now: &Clip) -> Vec<Candidate> {
    let fitted = |c: &&Candidate| c.quantizer == octav::CLIP.name;
    if now.is_trained && candidates.iter().any(|c| fitted(&c)) {
        let trained = |c: &Candidate| Candidate { quantizer: now.name, ..c.clone() };
        return candidates.iter().filter(fitted).map(trained).collect();
    }
    candidates.to_vec()
}

/// The candidate with the least noise of each width of codes and of levels that no narrower one beats, narrowest first; of equal ones
/// the first.
fn best_of_width(candidates: &[Candidate]) -> Vec<&Candidate> {
    let key = |c: &Candidate| (c.bits, c.level_bits);
    let beats = |a: &Candidate, b: &Candidate| {
        let no_larger = a.bits <= b.bits && a.level_bits <= b.level_bits && a.noise <= b.noise;
        no_larger && (key(a) != key(b) || a.noise < b.noise)
    };
    let mut all: Vec<&Candidate> =
        candidates.iter().filter(|b| !candidates.iter().any(|a| beats(a, b))).collect();
    all.sort_by_key(|c| key(c));
    all.dedup_by_key(|c| key(c));
    all
}

fn is_biased(gradients: &Candidate) -> bool {
    GRADIENTS.iter().any(|kind| kind.name == gradients.quantizer && kind.is_biased)
}

/// Cycles of a layer as it is planned now; `None` if the device cannot run it.
pub fn own_cycles(plan: &LayerPlan, pattern: Option<MaskPattern>, device: &mut dyn Device) -> Option<u64> {
    plan.products.iter().map(|product| Some(product.cost(device, pattern)?.cycles)).sum()
}

/// Cycles of a layer's products by the widths of their operands.
struct Costs<'a, 'b> {
    layer: &'a Layer<'b>,
    device: &'a mut dyn Device,
    known: HashMap<(Product, u8, u8), Option<u64>>,
}

impl Costs<'_, '_> {
    /// `None` if the device cannot run them.
    fn cycles(&mut self, weights: &Candidate, activations: &Candidate, gradients: &Candidate) -> Option<u64> {
        let plan = self.layer.plan;
        let bits = bits_of(&plan.bits, weights, activations, gradients);
        let products = plan.spec.products(plan.inputs[0], &bits, self.layer.batch);
        let wanted =
            products.iter().filter(|p| p.product != Product::InputGradient || plan.wants_gradient[0]);
        let mut cycles = 0;
        for product in wanted {
            let key = (product.product, product.x.bits, product.w.bits);
            let (pattern, device) = (self.layer.pattern, &mut *self.device);
            let cost = self
                .known
                .entry(key)
                .or_insert_with(|| product.cost(device, pattern).map(|cost| cost.cycles));
            cycles += (*cost)?;
        }
        Some(cycles)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against all joint choices.
        #[test]
        fn the_least_noise_that_fits_is_found(
            steps in prop::collection::vec(prop::collection::vec((1u64..50, 0.01f64..1.0), 1..5), 1..5), share in 0.0f64..1.0
        ) {
            // sizes rise and noise falls
            let fronts: Vec<Vec<(u64, f64)>> = steps.iter().map(|front| {
                let mut at = (0, 9.0);
                front.iter().map(|(size, noise)| { at = (at.0 + size, at.1 - noise); at }).collect()
            }).collect();
            let sum = |of: fn(&Vec<(u64, f64)>) -> u64| fronts.iter().map(of).sum::<u64>();
            let (low, high) = (sum(|f| f[0].0), sum(|f| f[f.len() - 1].0));
            let most = low + (share * (high - low) as f64) as u64;
            let mut all = vec![(0, 0.0)];
            for front in &fronts {
                all = all.iter().flat_map(|a| front.iter().map(move |b| (a.0 + b.0, a.1 + b.1))).collect();
            }
            let best = all.iter().filter(|(size, _)| *size <= most).map(|(_, noise)| *noise).fold(f64::MAX, f64::min);
            let picks = join(&fronts, most).expect("the smallest fit");
            let total = |of: fn(&(u64, f64)) -> f64| -> f64 { fronts.iter().zip(&picks).map(|(f, p)| of(&f[*p])).sum() };
            prop_assert!(total(|c| c.0 as f64) <= most as f64);
            prop_assert!((total(|c| c.1) - best).abs() < 1e-9);
            prop_assert_eq!(join(&fronts, low - 1), Err(low));
        }
    }
}
