//! `tandem synth`.

use super::Force;
use crate::failure::usage;
use crate::{Report, engines};
use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tandem_files::{FileError, Folder};
use tandem_spec::Config;
use tandem_synth::{Board, Event, Job, Stage, Tools, synthesise};

/// Arguments of `synth`.
#[derive(clap::Args)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL")]
    config: String,
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

/// Synthesises, places, routes and packs.
pub fn run(args: &Args) -> Result<Report> {
    let config = engines::accelerator(&args.config)?;
    let board = Board::find(&args.board)?;
    let folder = |to: &PathBuf| Folder::create(to, args.force.existing());
    let output = args.output.as_ref().map(folder).transpose()?;
    let result = watched(&config, &board, args.core, args.seeds)?;
    if let Some(folder) = output {
        copy(&result.dir, folder.path())?;
        folder.commit()?;
    }
    let dir = args.output.as_ref().unwrap_or(&result.dir).clone();
    Ok(report(args, &config, &board, &result, &dir))
}

/// The flow's result, from the cache or with progress on stderr.
pub fn watched(config: &Config, board: &Board, core: bool, seeds: u32) -> Result<tandem_synth::Result> {
    let tools = Tools::find(&here()?)?;
    let cache = tandem_sim::cache_dir()?.join("synth");
    let job = Job { config, board, core, seeds, cache: &cache };
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(Duration::from_millis(200));
    bar.set_style(
        ProgressStyle::with_template("{spinner} {prefix} {elapsed} {wide_msg}").expect("a template"),
    );
    let result = synthesise(&job, &tools, &mut |event| show(&bar, event));
    bar.finish_and_clear();
    Ok(result?)
}

/// The present folder, from which tools are looked for.
pub fn here() -> Result<PathBuf> {
    std::env::current_dir().map_err(|e| usage(format!("the present folder: {e}")))
}

fn show(bar: &ProgressBar, event: Event<'_>) {
    match event {
        Event::Begin(stage) => {
            let name = match stage {
                Stage::Generate => "Verilog".into(),
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

fn copy(from: &Path, to: &Path) -> Result<(), FileError> {
    let fail = |e| FileError::io(from, e);
    for entry in std::fs::read_dir(from).map_err(fail)? {
        let entry = entry.map_err(fail)?;
        std::fs::copy(entry.path(), to.join(entry.file_name())).map_err(fail)?;
    }
    Ok(())
}

fn report(args: &Args, config: &Config, board: &Board, r: &tandem_synth::Result, dir: &Path) -> Report {
    let (a, u) = (&config.array, &r.resources);
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
        let clock = f64::from(board.link.clock_hz) / 1e6;
        if !args.core && f < clock {
            lines.push(format!("  too slow for the board's clock of {clock} MHz"));
        }
    } else {
        lines.push("  an estimate: cells after synthesis, nothing is placed".into());
    }
    if let Some(c) = &r.critical {
        lines.push(format!("  critical path {:.1} ns ({:.1} ns routing)", c.delay_ns, c.routing_ns));
        lines.push(format!("    from {}\n    to   {}", c.from, c.to));
    }
    let bitstream = r.bitstream.as_ref().map(|b| dir.join(b).display().to_string());
    lines.extend(bitstream.iter().map(|b| format!("  bitstream {b}")));
    let json = json!({
        "accelerator": config.name, "board": board.name, "core": args.core,
        "lut": u.lut.used, "ff": u.ff.used, "dsp": u.dsp.used, "ram": u.ram.used, "available": {
            "lut": u.lut.available, "ff": u.ff.available, "dsp": u.dsp.available, "ram": u.ram.available },
        "fmax_mhz": r.fmax_mhz, "seed": r.seed, "fmax_by_seed": r.fmax_by_seed, "critical_path": r.critical,
        "peak_products_per_s": r.fmax_mhz.map(|f| products * f * 1e6),
        "cycles": args.cycles, "seconds": args.cycles.zip(r.fmax_mhz).map(|(n, f)| n as f64 / f / 1e6),
        "bitstream": bitstream, "dir": dir.display().to_string(), "cached": r.cached,
    });
    Report::new(lines.join("\n"), json)
}
