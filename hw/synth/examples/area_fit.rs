//! Fits the area model of an ECP5 to measured accelerators and prints its errors:
//! `cargo run --release --example area_fit -- hw/synth/area`.
//!
//! `ecp5.csv` has accelerators with their serial link, `ecp5-units.csv` units by themselves; `ecp5.toml` is written.

use std::error::Error;
use std::path::Path;
use tandem_synth::area::data::{self, Line};
use tandem_synth::area::{Fitted, Terms, ffs, fit, luts, predict, unit};
use tandem_synth::{AreaModel, Board, PACKED_LUTS};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("usage: area_fit FOLDER")?;
    let read = |name: &str| std::fs::read_to_string(Path::new(&folder).join(name));
    let model = AreaModel::of(&Board::find("ulx3s")?).ok_or("a board without a model")?;
    let mut lines = data::lines(&read("ecp5.csv")?)?;
    lines.retain(|line| line.cells.is_some());
    let units = data::lines(&read("ecp5-units.csv")?)?;
    let of_units = |measured: fn(&Line) -> u64| -> Vec<(Terms, f64)> {
        let one = |l: &Line| (alone(l), measured(l) as f64);
        units.iter().map(one).collect()
    };
    let of = |kind: &str,
              terms: fn(&tandem_spec::Config, usize) -> Terms,
              measured: fn(&Line) -> u64,
              more: Vec<_>| {
        let all: Vec<_> =
            lines.iter().map(|l| (terms(&l.config, model.hard(&l.config)), measured(l) as f64)).collect();
        let mut used = more;
        used.extend(all.iter().zip(&lines).filter(|(_, l)| !l.holdout).map(|(a, _)| a.clone()));
        let by = fit(&used);
        for holdout in [false, true] {
            let of_set = all.iter().zip(&lines).filter(|(_, l)| l.holdout == holdout);
            let mut errors: Vec<f64> = of_set.map(|((t, y), _)| (predict(t, &by) / y - 1.0).abs()).collect();
            errors.sort_by(f64::total_cmp);
            let (most, median) =
                (errors.last().unwrap_or(&0.0), errors.get(errors.len() / 2).unwrap_or(&0.0));
            let set = if holdout { "holdout" } else { "fit" };
            let count = errors.len();
            println!(
                "{kind}, {set}: {count} lines, at most {:.1} %, median {:.1} %",
                100.0 * most,
                100.0 * median
            );
        }
        by
    };
    of("LUTs of the netlist", luts, Line::netlist, of_units(Line::netlist));
    let packed = |l: &Line| l.cell(PACKED_LUTS);
    let fitted = Fitted {
        luts: of("LUTs as packed", luts, packed, of_units(packed)),
        ffs: of("flip-flops", ffs, |l| l.cell("TRELLIS_FF"), vec![]),
    };
    std::fs::write(Path::new(&folder).join("ecp5.toml"), toml::to_string(&fitted)?)?;
    for (i, line) in lines.iter().enumerate() {
        let area = model.estimate(&line.config)?;
        let (c, hard) = (&line.config, model.hard(&line.config));
        let lut = predict(&luts(c, hard), &fitted.luts);
        let a = &c.array;
        println!(
            "line {}, {}: {}x{}x{} of {}x{} 1:{} {}; LUT {} {lut:.0} {:+.1} %, FF {} {:.0}, DSP {} {}, RAM {} {}",
            i + 2,
            if line.holdout { "holdout" } else { "fit" },
            a.rows,
            a.cols,
            a.lanes,
            a.row_digit,
            a.col_digit,
            a.select,
            a.pipeline,
            packed(line),
            100.0 * (lut / packed(line) as f64 - 1.0),
            line.cell("TRELLIS_FF"),
            predict(&ffs(c, hard), &fitted.ffs),
            line.cell("MULT18X18D"),
            area.dsps,
            line.cell("DP16KD"),
            area.block_rams
        );
    }
    for line in &units {
        let lut = predict(&alone(line), &fitted.luts);
        let a = &line.config.array;
        println!(
            "{}: {}x{}x{} of {}x{} 1:{} drain {} acc {} link {}: {} {lut:.0}",
            line.unit.as_deref().unwrap_or_default(),
            a.rows, a.cols, a.lanes, a.row_digit, a.col_digit, a.select, a.drain, a.acc_bits, line.config.link_bits,
            packed(line)
        );
    }
    Ok(())
}

/// Terms of a unit by itself.
fn alone(line: &Line) -> Terms {
    line.unit.as_ref().and_then(|name| unit(&line.config, line.hard.unwrap_or(0), name)).unwrap_or_default()
}
