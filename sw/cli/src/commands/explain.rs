//! `tandem explain`.

use crate::Report;
use crate::engines;
use crate::estimate::network::of_experiment;
use crate::estimate::{Estimate, estimate, total};
use crate::failure::usage;
use crate::variant::Outcome;
use anyhow::{Context, Result};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tandem_driver::{Cost, Exact};
use tandem_model::CycleModel;
use tandem_nn::config::{Document, Experiment};
use tandem_nn::data;
use tandem_nn::train::identity::Identity;
use tandem_spec::Config;

/// Arguments of `explain`.
#[derive(clap::Args)]
pub struct Args {
    /// An outcome of a sweep or a comparison (JSON), or an experiment (TOML).
    #[arg(value_name = "A")]
    a: PathBuf,
    /// Another one.
    #[arg(value_name = "B")]
    b: PathBuf,
}

/// A product in both.
#[derive(Default)]
struct Pair {
    a: Option<Cost>,
    b: Option<Cost>,
}

impl Pair {
    fn of(&self, value: impl Fn(&Cost) -> u64) -> [i64; 2] {
        [&self.a, &self.b].map(|cost| cost.as_ref().map_or(0, |c| value(c) as i64))
    }

    fn change(&self, value: impl Fn(&Cost) -> u64) -> i64 {
        let [a, b] = self.of(value);
        b - a
    }

    fn cycles(&self) -> i64 {
        self.change(|c| c.cycles)
    }

    fn bounds(&self) -> [&'static str; 2] {
        [&self.a, &self.b].map(|cost| cost.as_ref().map_or("-", |c| c.bound().0.name()))
    }
}

/// An experiment and its accelerator.
struct Subject {
    experiment: Experiment,
    config: Config,
}

/// What a file is about.
fn read(path: &Path) -> Result<Subject> {
    let text = || std::fs::read_to_string(path).map_err(|e| usage(format!("{}: {e}", path.display())));
    if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json")) {
        let outcome: Outcome =
            serde_json::from_str(&text()?).map_err(|e| usage(format!("{}: {e}", path.display())))?;
        let experiment = Experiment::parse(Document::new(path, outcome.experiment))?;
        let config = Config::from_toml(&path.to_string_lossy(), &outcome.accelerator)?;
        return Ok(Subject { experiment, config });
    }
    let experiment = Experiment::parse(Document::read_file(path)?)?;
    let config = engines::accelerator(&experiment.accelerator_place())?;
    Ok(Subject { experiment, config })
}

/// Products of a training step.
fn step(path: &Path, variant: &Subject) -> Result<Vec<Estimate>> {
    let set = &variant.experiment.data.set;
    let Some(shape) = data::shape(set)? else {
        return Err(usage(format!("{}: the data set `{set}` has no shape of its own", path.display())));
    };
    let works = of_experiment(&variant.experiment, shape, None, true);
    let works = works.with_context(|| path.display().to_string())?;
    let mut device = Exact::new(variant.config.clone(), CycleModel);
    estimate(&mut device, works).map_err(|why| usage(format!("{}: {why}", path.display())))
}

/// Keys that differ: with both values.
fn differences(a: &Subject, b: &Subject) -> Vec<(String, Option<String>, Option<String>)> {
    let keys = |v: &Subject| {
        let identity = Identity::new(&v.experiment, &v.config.to_toml(), String::new());
        let accelerator =
            identity.accelerator.into_iter().map(|(key, value)| (format!("accelerator.{key}"), value));
        identity.experiment.into_iter().chain(accelerator).collect::<BTreeMap<_, _>>()
    };
    let (a, b) = (keys(a), keys(b));
    let names: BTreeSet<_> = a.keys().chain(b.keys()).collect();
    let differ = names.into_iter().filter(|name| a.get(*name) != b.get(*name));
    differ.map(|name| (name.clone(), a.get(name).cloned(), b.get(name).cloned())).collect()
}

/// Both, product by product, the largest change first.
pub fn run(args: &Args) -> Result<Report> {
    let [a, b] = [read(&args.a)?, read(&args.b)?];
    let mut pairs: BTreeMap<(String, &'static str), Pair> = BTreeMap::new();
    let [of_a, of_b] = [step(&args.a, &a)?, step(&args.b, &b)?];
    let sum = Pair { a: Some(total(&of_a)), b: Some(total(&of_b)) };
    for e in of_a {
        pairs.entry((e.work.layer, e.work.product)).or_default().a = Some(e.cost);
    }
    for e in of_b {
        pairs.entry((e.work.layer, e.work.product)).or_default().b = Some(e.cost);
    }
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_by_key(|(_, pair)| std::cmp::Reverse(pair.cycles().abs()));
    let differences = differences(&a, &b);
    let object = |(layer, product): (&str, &str), pair: &Pair| {
        let [cycles_a, cycles_b] = pair.of(|c| c.cycles);
        json!({
            "layer": layer, "product": product, "cycles": [cycles_a, cycles_b], "bound": pair.bounds(),
            "change": {
                "cycles": pair.cycles(), "array": pair.change(Cost::array),
                "words_in": pair.change(Cost::words_in), "words_out": pair.change(|c| c.words_out),
            },
        })
    };
    let layers: Vec<_> =
        pairs.iter().map(|((layer, product), pair)| object((layer, product), pair)).collect();
    let keys: Vec<_> = differences.iter().map(|(key, a, b)| json!({ "key": key, "a": a, "b": b })).collect();
    let json = json!({ "differs": keys, "layers": layers, "sum": object(("sum", ""), &sum) });
    Ok(Report::new(table(&differences, &pairs, &sum), json))
}

fn table(
    differences: &[(String, Option<String>, Option<String>)],
    pairs: &[((String, &'static str), Pair)],
    sum: &Pair,
) -> String {
    let mut s = String::new();
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".into());
    for (key, a, b) in differences {
        let _ = writeln!(s, "{key}: {} → {}", text(a), text(b));
    }
    let _ = writeln!(
        s,
        "{:<14} {:<16} {:>11} {:>11} {:>11} {:>7} {:>11} {:>11} {:>11}  bound",
        "layer", "product", "cycles A", "cycles B", "change", "of all", "array", "words in", "words out"
    );
    let all = sum.cycles();
    let mut row = |layer: &str, product: &str, pair: &Pair| {
        let [a, b] = pair.of(|c| c.cycles);
        let share = if all == 0 { 0.0 } else { 100.0 * pair.cycles() as f64 / all as f64 + 0.0 };
        let [bound_a, bound_b] = pair.bounds();
        let bound = if bound_a == bound_b { bound_a.to_owned() } else { format!("{bound_a} → {bound_b}") };
        let _ = writeln!(
            s,
            "{layer:<14} {product:<16} {a:>11} {b:>11} {:>+11} {share:>5.0} % {:>+11} {:>+11} {:>+11}  {bound}",
            pair.cycles(),
            pair.change(Cost::array),
            pair.change(Cost::words_in),
            pair.change(|c| c.words_out)
        );
    };
    pairs.iter().for_each(|((layer, product), pair)| row(layer, product, pair));
    row("sum", "", sum);
    s
}
