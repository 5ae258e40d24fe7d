//! `tandem quantize`.

use super::Force;
use super::train::{open, restore, trainer};
use crate::Report;
use crate::engines::EngineKind;
use crate::quantize::{self, Analysis, Budget};
use anyhow::Result;
use serde_json::json;
use std::path::PathBuf;
use tandem_driver::Exact;
use tandem_files::Folder;
use tandem_model::CycleModel;
use tandem_nn::config::{Document, Experiment, Setting, is_path};
use tandem_spec::Config;

/// Arguments of `quantize`.
#[derive(clap::Args)]
pub struct Args {
    /// The run's folder.
    run: PathBuf,
    /// Write a report: the tables (report.md), a chart a layer (LAYER.svg), and auto.toml, the experiment with what was chosen, ready for
    /// `tandem train -c`.
    #[arg(long)]
    report: bool,
    /// Folder of the report [default: RUN/quantize].
    #[arg(short, long, value_name = "DIR", requires = "report")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// What the choice may take, as a share of what the run's own widths take: cycles=SHARE of a training step, or
    /// weight-bits=SHARE of the weights that are kept.
    #[arg(long, value_name = "LIMIT=SHARE", default_value = "cycles=1")]
    budget: Budget,
    /// Who computes the products: model, sim or float.
    #[arg(long, default_value = "model")]
    engine: EngineKind,
    /// Folder of the data sets.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

/// Measures, chooses, and reports.
pub fn run(args: &Args) -> Result<Report> {
    let (experiment, config) = open(&args.run)?;
    let path = args.report.then(|| args.output.clone().unwrap_or_else(|| args.run.join("quantize")));
    // before the work starts
    let folder = path.as_ref().map(|path| Folder::create(path, args.force.existing())).transpose()?;
    let mut t = trainer(experiment.clone(), &config, &args.engine, args.data.as_deref(), None)?;
    restore(&mut t, &args.run)?;
    let mut device = Exact::new(config.clone(), CycleModel);
    let analysis = quantize::analyse(t, args.budget, &mut device)?;
    let text = quantize::text(&analysis, args.budget);
    let chosen = auto_experiment(args, &experiment, &config, &analysis)?;
    let mut files = vec![];
    if let (Some(folder), Some(path)) = (folder, path) {
        let title = format!("# {}: quantizers of {}\n\n", experiment.name, args.run.display());
        let mut all = vec![("report.md".to_owned(), title + &text), ("auto.toml".to_owned(), chosen.clone())];
        for layer in &analysis.layers {
            let plain: String =
                layer.layer.chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
            all.push((format!("{plain}.svg"), quantize::chart(layer)?));
        }
        for (name, content) in all {
            folder.write(&name, content.as_bytes())?;
            files.push(path.join(name));
        }
        folder.commit()?;
    }
    let json = json!({
        "run": args.run, "budget": args.budget.name(), "own": analysis.own, "most": analysis.most,
        "chosen": analysis.chosen, "layers": analysis.layers, "left_out": analysis.left_out,
        "experiment": chosen, "files": files,
    });
    let mut text = format!("{text}\n{}", quantize::choices(&analysis));
    for file in &files {
        text += &format!("{}\n", file.display());
    }
    Ok(Report::new(text, json))
}

/// The experiment with what was chosen.
fn auto_experiment(
    args: &Args,
    experiment: &Experiment,
    config: &Config,
    analysis: &Analysis,
) -> Result<String> {
    let mut settings = quantize::settings(analysis);
    settings.push(Setting::new("tandem quantize", "name", format!("{}-auto", experiment.name)));
    if is_path(&experiment.accelerator) {
        // as seen from wherever the file will lie
        let own = args.run.join("accelerator.toml");
        let own = std::path::absolute(&own).unwrap_or(own).to_string_lossy().into_owned();
        settings.push(Setting::new("tandem quantize", "accelerator", own));
    }
    let document = Document::new(args.run.join("auto.toml"), experiment.source()).with(settings)?;
    let made = Experiment::parse(document)?;
    let head = format!(
        "# {} with quantizers chosen by `tandem quantize --budget`, {} of {} {} on {}.\n",
        experiment.name,
        analysis.chosen,
        analysis.most,
        args.budget.name(),
        config.name
    );
    Ok(head + made.source())
}
