//! `tandem board probe`.

use super::{known, open};
use crate::Report;
use crate::engines::Board;
use anyhow::Result;
use serde_json::json;
use tandem_link::prediction;

/// Arguments of `board probe`.
#[derive(clap::Args)]
pub struct Args {
    /// The port, with its initial rate if that is not 115200.
    #[arg(value_name = "PORT[@BAUD]")]
    port: Board,
}

/// Opens a session, finds the fastest rate, tells what the board has said.
pub fn run(args: &Args) -> Result<Report> {
    let connection = open(&args.port)?;
    let (hello, baud) = (connection.hello(), connection.statistics().baud);
    let rate = 1.0 / prediction::seconds(1, baud);
    let name = known(hello.hash).map(|c| c.name);
    let text = format!(
        "{}: tandem board, accelerator {} (configuration {:016x}), instruction set {:#010x}\n\
         clock {:.3} MHz, {baud} baud ({:.2} clocks a bit), windows of {} and {} frames,\n\
         at most {:.1} kB/s of link words",
        args.port.port,
        name.as_deref().unwrap_or("of another program"),
        hello.hash,
        hello.identity,
        f64::from(hello.clock_hz) / 1e6,
        f64::from(hello.divider) / 16.0,
        hello.receive_slots,
        hello.send_slots,
        rate / 1e3,
    );
    let json = json!({
        "port": args.port.port, "accelerator": name, "config_hash": format!("{:016x}", hello.hash),
        "identity": hello.identity, "version": hello.version, "clock_hz": hello.clock_hz, "baud": baud,
        "clocks_per_bit": f64::from(hello.divider) / 16.0, "receive_slots": hello.receive_slots,
        "send_slots": hello.send_slots, "bytes_per_s": rate,
    });
    Ok(Report::new(text, json))
}
