//! A bitstream into a board, by openFPGALoader.

use crate::board::Board;
use crate::environment::environment;
use crate::error::SynthError;
use crate::tools::missing;
use std::path::Path;
use std::process::{Command, Stdio};

/// The loader's names: in the environment, on `PATH`.
const LOADERS: [&str; 2] = ["openfpgaloader-cli", "openFPGALoader"];

/// Loads `bitstream` into `board`, by the loader of the environment (as `Tools::find` looks for it), else the one on `PATH`.
/// Whatever the loader prints goes to standard error. Returns the loader's command line.
///
/// # Errors
/// [`SynthError::NotProgrammable`] if the board's file names no board of the loader, [`SynthError::Missing`] if there is no
/// loader, [`SynthError::Untrusted`] if it can be somebody else's, [`SynthError::Loader`] if it fails: no board, for instance.
pub fn program(board: &Board, bitstream: &Path, cable: Option<&str>) -> Result<String, SynthError> {
    let name =
        board.loader.as_ref().ok_or_else(|| SynthError::NotProgrammable { board: board.name.clone() })?;
    let mut command = loader()?;
    command.args(["--board", name]);
    command.args(cable.iter().flat_map(|c| ["--cable", c]));
    command.arg(bitstream);
    let words = command.get_args().map(|a| a.to_string_lossy());
    let line = std::iter::once(LOADERS[1].into()).chain(words).collect::<Vec<_>>().join(" ");
    let status = command.stdin(Stdio::null()).stdout(std::io::stderr()).status();
    match status {
        Ok(s) if s.success() => Ok(line),
        Ok(s) => Err(SynthError::Loader { command: line, status: s.to_string() }),
        Err(_) => Err(missing(LOADERS[1])),
    }
}

/// The loader of the environment, else the one on `PATH`, whether it is there or not.
///
/// # Errors
/// [`SynthError::Untrusted`].
pub fn loader() -> Result<Command, SynthError> {
    let own = environment()?.map(|dir| dir.join("bin").join(LOADERS[0])).filter(|p| p.exists());
    Ok(own.map_or_else(|| Command::new(LOADERS[1]), Command::new))
}
