//! `tandem board`.

mod emulate;
mod probe;
mod program;
mod selftest;
mod table;

use crate::Report;
use crate::engines::{self, Board};
use anyhow::Result;
use std::path::Path;
use tandem_link::handshake::connect;
use tandem_link::{Connection, LinkOptions, SerialPort, Statistics};
use tandem_spec::Config;

/// Arguments of `board`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// A simulated board on a pseudo-terminal, until it is stopped.
    Emulate(emulate::Args),
    /// Load a bitstream into a board.
    Program(program::Args),
    /// What a board says of itself.
    Probe(probe::Args),
    /// Random products on a board, compared with integers.
    Selftest(selftest::Args),
    /// Accelerators on boards: cells, Fmax, speed.
    Table(table::Args),
}

/// Runs the action.
pub fn run(args: &Args) -> Result<Report> {
    match &args.action {
        Action::Emulate(a) => emulate::run(a),
        Action::Program(a) => program::run(a),
        Action::Probe(a) => probe::run(a),
        Action::Selftest(a) => selftest::run(a),
        Action::Table(a) => table::run(a),
    }
}

/// A session with whatever tandem board is there.
fn open(board: &Board) -> Result<Connection> {
    let options = LinkOptions { initial_baud: board.baud, ..LinkOptions::default() };
    Ok(connect(&mut SerialPort::new(&board.port), None, &options, Statistics::default())?)
}

/// The accelerator with this hash, among those that come with the program or lie in configs/accelerators/.
fn known(hash: u64) -> Option<Config> {
    let files = std::fs::read_dir(Path::new("configs/accelerators")).into_iter().flatten().flatten();
    let local = files.filter_map(|f| Config::from_file(&f.path()).ok());
    engines::built_in().chain(local).find(|c| c.hash() == hash)
}
