//! One experiment in many variants, each trained once: what `compare` and `sweep` consist of.
//!
//! ```text
//! variants (experiment and accelerator) ─ pool of threads ─► outcomes, a JSON file each, kept for what made them
//! ```

mod base;
mod job;
mod outcome;
mod pool;
mod progress;
mod statistics;

pub use base::{Base, check_seeds};
pub use job::{Job, Pool};
pub use outcome::{Data, Outcome, Sets};
pub use pool::threads;
pub use progress::Progress;
pub use statistics::Mean;

use outcome::{kept_of, run};
use pool::each;
use std::path::Path;
use tandem_nn::config::{Experiment, is_path};
use tandem_spec::Config;
use toml::{Table, Value};

/// An experiment and the accelerator that it runs on.
#[derive(Clone, Copy, Debug)]
pub struct Variant<'a> {
    /// The experiment, its seed included.
    pub experiment: &'a Experiment,
    /// The accelerator.
    pub config: &'a Config,
}

/// Makes an accelerator's path, which is relative to the file that names it, one that holds everywhere.
pub fn place_accelerator(table: &mut Table, folder: &Path) {
    if let Some(Value::String(place)) = table.get_mut("accelerator")
        && is_path(place)
    {
        let seen = folder.join(&*place);
        *place = std::path::absolute(&seen).unwrap_or(seen).to_string_lossy().into_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_holds_in_every_folder() {
        let placed = |place: &str, folder: &str| {
            let mut table = Table::from_iter([("accelerator".to_owned(), Value::from(place))]);
            place_accelerator(&mut table, Path::new(folder));
            table["accelerator"].as_str().expect("a text").to_owned()
        };
        let here = std::env::current_dir().expect("a folder");
        for (place, folder, expected) in [
            ("mine.toml", "", "mine.toml"),
            ("mine.toml", "tables", "tables/mine.toml"),
            ("a/b", "/x", "/x/a/b"),
        ] {
            assert_eq!(
                placed(place, folder),
                here.join(expected).to_str().expect("Unicode"),
                "{place} in {folder}"
            );
        }
        assert_eq!(placed("minimal", "tables"), "minimal");
    }
}
