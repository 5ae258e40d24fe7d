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

use crate::layers::unquantized::{Form, Pullback, Unquantized};
use crate::network::Network;
use ndarray::Array2;

/// A layer that has no [`Unquantized`] form.
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
#[derive(Debug)]
pub struct Probe {
    nodes: Vec<Node>,
    weights: Vec<Array2<f64>>,
    features: usize,
    /// The first layer without a positive form.
    signed: Option<ProbeError>,
}

#[derive(Debug)]
struct Node {
    layer: Box<dyn Unquantized>,
    sources: Vec<usize>,
    wants_gradient: Vec<bool>,
    /// Index of its weights.
    weight: Option<usize>,
}

/// A forward pass.
struct Tape<'a> {
    signals: Vec<Array2<f64>>,
    pullbacks: Vec<Pullback<'a>>,
}

impl Probe {
    /// The network as it is now.
    ///
    /// # Errors   a layer without an [`Unquantized`] form
    pub fn new(network: &mut Network) -> Result<Self, ProbeError> {
        let layers = network.unquantized();
        let (owners, weights): (Vec<String>, Vec<_>) =
            network.prunables().iter().map(|(name, p)| ((*name).to_owned(), p.coefficients())).unzip();
        let plan = network.plan();
        let error = |i: usize| ProbeError { layer: plan.layers[i].name.clone(), kind: plan.layers[i].kind };
        let nodes = plan.layers.iter().zip(layers).enumerate().map(|(i, (plan, layer))| {
            Ok(Node {
                layer: layer.ok_or_else(|| error(i))?,
                sources: plan.sources.clone(),
                wants_gradient: plan.wants_gradient.clone(),
                weight: owners.iter().position(|owner| *owner == plan.name),
            })
        });
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        let signed = nodes.iter().position(|node| !node.layer.has_positive_form()).map(error);
        Ok(Probe { nodes, weights, features: plan.input.shape.features(), signed })
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
        let tape = self.forward(weights, input.clone(), Form::Training);
        let (loss, gradient) = cross_entropy(tape.output(), labels);
        (loss, self.backward(&tape, gradient))
    }

    /// The sum of the outputs for an input of ones, with the magnitudes of `weights` and of all other
    /// parameters, and its derivative by each magnitude.
    ///
    /// # Errors   a spectral layer: its operator has no form with positive coefficients
    /// # Source   Tanaka et al. 2020
    pub fn ones(&self, weights: &[Array2<f64>]) -> Result<(f64, Vec<Array2<f64>>), ProbeError> {
        if let Some(error) = &self.signed {
            return Err(error.clone());
        }
        let weights: Vec<_> = weights.iter().map(|w| w.mapv(f64::abs)).collect();
        let input = Array2::ones((1, self.features));
        let tape = self.forward(&weights, input, Form::Positive);
        let gradient = Array2::ones(tape.output().dim());
        Ok((tape.output().sum(), self.backward(&tape, gradient)))
    }

    fn forward(&self, weights: &[Array2<f64>], input: Array2<f64>, form: Form) -> Tape<'_> {
        let mut tape = Tape { signals: vec![input], pullbacks: Vec::new() };
        for node in &self.nodes {
            let inputs: Vec<_> = node.sources.iter().map(|&s| &tape.signals[s]).collect();
            let (y, pullback) = node.layer.forward(&inputs, node.weight.map(|i| &weights[i]), form);
            tape.signals.push(y);
            tape.pullbacks.push(pullback);
        }
        tape
    }

    fn backward(&self, tape: &Tape<'_>, gradient: Array2<f64>) -> Vec<Array2<f64>> {
        let mut result: Vec<_> = self.weights.iter().map(|w| Array2::zeros(w.dim())).collect();
        let mut gradients: Vec<Option<Array2<f64>>> = vec![None; self.nodes.len() + 1];
        gradients[self.nodes.len()] = Some(gradient);
        for (i, (node, pullback)) in self.nodes.iter().zip(&tape.pullbacks).enumerate().rev() {
            // A layer whose output nobody uses.
            let Some(dy) = gradients[i + 1].take() else { continue };
            let own = pullback(&dy, node.wants_gradient.contains(&true));
            if let (Some(index), Some(dw)) = (node.weight, own.weight) {
                result[index] = dw;
            }
            for ((&source, &wanted), dx) in node.sources.iter().zip(&node.wants_gradient).zip(own.inputs) {
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

impl Tape<'_> {
    fn output(&self) -> &Array2<f64> {
        &self.signals[self.signals.len() - 1]
    }
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
