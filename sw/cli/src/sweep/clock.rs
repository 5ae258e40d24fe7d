//! Clocks of accelerators, for seconds: measured ones of `tandem synth` where there are some, else the board's, or a given one.
//!
//! Nothing is estimated: Fmax is known of what was placed and routed only.

use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tandem_spec::Config;
use tandem_synth::Board;

/// `[clock]`, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clocks {
    mhz: Option<f64>,
    board: Option<String>,
    synth: Option<PathBuf>,
    #[serde(skip)]
    base: Option<Clock>,
    /// Fmax by the hash of a configuration.
    #[serde(skip)]
    measured: HashMap<String, f64>,
}

/// The clock of an accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Clock {
    /// Its frequency.
    pub mhz: f64,
    /// Where it is from: `given`, the `board`, or Fmax of its `synth`esis.
    pub mhz_from: &'static str,
}

impl Clock {
    /// Seconds that so many cycles take.
    pub fn seconds(self, cycles: f64) -> f64 {
        cycles / (self.mhz * 1e6)
    }
}

impl Clocks {
    /// Looks up the board, by default that of `[silicon]`, and the results in `synth`, which is relative to `folder`.
    ///
    /// # Errors   the key below `clock` that is wrong, and why
    pub fn check(&mut self, folder: &Path, silicon: Option<&str>) -> Result<(), (&'static str, String)> {
        let name = match (self.mhz, self.board.as_deref()) {
            (Some(_), Some(_)) => {
                return Err(("mhz", "expected one of `mhz` and `board`".into()));
            }
            (Some(_), None) if self.synth.is_some() => {
                return Err(("synth", "expected `board` instead of `mhz`: Fmax is that on a board".into()));
            }
            (Some(mhz), None) if mhz > 0.0 && mhz.is_finite() => {
                self.base = Some(Clock { mhz, mhz_from: "given" });
                return Ok(());
            }
            (Some(_), None) => return Err(("mhz", "expected a positive number".into())),
            (None, own) => own.or(silicon),
        };
        let Some(name) = name else {
            return Err((
                "board",
                "expected `board` or `mhz`: there is no [silicon] that names a board".into(),
            ));
        };
        let board = Board::find(name).map_err(|e| ("board", e.to_string()))?;
        self.base = Some(Clock { mhz: f64::from(board.link.clock_hz) / 1e6, mhz_from: "board" });
        if let Some(synth) = &self.synth {
            self.measured = measured(&folder.join(synth), &board).map_err(|why| ("synth", why))?;
        }
        Ok(())
    }

    /// The clock of an accelerator.
    pub fn of(&self, config: &Config) -> Clock {
        match self.measured.get(&config.hash_text()) {
            Some(mhz) => Clock { mhz: *mhz, mhz_from: "synth" },
            None => self.base.expect("checked when read"),
        }
    }
}

/// The best Fmax of each configuration for this board: of `tandem synth -o` into a folder, and into those right below it.
fn measured(folder: &Path, board: &Board) -> Result<HashMap<String, f64>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.push(folder.to_owned());
    let mut found: HashMap<String, f64> = HashMap::new();
    for dir in folders.iter().filter(|dir| dir.join(tandem_synth::SUMMARY).exists()) {
        let result = tandem_synth::Result::read(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
        let Some(mhz) = result.fmax_mhz.filter(|_| result.board == board.name && !result.core) else {
            continue;
        };
        let best = found.entry(result.config_hash).or_insert(mhz);
        *best = best.max(mhz);
    }
    if found.is_empty() {
        let (folder, name) = (folder.display(), &board.name);
        return Err(format!("{folder}: no Fmax in it, as of `tandem synth --board {name} -o {folder}/NAME`"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(text: &str, folder: &Path, silicon: Option<&str>) -> Result<Clocks, (&'static str, String)> {
        let mut clocks: Clocks = toml::from_str(text).expect("a table");
        clocks.check(folder, silicon).map(|()| clocks)
    }

    fn result(dir: &Path, config: &Config, board: &str, mhz: f64) {
        std::fs::create_dir_all(dir).expect("made");
        let result = serde_json::json!({
            "config_hash": config.hash_text(), "board": board, "core": false, "fmax_mhz": mhz, "critical": null, "seed": 1,
            "fmax_by_seed": [[1, mhz]], "bitstream": null, "resources": tandem_synth::Resources::default(),
        });
        std::fs::write(dir.join(tandem_synth::SUMMARY), result.to_string()).expect("written");
    }

    #[test]
    fn a_measured_clock_is_of_its_configuration_and_board() {
        let dir = tempfile::tempdir().expect("a folder");
        let [known, other] =
            ["default", "minimal"].map(|name| crate::engines::accelerator(name).expect("it is built in"));
        result(&dir.path().join("synth/a"), &known, "ulx3s", 60.0);
        result(&dir.path().join("synth/b"), &known, "ulx3s", 70.5);
        result(&dir.path().join("synth/c"), &other, "icebreaker", 31.0);
        let clocks = clocks("board = \"ulx3s\"\nsynth = \"synth\"", dir.path(), None).expect("fine");
        assert_eq!(clocks.of(&known), Clock { mhz: 70.5, mhz_from: "synth" });
        assert_eq!(clocks.of(&other), Clock { mhz: 25.0, mhz_from: "board" });
        let named = Config { name: "another".into(), ..known };
        assert_eq!(clocks.of(&named).mhz_from, "synth", "a name decides nothing");
        assert_eq!(clocks.of(&named).seconds(141e6), 2.0);
    }

    #[test]
    fn what_makes_no_clock_is_refused() {
        let dir = tempfile::tempdir().expect("a folder");
        let says = |text: &str| clocks(text, dir.path(), None).expect_err(text);
        assert_eq!(says("").0, "board");
        assert_eq!(says("mhz = 5\nboard = \"ulx3s\"").0, "mhz");
        assert_eq!(says("mhz = 0.0").0, "mhz");
        assert_eq!(says("mhz = 5\nsynth = \".\"").0, "synth");
        assert_eq!(says("board = \"nonesuch\"").0, "board");
        let (key, why) = says("board = \"ulx3s\"\nsynth = \"nothing\"");
        assert!(key == "synth" && why.contains("nothing"), "{why}");
        let (key, why) = says("board = \"ulx3s\"\nsynth = \".\"");
        assert!(key == "synth" && why.contains("no Fmax"), "{why}");
        std::fs::write(dir.path().join(tandem_synth::SUMMARY), "{").expect("written");
        assert!(says("board = \"ulx3s\"\nsynth = \".\"").1.contains(tandem_synth::SUMMARY));
        let of = |text, silicon| clocks(text, dir.path(), silicon).map(|c| c.base.expect("checked"));
        assert_eq!(of("", Some("ulx3s")), Ok(Clock { mhz: 25.0, mhz_from: "board" }));
        assert_eq!(of("mhz = 80", Some("ulx3s")), Ok(Clock { mhz: 80.0, mhz_from: "given" }));
    }
}
