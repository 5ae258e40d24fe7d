//! `tandem board emulate`.

use crate::Report;
use crate::commands::SetAccelerator;
use crate::failure::usage;
use crate::stop::Stop;
use anyhow::Result;
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use tandem_sim::SimOptions;
use tandem_sim::board::{
    BoardModel, Emulator, EmulatorError, EmulatorOptions, FaultRate, Level, Noise, PortLink, Stick, Totals,
};
use tandem_spec::link::{BoardLink, INITIAL_BAUD};

/// Arguments of `board emulate`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL", default_value = "minimal")]
    config: String,
    #[command(flatten)]
    set: SetAccelerator,
    /// The board's clock in Hz.
    #[arg(long, value_name = "HZ", default_value_t = 12_000_000)]
    clock: u32,
    /// The board's initial rate.
    #[arg(long, default_value_t = INITIAL_BAUD)]
    baud: u32,
    /// Frames that the board keeps in each direction: 2, 4, 8 or 16.
    #[arg(long, default_value_t = 8)]
    slots: usize,
    /// Damage bytes, so many in so many, for instance 1/2000: lost, changed, doubled, late, split, behind others, in a line that sticks.
    #[arg(long, value_name = "N/M")]
    faults: Option<Ratio>,
    /// Seed of faults and noise.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Noise on both lines, so many bytes every so many seconds of the line, for instance 20/0.05.
    #[arg(long, value_name = "BYTES/SECONDS")]
    noise: Option<Burst>,
    /// Both lines stick once at a level for so many seconds, for instance low/2.
    #[arg(long, value_name = "LEVEL/SECONDS", requires = "stick_after")]
    stick: Option<Held>,
    /// After so many bytes from the host.
    #[arg(long, value_name = "BYTES", requires = "stick")]
    stick_after: Option<u64>,
    /// A symbolic link to the port. One whose port is gone is replaced.
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

/// Most bytes of a burst of noise, and shortest time between two.
const BURST: (u32, Duration) = (1000, Duration::from_millis(1));

/// `bytes/seconds`.
#[derive(Clone, Copy, Debug)]
struct Burst(Noise);

impl FromStr for Burst {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed = text.split_once('/').and_then(|(n, s)| Some((n.parse().ok()?, seconds(s)?)));
        let (bytes, every) = parsed.ok_or("expected BYTES/SECONDS, for instance 20/0.05")?;
        let (most, shortest) = BURST;
        if !(1..=most).contains(&bytes) || every < shortest {
            let shortest = shortest.as_secs_f64();
            return Err(format!("expected 1 to {most} bytes every {shortest} seconds or more"));
        }
        Ok(Burst(Noise { bytes, every }))
    }
}

/// `level/seconds`.
#[derive(Clone, Copy, Debug)]
struct Held(Level, Duration);

impl FromStr for Held {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let level = |name| match name {
            "low" => Some(Level::Low),
            "high" => Some(Level::High),
            _ => None,
        };
        let parsed = text.split_once('/').and_then(|(l, s)| Some(Held(level(l)?, seconds(s)?)));
        parsed.ok_or_else(|| "expected low/SECONDS or high/SECONDS, for instance low/2".into())
    }
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// Prints the port as the first line, then simulates until it is told to stop (Ctrl-C, SIGTERM), then reports.
pub fn run(args: &Args) -> Result<Report> {
    let config = args.set.read(&args.config)?;
    let link = BoardLink { clock_hz: args.clock, baud: args.baud, slots: args.slots };
    link.check().map_err(usage)?;
    // before the model is built, which may take a minute
    args.link.as_deref().map_or(Ok(()), PortLink::check).map_err(usage)?;
    let name = config.name.clone();
    let build = SimOptions {
        progress: Some(Arc::new(move |step| eprintln!("board with {name}: {step}"))),
        ..SimOptions::default()
    };
    let model = BoardModel::new(&config, &link, &build)?;
    // before there is a link to remove
    let stop = Stop::install()?;
    let mut board = Emulator::with_model(model, options(args, link)).map_err(failed)?;
    let port = board.port().display().to_string();
    // for whoever waits for the port: the first line
    println!("{port}");
    std::io::stdout().flush()?;
    board.run(stop.flag()).map_err(failed)?;
    Ok(report(&port, &board.totals()).with_code(stop.exit_code()))
}

fn options(args: &Args, link: BoardLink) -> EmulatorOptions {
    let faults = args.faults.map_or((0, 1), |Ratio(count, among)| (count, among));
    let stick = args.stick.zip(args.stick_after);
    EmulatorOptions {
        link,
        faults: FaultRate { count: faults.0, among: faults.1, seed: args.seed },
        noise: args.noise.map(|b| b.0),
        stick: stick.map(|(Held(level, lasts), after)| Stick { after, level, lasts }),
        port_link: args.link.clone(),
        unplug_after: args.unplug_after,
    }
}

fn failed(error: EmulatorError) -> anyhow::Error {
    match error {
        EmulatorError::Link(e) => usage(e),
        EmulatorError::Engine(e) => e.into(),
    }
}

fn report(port: &str, t: &Totals) -> Report {
    let text = format!(
        "{port}: {:.3e} cycles, {} bytes in, {} bytes out, {} faults, {} bytes of noise, stuck {} times, unplugged {} times, \
         {} bytes lost",
        t.cycles as f64, t.bytes_in, t.bytes_out, t.faults, t.noise, t.stuck, t.unplugged, t.lost
    );
    let json = json!({
        "port": port, "cycles": t.cycles, "bytes_in": t.bytes_in, "bytes_out": t.bytes_out, "faults": t.faults,
        "noise": t.noise, "stuck": t.stuck, "unplugged": t.unplugged, "lost": t.lost,
    });
    Report::new(text, json)
}
