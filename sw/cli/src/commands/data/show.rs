//! `tandem data show`: a sheet of images as a run sees them.
//!
//! ```text
//! row: as read    after each step of `data.preprocess`    augmented in epochs 1, 2, 3, if there is `data.augment`        column: an image
//! ```

use crate::Report;
use crate::commands::{Force, settings};
use crate::failure::usage;
use crate::images::{self, Picture};
use crate::stop::Stop;
use anyhow::{Context, Result};
use image::ImageFormat;
use serde_json::json;
use std::path::PathBuf;
use std::sync::Arc;
use tandem_files::Output;
use tandem_filter::{Image, Samples};
use tandem_nn::config::{Document, Experiment};
use tandem_nn::data::augment::Augmentations;
use tandem_nn::data::preprocess::Which;
use tandem_nn::data::step::{List, Step};
use tandem_nn::data::{self, DataError, Prepared};
use tandem_nn::tensor::Shape;

/// Epochs whose augmentations are shown.
const EPOCHS: u64 = 3;
/// What lies between images.
const GAP: u8 = 128;

/// Arguments of `data show`.
#[derive(clap::Args)]
pub struct Args {
    /// Experiment whose images are shown: a TOML file.
    #[arg(short, long, value_name = "EXPERIMENT.toml")]
    config: PathBuf,
    /// Changes a key of the experiment, such as data.augment='[{ kind = "flip" }]'.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Folder of the data sets (else $TANDEM_DATA, else ./data).
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The first so many training images, a column each.
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    images: u16,
    /// Pixels of the sheet along each side of a pixel.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=32))]
    zoom: u16,
    /// Picture to write.
    #[arg(short, long, value_name = "SHEET.png")]
    output: PathBuf,
    #[command(flatten)]
    force: Force,
}

/// Writes the sheet.
pub fn run(args: &Args) -> Result<Report> {
    Stop::install_at_once()?;
    images::check_name(&args.output)?;
    let output = Output::open(&args.output, args.force.existing())?;
    let document = Document::read_file(&args.config)?.with(settings(&args.set)?)?;
    let Experiment { data: config, train, .. } = Experiment::parse(document)?;
    let set = Arc::new(data::load_with(&config.set, args.data.as_deref(), &config.options)?);
    let (h, w, c) = set.shape;
    let shape = Shape { h, w, c };
    let count = usize::from(args.images).min(set.train.len());
    let (mut names, mut rows) = (vec![], vec![]);
    for steps in 0..=config.preprocess.len() {
        names.push(
            steps
                .checked_sub(1)
                .map_or("as read".to_owned(), |last| name(List::Preprocess, &config.preprocess[last])),
        );
        let prepared = Prepared::new(Arc::clone(&set), &config.preprocess[..steps]);
        let bytes = |image| {
            let mut buffer = vec![];
            let bytes = prepared.image(Which { test: false, image }, &mut buffer)?;
            Ok(bytes.iter().map(|v| (u16::from(*v) * 255 / u16::from(prepared.max_value())) as u8).collect())
        };
        rows.push((0..count).map(bytes).collect::<Result<Vec<Vec<u8>>, DataError>>()?);
    }
    if !config.augment.is_empty() {
        let augment = Augmentations::new(&config.augment);
        let all: Vec<_> = config.augment.iter().map(|step| name(List::Augment, step)).collect();
        let plain = rows.last().cloned().unwrap_or_default();
        for epoch in 0..EPOCHS {
            names.push(format!("{}, epoch {}", all.join("; "), epoch + 1));
            let changed = plain.iter().cloned().enumerate().map(|(image, mut now)| {
                augment.apply((train.seed, epoch), image, shape, &mut now, &mut vec![]);
                now
            });
            rows.push(changed.collect());
        }
    }
    let sheet = sheet(&rows, shape, args.zoom.into()).map_err(|e| usage(format!("{}: {e}", config.set)))?;
    let drawn = sheet.shape();
    let picture = Picture { image: sheet, profile: None, format: ImageFormat::Png };
    output.write(&images::encode(&args.output, picture)?)?;
    let lines: Vec<_> = names.iter().enumerate().map(|(i, name)| format!("row {}: {name}", i + 1)).collect();
    let text = format!("{}\n{}", lines.join("\n"), args.output.display());
    let json = json!({
        "set": config.set, "rows": names, "images": count, "output": args.output, "width": drawn.width, "height": drawn.height,
    });
    Ok(Report::new(text, json))
}

/// An entry in a line.
fn name(list: List, step: &Step) -> String {
    let values = list.described(step).into_iter().filter(|(key, _)| key != "kind");
    let values: Vec<_> = values.map(|(key, value)| format!("{key} {value}")).collect();
    format!("{} {}", step.kind, values.join(", ")).trim_end().to_owned()
}

/// Images side by side, with a pixel between them.
fn sheet(rows: &[Vec<Vec<u8>>], Shape { h, w, c }: Shape, zoom: usize) -> Result<Image> {
    let columns = rows.first().context("a row")?.len();
    let (height, width) = (rows.len() * (h + 1) - 1, columns * (w + 1) - 1);
    let mut pixels = vec![GAP; height * zoom * width * zoom * c];
    for (i, pixel) in pixels.chunks_exact_mut(c).enumerate() {
        let (y, x) = (i / (width * zoom) / zoom, i % (width * zoom) / zoom);
        let ((row, y), (column, x)) = ((y / (h + 1), y % (h + 1)), (x / (w + 1), x % (w + 1)));
        if y < h && x < w {
            pixel.copy_from_slice(&rows[row][column][(y * w + x) * c..][..c]);
        }
    }
    let shape = tandem_filter::Shape { height: height * zoom, width: width * zoom, channels: c };
    Ok(Image::new(shape, Samples::U8(pixels))?)
}
