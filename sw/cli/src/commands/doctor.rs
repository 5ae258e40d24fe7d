//! `tandem doctor`.

use crate::Report;
use anyhow::Result;
use serde_json::{Map, Value, json};
use std::io::ErrorKind;
use std::process::{Command, Stdio};
use tandem_sim::{OLDEST_VERILATOR, Programs, version_text};
use tandem_synth::{SynthError, tools};

/// Arguments of `doctor`: none.
#[derive(clap::Args)]
pub struct Args {}

/// A program on `PATH` that has no better way to be found.
struct Tool {
    name: &'static str,
    version: &'static str,
    purpose: &'static str,
    install: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { name: "npm", version: "--version", purpose: "tandem data fetch", install: "apt-get install npm" },
    Tool {
        name: "iverilog",
        version: "-V",
        purpose: "the hardware's own tests",
        install: "apt-get install iverilog",
    },
    Tool {
        name: "yosys",
        version: "-V",
        purpose: "the hardware's own tests",
        install: "apt-get install yosys",
    },
    Tool {
        name: "icebox_vlog",
        version: "-h",
        purpose: "the test of iCE40 bitstreams",
        install: "apt-get install fpga-icestorm",
    },
    Tool {
        name: "sbatch",
        version: "--version",
        purpose: "tandem sweep --slurm",
        install: "apt-get install slurm-client",
    },
];
const SETUP: &str = "make setup-fpga";
/// What the loader's package leaves to the system.
const LOADER_SETUP: &str =
    "make setup-fpga; it needs the system's libusb and libftdi (apt-get install libusb-1.0-0 libftdi1-2)";

/// What came of starting a program.
#[derive(Debug, PartialEq)]
enum State {
    /// It says this of itself.
    Ok(String),
    /// It is there and cannot be used, because of this.
    Broken(String),
    /// It is not there.
    Missing,
}

/// A line of the report.
struct Entry {
    name: &'static str,
    state: State,
    needed: bool,
    purpose: &'static str,
    install: String,
}

/// Starts every tool. A needed one that is missing or broken is exit code 3.
pub fn run(_: &Args) -> Result<Report> {
    let mut entries = vec![verilator(), compiler()];
    entries.extend(TOOLS.iter().map(|t| Entry {
        name: t.name,
        state: start(Command::new(t.name).arg(t.version)),
        needed: false,
        purpose: t.purpose,
        install: t.install.into(),
    }));
    entries.extend(flow());
    let lines: Vec<String> = entries.iter().map(Entry::line).collect();
    let tools: Map<String, Value> = entries.iter().map(|e| (e.name.to_owned(), e.json())).collect();
    let text = lines.join("\n");
    if entries.iter().all(|e| !e.needed || matches!(e.state, State::Ok(_))) {
        return Ok(Report::new(text, json!({ "tools": tools })));
    }
    eprintln!("error: {text}");
    let json = json!({ "error": text, "exit_code": 3, "tools": tools });
    Ok(Report::new("", json).with_code(3))
}

fn verilator() -> Entry {
    let programs = Programs::default();
    let state = match start(Command::new(&programs.verilator).arg("--version")) {
        // it may not print its number, and may be too old
        State::Ok(_) => match tandem_sim::Tools::find_verilator(programs) {
            Ok(tools) => State::Ok(tools.verilator_version),
            Err(e) => State::Broken(e.to_string()),
        },
        other => other,
    };
    Entry {
        name: "verilator",
        state,
        needed: true,
        purpose: "--engine sim",
        install: format!(
            "{} or newer: apt-get install verilator, or VERILATOR=PATH",
            version_text(OLDEST_VERILATOR)
        ),
    }
}

fn compiler() -> Entry {
    let cxx = Programs::default().cxx;
    let (program, arguments) = cxx.split_first().expect("a program");
    let install = "apt-get install g++, or CXX=PATH".into();
    let state = start(Command::new(program).args(arguments).arg("--version"));
    Entry { name: "c++", state, needed: true, purpose: "compiles simulators", install }
}

/// The FPGA flow: each package's program is started, as one that is installed need not run.
fn flow() -> Vec<Entry> {
    let found = tandem_synth::Tools::find();
    let state = |package: &str| match &found {
        _ if package == tools::LOADER => match tandem_synth::loader() {
            Ok(mut command) => start(command.arg("--Version")),
            Err(e) => State::Broken(e.to_string()),
        },
        Ok(tools) => match (tools.version(package), tools.probe(package)) {
            (Some(version), Some(mut probe)) => match start(&mut probe) {
                State::Ok(_) => State::Ok(version.to_owned()),
                State::Missing => State::Broken("its program is missing".into()),
                broken => broken,
            },
            _ => State::Missing,
        },
        Err(e @ SynthError::Untrusted(_)) => State::Broken(e.to_string()),
        Err(_) => State::Missing,
    };
    let entry = |(name, purpose): (&'static str, &'static str)| {
        let install = if name == tools::LOADER { LOADER_SETUP } else { SETUP };
        Entry { name, state: state(name), needed: false, purpose, install: install.into() }
    };
    tools::PACKAGES.map(entry).into()
}

/// What a program that is to tell its version makes of it.
fn start(command: &mut Command) -> State {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(e) if e.kind() == ErrorKind::NotFound => return State::Missing,
        Err(e) => return State::Broken(e.to_string()),
    };
    let first = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes);
        text.lines().map(str::trim).find(|l| !l.is_empty()).map(str::to_owned)
    };
    let (out, err) = (first(&output.stdout), first(&output.stderr));
    if output.status.success() {
        return State::Ok(out.or(err).unwrap_or_else(|| "found".into()));
    }
    let said = err.or(out).unwrap_or_else(|| "it says nothing".into());
    State::Broken(format!("{}: {said}", output.status))
}

impl Entry {
    fn line(&self) -> String {
        let (name, purpose, install) = (self.name, self.purpose, &self.install);
        match &self.state {
            State::Ok(version) if name == "verilator" => {
                let oldest = version_text(OLDEST_VERILATOR);
                format!("ok       {name:<10} {version} ({oldest} or newer)")
            }
            State::Ok(version) => format!("ok       {name:<10} {version}"),
            State::Broken(why) => format!("broken   {name:<10} for {purpose}: {why}; {install}"),
            State::Missing => format!("missing  {name:<10} for {purpose}: {install}"),
        }
    }

    fn json(&self) -> Value {
        let (state, version, reason) = match &self.state {
            State::Ok(version) => ("ok", Some(version), None),
            State::Broken(why) => ("broken", None, Some(why)),
            State::Missing => ("missing", None, None),
        };
        let oldest = (self.name == "verilator").then(|| version_text(OLDEST_VERILATOR));
        json!({
            "state": state, "version": version, "reason": reason, "needed": self.needed, "purpose": self.purpose,
            "install": self.install, "oldest": oldest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_there_and_does_not_start_is_broken() {
        let shell = |script: &str| start(Command::new("sh").args(["-c", script]));
        assert_eq!(shell("echo; echo v1"), State::Ok("v1".into()));
        assert_eq!(shell("echo v2 >&2"), State::Ok("v2".into()));
        let why = "sh: error while loading shared libraries: libusb-1.0.so.0";
        assert_eq!(
            shell(&format!("echo '{why}' >&2; exit 127")),
            State::Broken(format!("exit status: 127: {why}"))
        );
        assert_eq!(start(&mut Command::new("/nowhere/tool")), State::Missing);
        assert!(matches!(start(&mut Command::new("/")), State::Broken(_)));
    }
}
