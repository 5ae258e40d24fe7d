//! Prints the Verilog of a board top: `cargo run -p tandem-rtl --example emit_board -- accelerator.toml [clock Hz]`.
//!
//! It has its own 8 slots, 115,200 baud at the start, and the ports of `docs/link.md`.

use std::path::Path;
use tandem_spec::Config;
use tandem_spec::link::BoardLink;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("usage: emit_board accelerator.toml [clock Hz]")?;
    let clock_hz = arguments.next().map_or(Ok(12_000_000), |a| a.parse())?;
    let link = BoardLink::new(clock_hz);
    link.check()?;
    print!("{}", tandem_rtl::emit_board(&Config::from_file(Path::new(&path))?, &link)?.text());
    Ok(())
}
