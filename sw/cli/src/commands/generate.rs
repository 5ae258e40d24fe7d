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
    /// What the names of all modules begin with, so that two accelerators can be compiled into one design.
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    prefix: String,
    #[command(flatten)]
    force: Force,
}

/// Writes Verilog, one file a module, file list and reference.
pub fn run(args: &Args) -> Result<Report> {
    let config = args.set.read(&args.config)?;
    let design = tandem_rtl::emit_prefixed(&config, &args.prefix)?;
    let folder = Folder::create(&args.output, args.force.existing())?;
    let banner = tandem_rtl::banner(&config);
    let sources: Vec<_> = design.modules.iter().map(|m| (format!("{}.v", m.name), m.file(&banner))).collect();
    let list = sources.iter().map(|s| format!("{}\n", s.0)).collect();
    let others = [
        ("reference.md", reference::markdown()),
        ("tandem.h", reference::c_header(&config)),
        ("config.toml", config.to_toml()),
        ("filelist.f", list),
    ];
    let files: Vec<_> =
        sources.into_iter().chain(others.map(|(name, content)| (name.to_owned(), content))).collect();
    for (name, content) in &files {
        folder.write(name, content.as_bytes())?;
    }
    folder.commit()?;
    let (top, modules) = (&design.top().name, design.modules.len());
    let names: Vec<_> = files.iter().map(|f| f.0.as_str()).collect();
    let others = names[modules..].join(", ");
    let text = format!("{}: {modules} modules, the top one in {top}.v; {others}", args.output.display());
    let json = serde_json::json!({
        "top": top, "modules": modules, "files": names, "config_hash": config.hash_text(),
    });
    Ok(Report::new(text, json))
}
