//! Accelerators by name or file, and the engines that run them.

use crate::failure::usage;
use anyhow::Result;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock};
use tandem_driver::{Device, Exact, Offload};
use tandem_link::{LinkOptions, SerialEngine, SerialPort, Statistics};
use tandem_model::{CycleModel, Twin};
use tandem_nn::backend::Backend;
use tandem_nn::config::{Document, Setting};
use tandem_sim::{Sim, SimOptions};
use tandem_spec::link::{INITIAL_BAUD, RATES};
use tandem_spec::{Config, ConfigError, Engine, RunOptions};

/// Accelerators that come with the program, those of `configs/accelerators/`: name and file.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/accelerators.rs"));

/// Who runs the accelerator.
#[derive(Clone, Debug)]
pub enum EngineKind {
    /// The bit-exact twin with the exact cycle model.
    Model,
    /// Verilator on the generated Verilog.
    Sim,
    /// No accelerator: the f32 reference of the same network.
    Float,
    /// A board on a serial port.
    Serial(Board),
}

/// A board, and what its link has carried once it is open.
#[derive(Clone, Debug)]
pub struct Board {
    /// The port.
    pub port: String,
    /// Its initial rate.
    pub baud: u32,
    carried: Arc<OnceLock<Arc<Mutex<Statistics>>>>,
}

impl EngineKind {
    /// Whether cycles are those of the prediction: not if a line holds the accelerator up.
    pub fn is_cycle_exact(&self) -> bool {
        !matches!(self, EngineKind::Serial(_))
    }

    /// What the link has carried, if there is one.
    pub fn carried(&self) -> Option<Statistics> {
        let EngineKind::Serial(board) = self else { return None };
        board.carried.get().map(|s| *s.lock().expect("no panic while it is held"))
    }
}

impl FromStr for EngineKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "model" => Ok(EngineKind::Model),
            "sim" => Ok(EngineKind::Sim),
            "float" => Ok(EngineKind::Float),
            _ => match text.strip_prefix("serial:") {
                Some(place) => Ok(EngineKind::Serial(place.parse()?)),
                None => Err("expected model, sim, float or serial:PORT[@BAUD]".into()),
            },
        }
    }
}

impl FromStr for Board {
    type Err = String;

    /// `PORT` or `PORT@BAUD`, the initial rate.
    fn from_str(text: &str) -> Result<Self, String> {
        let (port, baud) = match text.rsplit_once('@') {
            None => (text, INITIAL_BAUD),
            Some((port, baud)) => {
                let rate = baud.parse().ok().filter(|b| (300..=RATES[0]).contains(b));
                (port, rate.ok_or_else(|| format!("baud rate `{baud}`: expected 300 to {}", RATES[0]))?)
            }
        };
        if port.is_empty() {
            return Err("a port is missing: expected PORT or PORT@BAUD, for instance /dev/ttyUSB0".into());
        }
        Ok(Board { port: port.into(), baud, carried: Arc::default() })
    }
}

impl EngineKind {
    /// Its name on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            EngineKind::Model => "model",
            EngineKind::Sim => "sim",
            EngineKind::Float => "float",
            EngineKind::Serial(_) => "serial",
        }
    }
}

/// The accelerator of a file, or of a name (in `configs/accelerators/`, or built in).
pub fn accelerator(name: &str) -> Result<Config> {
    accelerator_with(name, vec![])
}

/// The same with settings made.
///
/// # Errors   a setting that cannot be made; what is not allowed names the settings beside the file
pub fn accelerator_with(name: &str, settings: Vec<Setting>) -> Result<Config> {
    let path = place(name);
    let (file, stem, text) = match &path {
        Some(path) => {
            let file = path.display().to_string();
            let text = tandem_files::read_text(path)
                .map_err(|source| ConfigError::Read { file: file.clone(), source })?;
            (file, path.file_stem().unwrap_or_default().to_string_lossy().into_owned(), text)
        }
        None => match BUILT_IN.iter().find(|b| b.0 == name) {
            Some((name, text)) => {
                (format!("{name}.toml (built in)"), "unnamed".to_owned(), (*text).to_owned())
            }
            None => {
                let known: Vec<&str> = BUILT_IN.iter().map(|b| b.0).collect();
                return Err(usage(format!(
                    "accelerator `{name}`: neither a file nor one of {}",
                    known.join(", ")
                )));
            }
        },
    };
    let made = settings.iter().fold(file.clone(), |made, setting| format!("{made} {}", setting.origin()));
    let text =
        if settings.is_empty() { text } else { Document::new(file, text).with(settings)?.text().to_owned() };
    Ok(Config::from_toml_named(&made, &stem, &text)?)
}

/// The file that a name stands for, unless it is built in.
fn place(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.extension().is_some() || name.contains('/') || path.is_file() {
        return Some(path.to_owned());
    }
    let local = PathBuf::from(format!("configs/accelerators/{name}.toml"));
    local.exists().then_some(local)
}

/// The accelerators that come with the program.
pub fn built_in() -> impl Iterator<Item = Config> {
    BUILT_IN
        .iter()
        .filter_map(|(name, text)| Config::from_toml(&format!("{name}.toml (built in)"), text).ok())
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

/// The board, checked to have the accelerator of `config`.
pub fn board(board: &Board, config: &Config) -> Result<SerialEngine> {
    let options = LinkOptions { initial_baud: board.baud, ..LinkOptions::default() };
    let engine = SerialEngine::open(Box::new(SerialPort::new(&board.port)), config, options)?;
    // the first engine on it is the one that is reported
    let _ = board.carried.set(engine.carried());
    Ok(engine)
}

/// An engine that executes instruction streams.
pub fn engine(kind: &EngineKind, config: &Config, trace: Option<&Path>) -> Result<Box<dyn Engine>> {
    if trace.is_some() && !matches!(kind, EngineKind::Sim) {
        return Err(usage("--trace: only `--engine sim` writes waveforms"));
    }
    match kind {
        EngineKind::Model => Ok(Box::new(Twin::new(config))),
        EngineKind::Sim => Ok(Box::new(simulator(config, trace)?)),
        EngineKind::Serial(port) => Ok(Box::new(board(port, config)?)),
        EngineKind::Float => Err(usage("--engine float: has no accelerator; use model or sim")),
    }
}

/// A device that computes products.
pub fn device(kind: &EngineKind, config: &Config, trace: Option<&Path>) -> Result<Box<dyn Device>> {
    let options = RunOptions { trace: trace.map(Path::to_path_buf), ..RunOptions::default() };
    if trace.is_some() && !matches!(kind, EngineKind::Sim) {
        return Err(usage("--trace: only `--engine sim` writes waveforms"));
    }
    match kind {
        EngineKind::Model => Ok(Box::new(Exact::new(config.clone(), CycleModel))),
        EngineKind::Sim => {
            Ok(Box::new(Offload::new(simulator(config, trace)?, CycleModel).with_options(options).strict()))
        }
        EngineKind::Serial(port) => Ok(Box::new(Offload::new(board(port, config)?, CycleModel))),
        EngineKind::Float => Err(usage("--engine float: has no accelerator; use model or sim")),
    }
}

/// Who computes the products of a training.
pub fn backend(kind: &EngineKind, config: &Config, trace: Option<&Path>) -> Result<Backend> {
    Ok(match kind {
        EngineKind::Float => Backend::Float,
        kind => Backend::Device(device(kind, config, trace)?),
    })
}

/// What a link has carried, for people.
pub fn carried_text(s: &Statistics) -> String {
    format!(
        "link: {:.1} kB/s at {} baud, {} frames sent again, {} asked for again, {} damaged here, {} at the board, \
         {} reconnects",
        s.throughput() / 1e3,
        s.baud,
        s.frames_resent,
        s.frames_requested,
        s.damaged,
        s.damaged_at_board,
        s.reconnects
    )
}

/// What a link has carried, for scripts.
pub fn carried_json(s: &Statistics) -> serde_json::Value {
    serde_json::json!({
        "baud": s.baud, "bytes_per_s": s.throughput(), "payload_bytes": s.payload, "busy_s": s.busy.as_secs_f64(),
        "bytes_out": s.bytes_out, "bytes_in": s.bytes_in, "frames_sent": s.frames_sent,
        "frames_received": s.frames_received, "retransmissions": s.retransmissions(),
        "frames_resent": s.frames_resent, "frames_requested": s.frames_requested, "duplicates": s.duplicates,
        "damaged": s.damaged, "damaged_at_board": s.damaged_at_board, "polls": s.polls,
        "reconnects": s.reconnects, "replays": s.replays,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accelerators_are_those_of_the_folder_and_valid() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/accelerators");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, BUILT_IN.iter().map(|b| b.0).collect::<Vec<_>>());
        for (name, text) in BUILT_IN {
            let of_file = Config::from_file(&Path::new(folder).join(format!("{name}.toml"))).unwrap();
            assert_eq!(Config::from_toml(name, text).unwrap().hash(), of_file.hash());
        }
    }
}
