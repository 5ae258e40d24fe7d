//! What a point costs, before it is trained: by the exact cycle model.

use super::point::{Point, Skipped};
use crate::estimate::network::of_experiment;
use crate::estimate::{Estimate, Work, estimate, total};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use tandem_driver::Exact;
use tandem_model::CycleModel;
use tandem_nn::config::Keys;
use tandem_nn::data::Known;
use tandem_synth::Area;

/// Costs that a point has before it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Cycles of a training step, with the masks that it ends with.
    pub step_cycles: u64,
    /// Cycles of all its steps, as if all were such steps. A run that prunes gradually takes more, and scores cost too.
    pub training_cycles: u64,
    /// Cycles of the forward pass, an image.
    pub inference_cycles: f64,
    /// Bits of all weights that masks keep, without their indices.
    pub weight_bits: u64,
    /// Products of bits that the array computes in a cycle, which its multipliers grow with.
    pub bit_products: u64,
    /// What the accelerator takes of the board of `[silicon]`.
    #[serde(flatten)]
    pub area: Option<Area>,
}

impl Cost {
    /// A cost by its name.
    ///
    /// # Panics   if it is none of [`Costs::NAMES`]
    pub fn get(&self, name: &str) -> f64 {
        let values = [
            self.step_cycles as f64,
            self.training_cycles as f64,
            self.inference_cycles,
            self.weight_bits as f64,
            self.bit_products as f64,
        ];
        values[Costs::NAMES.iter().position(|n| *n == name).expect("a cost")]
    }
}

/// A product of a training step and its cycles.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Product {
    /// Its layer.
    pub layer: String,
    /// `forward`, `input_gradient` or `weight_gradient`.
    pub product: &'static str,
    /// Cycles.
    pub cycles: u64,
    /// The least that the busiest of the three below allows.
    pub least: u64,
    /// Which it is; `latency` where `cycles` are far above it.
    pub bound: &'static str,
    /// Cycles of the array.
    pub array: u64,
    /// Words to the accelerator.
    pub words_in: u64,
    /// Words from it.
    pub words_out: u64,
}

impl From<&Estimate> for Product {
    fn from(e: &Estimate) -> Self {
        let (bound, least) = e.cost.bound();
        Product {
            layer: e.work.layer.clone(),
            product: e.work.product,
            cycles: e.cost.cycles,
            least,
            bound: bound.name(),
            array: e.cost.array(),
            words_in: e.cost.words_in(),
            words_out: e.cost.words_out,
        }
    }
}

/// Costs of points, each accelerator's products planned once.
pub struct Costs {
    shape: HashMap<String, (Known, usize)>,
    devices: HashMap<String, Exact>,
    products: HashMap<String, Vec<Product>>,
}

impl Costs {
    /// What a budget can limit.
    pub const NAMES: [&str; 5] =
        ["step_cycles", "training_cycles", "inference_cycles", "weight_bits", "bit_products"];

    /// For data sets by name: shape of their images with the number of classes, and training images.
    pub fn new(shape: HashMap<String, (Known, usize)>) -> Self {
        Costs { shape, devices: HashMap::new(), products: HashMap::new() }
    }

    /// Products of a step of each point that has a cost, by its name.
    pub fn into_products(self) -> HashMap<String, Vec<Product>> {
        self.products
    }

    /// The cost of a point.
    ///
    /// # Errors   why the accelerator cannot run it
    pub fn of(&mut self, point: &Point) -> Result<Cost, String> {
        let (experiment, config) = (&point.variant.experiment, &point.variant.config);
        let (shape, images) = self.shape[&experiment.data.set];
        let works = of_experiment(experiment, shape, None, true).map_err(|e| crate::failure::text(&e))?;
        let weight_bits = weight_bits(&works);
        let device =
            self.devices.entry(config.to_toml()).or_insert_with(|| Exact::new(config.clone(), CycleModel));
        let estimates = estimate(device, works)?;
        self.products.insert(point.id.clone(), estimates.iter().map(Product::from).collect());
        let step_cycles = total(&estimates).cycles;
        let forward = estimates.iter().filter(|e| e.work.product == "forward");
        let inference = forward.map(|e| e.cost.cycles).sum::<u64>() as f64 / experiment.data.batch as f64;
        let steps = experiment.data.training_images(images) / experiment.data.batch
            * experiment.train.epochs as usize;
        let array = &config.array;
        Ok(Cost {
            step_cycles,
            training_cycles: step_cycles * steps as u64,
            inference_cycles: inference,
            weight_bits,
            bit_products: (array.rows * array.cols * array.lanes * array.row_digit * array.col_digit) as u64,
            area: point.area,
        })
    }
}

/// Bits of the weights of forward products.
fn weight_bits(works: &[Work]) -> u64 {
    works.iter().filter(|work| work.product == "forward").map(Work::weight_bits).sum()
}

/// Points that are too expensive, or that cost at least as much as another one with the same network, whose accuracy is
/// the same: the accelerator changes no bit of a result.
pub fn prune(points: &[(Point, Cost)], budget: &BTreeMap<String, f64>) -> Vec<Option<Skipped>> {
    let networks: Vec<_> = points.iter().map(|(point, _)| point.variant.experiment.keys()).collect();
    let mut alike: HashMap<&Keys, Vec<usize>> = HashMap::new();
    for (i, keys) in networks.iter().enumerate() {
        alike.entry(keys).or_default().push(i);
    }
    let dominated = |i: usize| {
        // a budget of cycles makes masks depend on the accelerator
        if networks[i].contains_key("pruning.cycles") {
            return None;
        }
        let others = &alike[&networks[i]];
        let costs = |i: usize| {
            let cost = &points[i].1;
            let size = cost.area.map_or(cost.bit_products, |area| area.luts);
            [cost.step_cycles as f64, cost.inference_cycles, size as f64]
        };
        let better = |j: &&usize| {
            let (a, b) = (costs(**j), costs(i));
            a.iter().zip(&b).all(|(a, b)| a <= b) && (a != b || **j < i)
        };
        others.iter().find(better).map(|j| points[*j].0.levels.join(", "))
    };
    let one = |(i, (point, cost)): (usize, &(Point, Cost))| {
        for (name, most) in budget {
            let value = cost.get(name);
            if value > *most {
                return Some(point.skipped(format!("{name} {value}: above the budget of {most}")));
            }
        }
        dominated(i)
            .map(|by| point.skipped(format!("the same network in no more cycles on no larger array: {by}")))
    };
    points.iter().enumerate().map(one).collect()
}
