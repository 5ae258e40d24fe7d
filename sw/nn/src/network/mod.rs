//! A network that runs: layers, their signals and gradients.
//!
//! ```text
//! signals[0] = input ─► layer 0 ─► signals[1] ─► … ─► signals[L] = logits
//! gradients[0]       ◄─ layer 0 ◄─ gradients[1] ◄─ … ◄─ gradients[L] = ∂loss/∂logits
//! ```
//!
//! A signal with several consumers gets the sum of their gradients, the last consumer's first. Buffers
//! are kept from step to step. A rectifier that is the only reader of the layer before may run in that one's passes
//! ([`Layer::rectify`]): what is between the two is never stored.

pub mod loss;
pub mod plan;

use crate::backend::{Pass, ProductError};
use crate::layers::prunable::Prunable;
use crate::layers::unquantized::Unquantized;
use crate::layers::{Layer, Site, Tape};
use crate::quant::Quantized;
use crate::spectral::power::Power;
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::{Slot, reshape, slice, slice_mut};
use ndarray::Array2;
use plan::{LayerPlan, NetworkPlan};

/// A network that runs.
pub struct Network {
    plan: NetworkPlan,
    layers: Vec<Box<dyn Layer>>,
    /// Of each layer whether it is a rectifier that the one before does.
    absorbed: Vec<bool>,
    signals: Vec<Array2<f32>>,
    gradients: Vec<Array2<f32>>,
    /// For later gradients of signals, one for each input of a layer.
    scratch: [Array2<f32>; 2],
}

impl Network {
    /// The network of a plan, with the initial weights of `seed`.
    pub fn new(plan: NetworkPlan, seed: u64) -> Self {
        let site = |(index, layer): (usize, &LayerPlan)| {
            layer.spec.build(&Site {
                index,
                inputs: &layer.inputs,
                output: layer.output,
                bits: &layer.bits,
                seed,
            })
        };
        let mut layers: Vec<_> = plan.layers.iter().enumerate().map(site).collect();
        let absorbed =
            (0..layers.len()).map(|i| plan.rectifies_alone(i) && layers[i - 1].rectify()).collect();
        let empty = vec![Array2::default((0, 0)); layers.len() + 1];
        let (signals, gradients) = (empty.clone(), empty);
        Network { plan, layers, absorbed, signals, gradients, scratch: Default::default() }
    }

    /// What it was built from.
    pub fn plan(&self) -> &NetworkPlan {
        &self.plan
    }

    /// The input buffer for a batch, to be filled before [`forward`](Self::forward).
    ///
    /// # Shape   `[batch, h·w·c]`
    pub fn input_mut(&mut self, batch: usize) -> &mut Array2<f32> {
        reshape(&mut self.signals[0], batch, self.plan.input.shape.features());
        &mut self.signals[0]
    }

    /// Runs all layers on the input buffer.
    ///
    /// # Errors   a product that failed
    pub fn forward(&mut self, pass: &mut Pass<'_>) -> Result<(), ProductError> {
        let batch = self.signals[0].nrows();
        for (i, (layer, plan)) in self.layers.iter_mut().zip(&self.plan.layers).enumerate() {
            if self.absorbed[i] {
                self.signals.swap(i, i + 1);
                continue;
            }
            pass.layer = i;
            let (before, after) = self.signals.split_at_mut(i + 1);
            let inputs: Vec<_> = plan.sources.iter().map(|&s| &before[s]).collect();
            reshape(&mut after[0], batch, plan.output.shape.features());
            layer.forward(&inputs, &mut after[0], pass)?;
        }
        Ok(())
    }

    /// The output of the last [`forward`](Self::forward).
    ///
    /// # Shape   `[batch, classes]`
    pub fn logits(&self) -> &Array2<f32> {
        &self.signals[self.layers.len()]
    }

    /// The logits, and the buffer for ∂loss/∂logits, to be filled before
    /// [`backward`](Self::backward).
    pub fn logits_and_gradient(&mut self) -> (&Array2<f32>, &mut Array2<f32>) {
        let last = self.layers.len();
        let logits = &self.signals[last];
        reshape(&mut self.gradients[last], logits.nrows(), logits.ncols());
        (logits, &mut self.gradients[last])
    }

    /// Runs all layers backwards; sets the gradient of every parameter.
    ///
    /// # Errors   a product that failed
    pub fn backward(&mut self, pass: &mut Pass<'_>) -> Result<(), ProductError> {
        let batch = self.signals[0].nrows();
        let mut written = vec![false; self.layers.len() + 1];
        for (i, (layer, plan)) in self.layers.iter_mut().zip(&self.plan.layers).enumerate().rev() {
            if self.absorbed[i] {
                self.gradients.swap(i, i + 1);
                written[i] = true;
                continue;
            }
            pass.layer = i;
            let (before, after) = self.gradients.split_at_mut(i + 1);
            let mut targets: Vec<Option<&mut Array2<f32>>> = Vec::new();
            targets.resize_with(plan.sources.len(), || None);
            let mut sums = Vec::new();
            let mut scratch = self.scratch.iter_mut();
            for (source, gradient) in before.iter_mut().enumerate() {
                let Some(input) = plan.sources.iter().position(|&s| s == source) else {
                    continue;
                };
                if !plan.wants_gradient[input] {
                    continue;
                }
                let features = plan.inputs[input].shape.features();
                if std::mem::replace(&mut written[source], true) {
                    let scratch = scratch.next().expect("at most two inputs");
                    reshape(scratch, batch, features);
                    targets[input] = Some(scratch);
                    sums.push((gradient, input));
                } else {
                    reshape(gradient, batch, features);
                    targets[input] = Some(gradient);
                }
            }
            let inputs: Vec<_> = plan.sources.iter().map(|&s| &self.signals[s]).collect();
            let output = i + 1 + usize::from(self.absorbed.get(i + 1) == Some(&true));
            let tape = Tape { inputs: &inputs, output: &self.signals[output], dy: &after[0] };
            layer.backward(tape, &mut targets, pass)?;
            for (gradient, input) in sums {
                let more = slice(targets[input].as_ref().expect("it was wanted"));
                for_blocks(slice_mut(gradient), BLOCK, move |start, gradient| {
                    gradient.iter_mut().zip(&more[start..]).for_each(|(sum, more)| *sum += more);
                });
            }
        }
        Ok(())
    }

    /// All state, under `layer.name`, always in the same order.
    pub fn slots(&mut self) -> Vec<(String, Slot<'_>)> {
        let mut all = Vec::new();
        for (layer, plan) in self.layers.iter_mut().zip(&self.plan.layers) {
            for slot in layer.slots() {
                let own = match &slot {
                    Slot::Parameter(parameter) => parameter.name.as_str(),
                    Slot::Statistic(buffer) | Slot::Buffer(buffer) => buffer.name.as_str(),
                    Slot::Mask { name, .. } => name,
                };
                all.push((format!("{}.{own}", plan.name), slot));
            }
        }
        all
    }

    /// The first input of a layer in the last [`forward`](Self::forward).
    pub fn layer_input(&self, layer: usize) -> &Array2<f32> {
        &self.signals[self.plan.layers[layer].sources[0]]
    }

    /// ∂loss/∂output of a layer in the last [`backward`](Self::backward).
    pub fn output_gradient(&self, layer: usize) -> &Array2<f32> {
        &self.gradients[layer + 1]
    }

    /// Weights and input of a layer as they were quantized last: see [`Layer::quantized`].
    pub fn quantized(&self, layer: usize) -> Option<[&Quantized; 2]> {
        self.layers[layer].quantized()
    }

    /// Power spectra of a layer's input in the last [`forward`](Self::forward): see [`Layer::input_power`].
    ///
    /// # Errors   a transform that failed
    pub fn input_power(&self, layer: usize, pass: &mut Pass<'_>) -> Result<Option<Power>, ProductError> {
        pass.layer = layer;
        let inputs: Vec<_> = self.plan.layers[layer].sources.iter().map(|&s| &self.signals[s]).collect();
        self.layers[layer].input_power(&inputs, pass)
    }

    /// Each layer in f64, or `None` if it has no such form.
    pub fn unquantized(&self) -> Vec<Option<Box<dyn Unquantized>>> {
        self.layers.iter().map(|layer| layer.unquantized()).collect()
    }

    /// All prunable tensors, under the names of their layers.
    pub fn prunables(&mut self) -> Vec<(&str, &mut dyn Prunable)> {
        let mut all: Vec<(&str, &mut dyn Prunable)> = Vec::new();
        for (layer, plan) in self.layers.iter_mut().zip(&self.plan.layers) {
            for prunable in layer.prunables() {
                all.push((&plan.name, prunable));
            }
        }
        all
    }
}
