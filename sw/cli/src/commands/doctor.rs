//! `tandem doctor`.

use crate::Report;
use crate::failure::Failure;
use anyhow::Result;
use serde_json::json;
use std::process::Command;

/// Arguments of `doctor`: none.
#[derive(clap::Args)]
pub struct Args {}

struct Tool {
    name: &'static str,
    version: &'static [&'static str],
    needed: bool,
    purpose: &'static str,
    install: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "verilator",
        version: &["--version"],
        needed: true,
        purpose: "--engine sim",
        install: "apt-get install verilator",
    },
    Tool {
        name: "c++",
        version: &["--version"],
        needed: true,
        purpose: "compiles simulators",
        install: "apt-get install g++",
    },
    Tool {
        name: "npm",
        version: &["--version"],
        needed: false,
        purpose: "tandem data fetch",
        install: "apt-get install npm",
    },
    Tool {
        name: "iverilog",
        version: &["-V"],
        needed: false,
        purpose: "the hardware's own tests",
        install: "apt-get install iverilog",
    },
    Tool {
        name: "yosys",
        version: &["-V"],
        needed: false,
        purpose: "the hardware's own tests",
        install: "apt-get install yosys",
    },
    Tool {
        name: "icebox_vlog",
        version: &["-h"],
        needed: false,
        purpose: "the test of iCE40 bitstreams",
        install: "apt-get install fpga-icestorm",
    },
];

/// Looks for every tool. A needed one that is missing is exit code 3.
pub fn run(_: &Args) -> Result<Report> {
    let mut lines = vec![];
    let mut found = serde_json::Map::new();
    let mut missing = false;
    for t in TOOLS {
        let version = Command::new(t.name).args(t.version).output().ok().map(|o| {
            let text = String::from_utf8_lossy(&o.stdout).into_owned();
            text.lines().find(|l| !l.is_empty()).unwrap_or("found").to_owned()
        });
        lines.push(match &version {
            Some(v) => format!("ok       {:<10} {v}", t.name),
            None => format!("missing  {:<10} for {}: {}", t.name, t.purpose, t.install),
        });
        missing |= t.needed && version.is_none();
        found.insert(t.name.into(), json!({ "version": version, "needed": t.needed, "install": t.install }));
    }
    let fpga = std::env::current_dir().ok().and_then(|here| tandem_synth::Tools::find(&here).ok());
    for (package, purpose) in tandem_synth::tools::PACKAGES {
        let version = fpga.as_ref().and_then(|t| t.version(package));
        lines.push(match version {
            Some(v) => format!("ok       {package:<10} {v}"),
            None => format!("missing  {package:<10} for {purpose}: make setup-fpga"),
        });
        found.insert(
            package.into(),
            json!({ "version": version, "needed": false, "install": "make setup-fpga" }),
        );
    }
    let text = lines.join("\n");
    if missing {
        return Err(Failure::new(3, text).into());
    }
    Ok(Report::new(text, json!({ "tools": found })))
}
