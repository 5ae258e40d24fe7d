//! Equal silicon: of each point, the largest array that fits.
//!
//! ```text
//! point (accelerator) × candidates of `grow` ─ area model ─► those that fit ─► most digit products a cycle, then fewest LUTs
//! ```

use crate::engines;
use crate::failure;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tandem_nn::config::Setting;
use tandem_spec::Config;
use tandem_synth::{Area, AreaModel, Board};
use toml::Value;

/// What is left free for the error of the model: its estimates are within a tenth, which a test holds it to.
const MARGIN: f64 = 0.1;
/// Most candidates of a point.
const MOST: usize = 4096;

/// What of a board the accelerators may take, as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Silicon {
    board: String,
    luts: Option<Value>,
    dsps: Option<Value>,
    block_rams: Option<Value>,
    margin: Option<f64>,
    #[serde(default)]
    grow: Vec<Grow>,
    #[serde(skip)]
    limits: Option<Limits>,
    #[serde(skip)]
    chosen: Arc<Mutex<HashMap<String, Chosen>>>,
}

/// A key of the accelerator that makes the array larger, and its values.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Grow {
    key: String,
    values: Vec<Value>,
}

#[derive(Clone, Debug)]
struct Limits {
    model: AreaModel,
    most: Area,
    /// How the limit on LUTs is written.
    written: String,
}

/// The accelerator of a point with its area and its values of the grown keys, or why there is none.
type Chosen = Result<Fitting, String>;

/// The largest accelerator that fits.
#[derive(Clone, Debug)]
pub struct Fitting {
    /// The accelerator.
    pub config: Config,
    /// What it is estimated to take.
    pub area: Area,
    /// Values of the grown keys.
    pub grown: Vec<String>,
}

impl Silicon {
    /// Looks up the board and what of it may be taken.
    ///
    /// # Errors   the key below `silicon` that is wrong, and why
    pub fn check(&mut self) -> Result<(), (String, String)> {
        let board = Board::find(&self.board).map_err(|e| ("board".to_owned(), e.to_string()))?;
        let model = AreaModel::of(&board)
            .ok_or_else(|| ("board".to_owned(), "the area model knows boards with an ECP5 only".into()))?;
        let all = board.capacity();
        let margin = self.margin.unwrap_or(MARGIN);
        if !(0.0..=1.0).contains(&margin) {
            return Err(("margin".into(), "expected 0.0 to 1.0".into()));
        }
        let luts = limit("luts", &self.luts, all.luts)?;
        let most = Area {
            luts: (luts as f64 / (1.0 + margin)) as u64,
            dsps: limit("dsps", &self.dsps, all.dsps)?,
            block_rams: limit("block_rams", &self.block_rams, all.block_rams)?,
            ffs: all.ffs,
        };
        let mut candidates = 1usize;
        for (i, grow) in self.grow.iter().enumerate() {
            if grow.key.strip_prefix("accelerator.").is_none_or(str::is_empty) {
                return Err((format!("grow[{i}].key"), "expected accelerator.KEY".into()));
            }
            if self.grow[..i].iter().any(|other| other.key == grow.key) {
                return Err((format!("grow[{i}].key"), "it stands there twice".into()));
            }
            if grow.values.is_empty() {
                return Err((format!("grow[{i}].values"), "expected at least one".into()));
            }
            candidates = candidates.saturating_mul(grow.values.len());
        }
        if candidates > MOST {
            return Err(("grow".into(), format!("{candidates} candidates: expected at most {MOST}")));
        }
        let written = self.luts.as_ref().map_or_else(|| luts.to_string(), Value::to_string);
        self.limits = Some(Limits { model, most, written });
        Ok(())
    }

    /// The board's name.
    pub fn board(&self) -> &str {
        &self.board
    }

    /// Names of the grown keys.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.grow.iter().map(|grow| grow.key.as_str())
    }

    /// The largest accelerator of those that `place` with `settings` and the grown keys describes: most digit products a cycle, then
    /// fewest LUTs. Without grown keys, the one that there is.
    ///
    /// # Errors   none is valid, or none fits
    pub fn largest(&self, place: &str, settings: &[Setting]) -> Result<Fitting, anyhow::Error> {
        let key = settings.iter().fold(place.to_owned(), |key, s| format!("{key}\n{}", s.table()));
        let mut kept = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        if !kept.contains_key(&key) {
            kept.insert(key.clone(), self.search(place, settings)?);
        }
        kept[&key].clone().map_err(failure::usage)
    }

    fn search(&self, place: &str, settings: &[Setting]) -> Result<Chosen, anyhow::Error> {
        let limits = self.limits.as_ref().expect("checked when read");
        let (mut best, mut least, mut refused): (Option<Fitting>, Option<u64>, _) = (None, None, None);
        let products = |c: &Config| c.array.rows * c.array.cols * c.array.lanes;
        for values in candidates(&self.grow) {
            let mut settings = settings.to_vec();
            settings.extend(values.iter().map(|(key, value)| {
                Setting::new("silicon.grow", &key["accelerator.".len()..], (*value).clone())
            }));
            let config = match engines::accelerator_with(place, settings) {
                Ok(config) => config,
                Err(error) => {
                    refused.get_or_insert(error);
                    continue;
                }
            };
            let area = match limits.model.estimate(&config) {
                Ok(area) => area,
                Err(why) => return Ok(Err(why.to_string())),
            };
            least = Some(least.map_or(area.luts, |least| least.min(area.luts)));
            let better = |than: &Fitting| {
                let (new, old) = (products(&config), products(&than.config));
                new > old || new == old && area.luts < than.area.luts
            };
            if area.fits(&limits.most) && best.as_ref().is_none_or(better) {
                let grown = values.iter().map(|(_, value)| text(value)).collect();
                best = Some(Fitting { config, area, grown });
            }
        }
        match (best, least, refused) {
            (Some(best), ..) => Ok(Ok(best)),
            (None, Some(least), _) => Ok(Err(format!(
                "silicon.luts = {}: no array of {} fits {} after the margin; the smallest takes {least} LUTs",
                limits.written,
                if self.grow.is_empty() { "the point" } else { "`silicon.grow`" },
                limits.most
            ))),
            (None, None, Some(error)) => Err(error),
            (None, None, None) => unreachable!("there are candidates"),
        }
    }
}

/// All combinations of values, the last key fastest.
fn candidates(grow: &[Grow]) -> Vec<Vec<(&str, &Value)>> {
    let mut all: Vec<Vec<(&str, &Value)>> = vec![vec![]];
    for Grow { key, values } in grow {
        let mut next = vec![];
        for (fixed, value) in all.iter().flat_map(|fixed| values.iter().map(move |value| (fixed, value))) {
            next.push([fixed.as_slice(), &[(key.as_str(), value)]].concat());
        }
        all = next;
    }
    all
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A limit as written: so many, or a fraction of all.
fn limit(key: &str, written: &Option<Value>, all: u64) -> Result<u64, (String, String)> {
    match written {
        None => Ok(all),
        Some(Value::Integer(n)) if (1..=all as i64).contains(n) => Ok(*n as u64),
        Some(Value::Float(share)) if *share > 0.0 && *share <= 1.0 => Ok((share * all as f64) as u64),
        Some(_) => Err((key.into(), format!("expected 1 to {all}, or a fraction above 0.0 up to 1.0"))),
    }
}
