//! What training cost on the accelerator, by layer and product.

use crate::backend::Product;
use serde::{Deserialize, Serialize};
use tandem_driver::Cost;

/// The fields of [`Cost`], for serde.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Cost")]
struct CostFields {
    cycles: u64,
    predicted_cycles: u64,
    load_busy: u64,
    compute_busy: u64,
    wait_drain: u64,
    store_busy: u64,
    span: u64,
    products: u64,
    skipped: u64,
    instruction_words: u64,
    link_words: u64,
    #[serde(default)]
    words_out: u64,
}

/// Counters of a set of products. Serialized flat, under the names of the hardware counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Number of products.
    pub calls: u64,
    /// Their summed cost.
    #[serde(flatten, with = "CostFields")]
    pub cost: Cost,
}

impl Counters {
    /// Those of a product that runs so many times.
    pub fn times(calls: u64, each: &Cost) -> Self {
        let mut cost = Cost::default();
        cost.add_times(each, calls);
        Counters { calls, cost }
    }
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Counters) {
        self.calls += other.calls;
        self.cost += other.cost;
    }
}

/// One line of `cycles_by_layer`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerCounters {
    /// The layer's name.
    pub layer: String,
    /// Y = X·W
    pub forward: Counters,
    /// dX = dY·Wᵀ
    pub input_gradient: Counters,
    /// dW = Xᵀ·dY
    pub weight_gradient: Counters,
    /// Transforms of the FFT unit, for all three products; `calls` counts transforms.
    #[serde(default)]
    pub transforms: Counters,
}

impl LayerCounters {
    /// The sum of the three products, without transforms.
    pub fn products(&self) -> Counters {
        let mut total = self.forward;
        total += self.input_gradient;
        total += self.weight_gradient;
        total
    }

    /// The sum of the three products and the transforms.
    pub fn total(&self) -> Counters {
        let mut total = self.products();
        total += self.transforms;
        total
    }
}

/// Cycles in which each unit was busy, and the largest of the three: what a schedule that overlaps all of them needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    /// The MAC array issued digit products.
    pub mac: u64,
    /// The FFT unit took samples.
    pub fft: u64,
    /// The load or the store engine was busy.
    pub link: u64,
    /// The largest.
    pub max: u64,
}

/// Costs by layer and product.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    layers: Vec<LayerCounters>,
    /// Passes for pruning scores.
    #[serde(default)]
    scoring: Counters,
    /// The transforms among them.
    #[serde(default)]
    scoring_transforms: Counters,
}

impl Ledger {
    /// An empty ledger for the layers with these names.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let layers = names.into_iter().map(|name| LayerCounters {
            layer: name.to_owned(),
            forward: Counters::default(),
            input_gradient: Counters::default(),
            weight_gradient: Counters::default(),
            transforms: Counters::default(),
        });
        Ledger { layers: layers.collect(), ..Ledger::default() }
    }

    /// An empty ledger for the same layers.
    pub fn emptied(&self) -> Self {
        Ledger::new(self.layers.iter().map(|line| line.layer.as_str()))
    }

    /// Adds the cost of one product.
    ///
    /// # Panics   if there is no such layer
    pub fn add(&mut self, layer: usize, product: Product, cost: Cost) {
        let line = &mut self.layers[layer];
        let counters = match product {
            Product::Forward => &mut line.forward,
            Product::InputGradient => &mut line.input_gradient,
            Product::WeightGradient => &mut line.weight_gradient,
        };
        *counters += Counters { calls: 1, cost };
    }

    /// Adds the cost of transforms.
    ///
    /// # Panics   if there is no such layer
    pub fn add_transforms(&mut self, layer: usize, calls: u64, cost: Cost) {
        self.layers[layer].transforms += Counters { calls, cost };
    }

    /// Adds products that only served to score weights.
    pub fn add_scoring(&mut self, counters: Counters) {
        self.scoring += counters;
    }

    /// Adds passes that only served to score weights, transforms included.
    pub fn add_scoring_passes(&mut self, passes: &Ledger) {
        self.scoring += passes.total();
        self.scoring_transforms += passes.transforms();
    }

    /// What scoring weights cost.
    pub fn scoring(&self) -> Counters {
        self.scoring
    }

    /// The layers that had products, in order.
    pub fn cycles_by_layer(&self) -> Vec<LayerCounters> {
        let used = self.layers.iter().filter(|line| line.total().calls > 0);
        used.cloned().collect()
    }

    /// The sum over all layers and products, scoring included.
    pub fn total(&self) -> Counters {
        let mut total = self.scoring;
        self.layers.iter().for_each(|line| total += line.total());
        total
    }

    /// The sum of all transforms, scoring included.
    pub fn transforms(&self) -> Counters {
        let mut total = self.scoring_transforms;
        self.layers.iter().for_each(|line| total += line.transforms);
        total
    }

    /// How long each unit was busy.
    pub fn busy(&self) -> Busy {
        let (total, transforms) = (self.total().cost, self.transforms().cost);
        let mac = total.compute_busy - transforms.compute_busy;
        let (fft, link) = (transforms.compute_busy, total.load_busy + total.store_busy);
        Busy { mac, fft, link, max: mac.max(fft).max(link) }
    }

    /// Whether the two ledgers have the same layers.
    pub fn same_layers(&self, other: &Ledger) -> bool {
        let names = |ledger: &Ledger| ledger.layers.iter().map(|l| l.layer.clone()).collect::<Vec<_>>();
        names(self) == names(other)
    }
}
