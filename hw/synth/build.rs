//! Embeds the boards of `configs/boards/`.

use std::error::Error;
use std::path::{Path, PathBuf};

const BOARDS: &str = "../../configs/boards";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={BOARDS}");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("boards.rs"), tandem_files::embedded(Path::new(BOARDS))?)?;
    Ok(())
}
