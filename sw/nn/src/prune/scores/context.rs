//! What a score may look at.

use super::Source;
use crate::layers::prunable::{Domain, Prunable};
use crate::network::Network;
use crate::prune::measure::measure;
use crate::prune::probe::{Probe, ProbeError};
use crate::random::{Purpose, Stream};
use crate::spectral::power::Power;
use crate::tensor::{Mask, keep};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// Images `[B, h·w·c]` and their labels.
pub type Batch = (Array2<f64>, Vec<u8>);

/// Forward and backward passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passes {
    /// Forward passes.
    pub forward: u64,
    /// Backward passes.
    pub backward: u64,
}

/// What a score knows of the inputs of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Correlation {
    /// The autocorrelation of each channel, R_x.
    Whole,
    /// R_x(0) of each channel.
    Diagonal,
}

/// The passes that scoring took, all of them dense. (Those of [`Source::run`] are charged as they ran.)
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScoringPasses {
    /// Those of a training batch.
    pub batches: Passes,
    /// Those of a single input.
    pub single: Passes,
}

/// Step of the Hessian-vector product, relative to ‖w‖: small enough that next to no rectifier changes,
/// large enough for f64.
const STEP: f64 = 1e-6;

/// A network, its masks, and batches to derive scores from. Costs of passes are counted.
pub struct ScoreContext<'a> {
    network: &'a mut Network,
    source: &'a mut dyn Source,
    seed: u64,
    step: u64,
    weights: Vec<Array2<f64>>,
    rings: Vec<Vec<usize>>,
    masks: Vec<Option<Mask>>,
    batches: Option<Vec<Batch>>,
    probe: Option<Probe>,
    power: Option<Vec<Power>>,
    passes: ScoringPasses,
}

impl<'a> ScoreContext<'a> {
    /// The network as it is, with its own masks. `source` gives the batches when a score first asks, and runs passes.
    pub fn new(network: &'a mut Network, source: &'a mut dyn Source, seed: u64, step: u64) -> Self {
        let prunables = network.prunables();
        let weights = prunables.iter().map(|(_, p)| p.coefficients()).collect();
        let rings = prunables.iter().map(|(_, p)| p.rings()).collect();
        let masks = prunables.iter().map(|(_, p)| p.mask().cloned()).collect();
        ScoreContext {
            network,
            source,
            seed,
            step,
            weights,
            rings,
            masks,
            batches: None,
            probe: None,
            power: None,
            passes: ScoringPasses::default(),
        }
    }

    /// The weights of each prunable tensor, first to last (of complex coefficients the magnitudes, to which gradients
    /// refer); values under masks are the stored ones.
    pub fn weights(&self) -> &[Array2<f64>] {
        &self.weights
    }

    /// The ring of each position of a spectral tensor; empty of others.
    pub fn rings(&self) -> &[Vec<usize>] {
        &self.rings
    }

    /// The masks; `None` keeps all.
    pub fn masks(&self) -> &[Option<Mask>] {
        &self.masks
    }

    /// Replaces the masks that later scores see; the network keeps its own.
    ///
    /// # Panics   if there is not one for each tensor, of its shape
    pub fn set_masks(&mut self, masks: Vec<Option<Mask>>) {
        assert_eq!(masks.len(), self.weights.len(), "a mask for each tensor");
        for (mask, weights) in masks.iter().zip(&self.weights) {
            assert!(mask.as_ref().is_none_or(|mask| mask.dim() == weights.dim()), "shape of a mask");
        }
        self.masks = masks;
    }

    /// The weights, with zeros where they are masked.
    pub fn masked_weights(&self) -> Vec<Array2<f64>> {
        let mut weights = self.weights.clone();
        for (weights, mask) in weights.iter_mut().zip(&self.masks) {
            if let Some(mask) = mask {
                keep(weights, mask);
            }
        }
        weights
    }

    /// Uniform numbers in [0, 1), a function of seed, step and tensor.
    pub fn uniform(&self, tensor: usize) -> Array2<f64> {
        uniform(self.seed, self.step, tensor, self.weights[tensor].dim())
    }

    /// ∂L/∂w at the masked weights, of masked weights too: the mean over the batches.
    ///
    /// # Errors   a layer that cannot be probed
    pub fn gradient(&mut self) -> Result<Vec<Array2<f64>>, ProbeError> {
        let weights = self.masked_weights();
        self.gradient_at(&weights)
    }

    /// H·v at the masked weights, as (∇L(w + εv) − ∇L(w − εv)) / 2ε.
    ///
    /// # Numeric  ε‖v‖ = 10⁻⁶·‖w‖; a `v` of zeros gives zeros
    /// # Errors   a layer that cannot be probed
    /// # Panics   if `v` has other shapes than the weights
    pub fn hessian_product(&mut self, v: &[Array2<f64>]) -> Result<Vec<Array2<f64>>, ProbeError> {
        let weights = self.masked_weights();
        let (size, length) = (norm(&weights), norm(v));
        if length == 0.0 {
            return Ok(v.to_vec());
        }
        let step = STEP * size / length;
        let moved = |step: f64| -> Vec<_> { weights.iter().zip(v).map(|(w, v)| w + &(v * step)).collect() };
        let mut up = self.gradient_at(&moved(step))?;
        let down = self.gradient_at(&moved(-step))?;
        for (up, down) in up.iter_mut().zip(down) {
            up.zip_mut_with(&down, |up, down| *up = (*up - down) / (2.0 * step));
        }
        Ok(up)
    }

    /// ∂R/∂|w| at the masked weights, R the sum of the outputs for an input of ones when every parameter
    /// is replaced by its magnitude.
    ///
    /// # Errors   a layer that cannot be probed, spectral ones included: angles are no magnitudes
    pub fn ones(&mut self) -> Result<Vec<Array2<f64>>, ProbeError> {
        let weights = self.masked_weights();
        let gradient = self.probe()?.ones(&weights)?.1;
        self.passes.single.forward += 1;
        self.passes.single.backward += 1;
        Ok(gradient)
    }

    /// R_x·w of the weights, masked ones too, in the coordinates of the masks, R_x the autocorrelation of what
    /// enters the layer in the batches: see [`crate::spectral::power`]. Zeros if nothing could be measured.
    ///
    /// # Errors   a layer that does not know its input's power
    pub fn filtered(&mut self, known: Correlation) -> Result<Vec<Array2<f64>>, ProbeError> {
        if self.power.is_none() {
            let batches = self.batches.get_or_insert_with(|| self.source.batches());
            self.power = measure(self.network, batches, self.source)?;
        }
        let Some(power) = &self.power else {
            return Ok(self.weights.iter().map(|w| Array2::zeros(w.dim())).collect());
        };
        let prunables = self.network.prunables();
        let of = |((w, power), (_, prunable)): ((&Array2<f64>, &Power), &(&str, &mut dyn Prunable))| {
            let power = match known {
                Correlation::Whole => power.clone(),
                Correlation::Diagonal => power.white(),
            };
            match (prunable.domain(), prunable.cosine()) {
                (Domain::Complex, _) => power.filtered_bins(w),
                (_, None) => power.filtered(w, prunable.groups()),
                (_, Some(cosine)) => cosine.forward(&power.filtered(&cosine.inverse(w), prunable.groups())),
            }
        };
        Ok(self.weights.iter().zip(power).zip(&prunables).map(of).collect())
    }

    /// |w·(R_x·w)|: see [`filtered`](Self::filtered).
    ///
    /// # Errors   as there
    pub fn energies(&mut self, known: Correlation) -> Result<Vec<Array2<f64>>, ProbeError> {
        let filtered = self.filtered(known)?;
        Ok(self.weights.iter().zip(&filtered).map(|(w, rw)| (w * rw).mapv(f64::abs)).collect())
    }

    /// The passes so far.
    pub fn passes(&self) -> ScoringPasses {
        self.passes
    }

    fn probe(&mut self) -> Result<&Probe, ProbeError> {
        if self.probe.is_none() {
            self.probe = Some(Probe::new(self.network)?);
        }
        Ok(self.probe.as_ref().expect("just made"))
    }

    fn gradient_at(&mut self, weights: &[Array2<f64>]) -> Result<Vec<Array2<f64>>, ProbeError> {
        self.probe()?;
        let batches = self.batches.get_or_insert_with(|| self.source.batches());
        let probe = self.probe.as_ref().expect("just made");
        let mut sum: Vec<_> = weights.iter().map(|w| Array2::zeros(w.dim())).collect();
        for (input, labels) in batches.iter() {
            let (_, gradient) = probe.loss(weights, input, labels);
            sum.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += &g);
            self.passes.batches.forward += 1;
            self.passes.batches.backward += 1;
        }
        let count = batches.len().max(1) as f64;
        sum.iter_mut().for_each(|sum| *sum /= count);
        Ok(sum)
    }
}

/// Uniform numbers in [0, 1) for a tensor in a step.
///
/// # Numeric  53 bits of Philox(seed; prune, tensor, step)
pub(crate) fn uniform(seed: u64, step: u64, tensor: usize, shape: (usize, usize)) -> Array2<f64> {
    let stream = Stream::new(seed, Purpose::Prune, tensor, step);
    let number = |i: usize| (stream.key(i as u32) >> 11) as f64 / (1u64 << 53) as f64;
    Array2::from_shape_fn(shape, |(row, column)| number(row * shape.1 + column))
}

fn norm(arrays: &[Array2<f64>]) -> f64 {
    arrays.iter().flatten().map(|x| x * x).sum::<f64>().sqrt()
}
