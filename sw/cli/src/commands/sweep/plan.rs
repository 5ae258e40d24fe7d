//! What a sweep trains, and what it does not.

use super::super::Variants;
use super::train::Trained;
use crate::engines::EngineKind;
use crate::failure::{self, usage};
use crate::sweep::{Cost, Costs, Halving, Line, Point, Product, Skipped, Sweep, prune};
use crate::variant::{self, Data, Mean, Sets};
use anyhow::{Context, Result};
use serde_json::json;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use tandem_files::replace;

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
        sweep.seeds = variants.seeds(sweep.seeds);
        sweep.settings = variants.settings()?;
        let (mut points, mut skipped) = sweep.points()?;
        if let Some(id) = only {
            let network = points.iter().find(|p| p.id == id).map(|p| p.variant.experiment.keys());
            points.retain(|p| Some(p.variant.experiment.keys()) == network);
        }
        let mut data = BTreeMap::new();
        let mut sets = Sets::new(variants.data.as_deref());
        for point in &points {
            let experiment = &point.variant.experiment;
            data.insert(experiment.data.set.clone(), sets.of(experiment)?);
        }
        let known = |(name, data): (&String, &Data)| {
            let set = &data.set;
            (name.clone(), ((set.shape, set.classes), set.train.images.nrows()))
        };
        let known: HashMap<_, _> = data.iter().map(known).collect();
        let mut costs = Costs::new(known);
        let mut priced = vec![];
        for point in points {
            match costs.of(&point) {
                Ok(cost) => priced.push((point, cost)),
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
        Ok(Plan { sweep, points, skipped, data, products: costs.into_products() })
    }

    pub fn data(&self, point: &Point) -> &Data {
        &self.data[&point.variant.experiment.data.set]
    }

    pub fn file(folder: &Path, point: &Point, ending: &str) -> PathBuf {
        folder.join(format!("{}.{ending}", point.id))
    }

    /// Trains a point, or takes what is there.
    pub fn train(&self, place: usize, engine: &EngineKind, folder: &Path) -> Result<(Line, bool)> {
        let (point, cost) = &self.points[place];
        let failed = Self::file(folder, point, "failed");
        let made = variant::run(&point.variant, self.data(point), engine, &Self::file(folder, point, "json"));
        match made {
            Ok((outcome, is_new)) => {
                if failed.exists() {
                    std::fs::remove_file(&failed).with_context(|| failed.display().to_string())?;
                }
                Ok((Line::new(point, *cost, &outcome), is_new))
            }
            Err(error) => {
                replace(&failed, failure::text(&error).as_bytes())?;
                Err(error)
            }
        }
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
        Ok(Plan { sweep, points, skipped: vec![], data, products: HashMap::new() })
    }

    /// Keeps the points that go on after a rung of so many epochs: with all their seeds, or not at all.
    pub fn halve(&mut self, halving: &Halving, epochs: u32, trained: &Trained) {
        let failed: HashSet<_> = trained.failed.iter().map(|(point, _)| point.levels.clone()).collect();
        let mut accuracies: HashMap<&[String], Vec<f64>> = HashMap::new();
        for line in &trained.lines {
            accuracies.entry(&line.levels).or_default().push(line.accuracy);
        }
        // a point with its seeds once, in the order of the points
        let mut seen = HashSet::new();
        let groups = self.points.iter().filter(|(point, _)| seen.insert(&point.levels));
        let groups: Vec<_> = groups.filter(|(point, _)| !failed.contains(&point.levels)).collect();
        let measure = |(point, cost): &&(Point, Cost)| {
            let accuracy = accuracies.get(&point.levels[..]).and_then(|of| Mean::of(of));
            (cost.training_cycles as f64, accuracy.map_or(f64::NAN, |mean| mean.mean))
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
