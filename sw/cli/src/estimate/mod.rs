//! Products of networks, and what they will cost.
//!
//! ```text
//! experiment.toml, topology.csv ─► Work: a product of a layer ─ cycle model ─► Estimate ─► table, JSON, CSV, roofline
//! ```

pub mod network;
pub mod roofline;
pub mod topology;

use tandem_driver::{Cost, Description, Device, Problem, Selection};

/// One product of a layer.
#[derive(Clone, Debug)]
pub struct Work {
    /// The layer.
    pub layer: String,
    /// `forward`, `input_gradient` or `weight_gradient`.
    pub product: &'static str,
    /// What a device plans.
    pub problem: Problem,
    /// Bits of a weight's code: fewer than its integers have, if a table stands between them.
    pub code_bits: u8,
    /// How often it runs.
    pub times: u64,
}

impl Work {
    /// Bits of the weights of a forward product, of those that a pattern keeps; no indices.
    pub fn weight_bits(&self) -> u64 {
        let kept = |selection: Selection, k: usize| selection.pattern().map_or(k, |p| p.groups(k) * p.n);
        let weights = match &self.problem {
            Problem::Gemm(p) => kept(p.selection, p.shape.k) * p.shape.n,
            Problem::Conv(p) => kept(p.selection, p.window.volume()) * p.outputs,
            Problem::Fft(_) | Problem::Smooth(_) => 0,
        };
        self.times * weights as u64 * u64::from(self.code_bits)
    }
}

/// A product and what it will cost.
#[derive(Clone, Debug)]
pub struct Estimate {
    /// The product.
    pub work: Work,
    /// All its runs together.
    pub cost: Cost,
    /// How it is done.
    pub description: Option<Description>,
}

/// All products together.
pub fn total(estimates: &[Estimate]) -> Cost {
    let mut total = Cost::default();
    estimates.iter().for_each(|e| total += e.cost);
    total
}

/// What products will cost; the name of the first that the accelerator cannot run, if there is one.
pub fn estimate(device: &mut dyn Device, works: Vec<Work>) -> Result<Vec<Estimate>, String> {
    let one = |work: Work| {
        let each = device.predict(&work.problem);
        let each =
            each.ok_or_else(|| format!("{}, {}: the accelerator cannot run it", work.layer, work.product))?;
        let mut cost = Cost::default();
        cost.add_times(&each, work.times);
        let description = device.describe(&work.problem);
        Ok(Estimate { work, cost, description })
    };
    works.into_iter().map(one).collect()
}
