//! What a pattern costs: the cycles of a layer's three products.

use crate::backend::Product;
use crate::layers::prunable::MaskPattern;
use crate::network::plan::NetworkPlan;

/// Predicts cycles. A closure `(layer, pattern) → cycles` is one.
pub trait CycleOracle: Send {
    /// Compute cycles, waits for the drain included, of the three products of one training step, of the layer
    /// with this index in the network.
    /// `pattern.n == pattern.m` is dense.
    fn cycles(&self, layer: usize, pattern: MaskPattern) -> u64;
}

impl<F: Fn(usize, MaskPattern) -> u64 + Send> CycleOracle for F {
    fn cycles(&self, layer: usize, pattern: MaskPattern) -> u64 {
        self(layer, pattern)
    }
}

/// Counts multiplications instead: what no accelerator is known for.
///
/// ```text
/// forward and weight gradient: m·k·n·N/M      input gradient: m·k·n·N/M if transposable, else m·k·n
/// ```
#[derive(Clone, Debug)]
pub struct Multiplications {
    products: Vec<Vec<(Product, u64)>>,
}

impl Multiplications {
    /// Those of a network.
    pub fn new(plan: &NetworkPlan) -> Self {
        let products = plan.layers.iter().map(|layer| {
            let products = layer.products.iter();
            products.map(|p| (p.product, p.times as u64 * p.m as u64 * p.k as u64 * p.n as u64)).collect()
        });
        Multiplications { products: products.collect() }
    }
}

impl CycleOracle for Multiplications {
    fn cycles(&self, layer: usize, pattern: MaskPattern) -> u64 {
        let cost = |&(product, dense): &(Product, u64)| {
            let selects = product != Product::InputGradient || pattern.transposable;
            if selects { (dense * pattern.n as u64).div_ceil(pattern.m as u64) } else { dense }
        };
        self.products[layer].iter().map(cost).sum()
    }
}
