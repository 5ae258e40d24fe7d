//! What an accelerator takes of a device, before it is synthesised.
//!
//! ```text
//! LUTs        = Σ term(keys) · coefficient     terms: closed forms, a unit or a part of one each
//! flip-flops  = the same with terms of their own
//! DSPs, RAMs  = counted
//! ```
//! Coefficients are fitted, by non-negative least squares of relative errors, to accelerators that the tools have packed (`area/ecp5.csv`)
//! and to units by themselves (`area/ecp5-units.csv`); the example `area_data` measures more, `area_fit` fits anew. LUTs are what decides
//! whether a design fits: `TRELLIS_COMB`, as nextpnr packs Yosys' netlist. docs/sweep.md has the errors.

pub mod data;
mod fit;
mod terms;

pub use fit::{fit, measured, predict};
pub use terms::{Kind, Terms, terms, unit};

use crate::board::{Board, Family};
use crate::flow::products_in_dsps;
use serde::Serialize;
use std::collections::BTreeMap;
use tandem_rtl::multipliers_a_rank;
use tandem_spec::Config;

/// Coefficients by the names of terms.
pub type Coefficients = BTreeMap<String, f64>;

/// Coefficients of an ECP5.
const ECP5: &str = include_str!("../../area/ecp5.toml");

/// Block RAMs of the serial link.
const LINK_RAMS: usize = 5;

/// Cells of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Area {
    /// Look-up tables with what else takes their place.
    pub luts: u64,
    /// Multipliers.
    pub dsps: u64,
    /// Block RAMs.
    pub block_rams: u64,
    /// Flip-flops.
    pub ffs: u64,
}

impl Area {
    /// Whether none of it is above `most`.
    pub fn fits(&self, most: &Area) -> bool {
        self.luts <= most.luts
            && self.dsps <= most.dsps
            && self.block_rams <= most.block_rams
            && self.ffs <= most.ffs
    }
}

impl std::fmt::Display for Area {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} LUTs, {} DSPs and {} block RAMs", self.luts, self.dsps, self.block_rams)
    }
}

/// Why there is no estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// An accelerator with an FFT unit.
    #[error("fft: the area model knows accelerators without an FFT unit only")]
    Fft,
    /// An accelerator with codebooks.
    #[error("codebook: the area model knows accelerators without codebooks only")]
    Codebook,
    /// An accelerator with a Gaussian unit.
    #[error("gaussian: the area model knows accelerators without a Gaussian unit only")]
    Gaussian,
}

/// Estimates for one board.
#[derive(Clone, Debug)]
pub struct AreaModel {
    board: Board,
    coefficients: Fitted,
}

/// What was fitted.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Fitted {
    /// Of [`Kind::Luts`].
    pub luts: Coefficients,
    /// Of [`Kind::Ffs`].
    pub ffs: Coefficients,
}

impl Fitted {
    /// Those of an ECP5 that come with the program.
    pub fn ecp5() -> Self {
        let mut tables: BTreeMap<String, Coefficients> =
            toml::from_str(ECP5).expect("the file that comes with the program is valid");
        let mut table = |name: &str| tables.remove(name).unwrap_or_default();
        Fitted { luts: table("luts"), ffs: table("ffs") }
    }
}

impl AreaModel {
    /// The model of a board; none if its family was not fitted.
    pub fn of(board: &Board) -> Option<Self> {
        let fitted = board.family == Family::Ecp5;
        fitted.then(|| AreaModel { board: board.clone(), coefficients: Fitted::ecp5() })
    }

    /// Products of an element that are in DSPs.
    pub fn hard(&self, config: &Config) -> usize {
        products_in_dsps(config, &self.board).min(config.array.lanes)
    }

    /// What an accelerator with its serial link takes.
    ///
    /// # Errors   [`AreaError`]: an accelerator of a kind that was not fitted
    pub fn estimate(&self, config: &Config) -> Result<Area, AreaError> {
        if config.fft.is_some() {
            return Err(AreaError::Fft);
        }
        if config.codebook.is_some() {
            return Err(AreaError::Codebook);
        }
        if config.gaussian.is_some() {
            return Err(AreaError::Gaussian);
        }
        let hard = self.hard(config);
        let blocks: usize = terms::rams(config).iter().map(terms::Ram::blocks).sum();
        let sum = |kind, by: &Coefficients| predict(&terms(kind, config, hard), by).round() as u64;
        Ok(Area {
            luts: sum(Kind::Luts, &self.coefficients.luts),
            dsps: (hard * multipliers_a_rank(config) + terms::control_dsps(config)) as u64,
            block_rams: (blocks + LINK_RAMS) as u64,
            ffs: sum(Kind::Ffs, &self.coefficients.ffs),
        })
    }
}
