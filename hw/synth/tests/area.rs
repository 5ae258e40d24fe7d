//! The area model against what the tools have made: accelerators that it was not fitted to, and one that is made now.

use std::sync::atomic::AtomicBool;
use tandem_files::Cache;
use tandem_spec::Config;
use tandem_synth::area::data::{Line, lines};
use tandem_synth::area::{Fitted, Kind, fit, measured};
use tandem_synth::{AreaError, AreaModel, Board, Job, PACKED_LUTS, Tools, packed};

const ECP5_DATA: &str = include_str!("../area/ecp5.csv");
const ECP5_UNITS: &str = include_str!("../area/ecp5-units.csv");
/// Largest relative error of LUTs on what was not fitted.
const MOST: f64 = 0.10;

fn board() -> Board {
    Board::find("ulx3s").unwrap()
}

fn model() -> AreaModel {
    AreaModel::of(&board()).unwrap()
}

fn accelerators() -> Vec<Line> {
    lines(ECP5_DATA).unwrap().into_iter().filter(|line| line.cells.is_some()).collect()
}

fn error(estimate: u64, measured: u64) -> f64 {
    estimate as f64 / measured as f64 - 1.0
}

#[test]
fn luts_of_accelerators_that_were_not_fitted_are_within_a_tenth() {
    let held: Vec<Line> = accelerators().into_iter().filter(|line| line.holdout).collect();
    assert!(held.len() >= 8, "{}", held.len());
    for line in held {
        let (estimate, made) = (model().estimate(&line.config).unwrap(), line.cell(PACKED_LUTS));
        let off = error(estimate.luts, made);
        assert!(
            off.abs() < MOST,
            "{:.1} %: {} for {made}\n{}",
            100.0 * off,
            estimate.luts,
            line.config.to_toml()
        );
    }
}

#[test]
fn dsps_and_block_rams_are_exact() {
    for line in accelerators() {
        let area = model().estimate(&line.config).unwrap();
        let (dsps, block_rams) = (line.cell("MULT18X18D"), line.cell("DP16KD"));
        assert_eq!((area.dsps, area.block_rams), (dsps, block_rams), "{}", line.config.to_toml());
    }
}

#[test]
fn the_coefficients_are_those_of_the_data() {
    let (all, units) = (accelerators(), lines(ECP5_UNITS).unwrap());
    let used: Vec<&Line> = all.iter().filter(|line| !line.holdout).chain(&units).collect();
    let of = |kind, cell: &str| fit(&measured(&model(), kind, &used, |line| line.cell(cell)));
    let (luts, ffs) = (of(Kind::Luts, PACKED_LUTS), of(Kind::Ffs, "TRELLIS_FF"));
    assert_eq!(Fitted { luts, ffs }, Fitted::ecp5());
}

/// The RTL or the tools change: measure again with the examples `area_data` and `area_fit`.
#[test]
fn an_accelerator_made_now_takes_what_is_estimated() {
    let text = "[array]\nrows = 2\ncols = 1\nlanes = 2\nrow_digit = 2\ncol_digit = 4\nrow_bits = 8\ncol_bits = 8\nacc_bits = 20\n\
                [memory]\nrow_depth = 256\ncol_depth = 512\nresult_depth = 256\n[link]\nbits = 8\n\
                [control]\nqueue = 1\naddress_bits = 10\ncounters = \"total\"\nnarrow = false\n";
    let config = Config::from_toml("small", text).unwrap();
    let (board, tools, dir) = (board(), Tools::find().unwrap(), tempfile::tempdir().unwrap());
    let (cache, stop) = (Cache::open(Some(dir.path())).unwrap(), AtomicBool::new(false));
    let job = Job { config: &config, board: &board, core: false, seeds: 1, cache: &cache, stop: &stop };
    let cells = packed(&job, &tools, dir.path()).unwrap();
    let area = model().estimate(&config).unwrap();
    let off = error(area.luts, cells[PACKED_LUTS]);
    assert!(off.abs() < MOST, "{:.1} %: {area}, made {cells:?}", 100.0 * off);
    let made = ["MULT18X18D", "DP16KD"].map(|name| cells.get(name).copied().unwrap_or(0));
    assert_eq!([area.dsps, area.block_rams], made);
}

#[test]
fn what_is_not_known_is_not_estimated() {
    assert!(AreaModel::of(&Board::find("icebreaker").unwrap()).is_none());
    let spectral = include_str!("../../../configs/accelerators/ulx3s.toml");
    let refused = model().estimate(&Config::from_toml("ulx3s", spectral).unwrap());
    assert_eq!(refused, Err(AreaError::Fft));
}
