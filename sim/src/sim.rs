//! The engine `sim`.

use crate::default_model;
use crate::ffi::{Batch, End, Model, Ports};
use crate::library;
use crate::options::SimOptions;
use crate::recipe::design::Waveform;
use crate::recipe::{Design, Interface};
use std::ffi::CString;
use std::fs::File;
use std::path::{Path, PathBuf};
use tandem_spec::isa::Who;
use tandem_spec::packet::PacketError;
use tandem_spec::{Config, Engine, EngineError, Outcome, Packet, RunOptions, Status, Stream};

/// A simulated accelerator.
///
/// Memories, tokens and counters live on from run to run; a new value starts as hardware does after
/// configuration.
pub struct Sim {
    config: Config,
    model: Model,
    waveform: Option<Waveform>,
    /// The waveform that is being written.
    open_trace: Option<PathBuf>,
    /// Bytes from the accelerator that are not yet a whole packet.
    received: Vec<u8>,
    cycles: u64,
}

impl Sim {
    /// Simulates the accelerator of `config`.
    ///
    /// The default accelerator (`configs/accelerators/default.toml`) without waveforms is part of this
    /// library; any other is taken from the cache, or built into it first.
    ///
    /// # Errors
    /// [`EngineError::Tool`] if the Verilog cannot be generated, or if Verilator or the C++ compiler is
    /// missing or fails; [`EngineError::Io`] if the cache cannot be written.
    pub fn new(config: &Config, options: &SimOptions) -> Result<Sim, EngineError> {
        if options.waveform.is_none() && config.hash() == default_model::HASH {
            let what = |what| EngineError::Tool { tool: "sim".into(), what };
            return Ok(Sim::around(config, default_model::new().map_err(what)?, None));
        }
        let emitted = tandem_rtl::emit(config)
            .map_err(|e| EngineError::Tool { tool: "tandem-rtl".into(), what: e.to_string() })?;
        let interface = Interface::Link { bits: config.link_bits };
        let design = Design { verilog: emitted.text(), top: emitted.top().name.clone(), interface };
        Sim::of_design(config, &design, options)
    }

    /// Simulates given Verilog that has the accelerator's ports, whatever `config` would generate.
    /// Always goes through the cache.
    ///
    /// # Errors
    /// As [`Sim::new`]; [`EngineError::Link`] if the link widths of `config` and `design` differ.
    pub fn of_design(config: &Config, design: &Design, options: &SimOptions) -> Result<Sim, EngineError> {
        let bits = config.link_bits;
        match design.interface {
            Interface::Link { bits: found } if found == bits => {}
            Interface::Link { bits: found } => {
                return Err(EngineError::Link(format!(
                    "the configuration has {bits} bits, the Verilog {found}"
                )));
            }
            Interface::Pins => {
                return Err(EngineError::Link("the Verilog is a board, not an accelerator".into()));
            }
        }
        Ok(Sim::around(config, library::model(design, bits, options)?, options.waveform))
    }

    fn around(config: &Config, model: Model, waveform: Option<Waveform>) -> Sim {
        let config = config.clone();
        Sim { config, model, waveform, open_trace: None, received: vec![], cycles: 0 }
    }

    /// Clock cycles simulated so far.
    pub fn cycles(&self) -> u64 {
        self.cycles
    }

    /// The bare loop that [`Engine::run`] is measured against: `cycles` times clock and eval, with the
    /// words of `stream` offered as they are taken, no stalls, no end, output dropped. An empty stream
    /// leaves clock and eval alone.
    ///
    /// Afterwards the accelerator is in whatever state this left it in: use a value of its own.
    ///
    /// # Errors
    /// [`EngineError::Link`] if the stream is for another link.
    pub fn raw_cycles(&mut self, stream: &Stream, cycles: u64) -> Result<(), EngineError> {
        self.check(stream)?;
        self.model.raw(cycles, &stream.bytes, &stream.first);
        self.cycles += cycles;
        Ok(())
    }

    fn check(&self, stream: &Stream) -> Result<(), EngineError> {
        let (words, link) = (stream.words(), self.config.link_bytes());
        if stream.link_bytes != link || stream.bytes.len() != words * link {
            return Err(EngineError::Link(format!(
                "{words} words of {} bytes in {} bytes: expected words of {link} bytes",
                stream.link_bytes,
                stream.bytes.len()
            )));
        }
        Ok(())
    }

    /// Opens, keeps or closes the waveform, so that the next run goes to `file`.
    fn trace_to(&mut self, file: Option<&Path>) -> Result<(), EngineError> {
        if self.open_trace.as_deref() == file {
            return Ok(());
        }
        if let Some(open) = self.open_trace.take() {
            self.model.trace_flush(true).map_err(|e| io(&open, e))?;
        }
        let Some(file) = file else { return Ok(()) };
        if Some(Waveform::of(file)?) != self.waveform {
            let can = self.waveform.map_or("no waveforms".into(), |w| format!("{w:?} waveforms only"));
            let what = format!("waveform {}: this simulation was built for {can}", file.display());
            return Err(EngineError::Tool { tool: "sim".into(), what });
        }
        File::create(file).map_err(|e| io(file, e))?;
        let name = CString::new(file.as_os_str().as_encoded_bytes()).map_err(|e| io(file, e.into()))?;
        self.model.trace_open(&name).map_err(|e| io(file, e))?;
        self.open_trace = Some(file.to_path_buf());
        Ok(())
    }

    /// The whole packets among the received bytes. Only a run that was cut may leave a part behind.
    fn packets(&mut self, status: Status) -> Result<Vec<Packet>, EngineError> {
        let bytes = std::mem::take(&mut self.received);
        let link = self.config.link_bytes();
        let packets = match Packet::parse_all(&bytes, link) {
            Err(PacketError::Cut { at, .. }) if status == Status::CycleLimit => {
                self.received = bytes[at..].to_vec();
                Packet::parse_all(&bytes[..at], link)
            }
            parsed => parsed,
        };
        packets.map_err(|e| EngineError::Link(e.to_string()))
    }
}

impl Engine for Sim {
    fn name(&self) -> &str {
        "sim"
    }

    fn config(&self) -> &Config {
        &self.config
    }

    /// # Timing
    /// Cycle 0 is the first of this run, also for the stall patterns. The run ends with the first cycle
    /// in which all words have been taken and nothing moves any more; that cycle is not clocked, it is
    /// cycle 0 of the next run. After a [`Status::CycleLimit`], words that were not taken are gone,
    /// and the rest of a packet that was cut comes with the next run.
    ///
    /// # Waveforms
    /// [`RunOptions::trace`] starts a file (an existing one is overwritten); further runs that name the
    /// same file continue it, any other run ends it. Cycle t of the file is the time from 10·t to
    /// 10·t + 10 ns: registers change at its start, inputs in its middle.
    ///
    /// # Errors
    /// [`EngineError::Link`] if the stream is for another link or the accelerator sends no packets;
    /// [`EngineError::Io`] if the waveform cannot be written; [`EngineError::Tool`] if this value was
    /// not made for waveforms (see [`SimOptions::waveform`]).
    fn run(&mut self, stream: &Stream, options: &RunOptions) -> Result<Outcome, EngineError> {
        self.check(stream)?;
        self.trace_to(options.trace.as_deref())?;
        let batch = Batch {
            words: &stream.bytes,
            first: &stream.first,
            stall_in: &options.stall_in.pattern,
            stall_out: &options.stall_out.pattern,
            max_cycles: options.max_cycles,
        };
        let report = self.model.run(&batch, &mut self.received);
        self.cycles += report.cycles;
        if let Some(file) = &self.open_trace {
            self.model.trace_flush(false).map_err(|e| io(file, e))?;
        }
        let status = status(report.end, &report.ports);
        Ok(Outcome { status, packets: self.packets(status)? })
    }
}

/// Where the accelerator stands, from its ports.
fn status(end: End, ports: &Ports) -> Status {
    let on = |port: u32| port != 0;
    let pending = [
        (Who::Compute, on(ports.compute_pending), ports.compute_number),
        (Who::Store, on(ports.store_pending), ports.store_number),
    ];
    let blocked = pending.iter().filter(|p| p.1).min_by_key(|p| p.2);
    match blocked {
        _ if end == End::CycleLimit => Status::CycleLimit,
        _ if on(ports.failed) => Status::Failed,
        _ if !on(ports.boundary) => Status::Starved { instruction: ports.load_number },
        Some(&(engine, _, instruction)) => Status::Blocked { engine, instruction },
        None => Status::Idle,
    }
}

fn io(file: &Path, source: std::io::Error) -> EngineError {
    crate::recipe::command::io_error(file, source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_for_every_state() {
        let idle = Ports { waiting: 1, boundary: 1, quiet: 1, load_number: 9, ..Ports::default() };
        let compute = Ports { compute_pending: 1, compute_number: 4, ..idle };
        let both = |store_number| Ports { store_pending: 1, store_number, ..compute };
        let store = Ports { compute_pending: 0, ..both(7) };
        let finished = |p: &Ports| status(End::Finished, p);
        assert_eq!(finished(&idle), Status::Idle);
        assert_eq!(finished(&compute), Status::Blocked { engine: Who::Compute, instruction: 4 });
        assert_eq!(finished(&store), Status::Blocked { engine: Who::Store, instruction: 7 });
        assert_eq!(finished(&both(7)), Status::Blocked { engine: Who::Compute, instruction: 4 });
        assert_eq!(finished(&both(3)), Status::Blocked { engine: Who::Store, instruction: 3 });
        assert_eq!(finished(&Ports { boundary: 0, ..compute }), Status::Starved { instruction: 9 });
        assert_eq!(finished(&Ports { failed: 1, ..compute }), Status::Failed);
        assert_eq!(status(End::CycleLimit, &idle), Status::CycleLimit);
    }
}
