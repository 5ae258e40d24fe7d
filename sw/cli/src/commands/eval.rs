//! `tandem eval`.

use super::plot;
use super::train::{open, restore, trainer};
use crate::Report;
use crate::engines::{EngineKind, carried_json};
use anyhow::{Context, Result};
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use tandem_nn::train::Part;

/// Arguments of `eval`.
#[derive(clap::Args)]
pub struct Args {
    /// The run's folder.
    run: PathBuf,
    /// Who computes the products.
    #[arg(long, default_value = "model")]
    engine: EngineKind,
    /// Folder of the data sets.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Evaluates the run's weights on the test set.
pub fn run(args: &Args) -> Result<Report> {
    let (experiment, config) = open(&args.run)?;
    let mut t = trainer(experiment, &config, &args.engine, args.data.as_deref(), None)?;
    restore(&mut t, &args.run)?;
    let test = t.evaluate(Part::Test, &mut (), &AtomicBool::new(false))?.context("evaluation")?;
    let cost = t.evaluation_cost().total().cost;
    let images_per_s = test.images as f64 / test.wall.as_secs_f64();
    let text = format!(
        "test accuracy {:.2} % on {} images ({}), {} cycles, {images_per_s:.0} images/s",
        100.0 * test.accuracy,
        test.images,
        t.backend().name(),
        cost.cycles
    );
    let layers = t.evaluation_cost().cycles_by_layer();
    let text = if t.backend().is_float() { text } else { format!("{}{text}", plot::bounds(&layers)) };
    let json = json!({
        "engine": t.backend().name(), "test_accuracy": test.accuracy, "loss": test.loss, "epochs": t.epochs(),
        "images_per_s": images_per_s, "weights_digest": t.digest(), "cycles": cost.cycles,
        "predicted_cycles": cost.predicted_cycles, "cycles_by_layer": layers, "bounds": plot::bounds_json(&layers),
        "link": args.engine.carried().as_ref().map(carried_json),
    });
    Ok(Report::new(text, json))
}
