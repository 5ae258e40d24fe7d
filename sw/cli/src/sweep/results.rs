//! What a sweep found, as a table and as fronts.

use super::cost::Cost;
use super::front::front;
use super::point::Point;
use crate::variant::{Mean, Outcome};
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Write as _;

/// A point that was trained.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// See [`Point::id`].
    pub id: String,
    /// Names of its levels, an axis each.
    pub levels: Vec<String>,
    /// Seed.
    pub seed: u64,
    /// Share of test images with the right answer.
    pub accuracy: f64,
    /// What was known before.
    #[serde(flatten)]
    pub cost: Cost,
    /// Cycles of the whole run, as it counted them: scores, gradual pruning and all.
    pub cycles: u64,
    /// Share of all weights that masks keep.
    pub density: f64,
    /// Steps of training.
    pub steps: u64,
    /// Digest of the trained network.
    pub digest: String,
}

impl Line {
    /// Of a point and its outcome.
    pub fn new(point: &Point, cost: Cost, outcome: &Outcome) -> Self {
        Line {
            id: point.id.clone(),
            levels: point.levels.clone(),
            seed: point.seed,
            accuracy: outcome.test_accuracy,
            cost,
            cycles: outcome.cost.cost.cycles,
            density: outcome.density,
            steps: outcome.steps,
            digest: outcome.weights_digest.clone(),
        }
    }
}

/// A point with all its seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Names of its levels.
    pub levels: Vec<String>,
    /// Points, a seed each.
    pub ids: Vec<String>,
    /// Share of right answers.
    pub accuracy: Mean,
    /// Cycles of training, a mean.
    pub cycles: f64,
    /// Cycles of the forward pass, an image.
    pub inference_cycles: f64,
    /// Bits of the weights.
    pub weight_bits: f64,
    /// Cycles of training times products of bits a cycle: time times what the multipliers take.
    pub work: f64,
    /// LUTs that the accelerator takes, by the area model, if it was chosen by that.
    pub luts: Option<f64>,
    /// Cycles of training times LUTs: time times silicon.
    pub lut_cycles: Option<f64>,
}

/// All that was trained.
pub struct Results<'a> {
    /// Names of the axes.
    pub axes: Vec<&'a str>,
    /// The points.
    pub lines: Vec<Line>,
    /// Points with all their seeds, in their order.
    pub groups: Vec<Group>,
    /// A front per cost.
    pub fronts: Vec<Front>,
}

/// A cost, and the groups that no other one beats in it and in accuracy together.
pub struct Front {
    /// The cost's name.
    pub name: &'static str,
    /// The cost of a group.
    pub cost: fn(&Group) -> f64,
    /// Places of groups, cheapest first.
    pub places: Vec<usize>,
}

/// The measure that only sweeps with `[silicon]` have.
const LUT_CYCLES: &str = "training cycles × LUTs";

/// A cost of points, by which they may be on a front.
type Measure = (&'static str, fn(&Group) -> f64);

impl<'a> Results<'a> {
    /// Of points.
    pub fn new(axes: Vec<&'a str>, lines: Vec<Line>) -> Self {
        let groups = Self::grouped(&lines);
        let fronts = Self::fronts_of(&groups);
        Results { axes, lines, groups, fronts }
    }

    const FRONTS: [Measure; 5] = [
        ("training cycles", |m| m.cycles),
        ("inference cycles an image", |m| m.inference_cycles),
        ("weight bits", |m| m.weight_bits),
        ("training cycles × bit products a cycle", |m| m.work),
        (LUT_CYCLES, |m| m.lut_cycles.unwrap_or(f64::NAN)),
    ];

    fn grouped(lines: &[Line]) -> Vec<Group> {
        let mut groups: Vec<(&[String], Vec<&Line>)> = vec![];
        let mut places: HashMap<&[String], usize> = HashMap::new();
        for line in lines {
            let place = *places.entry(&line.levels).or_insert(groups.len());
            if place == groups.len() {
                groups.push((&line.levels, vec![]));
            }
            groups[place].1.push(line);
        }
        let group = |(levels, lines): (&[String], Vec<&Line>)| {
            let mean = |value: &dyn Fn(&Line) -> f64| {
                Mean::of(&lines.iter().map(|line| value(line)).collect::<Vec<_>>()).expect("a line at least")
            };
            let cycles = mean(&|l| l.cycles as f64).mean;
            let luts = lines[0].cost.area.map(|area| area.luts as f64);
            Group {
                levels: levels.to_vec(),
                ids: lines.iter().map(|l| l.id.clone()).collect(),
                accuracy: mean(&|l| l.accuracy),
                cycles,
                inference_cycles: mean(&|l| l.cost.inference_cycles).mean,
                weight_bits: mean(&|l| l.cost.weight_bits as f64).mean,
                work: cycles * mean(&|l| l.cost.bit_products as f64).mean,
                luts,
                lut_cycles: luts.map(|luts| luts * cycles),
            }
        };
        groups.into_iter().map(group).collect()
    }

    fn fronts_of(groups: &[Group]) -> Vec<Front> {
        let has_area = groups.iter().any(|group| group.luts.is_some());
        let measures = Self::FRONTS.into_iter().filter(|(name, _)| has_area || *name != LUT_CYCLES);
        let of = |(name, cost): Measure| {
            let points: Vec<_> = groups.iter().map(|g| (cost(g), g.accuracy.mean)).collect();
            Front { name, cost, places: front(&points) }
        };
        measures.map(of).collect()
    }

    /// A line a point, sorted as the points are.
    pub fn csv(&self) -> String {
        let mut s = String::from("id");
        self.axes.iter().for_each(|axis| s += &format!(",{}", quoted(axis)));
        s += ",seed,accuracy,cycles,step_cycles,inference_cycles,weight_bits,bit_products,density,steps,digest";
        let has_area = self.lines.iter().any(|line| line.cost.area.is_some());
        s += if has_area { ",luts,dsps,block_rams,ffs,lut_cycles\n" } else { "\n" };
        for l in &self.lines {
            s += &l.id;
            l.levels.iter().for_each(|level| s += &format!(",{}", quoted(level)));
            let c = &l.cost;
            let _ = write!(
                s,
                ",{},{},{},{},{},{},{},{},{},{}",
                l.seed,
                l.accuracy,
                l.cycles,
                c.step_cycles,
                c.inference_cycles,
                c.weight_bits,
                c.bit_products,
                l.density,
                l.steps,
                l.digest
            );
            if let Some(a) = &c.area {
                let (work, rest) = (a.luts * l.cycles, [a.dsps, a.block_rams, a.ffs]);
                let _ = write!(s, ",{},{},{},{},{work}", a.luts, rest[0], rest[1], rest[2]);
            }
            s.push('\n');
        }
        s
    }

    /// Points, groups and fronts as JSON.
    pub fn json(&self) -> serde_json::Value {
        let ids = |places: &[usize]| json!(places.iter().map(|i| &self.groups[*i].ids).collect::<Vec<_>>());
        let fronts = self.fronts.iter().map(|front| (front.name.to_owned(), ids(&front.places)));
        let fronts: serde_json::Map<String, serde_json::Value> = fronts.collect();
        json!({ "axes": self.axes, "points": self.lines, "groups": self.groups, "fronts": fronts })
    }

    /// The front of training cycles as a table for people.
    pub fn text(&self) -> String {
        let groups = &self.groups;
        let Front { name, places, .. } = &self.fronts[0];
        let widths: Vec<usize> = (0..self.axes.len())
            .map(|a| {
                places
                    .iter()
                    .map(|i| groups[*i].levels[a].chars().count())
                    .chain([self.axes[a].chars().count()])
                    .max()
                    .unwrap_or(1)
            })
            .collect();
        let mut s = format!("front of accuracy against {name}:\n");
        let cell = |text: &str, width: usize| format!("{text:<width$}  ");
        self.axes.iter().zip(&widths).for_each(|(axis, width)| s += &cell(axis, *width));
        let _ = writeln!(
            s,
            "{:>10}  {:>12}  {:>14}  {:>12}",
            "accuracy %", "cycles", "cycles an image", "weight bits"
        );
        for group in places.iter().map(|i| &groups[*i]) {
            group.levels.iter().zip(&widths).for_each(|(level, width)| s += &cell(level, *width));
            let _ = writeln!(
                s,
                "{:>10.2}  {:>12.4e}  {:>15.1}  {:>12}",
                100.0 * group.accuracy.mean,
                group.cycles,
                group.inference_cycles,
                group.weight_bits
            );
        }
        s
    }
}

/// A field of comma-separated values.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
