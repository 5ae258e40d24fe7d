//! `tandem board table`.
//!
//! ```toml
//! gemm = [64, 64, 64]         # M K N of the product that is simulated
//! seeds = 1                   # of place and route, each
//!
//! [[pair]]
//! accelerator = "minimal"
//! board = "ulx3s"
//! ```

use crate::commands::synth::{self, Timing};
use crate::failure::usage;
use crate::operands::draw;
use crate::stop::Stop;
use crate::{Report, engines};
use anyhow::Result;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use tandem_driver::{Device, Format, GemmRequest, Offload, Operand, ResultFormat, Sparsity};
use tandem_files::{Existing, Output};
use tandem_model::CycleModel;
use tandem_nn::config::relative_to;
use tandem_spec::Config;
use tandem_synth::report::Count;
use tandem_synth::{Board, Resources, SynthError};

/// Arguments of `board table`.
#[derive(clap::Args)]
pub struct Args {
    /// Pairs of accelerator and board: a TOML file.
    #[arg(value_name = "LIST.toml")]
    list: PathBuf,
    /// A page; the table replaces what is between its lines `<!-- board table -->` and `<!-- end -->`.
    #[arg(long, value_name = "PAGE.md")]
    into: Option<PathBuf>,
}

const BEGIN: &str = "<!-- board table -->\n";
const END: &str = "<!-- end -->";
/// Width of the operands of the product.
const BITS: u8 = 4;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    gemm: [usize; 3],
    #[serde(default = "one")]
    seeds: u32,
    pair: Vec<Pair>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pair {
    accelerator: String,
    board: String,
}

fn one() -> u32 {
    1
}

/// A line of the table.
struct Line {
    accelerator: String,
    board: String,
    resources: Resources,
    /// None: nothing is placed, or it does not fit.
    fmax_mhz: Option<f64>,
    fits: bool,
    timing: Timing,
    /// Digit multipliers.
    multipliers: usize,
    /// Digit products a cycle, over the whole simulated product.
    rate: f64,
}

/// Synthesises every pair, simulates a product on every accelerator, renders the table. A clock that is missed is exit code 1, with
/// the table.
pub fn run(args: &Args) -> Result<Report> {
    let list = load(&args.list)?;
    // mistakes first: a pair takes minutes
    let page = args.into.as_ref().map(|p| Page::open(p)).transpose()?;
    let folder = args.list.parent().unwrap_or(Path::new(""));
    let seen = |place: &str| relative_to(folder, place);
    let pair = |p: &Pair| Ok((engines::accelerator(&seen(&p.accelerator))?, Board::find(&seen(&p.board))?));
    let pairs = list.pair.iter().map(pair);
    let pairs = pairs.collect::<Result<Vec<_>>>()?;
    let stop = Stop::install()?;
    let lines = pairs.iter().map(|(c, b)| line(c, b, &list, &stop)).collect::<Result<Vec<_>>>()?;
    let table = table(&lines);
    if let (Some(page), Some(path)) = (page, &args.into) {
        tandem_files::replace(path, page.with(&table).as_bytes())?;
    }
    let missed = lines.iter().any(|l| l.timing.missed());
    let json: Vec<Value> = lines.iter().map(Line::json).collect();
    let json = json!({ "gemm": list.gemm, "lines": json, "page": args.into });
    Ok(Report::new(table, json).with_code(u8::from(missed)))
}

fn load(path: &Path) -> Result<List> {
    let fail = |what: String| usage(format!("{}: {what}", path.display()));
    let text = tandem_files::read_text(path).map_err(|e| fail(e.to_string()))?;
    let list: List = toml::from_str(&text).map_err(|e| fail(e.to_string()))?;
    if list.gemm.contains(&0) {
        return Err(fail(format!("gemm = {:?}: expected M, K and N of at least 1", list.gemm)));
    }
    if !(1..=64).contains(&list.seeds) {
        return Err(fail(format!("seeds = {}: expected 1 to 64", list.seeds)));
    }
    Ok(list)
}

fn line(config: &Config, board: &Board, list: &List, stop: &Stop) -> Result<Line> {
    eprintln!("{} on {}", config.name, board.name);
    let (resources, fmax_mhz, fits) = match synth::watched(config, board, false, list.seeds, stop) {
        Ok(r) => (r.resources, r.fmax_mhz, true),
        Err(e) => match e.downcast::<SynthError>() {
            Ok(SynthError::DoesNotFit { used, .. }) => (*used, None, false),
            Ok(other) => return Err(other.into()),
            Err(other) => return Err(other),
        },
    };
    let a = &config.array;
    Ok(Line {
        accelerator: config.name.clone(),
        board: board.name.clone(),
        resources,
        fmax_mhz,
        fits,
        timing: Timing::new(board, fmax_mhz),
        multipliers: a.rows * a.cols * a.lanes,
        rate: simulated_rate(config, list.gemm)?,
    })
}

/// Digit products a cycle of a random product in simulation, transfers included.
fn simulated_rate(config: &Config, [m, k, n]: [usize; 3]) -> Result<f64> {
    let format = Format::signed(BITS);
    let (x, w) = (draw(1, 0, (m, k), format), draw(1, 1, (k, n), format));
    let request = GemmRequest {
        x: Operand::new(x.view(), format),
        w: Operand::new(w.view(), format),
        result: ResultFormat::Full,
        sparsity: Sparsity::Dense,
    };
    let mut device = Offload::new(engines::simulator(config, None)?, CycleModel).strict();
    let cost = device.run(request.into())?.into_gemm().cost;
    Ok(cost.products as f64 / cost.cycles as f64)
}

impl Line {
    /// Digit products a second: at most, measured.
    fn speeds(&self) -> Option<[f64; 2]> {
        self.fmax_mhz.map(|f| [self.multipliers as f64, self.rate].map(|n| n * f * 1e6))
    }

    fn json(&self) -> Value {
        let (r, speeds) = (&self.resources, self.speeds());
        json!({
            "accelerator": self.accelerator, "board": self.board, "fits": self.fits,
            "lut": r.lut.used, "ff": r.ff.used, "dsp": r.dsp.used, "ram": r.ram.used, "fmax_mhz": self.fmax_mhz,
            "target_mhz": self.timing.target_mhz, "timing_met": self.timing.met(), "slack_ns": self.timing.slack_ns,
            "products_per_cycle": self.rate,
            "peak_products_per_s": speeds.map(|s| s[0]), "products_per_s": speeds.map(|s| s[1]),
        })
    }

    fn text(&self) -> String {
        let (r, none) = (&self.resources, || "–".to_owned());
        let fmax = match self.fmax_mhz {
            Some(f) if self.timing.missed() => format!("{f:.1}, misses {}", self.timing.target_mhz),
            Some(f) => format!("{f:.1}"),
            None if self.fits => none(),
            None => "does not fit".into(),
        };
        let speeds = self.speeds().map(|s| s.map(|s| format!("{:.3}", s / 1e9)));
        let [peak, measured] = speeds.unwrap_or_else(|| [none(), none()]);
        let counts = [r.lut, r.ff, r.dsp, r.ram].map(count).join(" | ");
        format!("| {} | {} | {counts} | {fmax} | {peak} | {measured} |", self.accelerator, self.board)
    }
}

fn count(c: Count) -> String {
    match c.available {
        Some(a) if a > 0 => format!("{} ({:.0} %)", c.used, 100.0 * c.used as f64 / a as f64),
        _ => c.used.to_string(),
    }
}

fn table(lines: &[Line]) -> String {
    let head = "| accelerator | board | LUT | FF | DSP | RAM | Fmax, MHz | peak, G MAC/s | measured, G MAC/s |\n\
                |---|---|---|---|---|---|---|---|---|\n";
    lines.iter().fold(head.to_owned(), |t, l| t + &l.text() + "\n")
}

/// A page with a place for the table.
struct Page {
    before: String,
    after: String,
}

impl Page {
    fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| usage(format!("{}: {e}", path.display())))?;
        Output::open(path, Existing::Replace)?;
        Page::parse(&text).ok_or_else(|| {
            usage(format!("{}: no lines `{}` and `{END}` in this order", path.display(), BEGIN.trim_end()))
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (before, rest) = text.split_once(BEGIN)?;
        let (_, after) = rest.split_once(END)?;
        Some(Page { before: before.into(), after: after.into() })
    }

    fn with(&self, table: &str) -> String {
        format!("{}{BEGIN}{table}{END}{}", self.before, self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(fmax_mhz: Option<f64>, fits: bool) -> Line {
        let count = |used, available| Count { used, available };
        let lut = count(4488, Some(83640));
        let resources =
            Resources { lut, ff: count(3103, None), dsp: count(0, Some(156)), ram: count(2, Some(208)) };
        Line {
            accelerator: "a".into(),
            board: "b".into(),
            resources,
            fmax_mhz,
            fits,
            timing: Timing::new(&Board::find("ulx3s").unwrap(), fmax_mhz),
            multipliers: 64,
            rate: 32.0,
        }
    }

    #[test]
    fn lines_tell_speeds_only_where_there_is_a_frequency() {
        let line = example(Some(100.0), true);
        assert_eq!(line.text(), "| a | b | 4488 (5 %) | 3103 | 0 (0 %) | 2 (1 %) | 100.0 | 6.400 | 3.200 |");
        assert!(example(None, false).text().ends_with("| does not fit | – | – |"));
        assert!(example(None, true).text().ends_with("| – | – | – |"));
        assert_eq!(line.json()["products_per_s"], 3.2e9);
        assert_eq!((&line.json()["timing_met"], &line.json()["slack_ns"]), (&json!(true), &json!(30.0)));
        let missed = example(Some(20.0), true);
        assert!(missed.text().contains("| 20.0, misses 25 |"), "{}", missed.text());
        assert_eq!(missed.json()["timing_met"], false);
        assert_eq!(example(None, true).json()["timing_met"], Value::Null);
    }

    #[test]
    fn a_page_keeps_everything_but_its_table() {
        let text = format!("# Boards\n\n{BEGIN}old\n{END}\n\nMore.\n");
        let page = Page::parse(&text).unwrap();
        assert_eq!(page.with("new\n"), text.replace("old", "new"));
        assert!(Page::parse("# Boards\n").is_none());
        assert!(Page::parse(&format!("{END}\n{BEGIN}")).is_none());
    }
}
