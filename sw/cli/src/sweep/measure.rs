//! What groups of points are compared by.

use super::results::Group;

/// A figure of a group; no number where it has none.
#[derive(Clone, Copy)]
pub struct Measure {
    /// Its name.
    pub name: &'static str,
    /// The figure.
    pub of: fn(&Group) -> f64,
    /// More of it is better, as of accuracy; less, of all costs.
    pub more: bool,
}

impl Measure {
    /// The figure, the more the better.
    pub fn gain(&self, group: &Group) -> f64 {
        if self.more { (self.of)(group) } else { -(self.of)(group) }
    }
}

const fn cost(name: &'static str, of: fn(&Group) -> f64) -> Measure {
    Measure { name, of, more: false }
}

fn known(figure: Option<f64>) -> f64 {
    figure.unwrap_or(f64::NAN)
}

/// Share of right answers.
pub const ACCURACY: Measure =
    Measure { name: "accuracy", of: |g| g.accuracy.map_or(f64::NAN, |a| a.mean), more: true };

const INFERENCE: Measure = cost("inference cycles an image", |g| g.inference_cycles);
const WEIGHT_BITS: Measure = cost("weight bits", |g| g.weight_bits);
const LUTS: Measure = cost("LUTs", |g| known(g.luts));

/// Costs of points that are trained, with `[silicon]` and `[clock]` or without: each is compared with the accuracy.
const TRAINED: [Measure; 6] = [
    cost("training cycles", Group::all_cycles),
    INFERENCE,
    WEIGHT_BITS,
    cost("training cycles × bit products a cycle", |g| g.work),
    cost("training cycles × LUTs", |g| known(g.lut_cycles)),
    cost("training seconds", |g| known(g.seconds)),
];

/// The same where nothing is trained: each is compared with what is stored, and with what is built.
const STEP: [Measure; 5] = [
    cost("cycles of a step", Group::all_cycles),
    INFERENCE,
    cost("cycles of a step × bit products a cycle", |g| g.work),
    cost("cycles of a step × LUTs", |g| known(g.lut_cycles)),
    cost("seconds of a step", |g| known(g.seconds)),
];
const STORED_AND_BUILT: [Measure; 3] = [WEIGHT_BITS, LUTS, cost("bit products a cycle", |g| g.bit_products)];

/// Those costs and what they are compared with that some group has a figure for.
pub fn measures(groups: &[Group]) -> (Vec<Measure>, Vec<Measure>) {
    let of = |all: &[Measure]| {
        let has = |m: &&Measure| groups.is_empty() || groups.iter().any(|g| (m.of)(g).is_finite());
        all.iter().filter(has).copied().collect()
    };
    match groups.iter().all(|g| g.accuracy.is_some()) {
        true => (of(&TRAINED), vec![ACCURACY]),
        false => (of(&STEP), of(&STORED_AND_BUILT)),
    }
}
