//! `tandem run`: instruction streams in files.

use super::{Force, SetAccelerator};
use crate::Report;
use crate::engines::{self, EngineKind};
use crate::failure::{check, usage};
use crate::operands::{OperandArgs, Operands};
use anyhow::Result;
use clap::value_parser;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_driver::Planner;
use tandem_files::Output;
use tandem_model::{CycleModel, Twin};
use tandem_spec::{Config, Engine, Outcome, Packet, RunOptions, Status, Stream};

/// Most cycles of a program: an hour of simulation at 300,000 cycles a second.
const MOST_CYCLES: u64 = 1_000_000_000;

/// Arguments of `run`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand)]
enum Action {
    /// Write the instruction stream of a matrix product.
    #[command(allow_negative_numbers = true)]
    Record {
        /// Accelerator: a TOML file, or a name in configs/accelerators/.
        #[arg(short, long, value_name = "ACCEL", default_value = "default")]
        config: String,
        #[command(flatten)]
        set: SetAccelerator,
        #[command(flatten)]
        operands: Box<OperandArgs>,
        /// The stream's file.
        #[arg(short, long, value_name = "FILE")]
        output: PathBuf,
        #[command(flatten)]
        force: Force,
    },
    /// Execute a stream.
    #[command(allow_negative_numbers = true)]
    Replay {
        /// Accelerator: a TOML file, or a name in configs/accelerators/.
        #[arg(short, long, value_name = "ACCEL", default_value = "default")]
        config: String,
        #[command(flatten)]
        set: SetAccelerator,
        /// Who executes it.
        #[arg(long, default_value = "model")]
        engine: EngineKind,
        /// Give up after so many cycles.
        #[arg(long, value_name = "N", default_value_t = MOST_CYCLES, value_parser = value_parser!(u64).range(1..))]
        max_cycles: u64,
        /// Write a waveform (.vcd or .fst; only `--engine sim`).
        #[arg(long, value_name = "FILE")]
        trace: Option<PathBuf>,
        #[command(flatten)]
        force: Force,
        /// The stream's file.
        file: PathBuf,
    },
    /// Print a stream's instructions.
    Disasm {
        /// The stream's file.
        file: PathBuf,
    },
    #[command(allow_negative_numbers = true)]
    /// Execute a stream on two engines and name the first instruction at which they differ.
    Diff {
        /// Accelerator: a TOML file, or a name in configs/accelerators/.
        #[arg(short, long, value_name = "ACCEL", default_value = "default")]
        config: String,
        #[command(flatten)]
        set: SetAccelerator,
        /// The two engines.
        #[arg(long, num_args = 2, default_values = ["model", "sim"])]
        engines: Vec<EngineKind>,
        /// Give up after so many cycles.
        #[arg(long, value_name = "N", default_value_t = MOST_CYCLES, value_parser = value_parser!(u64).range(1..))]
        max_cycles: u64,
        /// The stream's file.
        file: PathBuf,
    },
}

/// Runs the action.
pub fn run(args: &Args) -> Result<Report> {
    match &args.action {
        Action::Record { config, set, operands, output, force } => {
            record(&set.read(config)?, operands, &Output::open(output, force.existing())?)
        }
        Action::Replay { config, set, engine, max_cycles, trace, force, file } => {
            super::output(trace.as_ref(), *force)?;
            let program = Program::load(set.read(config)?, file, *max_cycles)?;
            let outcome = program.execute(&program.checked()?, engine, trace.as_deref())?;
            replayed(&outcome, engine, *max_cycles)
        }
        Action::Disasm { file } => disasm(file),
        Action::Diff { config, set, engines: kinds, max_cycles, file } => {
            diff(&Program::load(set.read(config)?, file, *max_cycles)?, kinds)
        }
    }
}

fn record(config: &Config, operands: &OperandArgs, output: &Output) -> Result<Report> {
    let operands = Operands::new(operands)?;
    let lowered = Planner::new(config.clone(), Arc::new(CycleModel)).lower(&operands.request())?;
    output.write(&lowered.stream.encode(config))?;
    let (list, _) = lowered.stream.instructions();
    let text = format!(
        "{}: {} instructions, {} link words",
        output.path().display(),
        list.len(),
        lowered.stream.words()
    );
    let json = serde_json::json!({ "instructions": list.len(), "link_words": lowered.stream.words() });
    Ok(Report::new(text, json))
}

/// A recorded program and the accelerator that it is for.
struct Program {
    config: Config,
    stream: Stream,
    file: String,
    max_cycles: u64,
}

impl Program {
    fn load(config: Config, file: &Path, max_cycles: u64) -> Result<Self> {
        let (stream, hash) = Stream::load(file)?;
        let file = file.display().to_string();
        if hash != config.hash() {
            return Err(usage(format!(
                "{file}: recorded for configuration {hash:016x}, but {} is {:016x}",
                config.name,
                config.hash()
            )));
        }
        Ok(Program { config, stream, file, max_cycles })
    }

    fn options(&self, trace: Option<&Path>) -> RunOptions {
        let trace = trace.map(Path::to_path_buf);
        RunOptions { max_cycles: self.max_cycles, trace, ..RunOptions::default() }
    }

    /// An instruction by its number, as the listing has it.
    fn instruction(&self, number: u32) -> String {
        let list = self.stream.instructions().0;
        list.get(number as usize).map_or("(end)".into(), |(_, i)| i.to_string())
    }

    /// What the twin makes of it.
    ///
    /// # Errors   it has hazards: what engines would make of it is undefined
    fn checked(&self) -> Result<Outcome> {
        let mut twin = Twin::checked(&self.config);
        let outcome = twin.run(&self.stream, &self.options(None))?;
        let Some(first) = twin.hazards().first() else { return Ok(outcome) };
        let mut text = format!("{}: {first}", self.file);
        let mut both = [first.writer.instruction, first.reader.instruction];
        both.sort_unstable();
        for number in both {
            text += &format!("\n  {number:>6} {}", self.instruction(number));
        }
        let more = twin.hazards().len() - 1;
        if more > 0 {
            text += &format!("\n  and {more} more");
        }
        Err(check(text))
    }

    /// What an engine makes of it; `checked` is what the twin has made of it.
    fn execute(&self, checked: &Outcome, kind: &EngineKind, trace: Option<&Path>) -> Result<Outcome> {
        if matches!(kind, EngineKind::Model) && trace.is_none() {
            return Ok(checked.clone());
        }
        Ok(engines::engine(kind, &self.config, trace)?.run(&self.stream, &self.options(trace))?)
    }
}

/// What to say of an engine that was not done in time.
fn too_long(kind: &EngineKind, max_cycles: u64) -> String {
    format!("--max-cycles {max_cycles}: reached by {}, the program is not done", kind.name())
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

fn replayed(o: &Outcome, kind: &EngineKind, max_cycles: u64) -> Result<Report> {
    let mut lines: Vec<String> = o.packets.iter().map(describe).collect();
    lines.push(match o.status {
        Status::CycleLimit => too_long(kind, max_cycles),
        status => format!("{status:?}"),
    });
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

fn diff(program: &Program, kinds: &[EngineKind]) -> Result<Report> {
    let checked = program.checked()?;
    let (a, b) = (program.execute(&checked, &kinds[0], None)?, program.execute(&checked, &kinds[1], None)?);
    let at = a
        .packets
        .iter()
        .zip(&b.packets)
        .position(|(p, q)| p != q)
        .or_else(|| (a.packets.len() != b.packets.len()).then_some(a.packets.len().min(b.packets.len())));
    let Some(at) = at.or((a.status != b.status).then_some(a.packets.len())) else {
        if a.status == Status::CycleLimit {
            return Err(check(too_long(&kinds[0], program.max_cycles)));
        }
        let text = format!("no difference in {} packets, {:?}", a.packets.len(), a.status);
        return Ok(Report::new(text, serde_json::json!({ "different": false, "packets": a.packets.len() })));
    };
    let side = |o: &Outcome| o.packets.get(at).map_or(format!("{:?}", o.status), describe);
    let number = a.packets.get(at).or(b.packets.get(at)).map(|p| p.instruction);
    Err(check(format!(
        "first difference at instruction {}: {}\n  {}: {}\n  {}: {}",
        number.map_or("?".into(), |n| n.to_string()),
        number.map_or("(end)".into(), |n| program.instruction(n)),
        kinds[0].name(),
        side(&a),
        kinds[1].name(),
        side(&b)
    )))
}
