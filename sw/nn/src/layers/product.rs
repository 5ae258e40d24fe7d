//! The products of a training step, as plain data.

use super::affine::blocks;
use super::bits::EXACT;
use super::prunable::{Groups, MaskPattern};
use super::{LayerBits, Signal};
use crate::backend::Product;
use tandem_driver::gemm::{self, ResultWidth};
use tandem_driver::{Codes, ConvProblem, Cost, Device, Format, GemmProblem, Problem, Selection, Window};

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
    /// Width of its results on the link.
    pub result: ResultWidth,
    /// The window of a convolution, whose rows the product is of; the device takes images.
    pub window: Option<Window>,
    /// How often it runs in a training step.
    pub times: usize,
    /// Bits of the codes of the right operand, if it has a table.
    pub code_bits: Option<u8>,
}

/// Whether weights of a table move as codes of it: everywhere but in convolutions without a pattern, whose weights lie with holes, for
/// which a table need not have a level.
pub(crate) fn moves_as_codes(rows: bool, pattern: Option<MaskPattern>) -> bool {
    rows || pattern.is_some()
}

impl ProductPlan {
    /// The ways to request the product, for weights whose mask has a pattern, and how often each then runs in a training step.
    pub fn requests(&self, pattern: Option<MaskPattern>) -> Vec<(Problem, u64)> {
        match self.problem(pattern) {
            Problem::Conv(one) => {
                let ways = blocks::alternatives(one, self.groups.blocks);
                ways.into_iter().map(|(problem, times)| (problem.into(), times)).collect()
            }
            one => vec![(one, self.times as u64)],
        }
    }

    /// The product, of one block if there are several, as a device plans it, for weights whose mask has a pattern.
    pub fn problem(&self, pattern: Option<MaskPattern>) -> Problem {
        let selection = match (self.product, self.groups.selection(self.product, pattern)) {
            (_, None) => Selection::Dense,
            (Product::WeightGradient, Some(p)) => Selection::Results(p),
            (_, Some(p)) => Selection::Weights(p),
        };
        let (x, w, result) = (self.x, self.w, self.result);
        let codes = self.code_bits.filter(|_| moves_as_codes(self.window.is_none(), pattern));
        let codes = codes.map(|bits| Codes { bits, zero: pattern.is_some() });
        let Some(window) = self.window else {
            let shape = gemm::Shape { m: self.m, k: self.k, n: self.n };
            return GemmProblem { shape, x, w, result, selection, codes }.into();
        };
        let rows = if self.product == Product::WeightGradient { self.k } else { self.m };
        let (product, outputs) = (self.product.of_convolution(), self.groups.outputs / self.groups.blocks);
        ConvProblem {
            product,
            window,
            images: rows / window.places(),
            outputs,
            x,
            w,
            result,
            selection,
            codes,
        }
        .into()
    }

    /// The same product for a batch of `images` instead of `batch`.
    pub fn for_batch(&self, batch: usize, images: usize) -> ProductPlan {
        let scale = |rows: usize| rows / batch * images;
        match self.product {
            Product::WeightGradient => ProductPlan { k: scale(self.k), ..*self },
            Product::Forward | Product::InputGradient => ProductPlan { m: scale(self.m), ..*self },
        }
    }

    /// What all its runs in a training step will cost on a device; `None` if the device cannot tell or run it.
    pub fn cost(&self, device: &mut dyn Device, pattern: Option<MaskPattern>) -> Option<Cost> {
        Some(self.cost_and_calls(device, pattern)?.0)
    }

    /// The same, and how many requests they are.
    pub fn cost_and_calls(
        &self,
        device: &mut dyn Device,
        pattern: Option<MaskPattern>,
    ) -> Option<(Cost, u64)> {
        let ((_, calls), cost) = cheapest(self.requests(pattern), |problem| device.predict(problem))?;
        Some((cost, calls))
    }
}

/// The alternative that takes the fewest cycles in all, the first of equal ones, and its cost; `None` if no cost is known.
pub fn cheapest<P: Copy + Into<Problem>>(
    alternatives: Vec<(P, u64)>,
    mut predict: impl FnMut(&Problem) -> Option<Cost>,
) -> Option<((P, u64), Cost)> {
    let cost = |(problem, times): (P, u64)| {
        let each = predict(&problem.into())?;
        let mut cost = Cost::default();
        cost.add_times(&each, times);
        Some(((problem, times), cost))
    };
    alternatives.into_iter().filter_map(cost).min_by_key(|(_, cost)| cost.cycles)
}

/// A width of results as plans say it.
fn width(bits: u8) -> ResultWidth {
    if bits == EXACT { ResultWidth::Full } else { ResultWidth::Narrow(bits) }
}

/// The three products of a contraction of `rows` rows with weights of `groups`, once for each block.
pub(crate) fn three_products(
    input: Signal,
    bits: &LayerBits,
    rows: usize,
    groups: Groups,
) -> Vec<ProductPlan> {
    let (k, n) = (groups.contraction(), groups.outputs / groups.blocks);
    let x = bits.input_format(input);
    let (w, g) = (bits.weight_format(), bits.gradient_format());
    let plan = |product, m, k, n, x, w| {
        let result = match product {
            Product::Forward => width(bits.results),
            Product::InputGradient => width(bits.input_gradients),
            Product::WeightGradient => ResultWidth::Full,
        };
        let code_bits = bits.weight_clip.is_coded && product != Product::WeightGradient;
        let code_bits = code_bits.then_some(bits.weights);
        ProductPlan { product, m, k, n, x, w, groups, result, window: None, times: groups.blocks, code_bits }
    };
    vec![
        plan(Product::Forward, rows, k, n, x, w),
        plan(Product::WeightGradient, k, rows, n, x, g),
        plan(Product::InputGradient, rows, n, k, g, w),
    ]
}
