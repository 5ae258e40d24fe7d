//! Accelerators by name or file, and the engines that run them.

use crate::failure::usage;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_driver::{Device, Exact, Offload};
use tandem_model::{CycleModel, Twin};
use tandem_sim::{Sim, SimOptions};
use tandem_spec::{Config, Engine, RunOptions};

/// Accelerators that come with the program.
const BUILT_IN: [(&str, &str); 3] = [
    ("default", include_str!("../../../configs/accelerators/default.toml")),
    ("peer-8x8", include_str!("../../../configs/accelerators/peer-8x8.toml")),
    ("sparse-8x8x4", include_str!("../../../configs/accelerators/sparse-8x8x4.toml")),
];

/// Who runs the accelerator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineKind {
    /// The bit-exact twin with the exact cycle model.
    Model,
    /// Verilator on the generated Verilog.
    Sim,
    /// No accelerator: the f32 reference of the same network.
    Float,
}

impl EngineKind {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            EngineKind::Model => "model",
            EngineKind::Sim => "sim",
            EngineKind::Float => "float",
        }
    }
}

/// The accelerator of a file, or of a name (in `configs/accelerators/`, or built in).
pub fn accelerator(name: &str) -> Result<Config> {
    let path = Path::new(name);
    if path.extension().is_some() || path.exists() {
        return Ok(Config::from_file(path)?);
    }
    let local = PathBuf::from(format!("configs/accelerators/{name}.toml"));
    if local.exists() {
        return Ok(Config::from_file(&local)?);
    }
    match BUILT_IN.iter().find(|b| b.0 == name) {
        Some((name, text)) => Ok(Config::from_toml(&format!("{name}.toml (built in)"), text)?),
        None => Err(usage(format!("accelerator `{name}`: neither a file nor one of configs/accelerators/"))),
    }
}

/// The simulator, telling on stderr what it builds.
pub fn simulator(config: &Config, trace: Option<&Path>) -> Result<Sim> {
    let mut options = match trace {
        Some(file) => SimOptions::traced(file)?,
        None => SimOptions::default(),
    };
    let name = config.name.clone();
    options.progress = Some(Arc::new(move |step| eprintln!("simulator of {name}: {step}")));
    Ok(Sim::new(config, &options)?)
}

/// An engine that executes instruction streams.
pub fn engine(kind: EngineKind, config: &Config, trace: Option<&Path>) -> Result<Box<dyn Engine>> {
    if trace.is_some() && kind != EngineKind::Sim {
        return Err(usage("--trace: only `--engine sim` writes waveforms"));
    }
    match kind {
        EngineKind::Model => Ok(Box::new(Twin::new(config))),
        EngineKind::Sim => Ok(Box::new(simulator(config, trace)?)),
        EngineKind::Float => Err(usage("--engine float: has no accelerator; use model or sim")),
    }
}

/// A device that computes products.
pub fn device(kind: EngineKind, config: &Config, trace: Option<&Path>) -> Result<Box<dyn Device>> {
    let options = RunOptions { trace: trace.map(Path::to_path_buf), ..RunOptions::default() };
    if trace.is_some() && kind != EngineKind::Sim {
        return Err(usage("--trace: only `--engine sim` writes waveforms"));
    }
    match kind {
        EngineKind::Model => Ok(Box::new(Exact::new(config.clone(), CycleModel))),
        EngineKind::Sim => {
            Ok(Box::new(Offload::new(simulator(config, trace)?, CycleModel).with_options(options).strict()))
        }
        EngineKind::Float => Err(usage("--engine float: has no accelerator; use model or sim")),
    }
}
