//! What the quantizers of a run meet: weights, inputs and output gradients of its layers.

use super::{TrainError, Trainer};
use crate::backend::{Mode, Pass};
use crate::layers::prunable::{Domain, MaskPattern};
use crate::network::loss::cross_entropy;
use crate::quant::{Scales, Values};
use crate::tensor::{Mask, keep, slice};
use ndarray::Array2;

/// The tensors of one layer.
#[derive(Clone, Debug)]
pub struct LayerTensors {
    /// Index in the network.
    pub layer: usize,
    /// Its weights, 0 where a mask drops them.
    pub weights: Array2<f32>,
    /// What a mask keeps of them.
    pub mask: Option<Mask>,
    /// The mask's pattern.
    pub pattern: Option<MaskPattern>,
    /// Its input, images by features.
    pub input: Array2<f32>,
    /// ∂loss/∂output, rows by output channels; images follow each other.
    pub gradient: Array2<f32>,
    /// Weights and input as the run has quantized them; none on the float engine.
    pub used: Option<[Used; 2]>,
}

/// A tensor as a run has quantized it.
#[derive(Clone, Debug)]
pub struct Used {
    /// The integers.
    pub integers: Array2<i32>,
    /// Their scales.
    pub scales: Scales,
}

impl LayerTensors {
    /// The weights that are kept.
    pub fn weight_values(&self) -> Values<'_> {
        Values::new(&self.weights, self.mask.as_ref())
    }

    /// Images of the batch.
    pub fn images(&self) -> usize {
        self.input.nrows()
    }
}

impl Trainer {
    /// The tensors of all layers with weights in space, in a training pass over the first batch of the first epoch. Weights do not change,
    /// statistics of the network do: the run ends here.
    ///
    /// # Errors   a product failed
    pub fn tensors(mut self) -> Result<Vec<LayerTensors>, TrainError> {
        let layers = self.layers_in_space();
        self.pass(0..self.experiment.data.batch)?;
        Ok(self.snapshot(&layers))
    }

    /// Layer, prunable tensor and pattern of each layer with weights in space.
    fn layers_in_space(&mut self) -> Vec<(usize, usize, Option<MaskPattern>)> {
        let place = |tensor: usize| {
            let pruner = self.pruner.as_ref()?;
            let place = pruner.layers().iter().position(|layer| layer.tensor == tensor)?;
            pruner.patterns()[place]
        };
        let patterns: Vec<_> = (0..self.network.prunables().len()).map(place).collect();
        let names: Vec<_> = self.network.plan().layers.iter().map(|layer| layer.name.clone()).collect();
        let prunables = self.network.prunables();
        let of =
            |(tensor, (name, prunable)): (usize, &(&str, &mut dyn crate::layers::prunable::Prunable))| {
                let layer = names.iter().position(|other| other == name)?;
                (prunable.domain() == Domain::Real).then_some((layer, tensor, patterns[tensor]))
            };
        prunables.iter().enumerate().filter_map(of).collect()
    }

    /// Forward and backward over images of the first epoch.
    fn pass(&mut self, images: std::ops::Range<usize>) -> Result<(), TrainError> {
        let input = self.network.input_mut(images.len());
        let labels = self.batches.training(0, images, input)?;
        let (seed, step, steps) = (self.experiment.train.seed, self.step, self.steps_in_all());
        let mut pass = Pass::new(Mode::Train, seed, step, &mut self.backend, &mut self.evaluation).of(steps);
        let named = TrainError::naming(self.network.plan());
        self.network.forward(&mut pass).map_err(&named)?;
        let (logits, gradient) = self.network.logits_and_gradient();
        cross_entropy(logits, &labels, gradient);
        self.network.backward(&mut pass).map_err(&named)
    }

    fn snapshot(&mut self, layers: &[(usize, usize, Option<MaskPattern>)]) -> Vec<LayerTensors> {
        let weights: Vec<_> = self
            .network
            .prunables()
            .iter()
            .map(|(_, p)| (p.weight().value.clone(), p.mask().cloned(), p.groups().outputs))
            .collect();
        let is_float = self.backend.is_float();
        let of = |&(layer, tensor, pattern): &(usize, usize, Option<MaskPattern>)| {
            let (mut weights, mask, outputs) = weights[tensor].clone();
            if let Some(mask) = &mask {
                keep(&mut weights, mask);
            }
            let gradient = slice(self.network.output_gradient(layer)).to_vec();
            let shape = (gradient.len() / outputs, outputs);
            let used = self.network.quantized(layer).filter(|_| !is_float);
            LayerTensors {
                layer,
                weights,
                mask,
                pattern,
                input: self.network.layer_input(layer).clone(),
                gradient: Array2::from_shape_vec(shape, gradient).expect("rows·outputs values"),
                used: used
                    .map(|both| both.map(|q| Used { integers: q.integers(), scales: q.scales().clone() })),
            }
        };
        layers.iter().map(of).collect()
    }
}
