//! Embeds the accelerators of `configs/accelerators/`.

use std::error::Error;
use std::path::{Path, PathBuf};

const ACCELERATORS: &str = "../../configs/accelerators";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed={ACCELERATORS}");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("accelerators.rs"), tandem_files::embedded(Path::new(ACCELERATORS))?)?;
    Ok(())
}
