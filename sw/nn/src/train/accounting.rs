//! What a run costs, layer by layer, beside what it would cost dense.

use super::Trainer;
use crate::backend::ledger::Counters;
use crate::backend::{Backend, Product};
use crate::layers::ProductPlan;
use crate::layers::prunable::MaskPattern;
use crate::network::plan::NetworkPlan;
use crate::prune::PrunedLayer;
use crate::prune::cycles::CycleOracle;
use crate::prune::scores::{Passes, ScoringPasses};
use serde::Serialize;
use std::collections::HashMap;
use tandem_driver::{Cost, Device};

/// One of a layer's products, as it ran and as it would have run dense in the same steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ProductAccount {
    /// What it cost.
    #[serde(flatten)]
    pub cost: Counters,
    /// What it would have cost without masks, by the cycle model.
    pub dense: Counters,
}

/// A layer's line in the account of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerAccount {
    /// The layer's name.
    pub layer: String,
    /// MaskPattern of its mask now.
    pub pattern: String,
    /// Share of its weights that its mask keeps now.
    pub density: f64,
    /// Y = X·W
    pub forward: ProductAccount,
    /// dX = dY·Wᵀ
    pub input_gradient: ProductAccount,
    /// dW = Xᵀ·dY
    pub weight_gradient: ProductAccount,
    /// Transforms of the FFT unit, which masks do not save.
    pub transforms: Counters,
}

impl LayerAccount {
    /// The sum of the three products and the transforms.
    pub fn total(&self) -> ProductAccount {
        let mut total = ProductAccount::default();
        for product in [self.forward, self.input_gradient, self.weight_gradient] {
            total.cost += product.cost;
            total.dense += product.dense;
        }
        total.cost += self.transforms;
        total.dense += self.transforms;
        total
    }
}

/// Compute cycles, waits for the drain included.
pub fn compute_cycles(cost: &Cost) -> u64 {
    cost.compute_busy + cost.wait_drain
}

impl Trainer {
    /// Every layer with products: what it cost so far, and what it would have cost dense. Empty on the
    /// float engine.
    pub fn accounting(&mut self) -> Vec<LayerAccount> {
        let reports = self.pruning_report();
        let lines = self.training.cycles_by_layer();
        let Backend::Device(device) = &mut self.backend else { return vec![] };
        let (plan, steps) = (self.network.plan(), self.step);
        let account = |line: crate::backend::ledger::LayerCounters| {
            let layer = plan.layers.iter().find(|l| l.name == line.layer)?;
            let report = reports.iter().find(|r| r.layer == line.layer)?;
            let mut product = |product: Product, cost: Counters| {
                let mut dense = Counters::default();
                for plan in layer.products.iter().filter(|p| p.product == product) {
                    let (step, calls) = plan.cost_and_calls(&mut **device, None).unwrap_or_default();
                    dense += Counters { calls: steps * calls, ..Counters::times(steps, &step) };
                }
                ProductAccount { cost, dense }
            };
            Some(LayerAccount {
                forward: product(Product::Forward, line.forward),
                input_gradient: product(Product::InputGradient, line.input_gradient),
                weight_gradient: product(Product::WeightGradient, line.weight_gradient),
                pattern: report.pattern.clone(),
                density: report.density,
                transforms: line.transforms,
                layer: line.layer,
            })
        };
        lines.into_iter().filter_map(account).collect()
    }

    /// Charges the passes that scoring took since `before`, as dense products on the device.
    pub(super) fn charge_scoring(&mut self, before: ScoringPasses) {
        let now = self.scoring_passes();
        let Backend::Device(device) = &mut self.backend else { return };
        let batch = self.experiment.data.batch;
        let plan = self.network.plan();
        for (passes, earlier, images) in
            [(now.batches, before.batches, batch), (now.single, before.single, 1)]
        {
            let counts = Passes {
                forward: passes.forward - earlier.forward,
                backward: passes.backward - earlier.backward,
            };
            for product in plan.layers.iter().flat_map(|l| &l.products) {
                let times =
                    if product.product == Product::Forward { counts.forward } else { counts.backward };
                if times > 0 {
                    let product = product.for_batch(batch, images);
                    let (cost, calls) = product.cost_and_calls(&mut **device, None).unwrap_or_default();
                    let cost = Counters::times(times, &cost);
                    self.training.add_scoring(Counters { calls: times * calls, ..cost });
                }
            }
        }
    }
}

/// Compute cycles of all layers at all levels, predicted once.
pub(super) struct CycleTable(HashMap<(usize, MaskPattern), u64>);

impl CycleTable {
    /// The table for the layers that are pruned, and for all layers dense.
    pub(super) fn new(plan: &NetworkPlan, pruned: &[PrunedLayer], device: &mut dyn Device) -> Self {
        let mut cycles = |products: &[ProductPlan], pattern| {
            let costs = products.iter().map(|p| p.cost(device, pattern).unwrap_or_default());
            costs.map(|cost| compute_cycles(&cost)).sum::<u64>()
        };
        let mut table = HashMap::new();
        for (i, layer) in plan.layers.iter().enumerate() {
            let dense = cycles(&layer.products, None);
            table.insert((i, DENSE), dense);
            let levels = pruned.iter().filter(|p| p.layer == i).flat_map(PrunedLayer::levels);
            for pattern in levels {
                table.insert((i, pattern), cycles(&layer.products, Some(pattern)));
            }
        }
        CycleTable(table)
    }
}

/// The key of a layer without a mask.
const DENSE: MaskPattern = MaskPattern { n: 1, m: 1, transposable: false };

impl CycleOracle for CycleTable {
    fn cycles(&self, layer: usize, pattern: MaskPattern) -> u64 {
        let key = if pattern.n == pattern.m { DENSE } else { pattern };
        self.0[&(layer, key)]
    }
}
