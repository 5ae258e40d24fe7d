//! `tandem estimate`.

use super::{Force, SetAccelerator};
use crate::Report;
use crate::arguments::up_to;
use crate::estimate::network::{Widths, of_experiment, of_topology};
use crate::estimate::{Estimate, Work, estimate, roofline, topology, total};
use crate::failure::usage;
use crate::operands::parse_pattern;
use anyhow::{Context, Result};
use serde_json::json;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tandem_driver::{Cost, Exact};
use tandem_model::CycleModel;
use tandem_nn::config::{Document, Experiment};
use tandem_nn::data;
use tandem_spec::Config;

/// Arguments of `estimate`.
#[derive(clap::Args)]
pub struct Args {
    /// Experiments (TOML), and topologies of SCALE-Sim (CSV: convolutions or GEMMs).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Accelerator: a TOML file, or a name in configs/accelerators/ (default: the experiment's, else `default`).
    #[arg(short, long, value_name = "ACCEL")]
    config: Option<String>,
    #[command(flatten)]
    set: SetAccelerator,
    /// Widths of activations and weights of a topology.
    #[arg(long, value_name = "AxW", default_value = "4x4", value_parser = parse_bits)]
    bits: (u8, u8),
    /// Width of output gradients of a topology.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=16))]
    gradients: u8,
    /// N:M of the layers that an experiment prunes (of all but the first and the last, if it prunes none), or of every
    /// layer of a topology that has none of its own; transposable.
    #[arg(long, value_name = "N:M", value_parser = parse_pattern)]
    pattern: Option<(usize, usize)>,
    /// Images (default: the experiment's batch; 1 for a topology).
    #[arg(long, value_parser = up_to::<65536>)]
    batch: Option<usize>,
    /// All three products of a training step, not the forward product alone.
    #[arg(long)]
    training: bool,
    /// Height, width, channels and classes of an experiment's images, where its data set does not say (image folders).
    #[arg(long, num_args = 4, value_names = ["H", "W", "C", "CLASSES"])]
    image: Option<Vec<usize>>,
    /// Clock, for seconds.
    #[arg(long, value_name = "F")]
    mhz: Option<f64>,
    /// Comma-separated values instead of a table.
    #[arg(long)]
    csv: bool,
    /// Write the roofline of all products (SVG).
    #[arg(long, value_name = "FILE.svg")]
    roofline: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

/// Two widths, as in `4x8`.
fn parse_bits(text: &str) -> Result<(u8, u8), String> {
    let width = |t: &str| t.parse::<u8>().ok().filter(|b| (1..=16).contains(b));
    let both = text.split_once('x').and_then(|(a, w)| Some((width(a)?, width(w)?)));
    both.ok_or_else(|| "expected two widths of 1 to 16 bits, as in 4x4".into())
}

/// Products of a file, and the accelerator that it names.
fn read(args: &Args, file: &Path) -> Result<(Vec<Work>, Option<String>)> {
    let csv = file.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv"));
    if csv {
        let text = std::fs::read_to_string(file).map_err(|e| usage(format!("{}: {e}", file.display())))?;
        let layers = topology::parse(&text).map_err(|e| usage(format!("{}: {e}", file.display())))?;
        let widths = Widths { activations: args.bits.0, weights: args.bits.1, gradients: args.gradients };
        let works = of_topology(&layers, args.batch.unwrap_or(1), widths, args.pattern, args.training);
        return Ok((works, None));
    }
    let mut document = Document::read_file(file)?;
    if let Some(batch) = args.batch {
        document = document.with(super::settings(&[format!("data.batch={batch}")])?)?;
    }
    let experiment = Experiment::parse(document)?;
    let shape = match (&args.image, data::shape(&experiment.data.set)?) {
        (Some(image), _) => ((image[0], image[1], image[2]), image[3]),
        (None, Some(shape)) => shape,
        (None, None) => {
            let set = &experiment.data.set;
            return Err(usage(format!(
                "{}: --image: the data set `{set}` has no shape of its own",
                file.display()
            )));
        }
    };
    let works = of_experiment(&experiment, shape, args.pattern, args.training)
        .with_context(|| file.display().to_string())?;
    Ok((works, Some(experiment.accelerator_place())))
}

fn utilisation(config: &Config, cost: &Cost) -> f64 {
    super::gemm::utilisation(config, cost.products, cost.cycles)
}

fn line(config: &Config, mhz: Option<f64>, e: &Estimate) -> serde_json::Value {
    let (bound, least) = e.cost.bound();
    json!({
        "layer": e.work.layer, "product": e.work.product, "times": e.work.times,
        "cycles": e.cost.cycles, "array": e.cost.array(), "words_in": e.cost.words_in(), "words_out": e.cost.words_out,
        "bound": bound.name(), "least_cycles": least, "utilisation": utilisation(config, &e.cost),
        "products": e.cost.products, "skipped": e.cost.skipped,
        "seconds": mhz.map(|f| e.cost.cycles as f64 / (f * 1e6)),
        "plan": e.description.as_ref().map(|d| &d.plan), "why": e.description.as_ref().and_then(|d| d.why.as_ref()),
    })
}

const COLUMNS: [&str; 8] =
    ["layer", "product", "cycles", "array", "words_in", "words_out", "bound", "utilisation"];

/// A table for people.
fn table(config: &Config, mhz: Option<f64>, estimates: &[Estimate], total: &Cost) -> String {
    let mut s = format!(
        "{:<16} {:<16} {:>12} {:>12} {:>12} {:>12} {:>8} {:>6} {:>7}\n",
        "layer", "product", "cycles", "array", "words in", "words out", "bound", "/least", "utilis."
    );
    let mut row = |layer: &str, product: &str, cost: &Cost| {
        let (bound, least) = cost.bound();
        let _ = writeln!(
            s,
            "{layer:<16} {product:<16} {:>12} {:>12} {:>12} {:>12} {:>8} {:>6.2} {:>5.1} %",
            cost.cycles,
            cost.array(),
            cost.words_in(),
            cost.words_out,
            bound.name(),
            cost.cycles as f64 / least.max(1) as f64,
            100.0 * utilisation(config, cost)
        );
    };
    estimates.iter().for_each(|e| row(&e.work.layer, e.work.product, &e.cost));
    row("sum", "", total);
    if let Some(f) = mhz {
        let _ = writeln!(s, "{:.6} s at {f} MHz", total.cycles as f64 / (f * 1e6));
    }
    let _ = write!(s, "exact for this generated hardware ({}), not an estimate of another", config.name);
    s
}

fn csv(config: &Config, estimates: &[Estimate]) -> String {
    let mut s = COLUMNS.join(",");
    for e in estimates {
        let (bound, _) = e.cost.bound();
        let _ = write!(
            s,
            "\n{},{},{},{},{},{},{},{:.4}",
            e.work.layer,
            e.work.product,
            e.cost.cycles,
            e.cost.array(),
            e.cost.words_in(),
            e.cost.words_out,
            bound.name(),
            utilisation(config, &e.cost)
        );
    }
    s
}

/// Reads networks and predicts their products.
pub fn run(args: &Args) -> Result<Report> {
    if args.mhz.is_some_and(|f| !(f > 0.0 && f.is_finite())) {
        return Err(usage("--mhz: expected a positive number"));
    }
    let picture = super::output(args.roofline.as_ref(), args.force)?;
    let (mut works, mut named) = (vec![], None);
    for file in &args.files {
        let (more, accelerator) = read(args, file)?;
        works.extend(more);
        named = named.or(accelerator);
    }
    let name = args.config.clone().or(named).unwrap_or_else(|| "default".into());
    let config = args.set.read(&name)?;
    let mut device = Exact::new(config.clone(), CycleModel);
    let estimates = estimate(&mut device, works).map_err(usage)?;
    let total = total(&estimates);
    if let Some(output) = picture {
        let names: Vec<_> =
            args.files.iter().filter_map(|f| f.file_stem()).map(|n| n.to_string_lossy()).collect();
        let title = format!("{} on {}", names.join(", "), config.name);
        output.write(roofline::roofline(&config, &estimates, &title)?.as_bytes())?;
    }
    let (bound, least) = total.bound();
    let json = json!({
        "accelerator": config.name, "training": args.training,
        "layers": estimates.iter().map(|e| line(&config, args.mhz, e)).collect::<Vec<_>>(),
        "cycles": total.cycles, "array": total.array(), "words_in": total.words_in(), "words_out": total.words_out,
        "bound": bound.name(), "least_cycles": least, "utilisation": utilisation(&config, &total),
        "seconds": args.mhz.map(|f| total.cycles as f64 / (f * 1e6)),
    });
    let text = if args.csv { csv(&config, &estimates) } else { table(&config, args.mhz, &estimates, &total) };
    Ok(Report::new(text, json))
}
