//! The network as plain data: shapes, formats and products, inferred before anything runs.

use crate::config::{ConfigError, Experiment};
use crate::digest::Digest;
use crate::engine::Product;
use crate::layers::LayerSpec;
use crate::prunable::{Groups, Pattern};
use crate::tensor::Shape;
use std::sync::Arc;
use tandem_driver::gemm::{self, ResultWidth};
use tandem_driver::{Cost, Device, Format, GemmProblem, Problem, Selection};

pub use crate::config::LayerBits;

/// Most weights of a network: several tensors of so many f32 are kept.
const MOST_WEIGHTS: u128 = 1 << 27;
/// Most values of an operand or result of a product, or of a batch between layers.
const MOST_VALUES: u128 = 1 << 31;

/// What values a signal can take, which decides how it is quantized.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Range {
    /// Pixels of the input, in [0, 1]: unsigned with the fixed scale 1/(2^b − 1).
    Pixel,
    /// Not negative: unsigned.
    NonNegative,
    /// Anything: signed.
    Real,
}

/// What flows between layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Signal {
    /// The shape of one example.
    pub shape: Shape,
    /// The values.
    pub range: Range,
}

/// One product of a training step: `[m, k]` · `[k, n]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProductPlan {
    /// Which of the three.
    pub product: Product,
    /// Rows.
    pub m: usize,
    /// Contraction.
    pub k: usize,
    /// Columns.
    pub n: usize,
    /// Format of the left operand.
    pub x: Format,
    /// Format of the right operand.
    pub w: Format,
    /// How the layer's weights are ordered.
    pub groups: Groups,
    /// `[m, k, n]` of another way to the same integers, taken where it costs fewer cycles.
    pub alternative: Option<[usize; 3]>,
    /// How often it runs in a training step.
    pub times: usize,
}

impl ProductPlan {
    /// The product as a device plans it, and its alternative, for weights whose mask has a pattern.
    pub fn problems(&self, pattern: Option<Pattern>) -> Vec<Problem> {
        let selection = match (self.product, self.groups.selection(self.product, pattern)) {
            (_, None) => Selection::Dense,
            (Product::WeightGradient, Some(p)) => Selection::Results(p),
            (_, Some(p)) => Selection::Weights(p),
        };
        let problem = |[m, k, n]: [usize; 3]| {
            let shape = gemm::Shape { m, k, n };
            GemmProblem { shape, x: self.x, w: self.w, result: ResultWidth::Full, selection }.into()
        };
        std::iter::once([self.m, self.k, self.n]).chain(self.alternative).map(problem).collect()
    }

    /// The same product for a batch of `images` instead of `batch`.
    pub fn for_batch(&self, batch: usize, images: usize) -> ProductPlan {
        let scale = |rows: usize| rows / batch * images;
        match self.product {
            Product::WeightGradient => ProductPlan { k: scale(self.k), ..*self },
            Product::Forward | Product::InputGradient => ProductPlan {
                m: scale(self.m),
                alternative: self.alternative.map(|[m, k, n]| [scale(m), k, n]),
                ..*self
            },
        }
    }

    /// What all its runs in a training step will cost on a device, the cheaper way; `None` if the device cannot tell or run it.
    pub fn cost(&self, device: &mut dyn Device, pattern: Option<Pattern>) -> Option<Cost> {
        let problems = self.problems(pattern);
        let each = problems.iter().filter_map(|p| device.predict(p)).min_by_key(|cost| cost.cycles)?;
        let mut cost = Cost::default();
        cost.add_times(&each, self.times as u64);
        Some(cost)
    }
}

/// One layer, inferred.
#[derive(Clone, Debug)]
pub struct LayerPlan {
    /// Its name.
    pub name: String,
    /// The value of `type`.
    pub kind: &'static str,
    /// Where its inputs come from: 0 is the network's input, i + 1 the output of layer i.
    pub sources: Vec<usize>,
    /// What arrives.
    pub inputs: Vec<Signal>,
    /// What leaves.
    pub output: Signal,
    /// Widths and quantizers.
    pub bits: LayerBits,
    /// Whether ∂L/∂input is needed, for each input.
    pub wants_gradient: Vec<bool>,
    /// The products of a training step with one batch, all on the engine.
    pub products: Vec<ProductPlan>,
    /// The description that it is built from.
    pub spec: Arc<dyn LayerSpec>,
}

/// A network, inferred.
#[derive(Clone, Debug)]
pub struct NetworkPlan {
    /// What arrives.
    pub input: Signal,
    /// Number of classes.
    pub classes: usize,
    /// The layers, first to last.
    pub layers: Vec<LayerPlan>,
}

impl NetworkPlan {
    pub(crate) fn new(experiment: &Experiment, input: Shape, classes: usize) -> Result<Self, ConfigError> {
        let input = Signal { shape: input, range: Range::Pixel };
        let mut signals = vec![input];
        // Whether a parameter lies on the way to this signal.
        let mut trained = vec![false];
        let mut layers = Vec::new();
        let mut weights = 0;
        for (i, entry) in experiment.layers.iter().enumerate() {
            let invalid = |key: &str, problem| experiment.invalid_layer(i, key, problem);
            let sources = sources(experiment, i)?;
            let inputs: Vec<_> = sources.iter().map(|&s| signals[s]).collect();
            let output = entry.spec.infer(&inputs).map_err(|e| invalid(e.key, e.problem))?;
            let wants_gradient: Vec<_> = sources.iter().map(|&s| trained[s]).collect();
            let mut products = entry.spec.products(inputs[0], &entry.bits, experiment.data.batch);
            check_bits(experiment, i, inputs[0], &products)?;
            weights += check_size(experiment, i, output, &products, weights)?;
            products.retain(|p| p.product != Product::InputGradient || wants_gradient[0]);
            signals.push(output);
            trained.push(entry.spec.trained() || wants_gradient.contains(&true));
            layers.push(LayerPlan {
                name: entry.name.clone(),
                kind: entry.kind,
                sources,
                inputs,
                output,
                bits: entry.bits,
                wants_gradient,
                products,
                spec: Arc::clone(&entry.spec),
            });
        }
        let (last, output) = (layers.len() - 1, signals[layers.len()].shape);
        if output != Shape::flat(classes) {
            let problem = format!("the last output must be 1×1×{classes}, one value a class, got {output}");
            return Err(experiment.invalid_layer(last, "type", problem));
        }
        if !trained[layers.len()] {
            let problem = "the network has nothing to train".to_owned();
            return Err(experiment.invalid_layer(last, "type", problem));
        }
        Ok(NetworkPlan { input, classes, layers })
    }

    /// A line a layer: sources, shapes, widths, quantizers.
    pub fn describe(&self) -> String {
        let mut text = format!("input {}", self.input.shape);
        for layer in &self.layers {
            let sources: Vec<_> = layer.sources.iter().map(usize::to_string).collect();
            let (name, kind, output) = (&layer.name, layer.kind, layer.output.shape);
            text += &format!("\n{name}: {kind}({}) {output}", sources.join(", "));
            if !layer.products.is_empty() {
                text += &format!(" {:?}", layer.bits);
            }
        }
        text
    }

    /// A short name for [`describe`](Self::describe): networks with the same one exchange checkpoints.
    pub fn fingerprint(&self) -> String {
        let mut digest = Digest::new();
        digest.add("network", "text", &[], self.describe().as_bytes());
        digest.finish()[..16].to_owned()
    }
}

/// Where the inputs of layer `i` come from.
fn sources(experiment: &Experiment, i: usize) -> Result<Vec<usize>, ConfigError> {
    let Some(from) = experiment.layers[i].spec.second_input() else {
        return Ok(vec![i]);
    };
    let earlier = &experiment.layers[..i.saturating_sub(1)];
    let names = std::iter::once("input").chain(earlier.iter().map(|layer| layer.name.as_str()));
    // The layer just before would be added to itself.
    let names: Vec<_> = names.take(i).collect();
    match names.iter().position(|&name| name == from) {
        Some(source) => Ok(vec![i, source]),
        None => {
            let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
            let allowed = if names.is_empty() {
                "nothing lies before the layer before".to_owned()
            } else {
                format!("must be one of {}", names.join(", "))
            };
            Err(experiment.invalid_layer(i, "from", allowed))
        }
    }
}

/// Checks a layer before anything is allocated for it, and returns how many weights it has.
fn check_size(
    experiment: &Experiment,
    i: usize,
    output: Signal,
    products: &[ProductPlan],
    earlier: u128,
) -> Result<u128, ConfigError> {
    let size = |a: usize, b: usize| a as u128 * b as u128;
    let forward = products.iter().filter(|p| p.product == Product::Forward);
    let weights: u128 = forward.map(|p| size(p.k, p.n) * p.times as u128).sum();
    if earlier + weights > MOST_WEIGHTS {
        let own = experiment.layers[i].spec.described();
        let key = ["outputs", "channels"].into_iter().find(|key| own.get(key).is_some()).unwrap_or("type");
        let all = earlier + weights;
        let problem = format!("the network has {all} weights up to here, at most {MOST_WEIGHTS} are allowed");
        return Err(experiment.invalid_layer(i, key, problem));
    }
    let operands = products.iter().flat_map(|p| [size(p.m, p.k), size(p.k, p.n), size(p.m, p.n)]);
    let batch = size(experiment.data.batch, output.shape.features());
    let largest = operands.chain([batch]).max().unwrap_or_default();
    if largest > MOST_VALUES {
        let name = &experiment.layers[i].name;
        let problem =
            format!("layer `{name}` needs a matrix of {largest} values, at most {MOST_VALUES} are allowed");
        return Err(experiment.invalid_batch(problem));
    }
    Ok(weights)
}

fn check_bits(
    experiment: &Experiment,
    i: usize,
    input: Signal,
    products: &[ProductPlan],
) -> Result<(), ConfigError> {
    let layer = &experiment.layers[i];
    if products.is_empty() && layer.overrides_bits {
        let problem = format!("a `{}` layer has no products", layer.kind);
        return Err(experiment.invalid_layer(i, "bits", problem));
    }
    if !products.is_empty() && input.range == Range::Real && layer.bits.activations < 2 {
        let problem = format!(
            "the input of `{}` can be negative and needs at least 2 bits, got {}",
            layer.name, layer.bits.activations
        );
        return Err(experiment.invalid_layer(i, "bits.activations", problem));
    }
    Ok(())
}
