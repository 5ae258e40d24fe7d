//! The network as plain data: shapes, formats and products, inferred before anything runs.

use crate::backend::Product;
use crate::digest::Digest;
use crate::layers::relu;
use crate::layers::{LayerBits, LayerEntry, LayerSpec, ProductPlan, Range, Signal};
use crate::quant::{CLIPS, Clip};
use crate::tensor::Shape;
use std::sync::Arc;

/// Most weights of a network: several tensors of so many f32 are kept.
const MOST_WEIGHTS: u128 = 1 << 27;
/// Most values of an operand or result of a product, or of a batch between layers.
const MOST_VALUES: u128 = 1 << 31;

/// Why layers make no network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// A key of a layer's table does not suit.
    Layer {
        /// Index of the layer.
        layer: usize,
        /// The key.
        key: String,
        /// What is wrong and what is allowed.
        problem: String,
    },
    /// The batch is too large.
    Batch {
        /// What is too large, and what is allowed.
        problem: String,
    },
}

fn invalid(layer: usize, key: &str, problem: String) -> PlanError {
    PlanError::Layer { layer, key: key.to_owned(), problem }
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
    /// The network of these layers, for batches of examples of the shape `input`.
    ///
    /// # Errors   a layer that does not suit its input, an output other than one value a class, or too large a network
    pub fn new(
        entries: &[LayerEntry],
        batch: usize,
        input: Shape,
        classes: usize,
    ) -> Result<Self, PlanError> {
        let input = Signal { shape: input, range: Range::Pixel };
        let mut signals = vec![input];
        // Whether a parameter lies on the way to this signal.
        let mut trained = vec![false];
        let mut layers = Vec::new();
        let mut weights = 0;
        for (i, entry) in entries.iter().enumerate() {
            let sources = sources(entries, i)?;
            let inputs: Vec<_> = sources.iter().map(|&s| signals[s]).collect();
            let output = entry.spec.infer(&inputs).map_err(|e| invalid(i, e.key, e.problem))?;
            let wants_gradient: Vec<_> = sources.iter().map(|&s| trained[s]).collect();
            let mut products = entry.spec.products(inputs[0], &entry.bits, batch);
            check_bits(entry, inputs[0], &products).map_err(|(key, problem)| invalid(i, key, problem))?;
            weights += check_size((i, entry), batch, output, &products, weights)?;
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
        check_used(&layers)?;
        let (last, output) = (layers.len() - 1, signals[layers.len()].shape);
        if output != Shape::flat(classes) {
            let problem = format!("the last output must be 1×1×{classes}, one value a class, got {output}");
            return Err(invalid(last, "type", problem));
        }
        if !trained[layers.len()] {
            let problem = "the network has nothing to train".to_owned();
            return Err(invalid(last, "type", problem));
        }
        Ok(NetworkPlan { input, classes, layers })
    }

    /// Whether a layer is a rectifier and the only one that reads the layer before it.
    pub fn rectifies_alone(&self, layer: usize) -> bool {
        let of = &self.layers[layer];
        let readers = self.layers.iter().flat_map(|layer| &layer.sources).filter(|source| **source == layer);
        layer > 0 && of.kind == relu::KIND.name && of.sources == [layer] && readers.count() == 1
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
fn sources(entries: &[LayerEntry], i: usize) -> Result<Vec<usize>, PlanError> {
    let entry = &entries[i];
    let before = entries[..i].iter().map(|layer| layer.name.as_str());
    let names: Vec<_> = std::iter::once("input").chain(before).collect();
    let find = |key: &str, name: &str, other: Option<usize>| {
        let allowed = || names.iter().enumerate().filter(|(source, _)| Some(*source) != other);
        let found = allowed().find(|(_, allowed)| **allowed == name).map(|(source, _)| source);
        found.ok_or_else(|| {
            let names: Vec<_> = allowed().map(|(_, name)| format!("`{name}`")).collect();
            let allowed = if names.is_empty() {
                "nothing lies before the layer before".to_owned()
            } else {
                format!("must be one of {}", names.join(", "))
            };
            invalid(i, key, allowed)
        })
    };
    let first = entry.input.as_ref().map_or(Ok(i), |name| find("input", name, None))?;
    match entry.spec.second_input() {
        None => Ok(vec![first]),
        // What is the first input already would be added to itself.
        Some(from) => Ok(vec![first, find("from", from, Some(first))?]),
    }
}

/// Checks that every output but the last is some layer's input.
fn check_used(layers: &[LayerPlan]) -> Result<(), PlanError> {
    let used = |signal: usize| layers.iter().any(|layer| layer.sources.contains(&signal));
    match (1..layers.len()).find(|signal| !used(*signal)) {
        None => Ok(()),
        Some(signal) => {
            let (name, next) = (&layers[signal - 1].name, signal);
            let problem =
                format!("then no layer takes the output of `{name}`: name it as an `input` or in a `from`");
            Err(invalid(next, "input", problem))
        }
    }
}

/// Checks a layer before anything is allocated for it, and returns how many weights it has.
fn check_size(
    (i, entry): (usize, &LayerEntry),
    batch: usize,
    output: Signal,
    products: &[ProductPlan],
    earlier: u128,
) -> Result<u128, PlanError> {
    let size = |a: usize, b: usize| a as u128 * b as u128;
    let forward = products.iter().filter(|p| p.product == Product::Forward);
    let weights: u128 = forward.map(|p| size(p.k, p.n) * p.times as u128).sum();
    if earlier + weights > MOST_WEIGHTS {
        let own = entry.spec.described();
        let key = ["outputs", "channels"].into_iter().find(|key| own.get(key).is_some()).unwrap_or("type");
        let all = earlier + weights;
        let problem = format!("the network has {all} weights up to here, at most {MOST_WEIGHTS} are allowed");
        return Err(invalid(i, key, problem));
    }
    let operands = products.iter().flat_map(|p| [size(p.m, p.k), size(p.k, p.n), size(p.m, p.n)]);
    let batch = size(batch, output.shape.features());
    let largest = operands.chain([batch]).max().unwrap_or_default();
    if largest > MOST_VALUES {
        let name = &entry.name;
        let problem =
            format!("layer `{name}` needs a matrix of {largest} values, at most {MOST_VALUES} are allowed");
        return Err(PlanError::Batch { problem });
    }
    Ok(weights)
}

fn check_bits(
    entry: &LayerEntry,
    input: Signal,
    products: &[ProductPlan],
) -> Result<(), (&'static str, String)> {
    if products.is_empty() && entry.overrides_bits {
        return Err(("bits", format!("a `{}` layer has no products", entry.kind)));
    }
    if products.is_empty() {
        return Ok(());
    }
    let bits = &entry.bits;
    if input.range == Range::Real && bits.activations < 2 {
        let problem = format!(
            "the input of `{}` can be negative and needs at least 2 bits, got {}",
            entry.name, bits.activations
        );
        return Err(("bits.activations", problem));
    }
    if input.range != Range::Pixel {
        check_clip("activation", bits.activation_clip, bits.activations, input.range == Range::Real, bits)?;
    }
    let kind = bits.gradient_quantizer;
    if !(kind.widths.0..=kind.widths.1).contains(&bits.gradients) {
        let (low, high) = kind.widths;
        let problem =
            format!("`{}` has gradients of {low} to {high} bits, got {}", kind.name, bits.gradients);
        return Err(("bits.gradients", problem));
    }
    if entry.spec.has_scales_by_axis() {
        return check_clip("weight", bits.weight_clip, bits.weights, true, bits);
    }
    let mixes = format!("the transforms of a `{}` layer mix what has scales of its own", entry.kind);
    if kind.by_axis {
        return Err(("bits.gradient_quantizer", format!("{mixes}: `{}`", kind.name)));
    }
    if bits.weight_channels {
        return Err(("bits.weight_scale", format!("{mixes}: `channel`")));
    }
    Ok(())
}

/// Checks that a quantizer of weights or activations has codes of this width.
fn check_clip(
    what: &str,
    clip: &Clip,
    width: u8,
    signed: bool,
    bits: &LayerBits,
) -> Result<(), (&'static str, String)> {
    let key = if what == "weight" { "bits.weights" } else { "bits.activations" };
    if what == "activation" && !clip.has_zero {
        let problem = format!("`{}` has no code for 0, which rectifiers and padding give", clip.name);
        return Err(("bits.activation_clip", problem));
    }
    let (low, high) = (clip.narrowest(signed), clip.widths.1);
    if !(low..=high).contains(&width) {
        let all = if low == high { low.to_string() } else { format!("{low} to {high}") };
        let others = CLIPS.iter().filter(|c| (c.narrowest(signed)..=c.widths.1).contains(&width));
        let others: Vec<_> =
            others.filter(|c| what == "weight" || c.has_zero).map(|c| format!("`{}`", c.name)).collect();
        let problem = format!(
            "`{}` has codes of {all} bits, got {width}, which {} {}",
            clip.name,
            others.join(", "),
            if others.len() == 1 { "has" } else { "have" }
        );
        return Err((key, problem));
    }
    match bits.fitting.level_bits {
        Some(levels) if clip.is_coded && levels < width => {
            Err(("bits.level_bits", format!("must be at least the {width} bits of `{}` codes", clip.name)))
        }
        _ => Ok(()),
    }
}
