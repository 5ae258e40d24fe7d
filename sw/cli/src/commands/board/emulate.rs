//! `tandem board emulate`.

use crate::failure::usage;
use crate::stop::Stop;
use crate::{Report, engines};
use anyhow::Result;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use tandem_sim::SimOptions;
use tandem_sim::board::{Emulator, EmulatorOptions, FaultRate};
use tandem_spec::link::{BoardLink, INITIAL_BAUD};

/// Arguments of `board emulate`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL", default_value = "minimal")]
    config: String,
    /// The board's clock in Hz.
    #[arg(long, value_name = "HZ", default_value_t = 12_000_000)]
    clock: u32,
    /// The board's initial rate.
    #[arg(long, default_value_t = INITIAL_BAUD)]
    baud: u32,
    /// Frames that the board keeps in each direction: 2, 4, 8 or 16.
    #[arg(long, default_value_t = 8)]
    slots: usize,
    /// Damage bytes: so many in so many, for instance 1/2000.
    #[arg(long, value_name = "N/M")]
    faults: Option<Ratio>,
    /// Seed of the faults.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A symbolic link to the port.
    #[arg(long, value_name = "PATH")]
    link: Option<PathBuf>,
    /// Pull the cable once, after so many bytes from the host, and plug it in again.
    #[arg(long, value_name = "BYTES", requires = "link")]
    unplug_after: Option<u64>,
}

/// `n/m`, at most 1.
#[derive(Clone, Copy, Debug)]
struct Ratio(u64, u64);

impl FromStr for Ratio {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(n, m)| Some((n.parse().ok()?, m.parse().ok()?)));
        let (n, m) = parsed.ok_or("expected N/M, for instance 1/2000")?;
        if m == 0 || n > m {
            Err(format!("{n} of {m}: expected a part of at most 1"))
        } else {
            Ok(Ratio(n, m))
        }
    }
}

/// Prints the port as the first line, then simulates until it is told to stop (Ctrl-C, SIGTERM), then reports.
pub fn run(args: &Args) -> Result<Report> {
    let config = engines::accelerator(&args.config)?;
    let link = BoardLink { clock_hz: args.clock, baud: args.baud, slots: args.slots };
    link.check().map_err(usage)?;
    if let Some(path) = args.link.as_ref().filter(|p| p.exists() && !p.is_symlink()) {
        return Err(usage(format!("{}: exists; nothing is overwritten", path.display())));
    }
    let faults = args.faults.map_or(FaultRate::NONE, |Ratio(count, among)| FaultRate {
        count,
        among,
        seed: args.seed,
    });
    let name = config.name.clone();
    let build = SimOptions {
        progress: Some(Arc::new(move |step| eprintln!("board with {name}: {step}"))),
        ..SimOptions::default()
    };
    let options =
        EmulatorOptions { link, faults, port_link: args.link.clone(), unplug_after: args.unplug_after };
    let mut board = Emulator::new(&config, options, &build)?;
    let stop = Stop::install()?;
    let port = board.port().display().to_string();
    // for whoever waits for the port: the first line
    println!("{port}");
    std::io::stdout().flush()?;
    board.run(stop.flag())?;
    let t = board.totals();
    let text = format!(
        "{port}: {:.3e} cycles, {} bytes in, {} bytes out, {} faults, unplugged {} times, {} bytes lost",
        t.cycles as f64, t.bytes_in, t.bytes_out, t.faults, t.unplugged, t.lost
    );
    let json = json!({
        "port": port, "cycles": t.cycles, "bytes_in": t.bytes_in, "bytes_out": t.bytes_out, "faults": t.faults,
        "unplugged": t.unplugged, "lost": t.lost,
    });
    Ok(Report::new(text, json).with_code(stop.exit_code()))
}
