//! `tandem run`: instruction streams in files.

use super::gemm::{OperandArgs, Operands};
use crate::Report;
use crate::engines::{self, EngineKind};
use crate::failure::{check, usage};
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_driver::Planner;
use tandem_model::CycleModel;
use tandem_spec::{Config, Instruction, Outcome, Packet, RunOptions, Status, Stream};

/// Most cycles of a replay.
const LIMIT: u64 = 10_000_000_000;

/// Arguments of `run`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Write the instruction stream of a matrix product.
    Record {
        /// Accelerator: a TOML file, or a name in configs/accelerators/.
        #[arg(short, long, value_name = "ACCEL", default_value = "default")]
        config: String,
        #[command(flatten)]
        operands: Box<OperandArgs>,
        /// The stream's file.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
    },
    /// Execute a stream.
    Replay {
        /// Accelerator: a TOML file, or a name in configs/accelerators/.
        #[arg(short, long, value_name = "ACCEL", default_value = "default")]
        config: String,
        /// Who executes it.
        #[arg(long, default_value = "model")]
        engine: EngineKind,
        /// Write a waveform (.vcd or .fst; only `--engine sim`).
        #[arg(long, value_name = "FILE")]
        trace: Option<PathBuf>,
        /// The stream's file.
        file: PathBuf,
    },
    /// Print a stream's instructions.
    Disasm {
        /// The stream's file.
        file: PathBuf,
    },
    /// Execute a stream on two engines and name the first instruction at which they differ.
    Diff {
        /// Accelerator: a TOML file, or a name in configs/accelerators/.
        #[arg(short, long, value_name = "ACCEL", default_value = "default")]
        config: String,
        /// The two engines.
        #[arg(long, num_args = 2, default_values = ["model", "sim"])]
        engines: Vec<EngineKind>,
        /// The stream's file.
        file: PathBuf,
    },
}

/// Runs the action.
pub fn run(args: &Args) -> Result<Report> {
    match &args.action {
        Action::Record { config, operands, output } => {
            record(&engines::accelerator(config)?, operands, output)
        }
        Action::Replay { config, engine, trace, file } => {
            let config = engines::accelerator(config)?;
            let outcome = execute(engine, &config, file, trace.as_deref())?;
            replayed(&outcome)
        }
        Action::Disasm { file } => disasm(file),
        Action::Diff { config, engines: kinds, file } => diff(&engines::accelerator(config)?, kinds, file),
    }
}

fn record(config: &Config, operands: &OperandArgs, output: &Path) -> Result<Report> {
    let operands = Operands::new(operands)?;
    let lowered = Planner::new(config.clone(), Arc::new(CycleModel)).lower(&operands.request())?;
    lowered.stream.save(output, config)?;
    let (list, _) = lowered.stream.instructions();
    let text =
        format!("{}: {} instructions, {} link words", output.display(), list.len(), lowered.stream.words());
    let json = serde_json::json!({ "instructions": list.len(), "link_words": lowered.stream.words() });
    Ok(Report::new(text, json))
}

fn load(config: &Config, file: &Path) -> Result<Stream> {
    let (stream, hash) = Stream::load(file)?;
    if hash != config.hash() {
        return Err(usage(format!(
            "{}: recorded for configuration {hash:016x}, but {} is {:016x}",
            file.display(),
            config.name,
            config.hash()
        )));
    }
    Ok(stream)
}

fn execute(kind: &EngineKind, config: &Config, file: &Path, trace: Option<&Path>) -> Result<Outcome> {
    let stream = load(config, file)?;
    let options =
        RunOptions { max_cycles: LIMIT, trace: trace.map(Path::to_path_buf), ..RunOptions::default() };
    Ok(engines::engine(kind, config, trace)?.run(&stream, &options)?)
}

fn describe(p: &Packet) -> String {
    let mut s = format!("{:>6} {:?}", p.instruction, p.kind);
    if let Some(reason) = p.reason {
        s += &format!(": {reason}");
    }
    if let Some(c) = p.counters() {
        s += &format!(": {} cycles, {} computing", c.total, c.compute_busy);
    } else if !p.data.is_empty() {
        s += &format!(": {} bytes, |v| within {:#x}, {} saturated", p.data.len(), p.summary[0], p.summary[1]);
    }
    s
}

fn replayed(o: &Outcome) -> Result<Report> {
    let mut lines: Vec<String> = o.packets.iter().map(describe).collect();
    lines.push(format!("{:?}", o.status));
    let text = lines.join("\n");
    let counters = o.packets.iter().rev().find_map(Packet::counters);
    let json = serde_json::json!({
        "status": format!("{:?}", o.status), "packets": o.packets.len(), "cycles": counters.map(|c| c.total),
    });
    if o.status == Status::Idle { Ok(Report::new(text, json)) } else { Err(check(text)) }
}

fn disasm(file: &Path) -> Result<Report> {
    let (stream, hash) = Stream::load(file)?;
    let (list, end) = stream.instructions();
    let mut lines = vec![format!("; configuration {hash:016x}, {}-bit link", stream.link_bytes * 8)];
    lines.extend(list.iter().enumerate().map(|(i, (at, ins))| format!("{i:>6} @{at:<8} {ins}")));
    if end < stream.words() {
        lines.push(format!("; word {end} of {}: not an instruction", stream.words()));
    }
    let text: Vec<String> = list.iter().map(|(_, i)| i.to_string()).collect();
    let json = serde_json::json!({ "instructions": text, "parsed_words": end, "link_words": stream.words() });
    Ok(Report::new(lines.join("\n"), json))
}

fn diff(config: &Config, kinds: &[EngineKind], file: &Path) -> Result<Report> {
    let (a, b) = (execute(&kinds[0], config, file, None)?, execute(&kinds[1], config, file, None)?);
    let at = a
        .packets
        .iter()
        .zip(&b.packets)
        .position(|(p, q)| p != q)
        .or_else(|| (a.packets.len() != b.packets.len()).then_some(a.packets.len().min(b.packets.len())));
    let Some(at) = at.or((a.status != b.status).then_some(a.packets.len())) else {
        let text = format!("no difference in {} packets, {:?}", a.packets.len(), a.status);
        return Ok(Report::new(text, serde_json::json!({ "different": false, "packets": a.packets.len() })));
    };
    let side = |o: &Outcome| o.packets.get(at).map_or(format!("{:?}", o.status), describe);
    let number = a.packets.get(at).or(b.packets.get(at)).map(|p| p.instruction);
    let (stream, _) = Stream::load(file)?;
    let list = stream.instructions().0;
    let instruction: Option<&Instruction> = number.and_then(|n| list.get(n as usize)).map(|(_, i)| i);
    Err(check(format!(
        "first difference at instruction {}: {}\n  {:?}: {}\n  {:?}: {}",
        number.map_or("?".into(), |n| n.to_string()),
        instruction.map_or("(end)".into(), ToString::to_string),
        kinds[0],
        side(&a),
        kinds[1],
        side(&b)
    )))
}
