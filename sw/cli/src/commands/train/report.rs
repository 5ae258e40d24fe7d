//! What a run came to: report.json, training.svg, and what is printed.

use super::folder::{CHART, REPORT, RunFolder, log};
use super::progress::Progress;
use crate::commands::gemm::utilisation;
use crate::commands::plot;
use crate::commands::step_time::StepTime;
use crate::{Report, engines};
use anyhow::Result;
use serde_json::json;
use std::io::Write as _;
use tandem_link::Statistics;
use tandem_nn::train::{Tested, Trainer};
use tandem_spec::Config;

/// Writes the report, and returns it.
pub fn write(
    folder: &RunFolder,
    t: &mut Trainer,
    config: &Config,
    test: Option<Tested>,
    progress: &Progress,
    board: Option<&(Statistics, Option<StepTime>)>,
) -> Result<Report> {
    let carried = board.map(|b| &b.0);
    let digest = t.digest();
    let layers = t.training_cost().cycles_by_layer();
    let total = t.training_cost().total().cost;
    let transforms = t.training_cost().transforms().cost;
    let utilisation = utilisation(config, total.products, total.span - transforms.span);
    let (account, scoring) = (t.accounting(), t.training_cost().scoring());
    let lines = log(t.history());
    let json = json!({
        "run": folder.path(), "engine": t.backend().name(), "accelerator": config.name,
        "test_accuracy": test.map(|t| t.accuracy), "test_loss": test.map(|t| t.loss),
        "loss": lines.last().map(|l| &l["loss"]), "epochs": t.epochs(),
        "steps": t.steps(), "images_per_epoch": t.images_per_epoch(), "dropped_images": t.dropped_images(),
        "images_per_s": progress.images_per_s(), "wall_s": progress.seconds(),
        "data_wait": progress.data_wait(),
        "weights_digest": digest, "initial_digest": t.initial(), "cycles": total.cycles, "predicted_cycles": total.predicted_cycles,
        "load_busy": total.load_busy, "compute_busy": total.compute_busy, "store_busy": total.store_busy,
        "products": total.products, "skipped": total.skipped, "utilisation": utilisation,
        "wait_drain": total.wait_drain, "cycles_by_layer": layers, "bounds": plot::bounds_json(&layers), "accounting": account, "scoring": scoring,
        "fft_cycles": transforms.cycles, "busy": t.training_cost().busy(),
        "link": carried.map(engines::carried_json),
        "predicted_s_per_step": board.and_then(|b| b.1.as_ref()).map(|p| p.seconds),
    });
    folder.write(REPORT, serde_json::to_string_pretty(&json)?.as_bytes())?;
    if !lines.is_empty() {
        folder.write(CHART, plot::training(&lines)?.as_bytes())?;
    }
    let mut text = String::new();
    if !t.backend().is_float() {
        text += &plot::table(&layers);
        text += &plot::bounds(&layers);
        if transforms.cycles > 0 {
            text += &plot::busy(&t.training_cost().busy());
        }
        if t.experiment().pruning.is_some() {
            text += &plot::account(&account, &scoring);
        }
    }
    if t.dropped_images() > 0 {
        text += &format!("{}\n", super::dropped(t));
    }
    let tested = match test {
        Some(test) => format!("test accuracy {:.2} %", 100.0 * test.accuracy),
        None => "stopped, not tested".to_owned(),
    };
    text += &format!(
        "{tested}, {} epochs, {:.3e} cycles, utilisation {:.1} %\nweights {digest}\nrun {}",
        t.epochs(),
        total.cycles as f64,
        100.0 * utilisation,
        folder.path().display()
    );
    if let Some(carried) = carried {
        text += &format!("\n{}", engines::carried_text(carried));
    }
    std::io::stderr().flush()?;
    Ok(Report::new(text, json))
}
