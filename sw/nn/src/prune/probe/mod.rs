//! The network in f64, without quantization: what pruning scores are derived from.
//!
//! ```text
//! loss      L(w) = mean cross-entropy of a batch, statistics of the batch        → L, ∂L/∂w
//! ones      R(|w|) = Σ outputs for an input of ones, recorded statistics         → R, ∂R/∂|w|
//! ```
//!
//! Gradients are dense: of every weight, whatever the mask, at the weights that are given.
//!
//! # Numeric  f64; sums in index order; the same bits for every number of threads

mod operation;
pub(crate) mod product;

pub use operation::{Operation, Statistics};

use crate::layers::cosine::Cosine;
use crate::network::Network;
use crate::tensor::Slot;
use ndarray::Array2;
use num_complex::Complex;
use operation::{Memory, Values};
use std::collections::BTreeMap;

/// A layer that has no [`Operation`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "layer `{layer}`: a `{kind}` layer cannot be probed; choose a score that needs neither loss nor outputs"
)]
pub struct ProbeError {
    /// The layer.
    pub layer: String,
    /// Its kind.
    pub kind: &'static str,
}

/// A network in f64.
#[derive(Clone, Debug)]
pub struct Probe {
    nodes: Vec<Node>,
    weights: Vec<Array2<f64>>,
    features: usize,
    /// The transforms of weights that are coefficients of kernels.
    cosines: Vec<Option<Cosine>>,
    /// The first layer whose weights are coefficients.
    spectral: Option<ProbeError>,
}

#[derive(Clone, Debug)]
struct Node {
    operation: Operation,
    sources: Vec<usize>,
    wants_gradient: Vec<bool>,
    outputs: usize,
    /// Index of its weights.
    weight: Option<usize>,
    values: Values,
}

/// A forward pass.
struct Tape {
    signals: Vec<Array2<f64>>,
    memories: Vec<Memory>,
}

impl Probe {
    /// The network as it is now.
    ///
    /// # Errors   a layer without an operation
    pub fn new(network: &mut Network) -> Result<Self, ProbeError> {
        let values = values(network);
        let prunables = network.prunables();
        let weights = prunables.iter().map(|(_, p)| p.coefficients()).collect();
        let mut directions: Vec<_> =
            prunables.iter().map(|(_, p)| p.spectrum().map(directions_of).unwrap_or_default()).collect();
        let owners: Vec<String> = prunables.iter().map(|(name, _)| (*name).to_owned()).collect();
        let cosines: Vec<_> = prunables.iter().map(|(_, p)| p.cosine().cloned()).collect();
        let plan = network.plan();
        let nodes = plan.layers.iter().map(|layer| {
            let unsupported = || ProbeError { layer: layer.name.clone(), kind: layer.kind };
            let operation = layer.spec.operation(layer.inputs[0]).ok_or_else(unsupported)?;
            let weight = owners.iter().position(|owner| *owner == layer.name);
            let list = |own: &str| values.get(&format!("{}.{own}", layer.name)).cloned();
            Ok(Node {
                operation,
                sources: layer.sources.clone(),
                wants_gradient: layer.wants_gradient.clone(),
                outputs: layer.output.shape.features(),
                weight,
                values: Values {
                    bias: list("bias"),
                    gamma: list("gamma").unwrap_or_default(),
                    beta: list("beta").unwrap_or_default(),
                    running_mean: list("running_mean").unwrap_or_default(),
                    running_variance: list("running_variance").unwrap_or_default(),
                    directions: weight.map(|i| std::mem::take(&mut directions[i])).unwrap_or_default(),
                },
            })
        });
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        let is_spectral = |node: &Node| {
            matches!(node.operation, Operation::Spectral(_))
                || node.weight.is_some_and(|i| cosines[i].is_some())
        };
        let spectral = plan.layers.iter().zip(&nodes).find(|(_, node)| is_spectral(node));
        let spectral = spectral.map(|(layer, _)| ProbeError { layer: layer.name.clone(), kind: layer.kind });
        Ok(Probe { nodes, weights, features: plan.input.shape.features(), cosines, spectral })
    }

    /// The stored weights of each prunable tensor, masked ones too.
    pub fn weights(&self) -> &[Array2<f64>] {
        &self.weights
    }

    /// The mean cross-entropy of a batch, and its derivative by each weight.
    ///
    /// # Shape   `[B, h·w·c]`, `[B]`; gradients as `weights`
    pub fn loss(
        &self,
        weights: &[Array2<f64>],
        input: &Array2<f64>,
        labels: &[u8],
    ) -> (f64, Vec<Array2<f64>>) {
        let weights = &self.in_space(weights);
        let tape = self.forward(weights, input.clone(), Statistics::Batch);
        let (loss, gradient) = cross_entropy(tape.output(), labels);
        let mut gradients = self.backward(weights, &tape, gradient);
        for (gradient, cosine) in gradients.iter_mut().zip(&self.cosines) {
            if let Some(cosine) = cosine {
                *gradient = cosine.forward(gradient);
            }
        }
        (loss, gradients)
    }

    /// The sum of the outputs for an input of ones, with the magnitudes of `weights` and of all other
    /// parameters, and its derivative by each magnitude.
    ///
    /// # Errors   a spectral layer: its operator has no form with positive coefficients
    /// # Source   Tanaka et al. 2020
    pub fn ones(&self, weights: &[Array2<f64>]) -> Result<(f64, Vec<Array2<f64>>), ProbeError> {
        if let Some(error) = &self.spectral {
            return Err(error.clone());
        }
        let mut positive = self.clone();
        for node in &mut positive.nodes {
            let Values { bias, gamma, beta, .. } = &mut node.values;
            for v in bias.iter_mut().flatten().chain(gamma).chain(beta) {
                *v = v.abs();
            }
        }
        let weights: Vec<_> = weights.iter().map(|w| w.mapv(f64::abs)).collect();
        let input = Array2::ones((1, self.features));
        let tape = positive.forward(&weights, input, Statistics::Running);
        let gradient = Array2::ones(tape.output().dim());
        Ok((tape.output().sum(), positive.backward(&weights, &tape, gradient)))
    }

    /// Coefficients of kernels as weights.
    fn in_space(&self, weights: &[Array2<f64>]) -> Vec<Array2<f64>> {
        let weight = |(w, cosine): (&Array2<f64>, &Option<Cosine>)| match cosine {
            Some(cosine) => cosine.inverse(w),
            None => w.clone(),
        };
        weights.iter().zip(&self.cosines).map(weight).collect()
    }

    fn forward(&self, weights: &[Array2<f64>], input: Array2<f64>, statistics: Statistics) -> Tape {
        let mut tape = Tape { signals: vec![input], memories: Vec::new() };
        for node in &self.nodes {
            let inputs: Vec<_> = node.sources.iter().map(|&s| &tape.signals[s]).collect();
            let weight = node.weight.map(|i| &weights[i]);
            let (y, memory) = node.operation.forward(&inputs, node.outputs, weight, &node.values, statistics);
            tape.signals.push(y);
            tape.memories.push(memory);
        }
        tape
    }

    fn backward(&self, weights: &[Array2<f64>], tape: &Tape, gradient: Array2<f64>) -> Vec<Array2<f64>> {
        let mut result: Vec<_> = weights.iter().map(|w| Array2::zeros(w.dim())).collect();
        let mut gradients: Vec<Option<Array2<f64>>> = vec![None; self.nodes.len() + 1];
        gradients[self.nodes.len()] = Some(gradient);
        for (i, (node, memory)) in self.nodes.iter().zip(&tape.memories).enumerate().rev() {
            // A layer whose output nobody uses.
            let Some(dy) = gradients[i + 1].take() else { continue };
            let inputs: Vec<_> = node.sources.iter().map(|&s| &tape.signals[s]).collect();
            let weight = node.weight.map(|i| &weights[i]);
            let want_dx = node.wants_gradient.contains(&true);
            let (dx, dw) = node.operation.backward(&inputs, &dy, weight, &node.values, memory, want_dx);
            if let (Some(index), Some(dw)) = (node.weight, dw) {
                result[index] = dw;
            }
            for ((&source, &wanted), dx) in node.sources.iter().zip(&node.wants_gradient).zip(dx) {
                match &mut gradients[source] {
                    Some(sum) => *sum += &dx,
                    empty if wanted => *empty = Some(dx),
                    _ => {}
                }
            }
        }
        result
    }
}

impl Tape {
    fn output(&self) -> &Array2<f64> {
        &self.signals[self.signals.len() - 1]
    }
}

/// Coefficients over their magnitudes.
fn directions_of(mut spectrum: Array2<Complex<f64>>) -> Array2<Complex<f64>> {
    spectrum.mapv_inplace(|w| {
        let size = w.norm_sqr().sqrt();
        if size > 0.0 { w / size } else { w }
    });
    spectrum
}

/// All parameters and buffers, in f64.
fn values(network: &mut Network) -> BTreeMap<String, Vec<f64>> {
    let wide = |array: &Array2<f32>| array.iter().map(|&v| f64::from(v)).collect();
    let slots = network.slots().into_iter();
    slots
        .filter_map(|(name, slot)| match slot {
            Slot::Parameter(parameter) => Some((name, wide(&parameter.value))),
            Slot::Buffer(buffer) => Some((name, wide(&buffer.value))),
            Slot::Mask { .. } => None,
        })
        .collect()
}

/// The mean loss of a batch, and its derivative.
fn cross_entropy(logits: &Array2<f64>, labels: &[u8]) -> (f64, Array2<f64>) {
    let batch = labels.len() as f64;
    let mut loss = 0.0;
    let mut gradient = Array2::zeros(logits.dim());
    for ((z, mut g), &label) in logits.rows().into_iter().zip(gradient.rows_mut()).zip(labels) {
        let label = usize::from(label);
        let top = z.iter().fold(f64::NEG_INFINITY, |a, &b| if b > a { b } else { a });
        g.zip_mut_with(&z, |g, z| *g = libm::exp(z - top));
        let total = g.sum();
        loss += libm::log(total) - (z[label] - top);
        g.mapv_inplace(|p| p / total / batch);
        g[label] -= 1.0 / batch;
    }
    (loss / batch, gradient)
}
