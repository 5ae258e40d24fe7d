//! `tandem`: generate an accelerator, check it, train on it.

mod arguments;
mod commands;
mod compare;
mod engines;
mod estimate;
mod failure;
mod filtering;
mod images;
mod npy;
mod operands;
mod picture;
mod quantize;
mod stop;
mod sweep;
mod variant;

use clap::{CommandFactory, Parser, Subcommand};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// Blocks of megabytes that a training step frees are there for the next one, without page faults.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains low-bit neural networks on an accelerator that it generates.
///
/// Exit codes: 0 success, 1 a failed check or a failing disk, 2 bad usage or configuration, 3 a missing or failing tool, 130 and 143
/// stopped by SIGINT and SIGTERM.
#[derive(Parser)]
#[command(name = "tandem", version)]
struct Cli {
    /// One JSON object on stdout; progress and logs on stderr.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Verilog, register and instruction reference, C header and file list.
    Generate(commands::generate::Args),
    /// One integer matrix product on the accelerator.
    Gemm(commands::gemm::Args),
    /// One product of a convolution on the accelerator.
    Conv(commands::conv::Args),
    /// Transforms on the accelerator's FFT unit: cycles, SNR.
    Fft(commands::fft::Args),
    /// Cycles of a network that need not be trained: experiments and SCALE-Sim topologies.
    Estimate(commands::estimate::Args),
    /// Instruction streams in files: record, replay, disassemble, compare.
    Run(commands::run::Args),
    /// Random programs on all engines, for your CI.
    Check(commands::check::Args),
    /// Train a network.
    Train(commands::train::Args),
    /// Evaluate a trained network on its test set.
    Eval(commands::eval::Args),
    /// Which quantizers suit a run's layers: distributions, signal to noise, and a choice under a budget.
    Quantize(commands::quantize::Args),
    /// A bitstream for a board: cells, Fmax, critical path.
    Synth(commands::synth::Args),
    /// Boards: program one, find out what one is, test one, simulate one.
    Board(commands::board::Args),
    /// One experiment in many variants: accuracy against cycles.
    Compare(commands::compare::Args),
    /// Many variants along axes: cycles first, then training, and the fronts of accuracy against cost.
    Sweep(commands::sweep::Args),
    /// Filters pictures.
    Filter(commands::filter::Args),
    /// Why one variant takes fewer cycles than another, layer by layer.
    Explain(commands::explain::Args),
    /// Data sets.
    Data(commands::data::Args),
    /// Which tools were found, which are missing, how to install them.
    Doctor(commands::doctor::Args),
    /// Shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
}

/// What a command prints: text for people, an object for scripts.
pub struct Report {
    text: String,
    json: serde_json::Value,
    code: u8,
}

impl Report {
    /// A report in both forms.
    pub fn new(text: impl Into<String>, json: serde_json::Value) -> Self {
        Report { text: text.into(), json, code: 0 }
    }

    /// The same with another exit code than 0.
    pub fn with_code(self, code: u8) -> Self {
        Report { code, ..self }
    }
}

fn run(cli: &Cli) -> anyhow::Result<Report> {
    tandem_kernels::Level::asked_for().map_err(|error| failure::usage(format!("TANDEM_KERNELS: {error}")))?;
    match &cli.command {
        Command::Generate(a) => commands::generate::run(a),
        Command::Gemm(a) => commands::gemm::run(a),
        Command::Conv(a) => commands::conv::run(a),
        Command::Fft(a) => commands::fft::run(a),
        Command::Estimate(a) => commands::estimate::run(a),
        Command::Run(a) => commands::run::run(a),
        Command::Check(a) => commands::check::run(a),
        Command::Train(a) => commands::train::run(a),
        Command::Eval(a) => commands::eval::run(a),
        Command::Quantize(a) => commands::quantize::run(a),
        Command::Synth(a) => commands::synth::run(a),
        Command::Board(a) => commands::board::run(a),
        Command::Compare(a) => commands::compare::run(a),
        Command::Sweep(a) => commands::sweep::run(a),
        Command::Filter(a) => commands::filter::run(a),
        Command::Explain(a) => commands::explain::run(a),
        Command::Data(a) => commands::data::run(a),
        Command::Doctor(a) => commands::doctor::run(a),
        Command::Completions { shell } => {
            let mut script = vec![];
            clap_complete::generate(*shell, &mut Cli::command(), "tandem", &mut script);
            let script = String::from_utf8(script)?;
            Ok(Report::new(script.clone(), serde_json::json!({ "script": script })))
        }
    }
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TANDEM_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn"));
    // colours are for terminals
    let log = tracing_subscriber::fmt().with_ansi(std::io::stderr().is_terminal());
    log.with_env_filter(filter).with_writer(std::io::stderr).init();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let report = run(&cli).unwrap_or_else(|error| {
        let (code, text) = (failure::exit_code(&error), failure::text(&error));
        eprintln!("error: {text}");
        Report::new("", serde_json::json!({ "error": text, "exit_code": code })).with_code(code)
    });
    let text = if cli.json { report.json.to_string() } else { report.text };
    ExitCode::from(if text.is_empty() { report.code } else { print(&text, report.code) })
}

/// Prints help, the version, or what is wrong with the arguments.
fn refuse(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(2);
    if error.use_stderr() && std::env::args().any(|a| a == "--json") {
        let text = error.render().to_string();
        print(&serde_json::json!({ "error": text.trim_end(), "exit_code": code }).to_string(), code);
    }
    match error.print() {
        Err(_) if !error.use_stderr() => ExitCode::from(1),
        _ => ExitCode::from(code),
    }
}

/// Prints a line or lines on stdout. The exit code is 1 instead of 0 if nobody can read them.
fn print(text: &str, code: u8) -> u8 {
    let mut out = std::io::stdout().lock();
    let Err(error) = writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()) else { return code };
    // a reader that is gone (`| head`) knows it
    if error.kind() != std::io::ErrorKind::BrokenPipe {
        eprintln!("error: stdout: {error}");
    }
    code.max(1)
}
