//! Products of experiments and topologies.

use super::Work;
use super::topology::{Layer, Shape};
use crate::failure::usage;
use anyhow::Result;
use tandem_driver::gemm::{self, ResultWidth};
use tandem_driver::{ConvProblem, ConvProduct, Format, GemmProblem, Pattern, Problem, Selection};
use tandem_nn::config::Experiment;
use tandem_nn::data;
use tandem_nn::layers::prunable::MaskPattern;
use tandem_nn::network::Network;
use tandem_nn::prune::plan;
use tandem_nn::tensor;

/// Widths of a topology's operands.
#[derive(Clone, Copy, Debug)]
pub struct Widths {
    /// Inputs, unsigned.
    pub activations: u8,
    /// Weights, signed.
    pub weights: u8,
    /// Output gradients, signed.
    pub gradients: u8,
}

/// The three products, as they are named.
pub const PRODUCTS: [&str; 3] = ["forward", "input_gradient", "weight_gradient"];

/// Products of a training step of an experiment, or of its forward pass; `pattern` is for every layer that is pruned, or
/// for all but the first and the last.
///
/// # Errors   layers that make no network, or a pattern that does not suit
pub fn of_experiment(
    experiment: &Experiment,
    shape: data::Known,
    pattern: Option<(usize, usize)>,
    training: bool,
) -> Result<Vec<Work>> {
    let ((h, w, c), classes) = shape;
    let network = experiment.plan(tensor::Shape { h, w, c }, classes)?;
    let mut patterns = vec![None; network.layers.len()];
    let weighty: Vec<usize> =
        (0..network.layers.len()).filter(|i| !network.layers[*i].products.is_empty()).collect();
    if let Some(pruning) = &experiment.pruning {
        let mut built = Network::new(network.clone(), 1);
        let pruned = plan::layers(pruning, &mut built);
        let pruned = pruned.map_err(|e| usage(format!("pruning.{}: {}", e.key, e.problem)))?;
        for layer in pruned {
            patterns[layer.layer] = match pattern {
                Some((n, m)) => Some(MaskPattern { n, m, transposable: true }),
                None => layer.fixed.and_then(|n| layer.structure.pattern(n)),
            };
        }
    } else if let Some((n, m)) = pattern {
        for i in weighty.iter().skip(1).take(weighty.len().saturating_sub(2)) {
            patterns[*i] = Some(MaskPattern { n, m, transposable: true });
        }
    }
    let mut works = vec![];
    for (layer, pattern) in network.layers.iter().zip(patterns) {
        for product in layer.products.iter().filter(|p| training || p.product.name() == PRODUCTS[0]) {
            let mut ways = product.requests(pattern);
            let (problem, times) = ways.remove(0);
            works.push(Work {
                layer: layer.name.clone(),
                product: product.product.name(),
                problem,
                code_bits: if layer.spec.has_scales_by_axis() {
                    layer.bits.weights
                } else {
                    layer.bits.spectra
                },
                times,
                others: ways,
            });
        }
    }
    Ok(works)
}

/// Products of the layers of a topology. No input gradient for the first layer.
pub fn of_topology(
    layers: &[Layer],
    images: usize,
    widths: Widths,
    pattern: Option<(usize, usize)>,
    training: bool,
) -> Vec<Work> {
    let (x, w) = (Format::unsigned(widths.activations), Format::signed(widths.weights));
    let g = Format::signed(widths.gradients);
    let mut works = vec![];
    for (i, layer) in layers.iter().enumerate() {
        let pattern = layer.pattern.or(pattern).filter(|(n, m)| n < m);
        let count = match (training, i) {
            (false, _) => 1,
            (true, 0) => 2,
            (true, _) => 3,
        };
        let order = [0, 2, 1];
        for which in order.into_iter().take(count) {
            let (problem, times) = problem(&layer.shape, which, images, [x, w, g], pattern);
            let (layer, code_bits) = (layer.name.clone(), widths.weights);
            works.push(Work { layer, product: PRODUCTS[which], problem, code_bits, times, others: vec![] });
        }
    }
    works
}

fn problem(
    shape: &Shape,
    which: usize,
    images: usize,
    [x, w, g]: [Format; 3],
    pattern: Option<(usize, usize)>,
) -> (Problem, u64) {
    let result = ResultWidth::Full;
    let selected = |run: usize| pattern.map(|(n, m)| Pattern { n, m, run });
    match *shape {
        Shape::Convolution { window, outputs, times } => {
            let along = |m: usize| {
                if window.channels.is_multiple_of(m) {
                    window.channels
                } else {
                    window.channels * window.kernel[1]
                }
            };
            let run = pattern.map_or(1, |(_, m)| along(m));
            let (product, x, w, selection) = match which {
                0 => (ConvProduct::Forward, x, w, selected(run).map(Selection::Weights)),
                1 => (ConvProduct::InputGradient, g, w, selected(outputs).map(Selection::Weights)),
                _ => (ConvProduct::WeightGradient, x, g, selected(run).map(Selection::Results)),
            };
            let selection = selection.unwrap_or_default();
            (
                ConvProblem { product, window, images, outputs, x, w, result, selection, codes: None }.into(),
                times,
            )
        }
        Shape::Gemm { m, n, k } => {
            let m = m * images;
            let (shape, x, w, selection) = match which {
                0 => (gemm::Shape { m, k, n }, x, w, selected(k).map(Selection::Weights)),
                1 => (gemm::Shape { m, k: n, n: k }, g, w, selected(n).map(Selection::Weights)),
                _ => (gemm::Shape { m: k, k: m, n }, x, g, selected(k).map(Selection::Results)),
            };
            (
                GemmProblem { shape, x, w, result, selection: selection.unwrap_or_default(), codes: None }
                    .into(),
                1,
            )
        }
    }
}
