//! What a sweep found, as a table and as fronts.

use super::cost::Cost;
use super::front::front;
use super::measure::{Measure, measures};
use super::point::Point;
use crate::variant::{Mean, Outcome};
use serde::Serialize;
use serde_json::json;
use std::collections::HashMap;
use std::fmt::Write as _;

/// A point with its figures.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// See [`Point::id`].
    pub id: String,
    /// Names of its levels, an axis each.
    pub levels: Vec<String>,
    /// Seed; none where nothing is trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// What was known before.
    #[serde(flatten)]
    pub cost: Cost,
    /// What its training came to, if it is trained.
    #[serde(flatten)]
    pub trained: Option<Trained>,
}

/// What a training came to.
#[derive(Clone, Debug, Serialize)]
pub struct Trained {
    /// Share of test images with the right answer.
    pub accuracy: f64,
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
    /// Of a point, and of its outcome if it is trained.
    pub fn new(point: &Point, cost: Cost, outcome: Option<&Outcome>) -> Self {
        let trained = outcome.map(|outcome| Trained {
            accuracy: outcome.test_accuracy,
            cycles: outcome.cost.cost.cycles,
            density: outcome.density,
            steps: outcome.steps,
            digest: outcome.weights_digest.clone(),
        });
        let (id, levels) = (point.id.clone(), point.levels.clone());
        Line { id, levels, seed: point.seed, cost, trained }
    }

    /// Share of right answers, if it is trained.
    pub fn accuracy(&self) -> Option<f64> {
        self.trained.as_ref().map(|trained| trained.accuracy)
    }

    /// Cycles of the training; of a step where nothing is trained.
    fn all_cycles(&self) -> u64 {
        self.trained.as_ref().map_or(self.cost.step_cycles, |trained| trained.cycles)
    }

    /// What `results.csv` says of it beside its levels, with the columns' names.
    fn columns(&self) -> Vec<(&'static str, String)> {
        let c = &self.cost;
        let mut all: Vec<(&str, String)> = vec![];
        all.extend(self.seed.map(|seed| ("seed", seed.to_string())));
        if let Some(t) = &self.trained {
            all.extend([("accuracy", t.accuracy.to_string()), ("cycles", t.cycles.to_string())]);
        }
        all.extend([
            ("step_cycles", c.step_cycles.to_string()),
            ("inference_cycles", c.inference_cycles.to_string()),
            ("weight_bits", c.weight_bits.to_string()),
            ("bit_products", c.bit_products.to_string()),
        ]);
        if let Some(t) = &self.trained {
            let rest = [("density", t.density.to_string()), ("steps", t.steps.to_string())];
            all.extend(rest.into_iter().chain([("digest", t.digest.clone())]));
        }
        if let Some(a) = &c.area {
            let counts = [("luts", a.luts), ("dsps", a.dsps), ("block_rams", a.block_rams), ("ffs", a.ffs)];
            all.extend(counts.map(|(name, count)| (name, count.to_string())));
            all.push(("lut_cycles", (a.luts * self.all_cycles()).to_string()));
        }
        if let Some(clock) = &c.clock {
            all.extend([("mhz", clock.mhz.to_string()), ("mhz_from", clock.mhz_from.to_owned())]);
            all.push(("seconds", clock.seconds(self.all_cycles() as f64).to_string()));
        }
        all
    }
}

/// A point with all its seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Group {
    /// Names of its levels.
    pub levels: Vec<String>,
    /// Points, a seed each.
    pub ids: Vec<String>,
    /// Share of right answers, if it is trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<Mean>,
    /// Cycles of training, if it is trained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cycles: Option<f64>,
    /// Cycles of a step.
    pub step_cycles: f64,
    /// Cycles of the forward pass, an image.
    pub inference_cycles: f64,
    /// Bits of the weights.
    pub weight_bits: f64,
    /// Products of bits that the array computes in a cycle.
    pub bit_products: f64,
    /// Cycles of training (of a step where nothing is trained) times products of bits a cycle: time times what the multipliers take.
    pub work: f64,
    /// LUTs that the accelerator takes, by the area model, with `[silicon]`.
    pub luts: Option<f64>,
    /// Those cycles times LUTs: time times silicon.
    pub lut_cycles: Option<f64>,
    /// The accelerator's clock, with `[clock]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mhz: Option<f64>,
    /// Where that is from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mhz_from: Option<&'static str>,
    /// Those cycles in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl Group {
    fn new((levels, lines): (&[String], Vec<&Line>)) -> Self {
        let mean = |value: &dyn Fn(&Line) -> f64| {
            Mean::of(&lines.iter().map(|line| value(line)).collect::<Vec<_>>()).expect("a line at least")
        };
        let accuracies: Option<Vec<f64>> = lines.iter().map(|line| line.accuracy()).collect();
        let accuracy = accuracies.and_then(|all| Mean::of(&all));
        let cycles = mean(&|l| l.all_cycles() as f64).mean;
        let Cost { area, clock, .. } = lines[0].cost;
        let luts = area.map(|area| area.luts as f64);
        let bit_products = mean(&|l| l.cost.bit_products as f64).mean;
        Group {
            levels: levels.to_vec(),
            ids: lines.iter().map(|l| l.id.clone()).collect(),
            accuracy,
            cycles: accuracy.map(|_| cycles),
            step_cycles: mean(&|l| l.cost.step_cycles as f64).mean,
            inference_cycles: mean(&|l| l.cost.inference_cycles).mean,
            weight_bits: mean(&|l| l.cost.weight_bits as f64).mean,
            bit_products,
            work: cycles * bit_products,
            luts,
            lut_cycles: luts.map(|luts| luts * cycles),
            mhz: clock.map(|clock| clock.mhz),
            mhz_from: clock.map(|clock| clock.mhz_from),
            seconds: clock.map(|clock| clock.seconds(cycles)),
        }
    }

    /// Cycles of the training; of a step where nothing is trained.
    pub fn all_cycles(&self) -> f64 {
        self.cycles.unwrap_or(self.step_cycles)
    }
}

/// All points that have figures.
pub struct Results<'a> {
    /// Names of the axes.
    pub axes: Vec<&'a str>,
    /// The points.
    pub lines: Vec<Line>,
    /// Points with all their seeds, in their order.
    pub groups: Vec<Group>,
    /// What points cost.
    pub costs: Vec<Measure>,
    /// What costs are compared with: the accuracy, or what is stored and built where nothing is trained.
    pub against: Vec<Measure>,
    /// A front per cost and what it is compared with.
    pub fronts: Vec<Front>,
}

/// Groups that no other one beats in two measures together.
pub struct Front {
    /// The cost: a place in [`Results::costs`].
    pub cost: usize,
    /// What it is compared with: a place in [`Results::against`].
    pub against: usize,
    /// Places of groups, cheapest first.
    pub places: Vec<usize>,
}

impl<'a> Results<'a> {
    /// Of points.
    pub fn new(axes: Vec<&'a str>, lines: Vec<Line>) -> Self {
        let groups = Self::grouped(&lines);
        let (costs, against) = measures(&groups);
        let mut fronts = vec![];
        for (a, other) in against.iter().enumerate() {
            for (c, cost) in costs.iter().enumerate() {
                let points: Vec<_> = groups.iter().map(|g| ((cost.of)(g), other.gain(g))).collect();
                fronts.push(Front { cost: c, against: a, places: front(&points) });
            }
        }
        Results { axes, lines, groups, costs, against, fronts }
    }

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
        groups.into_iter().map(Group::new).collect()
    }

    /// What a front is called: by its cost, with what it is compared with where that is not the accuracy.
    fn name(&self, front: &Front) -> String {
        let (cost, against) = (&self.costs[front.cost], &self.against[front.against]);
        if against.more { cost.name.to_owned() } else { format!("{}, {}", cost.name, against.name) }
    }

    /// A line a point, sorted as the points are.
    pub fn csv(&self) -> String {
        let mut s = String::new();
        for (i, l) in self.lines.iter().enumerate() {
            let columns = l.columns();
            if i == 0 {
                s += "id";
                self.axes.iter().for_each(|axis| s += &format!(",{}", quoted(axis)));
                columns.iter().for_each(|(name, _)| s += &format!(",{name}"));
                s.push('\n');
            }
            s += &l.id;
            l.levels.iter().for_each(|level| s += &format!(",{}", quoted(level)));
            columns.iter().for_each(|(_, value)| s += &format!(",{value}"));
            s.push('\n');
        }
        s
    }

    /// Points, groups and fronts as JSON.
    pub fn json(&self) -> serde_json::Value {
        let ids = |places: &[usize]| json!(places.iter().map(|i| &self.groups[*i].ids).collect::<Vec<_>>());
        let fronts = self.fronts.iter().map(|front| (self.name(front), ids(&front.places)));
        let fronts: serde_json::Map<String, serde_json::Value> = fronts.collect();
        json!({ "axes": self.axes, "points": self.lines, "groups": self.groups, "fronts": fronts })
    }

    /// The first front as a table for people.
    pub fn text(&self) -> String {
        let groups = &self.groups;
        let Some(Front { cost, against, places }) = self.fronts.first() else { return String::new() };
        let widths: Vec<usize> = (0..self.axes.len())
            .map(|a| {
                let cells = places.iter().map(|i| groups[*i].levels[a].chars().count());
                cells.chain([self.axes[a].chars().count()]).max().unwrap_or(1)
            })
            .collect();
        let other = &self.against[*against];
        let mut s = format!("front of {} against {}:\n", other.name, self.costs[*cost].name);
        let cell = |text: &str, width: usize| format!("{text:<width$}  ");
        self.axes.iter().zip(&widths).for_each(|(axis, width)| s += &cell(axis, *width));
        let accuracy = if other.more { format!("{:>10}  ", "accuracy %") } else { String::new() };
        let _ = write!(s, "{accuracy}{:>12}  {:>14}  {:>12}", "cycles", "cycles an image", "weight bits");
        let clocked = groups.iter().any(|g| g.seconds.is_some());
        s += if clocked { "       seconds         MHz\n" } else { "\n" };
        for group in places.iter().map(|i| &groups[*i]) {
            group.levels.iter().zip(&widths).for_each(|(level, width)| s += &cell(level, *width));
            if let Some(accuracy) = &group.accuracy {
                let _ = write!(s, "{:>10.2}  ", 100.0 * accuracy.mean);
            }
            let _ = write!(
                s,
                "{:>12.4e}  {:>15.1}  {:>12}",
                group.all_cycles(),
                group.inference_cycles,
                group.weight_bits
            );
            if let (Some(seconds), Some(mhz), Some(from)) = (group.seconds, group.mhz, group.mhz_from) {
                let _ = write!(s, "  {seconds:>12.4e}  {mhz:>6.1} {from}");
            }
            s.push('\n');
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
