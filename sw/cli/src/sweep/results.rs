//! What a sweep found, as a table and as fronts.

use super::cost::Cost;
use super::front::front;
use super::point::Point;
use crate::variant::Outcome;
use serde::Serialize;
use serde_json::json;
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

/// A point with all its seeds: means.
#[derive(Clone, Debug, Serialize)]
pub struct Mean {
    /// Names of its levels.
    pub levels: Vec<String>,
    /// Points, a seed each.
    pub ids: Vec<String>,
    /// Mean share of right answers.
    pub accuracy: f64,
    /// Its standard error, from two seeds on.
    pub error: Option<f64>,
    /// Mean cycles of training.
    pub cycles: f64,
    /// Cycles of the forward pass, an image.
    pub inference_cycles: f64,
    /// Bits of the weights.
    pub weight_bits: f64,
    /// Cycles of training times products of bits a cycle: time times what the multipliers take.
    pub work: f64,
}

/// All that was trained.
pub struct Results<'a> {
    /// Names of the axes.
    pub axes: Vec<&'a str>,
    /// The points.
    pub lines: Vec<Line>,
}

/// A cost of points, by which they may be on a front.
type Measure = (&'static str, fn(&Mean) -> f64);

impl Results<'_> {
    const FRONTS: [Measure; 4] = [
        ("training cycles", |m| m.cycles),
        ("inference cycles an image", |m| m.inference_cycles),
        ("weight bits", |m| m.weight_bits),
        ("training cycles × bit products a cycle", |m| m.work),
    ];

    /// Means over seeds, in the order of the points.
    pub fn means(&self) -> Vec<Mean> {
        let mut groups: Vec<(&[String], Vec<&Line>)> = vec![];
        for line in &self.lines {
            match groups.iter_mut().find(|(levels, _)| *levels == line.levels) {
                Some((_, lines)) => lines.push(line),
                None => groups.push((&line.levels, vec![line])),
            }
        }
        let mean = |(levels, lines): (&[String], Vec<&Line>)| {
            let n = lines.len() as f64;
            let over = |value: &dyn Fn(&Line) -> f64| lines.iter().map(|line| value(line)).sum::<f64>() / n;
            let accuracy = over(&|l| l.accuracy);
            let squares = lines.iter().map(|l| (l.accuracy - accuracy).powi(2)).sum::<f64>();
            let cycles = over(&|l| l.cycles as f64);
            Mean {
                levels: levels.to_vec(),
                ids: lines.iter().map(|l| l.id.clone()).collect(),
                accuracy,
                error: (lines.len() > 1).then(|| (squares / (n - 1.0) / n).sqrt()),
                cycles,
                inference_cycles: over(&|l| l.cost.inference_cycles),
                weight_bits: over(&|l| l.cost.weight_bits as f64),
                work: cycles * over(&|l| l.cost.bit_products as f64),
            }
        };
        groups.into_iter().map(mean).collect()
    }

    /// Per cost: its name and the places of means on its front, cheapest first.
    pub fn fronts(means: &[Mean]) -> Vec<(&'static str, Vec<usize>)> {
        let of = |(name, cost): &Measure| {
            let points: Vec<_> = means.iter().map(|m| (cost(m), m.accuracy)).collect();
            (*name, front(&points))
        };
        Self::FRONTS.iter().map(of).collect()
    }

    /// A line a point, sorted as the points are.
    pub fn csv(&self) -> String {
        let mut s = String::from("id");
        self.axes.iter().for_each(|axis| s += &format!(",{}", quoted(axis)));
        s += ",seed,accuracy,cycles,step_cycles,inference_cycles,weight_bits,bit_products,density,steps,digest\n";
        for l in &self.lines {
            s += &l.id;
            l.levels.iter().for_each(|level| s += &format!(",{}", quoted(level)));
            let c = &l.cost;
            let _ = writeln!(
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
        }
        s
    }

    /// Means and fronts as JSON.
    pub fn json(&self) -> serde_json::Value {
        let means = self.means();
        let fronts: serde_json::Map<String, serde_json::Value> = Self::fronts(&means)
            .into_iter()
            .map(|(name, places)| {
                (name.to_owned(), json!(places.iter().map(|i| &means[*i].ids).collect::<Vec<_>>()))
            })
            .collect();
        json!({ "axes": self.axes, "points": self.lines, "means": means, "fronts": fronts })
    }

    /// The front of training cycles as a table for people.
    pub fn text(&self) -> String {
        let means = self.means();
        let fronts = Self::fronts(&means);
        let (name, places) = &fronts[0];
        let widths: Vec<usize> = (0..self.axes.len())
            .map(|a| {
                places
                    .iter()
                    .map(|i| means[*i].levels[a].chars().count())
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
        for mean in places.iter().map(|i| &means[*i]) {
            mean.levels.iter().zip(&widths).for_each(|(level, width)| s += &cell(level, *width));
            let _ = writeln!(
                s,
                "{:>10.2}  {:>12.4e}  {:>15.1}  {:>12}",
                100.0 * mean.accuracy,
                mean.cycles,
                mean.inference_cycles,
                mean.weight_bits
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
