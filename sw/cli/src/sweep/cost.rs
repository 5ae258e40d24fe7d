//! What a point costs, before it is trained: by the exact cycle model.

use super::clock::Clock;
use super::network::Network;
use super::point::{Point, Skipped};
use crate::estimate::{Estimate, Work, estimate, total};
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};
use tandem_driver::Exact;
use tandem_model::CycleModel;
use tandem_nn::config::{Experiment, Keys};
use tandem_nn::data::Known;
use tandem_synth::Area;

/// Costs that a point has before it is trained.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Cycles of a training step, with the masks that it ends with.
    pub step_cycles: u64,
    /// Cycles of all its steps, as if all were such steps. A run that prunes gradually takes more, and scores cost too. None where
    /// nothing is trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub training_cycles: Option<u64>,
    /// Cycles of the forward pass, an image.
    pub inference_cycles: f64,
    /// Bits of all weights that masks keep, without their indices.
    pub weight_bits: u64,
    /// Products of bits that the array computes in a cycle, which its multipliers grow with.
    pub bit_products: u64,
    /// What the accelerator takes of the board of `[silicon]`.
    #[serde(flatten)]
    pub area: Option<Area>,
    /// Its clock, of `[clock]`.
    #[serde(flatten)]
    pub clock: Option<Clock>,
}

impl Cost {
    /// What a budget can limit; the second one only where points are trained.
    pub const NAMES: [&str; 5] =
        ["step_cycles", "training_cycles", "inference_cycles", "weight_bits", "bit_products"];

    /// A cost by its name.
    ///
    /// # Panics   if it is none of [`NAMES`](Self::NAMES)
    pub fn get(&self, name: &str) -> f64 {
        let values = [
            self.step_cycles as f64,
            self.training_cycles.map_or(f64::NAN, |cycles| cycles as f64),
            self.inference_cycles,
            self.weight_bits as f64,
            self.bit_products as f64,
        ];
        values[Self::NAMES.iter().position(|n| *n == name).expect("a cost")]
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

/// Images of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Images {
    /// Their shape, and the number of classes.
    pub known: Known,
    /// How many there are for training; none where nothing is trained.
    pub training: Option<usize>,
}

/// Cost and products of a step of each point, or why its accelerator cannot run it; images by the names of data sets. Products of an
/// accelerator are planned once, accelerators side by side.
pub fn costs(
    points: &[Point],
    images: &HashMap<String, Images>,
) -> Vec<Result<(Cost, Vec<Product>), String>> {
    let mut alike: HashMap<String, Vec<usize>> = HashMap::new();
    for (i, point) in points.iter().enumerate() {
        alike.entry(point.config.to_toml()).or_default().push(i);
    }
    let of = |places: &Vec<usize>| {
        let mut device = Exact::new(points[places[0]].config.clone(), CycleModel);
        let cost = |i: &usize| (*i, cost(&points[*i], images, &mut device));
        places.iter().map(cost).collect::<Vec<_>>()
    };
    let mut all: Vec<_> = alike.par_iter().flat_map_iter(|(_, places)| of(places)).collect();
    all.sort_by_key(|(i, _)| *i);
    all.into_iter().map(|(_, cost)| cost).collect()
}

fn cost(
    point: &Point,
    images: &HashMap<String, Images>,
    device: &mut Exact,
) -> Result<(Cost, Vec<Product>), String> {
    let Point { network, config, .. } = point;
    let images = network.experiment().map(|experiment| images[&experiment.data.set]);
    let works = network.works(images.map(|images| images.known)).map_err(|e| crate::failure::text(&e))?;
    let weight_bits = weight_bits(&works);
    let estimates = estimate(device, works)?;
    let step_cycles = total(&estimates).cycles;
    let forward = estimates.iter().filter(|e| e.work.product == "forward");
    let inference = forward.map(|e| e.cost.cycles).sum::<u64>() as f64 / network.batch() as f64;
    let steps = |experiment: &Experiment, all: usize| {
        experiment.data.training_images(all) / experiment.data.batch * experiment.train.epochs as usize
    };
    let all = images.and_then(|images| images.training);
    let array = &config.array;
    let cost = Cost {
        step_cycles,
        training_cycles: network.experiment().zip(all).map(|(e, all)| step_cycles * steps(e, all) as u64),
        inference_cycles: inference,
        weight_bits,
        bit_products: (array.rows * array.cols * array.lanes * array.row_digit * array.col_digit) as u64,
        area: point.area,
        clock: point.clock,
    };
    Ok((cost, estimates.iter().map(Product::from).collect()))
}

/// Bits of the weights of forward products.
fn weight_bits(works: &[Work]) -> u64 {
    works.iter().filter(|work| work.product == "forward").map(Work::weight_bits).sum()
}

/// Points that are too expensive, or, of those that are trained, that cost at least as much as another one with the same network, whose
/// accuracy is the same: the accelerator changes no bit of a result.
pub fn prune(points: &[(Point, Cost)], budget: &BTreeMap<String, f64>) -> Vec<Option<Skipped>> {
    let trained = |(point, cost): &(Point, Cost)| match &point.network {
        Network::Experiment(experiment) if cost.training_cycles.is_some() => Some(experiment.keys()),
        _ => None,
    };
    let networks: Vec<_> = points.iter().map(trained).collect();
    let mut alike: HashMap<&Keys, Vec<usize>> = HashMap::new();
    for (i, keys) in networks.iter().enumerate() {
        keys.iter().for_each(|keys| alike.entry(keys).or_default().push(i));
    }
    let dominated = |i: usize| {
        // a budget of cycles makes masks depend on the accelerator
        let network = networks[i].as_ref().filter(|keys| !keys.contains_key("pruning.cycles"))?;
        let costs = |i: usize| {
            let cost = &points[i].1;
            let size = cost.area.map_or(cost.bit_products, |area| area.luts);
            let time = |cycles: f64| cost.clock.map_or(cycles, |clock| clock.seconds(cycles));
            [cost.step_cycles as f64, cost.inference_cycles, size as f64, time(cost.step_cycles as f64)]
        };
        let better = |j: &&usize| {
            let (a, b) = (costs(**j), costs(i));
            a.iter().zip(&b).all(|(a, b)| a <= b) && (a != b || **j < i)
        };
        alike[network].iter().find(better).map(|j| points[*j].0.levels.join(", "))
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
