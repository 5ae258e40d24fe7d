//! What a sweep consists of, and its points.

use super::axis::{Axis, Level};
use super::clock::Clocks;
use super::cost::Cost;
use super::halving::Halving;
use super::network::{Layers, Network, Topology};
use super::point::{Point, Skipped};
use super::require::Require;
use super::silicon::{Fitting, Silicon};
use crate::engines;
use crate::failure;
use crate::variant::{Base, check_seeds, place_accelerator};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_nn::config::{ConfigError, Document, Experiment, Setting};
use tandem_spec::Config;
use tandem_stimuli::Random;
use toml::{Table, Value};

/// Most points of a sweep.
const MOST: usize = 1_000_000;

/// A sweep, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sweep {
    /// Its name.
    pub name: String,
    experiment: Option<PathBuf>,
    topology: Option<PathBuf>,
    train: Option<bool>,
    /// Whether the float reference is trained too.
    #[serde(default)]
    pub float: bool,
    /// Seeds of each point, where they are trained.
    pub seeds: Option<Vec<u64>>,
    #[serde(default)]
    require: Vec<String>,
    sample: Option<Sample>,
    /// Points whose first steps are simulated.
    pub check: Option<Check>,
    /// All points are trained a little, the better ones longer.
    pub halving: Option<Halving>,
    /// What costs more is not trained: names of [`Cost::NAMES`].
    #[serde(default)]
    pub budget: BTreeMap<String, f64>,
    #[serde(default)]
    set: Table,
    /// What the accelerators may take of a board: each point gets the largest array that fits.
    silicon: Option<Silicon>,
    /// Clocks of the accelerators, for seconds.
    clock: Option<Clocks>,
    #[serde(rename = "axis")]
    axes: Vec<Axis>,
    #[serde(skip)]
    base: Base,
    #[serde(skip)]
    layers: Option<Arc<Layers>>,
    /// Where it was read from.
    #[serde(skip)]
    pub file: PathBuf,
    #[serde(skip)]
    levels: Vec<Vec<Level>>,
    #[serde(skip)]
    requires: Vec<Require>,
    /// Settings of the command line, which win over all others.
    #[serde(skip)]
    pub settings: Vec<Setting>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    points: usize,
    #[serde(default)]
    seed: u64,
}

/// Points that are simulated too.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// How many.
    pub points: usize,
    /// Steps of each.
    pub steps: u64,
}

impl Sweep {
    /// Reads a sweep, and the experiment or topology that it varies.
    ///
    /// # Errors   a file cannot be read, is not TOML, or has a key or value that is not allowed
    pub fn load(path: &Path) -> Result<Self, anyhow::Error> {
        let document = Document::read_file(path)?;
        let mut sweep: Sweep = toml::from_str(document.text()).map_err(|error| document.explain(&error))?;
        sweep.file = path.to_owned();
        sweep.check(&document)?;
        let folder = path.parent().unwrap_or(Path::new(""));
        match (&sweep.experiment, &sweep.topology) {
            (Some(file), _) => sweep.base = Base::experiment(&folder.join(file))?,
            (_, Some(file)) => {
                let (layers, base) = Layers::load(&folder.join(file))?;
                (sweep.base, sweep.layers) = (base, Some(Arc::new(layers)));
            }
            (None, None) => unreachable!("looked at above"),
        }
        place_accelerator(&mut sweep.set, folder);
        let levels = sweep.levels.iter_mut().flatten();
        levels.for_each(|level| place_accelerator(&mut level.experiment, folder));
        Ok(sweep)
    }

    fn check(&mut self, document: &Document) -> Result<(), ConfigError> {
        self.check_kind(document)?;
        if let Some(sample) = self.sample
            && sample.points == 0
        {
            return Err(document.invalid("sample.points", "expected at least 1"));
        }
        if let Some(name) = self.budget.keys().find(|name| !Cost::NAMES.contains(&name.as_str())) {
            let names = Cost::NAMES.join(", ");
            return Err(document.invalid(&format!("budget.{name}"), format!("expected one of {names}")));
        }
        if let Some(halving) = &self.halving {
            halving.check().map_err(|(key, why)| document.invalid(&format!("halving.{key}"), why))?;
        }
        if let Some(silicon) = &mut self.silicon {
            silicon.check().map_err(|(key, why)| document.invalid(&format!("silicon.{key}"), why))?;
        }
        if let Some(clock) = &mut self.clock {
            let folder = self.file.parent().unwrap_or(Path::new(""));
            let made = clock.check(folder, self.silicon.as_ref().map(Silicon::board));
            made.map_err(|(key, why)| document.invalid(&format!("clock.{key}"), why))?;
        }
        let mut names = BTreeSet::new();
        for (i, axis) in self.axes.iter().enumerate() {
            if !names.insert(axis.name.as_str()) {
                return Err(document.invalid(&format!("axis[{i}].name"), "another axis has this name"));
            }
            let levels = axis.levels();
            let levels = levels.map_err(|(key, why)| document.invalid(&format!("axis[{i}].{key}"), why))?;
            self.levels.push(levels);
        }
        let all = self.levels.iter().map(Vec::len).try_fold(1usize, |all, n| all.checked_mul(n));
        if all.is_none_or(|all| all > MOST) && self.sample.is_none() {
            return Err(document.invalid("axis", format!("more than {MOST} points: give a `sample`")));
        }
        let names: Vec<_> = self.axes.iter().map(|axis| axis.name.as_str()).collect();
        let parse = |text: &String| Require::parse(text, &names);
        let requires = self.require.iter().map(parse).collect::<Result<_, _>>();
        self.requires = requires.map_err(|why| document.invalid("require", why))?;
        Ok(())
    }

    /// What is swept, and keys that only make sense where it is trained.
    fn check_kind(&self, document: &Document) -> Result<(), ConfigError> {
        match (&self.experiment, &self.topology) {
            (None, None) => return Err(document.invalid("experiment", "expected `experiment` or `topology`")),
            (Some(_), Some(_)) => {
                return Err(document.invalid("topology", "expected one of `experiment` and `topology`"));
            }
            (None, Some(_)) if self.train == Some(true) => {
                return Err(document.invalid("train", "a topology has no data to train on"));
            }
            _ => {}
        }
        if self.trains() {
            return self.seeds.as_ref().map_or(Ok(()), |seeds| check_seeds(document, seeds));
        }
        let given = [
            ("seeds", self.seeds.is_some()),
            ("float", self.float),
            ("check", self.check.is_some()),
            ("halving", self.halving.is_some()),
            ("budget.training_cycles", self.budget.contains_key("training_cycles")),
        ];
        match given.iter().find(|(_, is_given)| *is_given) {
            Some((key, _)) => Err(document.invalid(key, "nothing is trained: a sweep of cycles has none")),
            None => Ok(()),
        }
    }

    /// Whether points are trained, or have cycles only.
    pub fn trains(&self) -> bool {
        self.topology.is_none() && self.train.unwrap_or(true)
    }

    /// What is swept.
    pub fn kind(&self) -> &'static str {
        if self.topology.is_some() { "topology" } else { "experiment" }
    }

    /// Names of the axes, and keys that `[silicon]` grows.
    pub fn axes(&self) -> Vec<&str> {
        self.axes.iter().map(|axis| axis.name.as_str()).chain(self.grown()).collect()
    }

    /// Keys that `[silicon]` grows.
    pub fn grown(&self) -> impl Iterator<Item = &str> {
        self.silicon.iter().flat_map(Silicon::keys)
    }

    /// All points, each once, and those that are none: seed by seed, the last axis fastest.
    ///
    /// # Errors   a setting that no point can have: a layer that there is not, an unknown key, a constraint that cannot be evaluated
    pub fn points(&self) -> Result<(Vec<Point>, Vec<Skipped>), anyhow::Error> {
        let chosen = self.chosen()?;
        let (mut points, mut skipped) = (vec![], vec![]);
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for seed in self.all_seeds() {
            for place in &chosen {
                let levels: Vec<&Level> = place.iter().zip(&self.levels).map(|(i, axis)| &axis[*i]).collect();
                let mut names: Vec<String> = levels.iter().map(|level| level.name.clone()).collect();
                match self.point(&levels, seed) {
                    Ok((network, config, fitting)) => {
                        let area = fitting.as_ref().map(|fitting| fitting.area);
                        names.extend(fitting.into_iter().flat_map(|fitting| fitting.grown));
                        let id = Point::id(&network, &config);
                        if let Some(first) = seen.get(&id) {
                            let reason = format!("the same as {first}");
                            skipped.push(Skipped { id: Some(id), levels: names, seed, reason });
                            continue;
                        }
                        seen.insert(id.clone(), names.join(", "));
                        let clock = self.clock.as_ref().map(|clocks| clocks.of(&config));
                        points.push(Point { id, levels: names, seed, network, config, area, clock });
                    }
                    Err(error) => {
                        let reason = failure::text(&error);
                        skipped.push(Skipped { id: None, levels: names, seed, reason });
                    }
                }
            }
        }
        // what is wrong everywhere is a mistake in the sweep
        match (points.is_empty(), skipped.first()) {
            (true, Some(first)) => Err(failure::usage(format!(
                "{}: no point can run; the first, {}: {}",
                self.file.display(),
                first.levels.join(", "),
                first.reason
            ))),
            (true, None) => Err(failure::usage(format!("{}: no point meets `require`", self.file.display()))),
            (false, _) => Ok((points, skipped)),
        }
    }

    /// Seeds of each point; one that is none where nothing is trained.
    fn all_seeds(&self) -> Vec<Option<u64>> {
        match (self.trains(), &self.seeds) {
            (false, _) => vec![None],
            (true, None) => vec![Some(1)],
            (true, Some(seeds)) => seeds.iter().copied().map(Some).collect(),
        }
    }

    /// The float reference of the points, a seed each, if it is wanted: the experiment with what is set for all of them, not pruned, with
    /// the accelerator that it names and does not use.
    ///
    /// # Errors   a setting that it cannot have
    pub fn references(&self) -> Result<Vec<(Experiment, Config)>, anyhow::Error> {
        let made = |seed| {
            let tables = [(format!("{}: set", self.file.display()), &self.set)];
            let mut table = self.base.with(tables, &self.settings, &self.own(seed))?;
            table.remove("pruning");
            let text = toml::to_string(&table).expect("tables of TOML are TOML");
            let experiment = Experiment::parse(Document::new(self.base.file(), text))?;
            let config = engines::accelerator(&experiment.accelerator_place())?;
            Ok((experiment, config))
        };
        if self.float { self.all_seeds().into_iter().map(made).collect() } else { Ok(vec![]) }
    }

    /// Keys that belong to a point and to no level.
    fn own(&self, seed: Option<u64>) -> Vec<(&'static str, Value)> {
        let mut own = vec![];
        if self.layers.is_none() {
            own.push(("name", Value::from(self.name.as_str())));
        }
        own.extend(seed.map(|seed| ("train.seed", Value::from(seed as i64))));
        own
    }

    /// Levels of the points: those that meet `require`, or a sample of them.
    fn chosen(&self) -> Result<Vec<Vec<usize>>, anyhow::Error> {
        let sizes: Vec<usize> = self.levels.iter().map(Vec::len).collect();
        let all: usize = sizes.iter().try_fold(1usize, |all, n| all.checked_mul(*n)).unwrap_or(usize::MAX);
        let place = |mut number: usize| {
            let mut place = vec![0; sizes.len()];
            for (to, size) in place.iter_mut().zip(&sizes).rev() {
                *to = number % size;
                number /= size;
            }
            place
        };
        let meets = |place: &Vec<usize>| {
            let level = |(i, axis): (&usize, &Vec<Level>)| axis[*i].number;
            let numbers = place.iter().zip(&self.levels).map(level);
            let numbers: BTreeMap<&str, Option<f64>> = self.axes().into_iter().zip(numbers).collect();
            let all = self.requires.iter().map(|require| require.holds(&numbers));
            all.collect::<Result<Vec<_>, _>>().map(|all| all.into_iter().all(|holds| holds))
        };
        let wrong = |why| failure::usage(format!("{}: require: {why}", self.file.display()));
        let mut chosen = vec![];
        if let Some(sample) = self.sample
            && sample.points < all
        {
            // drawn without repetition; the order is that of the axes
            let mut random = Random(sample.seed);
            let (mut seen, mut kept) = (BTreeSet::new(), BTreeSet::new());
            for _ in 0..(64 * sample.points).max(1 << 16) {
                let number = random.below(all);
                if seen.insert(number) && meets(&place(number)).map_err(wrong)? {
                    kept.insert(number);
                }
                if kept.len() == sample.points || seen.len() == all {
                    break;
                }
            }
            return Ok(kept.into_iter().map(place).collect());
        }
        for number in 0..all {
            let place = place(number);
            if meets(&place).map_err(wrong)? {
                chosen.push(place);
            }
        }
        Ok(chosen)
    }

    fn point(
        &self,
        levels: &[&Level],
        seed: Option<u64>,
    ) -> Result<(Network, Config, Option<Fitting>), anyhow::Error> {
        let of_axes = self.axes.iter().zip(levels);
        let of_axes =
            of_axes.map(|(axis, level)| (format!("axis `{}`, {}", axis.name, level.name), &level.experiment));
        let tables = [(format!("{}: set", self.file.display()), &self.set)].into_iter().chain(of_axes);
        let table = self.base.with(tables, &self.settings, &self.own(seed))?;
        let (file, text) = (self.base.file(), toml::to_string(&table).expect("tables of TOML are TOML"));
        let network = match &self.layers {
            Some(layers) => Network::Topology(Topology::new(Arc::clone(layers), text, file, &self.file)?),
            None => Network::Experiment(Box::new(Experiment::parse(Document::new(file, text))?)),
        };
        let place = network.accelerator_place();
        let settings: Vec<Setting> = levels.iter().flat_map(|level| level.accelerator.clone()).collect();
        let fitting = self.silicon.as_ref().map(|silicon| silicon.largest(&place, &settings)).transpose()?;
        let config = match &fitting {
            Some(fitting) => fitting.config.clone(),
            None => engines::accelerator_with(&place, settings)?,
        };
        Ok((network, config, fitting))
    }
}
