//! Fits the area model of an ECP5 to measured accelerators and prints its errors:
//! `cargo run --release --example area_fit -- hw/synth/area`.
//!
//! `ecp5.csv` has accelerators with their serial link, `ecp5-units.csv` units by themselves; `ecp5.toml` is written.

use std::error::Error;
use std::path::Path;
use tandem_synth::area::data::{self, Line};
use tandem_synth::area::{Coefficients, Fitted, Kind, fit, measured, predict};
use tandem_synth::{AreaModel, Board, PACKED_LUTS};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: area_fit FOLDER")?;
    let lines = |name: &str| -> Result<Vec<Line>, Box<dyn Error>> {
        let mut lines = data::lines(&std::fs::read_to_string(Path::new(&folder).join(name))?)?;
        lines.retain(|line| line.cells.is_some());
        Ok(lines)
    };
    let model = AreaModel::of(&Board::find("ulx3s")?).ok_or("a board without a model")?;
    let (whole, units) = (lines("ecp5.csv")?, lines("ecp5-units.csv")?);
    let fitted_to: Vec<&Line> = whole.iter().filter(|line| !line.holdout).chain(&units).collect();
    let fitted = |name: &str, kind, cells: fn(&Line) -> u64| -> Coefficients {
        let by = fit(&measured(&model, kind, &fitted_to, cells));
        for (set, holdout) in [("fit", false), ("holdout", true)] {
            let of_set: Vec<&Line> = whole.iter().filter(|line| line.holdout == holdout).collect();
            let error = |(terms, cells): &(_, f64)| (predict(terms, &by) / cells - 1.0).abs();
            let mut errors: Vec<f64> = measured(&model, kind, &of_set, cells).iter().map(error).collect();
            errors.sort_by(f64::total_cmp);
            let at = |place: usize| 100.0 * errors.get(place).copied().unwrap_or(f64::NAN);
            let (count, median) = (errors.len(), at(errors.len() / 2));
            println!(
                "{name}, {set}: {count} lines, at most {:.1} %, median {median:.1} %",
                at(count.max(1) - 1)
            );
        }
        by
    };
    let packed = |line: &Line| line.cell(PACKED_LUTS);
    fitted("LUTs of the netlist", Kind::Luts, Line::netlist);
    let fitted = Fitted {
        luts: fitted("LUTs as packed", Kind::Luts, packed),
        ffs: fitted("flip-flops", Kind::Ffs, |line| line.cell("TRELLIS_FF")),
    };
    tandem_files::replace(&Path::new(&folder).join("ecp5.toml"), toml::to_string(&fitted)?.as_bytes())?;
    let all: Vec<&Line> = whole.iter().chain(&units).collect();
    let luts = measured(&model, Kind::Luts, &all, packed);
    let ffs = measured(&model, Kind::Ffs, &all, |line| line.cell("TRELLIS_FF"));
    println!(
        "unit, rows × cols × lanes, digits, select, drain, pipeline, link: LUTs and flip-flops, made and estimated"
    );
    for ((line, luts), ffs) in all.iter().zip(&luts).zip(&ffs) {
        let a = &line.config.array;
        println!(
            "{:<18} {:>2}×{}×{} {}×{} 1:{:<2} {} {} {:>3}: {:>6} {:>6.0} {:>+6.1} %  {:>6} {:>6.0}",
            line.unit.as_deref().unwrap_or(if line.holdout { "holdout" } else { "fit" }),
            a.rows,
            a.cols,
            a.lanes,
            a.row_digit,
            a.col_digit,
            a.select,
            a.drain,
            a.pipeline,
            line.config.link_bits,
            luts.1,
            predict(&luts.0, &fitted.luts),
            100.0 * (predict(&luts.0, &fitted.luts) / luts.1 - 1.0),
            ffs.1,
            predict(&ffs.0, &fitted.ffs)
        );
    }
    Ok(())
}
