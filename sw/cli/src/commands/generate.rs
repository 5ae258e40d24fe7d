//! `tandem generate`.

use super::{Force, SetAccelerator};
use crate::Report;
use anyhow::Result;
use std::path::PathBuf;
use tandem_files::Folder;
use tandem_spec::reference;

/// Arguments of `generate`.
#[derive(clap::Args)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL")]
    config: String,
    #[command(flatten)]
    set: SetAccelerator,
    /// New folder for the files.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    #[command(flatten)]
    force: Force,
}

/// Writes Verilog, reference and file list.
pub fn run(args: &Args) -> Result<Report> {
    let config = args.set.read(&args.config)?;
    let folder = Folder::create(&args.output, args.force.existing())?;
    let emitted = tandem_rtl::emit(&config)?;
    let verilog = format!("{}.v", emitted.top);
    let files = [
        (verilog.as_str(), emitted.verilog.clone()),
        ("reference.md", reference::markdown()),
        ("tandem.h", reference::c_header(&config)),
        ("config.toml", config.to_toml()),
        ("filelist.f", format!("{verilog}\n")),
    ];
    for (name, content) in &files {
        folder.write(name, content.as_bytes())?;
    }
    folder.commit()?;
    let modules = emitted.verilog.lines().filter(|l| l.starts_with("module ")).count();
    let names: Vec<_> = files.iter().map(|f| f.0).collect();
    let text = format!("{}: {modules} modules in {verilog}; {}", args.output.display(), names.join(", "));
    let json = serde_json::json!({
        "top": emitted.top, "modules": modules, "files": names, "config_hash": format!("{:016x}", config.hash()),
    });
    Ok(Report::new(text, json))
}
