//! The products of a training step, as plain data.

use super::prunable::{Groups, MaskPattern};
use super::{LayerBits, Signal};
use crate::backend::Product;
use tandem_driver::gemm::{self, ResultWidth};
use tandem_driver::{Cost, Device, Format, GemmProblem, Problem, Selection};

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
    pub fn problems(&self, pattern: Option<MaskPattern>) -> Vec<Problem> {
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
    pub fn cost(&self, device: &mut dyn Device, pattern: Option<MaskPattern>) -> Option<Cost> {
        let problems = self.problems(pattern);
        let each = problems.iter().filter_map(|p| device.predict(p)).min_by_key(|cost| cost.cycles)?;
        let mut cost = Cost::default();
        cost.add_times(&each, self.times as u64);
        Some(cost)
    }
}

/// The three products of a contraction of `rows` rows with weights of `groups`.
pub(crate) fn three_products(
    input: Signal,
    bits: &LayerBits,
    rows: usize,
    groups: Groups,
) -> Vec<ProductPlan> {
    let (k, n) = (groups.contraction(), groups.outputs);
    let x = bits.input_format(input);
    let (w, g) = (bits.weight_format(), bits.gradient_format());
    let plan =
        |product, m, k, n, x, w| ProductPlan { product, m, k, n, x, w, groups, alternative: None, times: 1 };
    vec![
        plan(Product::Forward, rows, k, n, x, w),
        plan(Product::WeightGradient, k, rows, n, x, g),
        plan(Product::InputGradient, rows, n, k, g, w),
    ]
}
