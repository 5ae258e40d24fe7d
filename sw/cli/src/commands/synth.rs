//! `tandem synth`.

use super::{Force, SetAccelerator};
use crate::Report;
use crate::failure::Failure;
use crate::stop::Stop;
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tandem_files::{Cache, FileError, Folder, MANIFEST};
use tandem_spec::Config;
use tandem_synth::{Board, Event, Job, SUMMARY, Stage, SynthError, Tools, slack_ns, synthesise};

/// Arguments of `synth`.
#[derive(clap::Args)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL")]
    config: String,
    #[command(flatten)]
    set: SetAccelerator,
    /// Board: a TOML file, or a name in configs/boards/.
    #[arg(short, long)]
    board: String,
    /// New folder for bitstream, constraints, Verilog and reports.
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
    /// Place and route so many times; the fastest is kept.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=64))]
    seeds: u32,
    /// The accelerator by itself, its ports behind a shift register: no bitstream.
    #[arg(long)]
    core: bool,
    /// Tell how long so many cycles take at Fmax.
    #[arg(long, value_name = "N")]
    cycles: Option<u64>,
}

/// Whether a design is fast enough for its board: the board's clock drives it directly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// The board's clock in MHz.
    pub target_mhz: f64,
    /// What is left of its period, in ns; none where nothing is placed.
    pub slack_ns: Option<f64>,
}

impl Timing {
    /// Of a design with this Fmax.
    pub fn new(board: &Board, fmax_mhz: Option<f64>) -> Self {
        let target_mhz = f64::from(board.link.clock_hz) / 1e6;
        Timing { target_mhz, slack_ns: fmax_mhz.map(|f| slack_ns(f, target_mhz)) }
    }

    /// Whether the clock is met; none where nothing is placed.
    pub fn met(self) -> Option<bool> {
        self.slack_ns.map(|s| s >= 0.0)
    }

    /// Whether the clock is missed.
    pub fn missed(self) -> bool {
        self.met() == Some(false)
    }
}

/// Synthesises, places, routes and packs. A clock that is missed is exit code 1.
pub fn run(args: &Args) -> Result<Report> {
    let config = args.set.read(&args.config)?;
    let board = Board::find(&args.board)?;
    let folder = |to: &PathBuf| Folder::create(to, args.force.existing());
    let output = args.output.as_ref().map(folder).transpose()?;
    let stop = Stop::install()?;
    let result = watched(&config, &board, args.core, args.seeds, &stop)?;
    if let Some(folder) = output {
        copy(&result, &folder)?;
        folder.commit()?;
    }
    let dir = args.output.as_ref().unwrap_or(&result.dir).clone();
    Ok(report(args, &config, &board, &result, &dir))
}

/// The flow's result, from the cache or with progress on stderr. A signal ends the tools, and is a failure with its exit code.
pub fn watched(
    config: &Config,
    board: &Board,
    core: bool,
    seeds: u32,
    stop: &Stop,
) -> Result<tandem_synth::Result> {
    let tools = Tools::find()?;
    let cache = Cache::open(None).map_err(SynthError::Cache)?;
    let job = Job { config, board, core, seeds, cache: &cache, stop: stop.flag() };
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.set_style(
        ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg}").expect("a template"),
    );
    let result = synthesise(&job, &tools, &mut |event| show(&bar, event));
    bar.finish_and_clear();
    match result {
        Err(SynthError::Stopped) => Err(Failure::new(stop.exit_code(), "stopped, nothing is kept").into()),
        result => Ok(result?),
    }
}

fn show(bar: &ProgressBar, event: Event<'_>) {
    match event {
        Event::Begin(stage) => {
            let name = match stage {
                Stage::Generate => "Verilog".into(),
                Stage::Wait => "waiting for another process that makes the same".into(),
                Stage::Synthesise => "Yosys".into(),
                Stage::Route(seed) => format!("nextpnr, seed {seed}"),
                Stage::Pack => "packer".into(),
            };
            // without a terminal the bar is silent
            if bar.is_hidden() {
                eprintln!("{name}");
            }
            bar.set_prefix(name);
            bar.set_message("");
            bar.reset_elapsed();
        }
        Event::Line(line) => bar.set_message(line.to_owned()),
    }
}

/// The entry's files but its manifest, with the mode that new files have: the cache's own are private. The summary says what it is of.
fn copy(result: &tandem_synth::Result, to: &Folder) -> Result<(), FileError> {
    let from = &result.dir;
    let fail = |e| FileError::io(from, e);
    for entry in std::fs::read_dir(from).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        let name = name.to_string_lossy();
        if ![MANIFEST, SUMMARY].contains(&&*name) {
            to.write(&name, &std::fs::read(from.join(&*name)).map_err(fail)?)?;
        }
    }
    to.write(SUMMARY, result.summary().as_bytes())
}

fn report(args: &Args, config: &Config, board: &Board, r: &tandem_synth::Result, dir: &Path) -> Report {
    let (a, u) = (&config.array, &r.resources);
    let timing = Timing::new(board, r.fmax_mhz);
    let products = (a.rows * a.cols * a.lanes) as f64;
    let mut lines = vec![format!(
        "{} on {}{}",
        config.name,
        board.name,
        if r.cached { " (kept from before)" } else { "" }
    )];
    lines.push(u.table());
    if let Some(f) = r.fmax_mhz {
        lines.push(format!("  Fmax {f:.1} MHz after routing, seed {}", r.seed.unwrap_or(1)));
        lines.push(format!("  peak {:.2} G digit products a second at Fmax", products * f / 1e3));
        if let Some(n) = args.cycles {
            lines.push(format!("  {n} cycles take {:.6} s at Fmax", n as f64 / f / 1e6));
        }
    } else {
        lines.push("  an estimate: cells after synthesis, nothing is placed".into());
    }
    if let Some(slack) = timing.slack_ns {
        let (word, clock) = (if timing.missed() { "MISSED" } else { "met" }, timing.target_mhz);
        lines.push(format!("  the board's clock of {clock} MHz is {word}: slack {slack:.2} ns"));
    }
    if let Some(c) = &r.critical {
        lines.push(format!("  critical path {:.1} ns ({:.1} ns routing)", c.delay_ns, c.routing_ns));
        lines.push(format!("    from {}\n    to   {}", c.from, c.to));
    }
    let bitstream = r.bitstream.as_ref().map(|b| dir.join(b).display().to_string());
    lines.extend(bitstream.iter().map(|b| format!("  bitstream {b}")));
    let json = json!({
        "accelerator": config.name, "config_hash": r.config_hash, "board": board.name, "core": args.core,
        "lut": u.lut.used, "ff": u.ff.used, "dsp": u.dsp.used, "ram": u.ram.used, "available": {
            "lut": u.lut.available, "ff": u.ff.available, "dsp": u.dsp.available, "ram": u.ram.available },
        "fmax_mhz": r.fmax_mhz, "target_mhz": timing.target_mhz, "timing_met": timing.met(),
        "slack_ns": timing.slack_ns, "seed": r.seed, "fmax_by_seed": r.fmax_by_seed, "critical_path": r.critical,
        "peak_products_per_s": r.fmax_mhz.map(|f| products * f * 1e6),
        "cycles": args.cycles, "seconds": args.cycles.zip(r.fmax_mhz).map(|(n, f)| n as f64 / f / 1e6),
        "bitstream": bitstream, "dir": dir.display().to_string(), "cached": r.cached,
    });
    Report::new(lines.join("\n"), json).with_code(u8::from(timing.missed()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_met_missed_or_unknown() {
        let board = Board::find("ulx3s").unwrap();
        let of = |fmax| Timing::new(&board, fmax);
        assert_eq!((of(Some(50.0)).slack_ns, of(Some(50.0)).met()), (Some(20.0), Some(true)));
        assert_eq!((of(Some(25.0)).slack_ns, of(Some(25.0)).met()), (Some(0.0), Some(true)));
        assert_eq!((of(Some(20.0)).slack_ns, of(Some(20.0)).missed()), (Some(-10.0), true));
        assert_eq!((of(None).met(), of(None).missed()), (None, false));
    }
}
