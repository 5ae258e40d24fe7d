//! `tandem board program`.

use crate::Report;
use crate::failure::usage;
use anyhow::Result;
use serde_json::json;
use std::path::PathBuf;
use tandem_synth::Board;

/// Arguments of `board program`.
#[derive(clap::Args)]
pub struct Args {
    /// What `tandem synth` made.
    #[arg(value_name = "BITSTREAM")]
    bitstream: PathBuf,
    /// Board: a TOML file, or a name in configs/boards/.
    #[arg(short, long)]
    board: String,
    /// openFPGALoader's name of the cable, if it is not the board's own.
    #[arg(long, value_name = "CABLE")]
    cable: Option<String>,
}

/// Loads the bitstream; what the loader prints goes to stderr.
pub fn run(args: &Args) -> Result<Report> {
    let board = Board::find(&args.board)?;
    if !args.bitstream.is_file() {
        return Err(usage(format!("{}: no such file", args.bitstream.display())));
    }
    let command = tandem_synth::program(&board, &args.bitstream, args.cable.as_deref())?;
    let text = format!("{}: loaded {}", board.name, args.bitstream.display());
    Ok(Report::new(text, json!({ "board": board.name, "bitstream": args.bitstream, "command": command })))
}
