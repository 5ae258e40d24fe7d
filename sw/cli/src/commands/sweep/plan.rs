//! What a sweep trains, and what it does not.

use super::super::Variants;
use super::train::Trained;
use crate::engines::EngineKind;
use crate::failure::usage;
use crate::sweep::{Cost, Halving, Images, Line, Point, Product, Skipped, Sweep, costs, prune};
use crate::variant::{Data, Job, Mean, Outcome, Sets, Variant};
use anyhow::Result;
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use tandem_nn::config::Experiment;
use tandem_nn::data;
use tandem_spec::Config;

/// What is swept.
#[derive(Clone, clap::Args)]
pub(super) struct Source {
    /// Axes, constraints and budget: a TOML file.
    #[arg(value_name = "SWEEP.toml")]
    pub sweep: PathBuf,
    #[command(flatten)]
    pub variants: Variants,
}

/// A sweep, what is to be trained of it, and what is not.
pub(super) struct Plan {
    /// What is swept.
    pub sweep: Sweep,
    /// What is to be trained.
    pub points: Vec<(Point, Cost)>,
    /// What is not.
    pub skipped: Vec<Skipped>,
    references: Vec<(Experiment, Config)>,
    data: BTreeMap<String, Data>,
    /// Of a step of each point, by its name.
    pub products: HashMap<String, Vec<Product>>,
}

impl Plan {
    /// All points; or of one that is named, those which decide whether it is left out: all with its network.
    pub fn new(source: &Source, only: Option<&str>) -> Result<Self> {
        let variants = &source.variants;
        variants.check()?;
        let mut sweep = Sweep::load(&source.sweep)?;
        if sweep.trains() {
            sweep.seeds = variants.seeds(sweep.seeds);
        } else if let Some(option) = variants.of_training() {
            return Err(usage(format!("{option}: {} trains nothing", source.sweep.display())));
        }
        sweep.settings = variants.settings()?;
        let (mut points, mut skipped) = sweep.points()?;
        let references = sweep.references()?;
        if let Some(id) = only {
            let keys = |p: &Point| p.network.experiment().map(Experiment::keys);
            let network = points.iter().find(|p| p.id == id).map(keys);
            points.retain(|p| Some(keys(p)) == network);
        }
        let mut data = BTreeMap::new();
        let mut images = HashMap::new();
        let mut sets = Sets::new(variants.data.as_deref());
        let of_points = points.iter().filter_map(|point| point.network.experiment());
        for experiment in of_points.chain(references.iter().map(|(experiment, _)| experiment)) {
            let name = &experiment.data.set;
            if sweep.trains() {
                let set = sets.of(experiment)?;
                let known = (set.set.shape, set.set.classes);
                let all = Images { known, training: Some(set.set.train.images.len()) };
                images.insert(name.clone(), all);
                data.insert(name.clone(), set);
            } else {
                let unknown =
                    || usage(format!("data.set = \"{name}\": without training, a set of known shape"));
                let known = data::shape(name)?.ok_or_else(unknown)?;
                images.insert(name.clone(), Images { known, training: None });
            }
        }
        let mut priced = vec![];
        let mut products = HashMap::new();
        let all = costs(&points, &images);
        for (point, cost) in points.into_iter().zip(all) {
            match cost {
                Ok((cost, of_step)) => {
                    products.insert(point.id.clone(), of_step);
                    priced.push((point, cost));
                }
                Err(why) => skipped.push(point.skipped(why)),
            }
        }
        let left_out = prune(&priced, &sweep.budget);
        let mut points = vec![];
        for (point, why) in priced.into_iter().zip(left_out) {
            match why {
                Some(why) => skipped.push(why),
                None => points.push(point),
            }
        }
        Ok(Plan { sweep, points, skipped, references, data, products })
    }

    pub fn data(&self, point: &Point) -> &Data {
        &self.data[&point.variant().experiment.data.set]
    }

    /// Trainings of the points, whose outcomes are in a folder.
    pub fn jobs(&self, folder: &Path) -> Vec<Job<'_>> {
        self.points.iter().map(|(point, _)| self.job(point, folder)).collect()
    }

    /// Trainings of the float reference, a seed each.
    pub fn float_jobs(&self, folder: &Path) -> Vec<Job<'_>> {
        let of = self.references.iter().map(|(experiment, config)| {
            let variant = Variant { experiment, config };
            let name = format!("float, seed {}", experiment.train.seed);
            let file = folder.join(format!("float-{}.json", experiment.train.seed));
            Job { variant, data: &self.data[&experiment.data.set], file, name }
        });
        of.collect()
    }

    fn job<'a>(&'a self, point: &'a Point, folder: &Path) -> Job<'a> {
        let (file, name) = (folder.join(format!("{}.json", point.id)), point.levels.join(", "));
        Job { variant: point.variant(), data: self.data(point), file, name }
    }

    /// A point's figures.
    pub fn line(&self, place: usize, outcome: &Outcome) -> Line {
        let (point, cost) = &self.points[place];
        Line::new(point, *cost, Some(outcome))
    }

    /// Trains a point, or takes what is there.
    pub fn train(&self, place: usize, engine: &EngineKind, folder: &Path) -> Result<(Line, bool)> {
        let (outcome, is_new) = self.job(&self.points[place].0, folder).run(engine)?;
        Ok((self.line(place, &outcome), is_new))
    }

    /// Whether every rung of `[halving]` is shorter than the training of every point.
    ///
    /// # Errors   one is not
    pub fn check_rungs(&self) -> Result<()> {
        let Some(longest) = self.sweep.halving.as_ref().and_then(|h| h.epochs.last()) else { return Ok(()) };
        let epochs = |(point, _): &(Point, Cost)| point.variant().experiment.train.epochs;
        match self.points.iter().map(epochs).min() {
            Some(least) if u64::from(*longest) >= least => Err(usage(format!(
                "{}: `halving.epochs` = {longest}: expected less than `train.epochs` = {least}, to which the last points are trained",
                self.sweep.file.display()
            ))),
            _ => Ok(()),
        }
    }

    /// The points of a sweep that trains nothing, with their costs.
    pub fn lines(&self) -> Vec<Line> {
        self.points.iter().map(|(point, cost)| Line::new(point, *cost, None)).collect()
    }

    /// The points as they are trained in a rung of so many epochs.
    ///
    /// # Errors   two come to the same
    pub fn rung(&self, epochs: u32) -> Result<Plan> {
        let mut points = vec![];
        let mut seen = HashSet::new();
        for (point, cost) in &self.points {
            let short = point.with_epochs(epochs)?;
            if !seen.insert(short.id.clone()) {
                let file = self.sweep.file.display();
                return Err(usage(format!("{file}: halving: no axis may set train.epochs")));
            }
            points.push((short, *cost));
        }
        let (sweep, data) = (self.sweep.clone(), self.data.clone());
        Ok(Plan { sweep, points, skipped: vec![], references: vec![], data, products: HashMap::new() })
    }

    /// Keeps the points that go on after a rung of so many epochs: with all their seeds, or not at all.
    pub fn halve(&mut self, halving: &Halving, epochs: u32, trained: &Trained) {
        let failed: HashSet<_> = trained.failed.iter().map(|(point, _)| point.levels.clone()).collect();
        let mut accuracies: HashMap<&[String], Vec<f64>> = HashMap::new();
        for line in &trained.lines {
            accuracies.entry(&line.levels).or_default().extend(line.accuracy());
        }
        // a point with its seeds once, in the order of the points
        let mut seen = HashSet::new();
        let groups = self.points.iter().filter(|(point, _)| seen.insert(&point.levels));
        let groups: Vec<_> = groups.filter(|(point, _)| !failed.contains(&point.levels)).collect();
        let measure = |(point, cost): &&(Point, Cost)| {
            let accuracy = accuracies.get(&point.levels[..]).and_then(|of| Mean::of(of));
            (cost.get("training_cycles"), accuracy.map_or(f64::NAN, |mean| mean.mean))
        };
        let places = halving.survivors(&groups.iter().map(measure).collect::<Vec<_>>());
        let go_on: HashSet<_> = places.iter().map(|i| groups[*i].0.levels.clone()).collect();
        let (count, all) = (go_on.len(), groups.len());
        let points = std::mem::take(&mut self.points).into_iter();
        let (stay, leave): (Vec<_>, Vec<_>) = points.partition(|(point, _)| go_on.contains(&point.levels));
        self.points = stay;
        for (point, _) in &leave {
            if trained.failed.iter().any(|(other, _)| other.is_sibling(point)) {
                continue;
            }
            let why = match failed.contains(&point.levels) {
                true => format!("halving: another seed failed in epochs = {epochs}"),
                false => {
                    format!("halving: after epochs = {epochs} not among the {count} of {all} that go on")
                }
            };
            self.skipped.push(point.skipped(why));
        }
    }

    pub fn object(&self, (point, cost): &(Point, Cost)) -> serde_json::Value {
        let levels: serde_json::Map<_, _> = self
            .sweep
            .axes()
            .into_iter()
            .map(str::to_owned)
            .zip(point.levels.iter().map(|l| json!(l)))
            .collect();
        json!({ "id": point.id, "levels": levels, "seed": point.seed, "cost": cost })
    }

    pub fn reasons(&self) -> Vec<serde_json::Value> {
        let one = |s: &Skipped| json!({ "id": s.id, "levels": s.levels, "seed": s.seed, "reason": s.reason });
        self.skipped.iter().map(one).collect()
    }

    /// What is left out, in a few lines.
    pub fn left_out(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for skipped in &self.skipped {
            *counts.entry(skipped.reason.split(':').next().unwrap_or_default()).or_default() += 1;
        }
        counts.iter().map(|(reason, n)| format!("{n} left out: {reason}\n")).collect()
    }
}
