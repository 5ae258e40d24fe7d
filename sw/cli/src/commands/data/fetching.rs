//! How far a fetch is, on stderr: a bar on a terminal, elsewhere a line a file.

use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use tandem_nn::data::fetch::Progress;

/// Tells one fetch.
#[derive(Default)]
pub struct Fetching {
    /// Of the file that is being unpacked.
    bar: Option<ProgressBar>,
    /// That file.
    file: String,
}

impl Fetching {
    /// A step further.
    pub fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Kept { file } => eprintln!("{file}: up to date"),
            Progress::Downloading { package } => eprintln!("downloading {package}"),
            Progress::Unpacking { file, done, total } => {
                if self.file != file {
                    self.begin(file, total);
                }
                if let Some(bar) = &self.bar {
                    bar.set_position(done);
                    if done == total {
                        bar.finish_and_clear();
                    }
                }
            }
        }
    }

    fn begin(&mut self, file: &str, total: u64) {
        file.clone_into(&mut self.file);
        if std::io::stderr().is_terminal() {
            let style = ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes} {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            self.bar = Some(ProgressBar::new(total).with_style(style).with_message(file.to_owned()));
        } else {
            eprintln!("unpacking {file} ({total} bytes)");
        }
    }
}
