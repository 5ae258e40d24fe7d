//! The board on its pseudo-terminal.

use super::faults::{FaultRate, Injector, Item};
use super::line::{LineIn, LineOut};
use super::model::{BoardModel, pin};
use super::pty::Pty;
use crate::options::SimOptions;
use crate::recipe::command::io_error;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tandem_spec::link::BoardLink;
use tandem_spec::{Config, EngineError};

/// Clocks between looks at the pseudo-terminal.
const CHUNK: usize = 1024;
/// How long an idle board sleeps between looks.
const NAP: Duration = Duration::from_millis(20);
/// How long the simulation waits for a program that does not read before bytes are lost.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long the port is gone when the cable is pulled.
const GONE: Duration = Duration::from_millis(300);

/// What is simulated around the board.
#[derive(Clone, Debug)]
pub struct EmulatorOptions {
    /// The board's side of the link.
    pub link: BoardLink,
    /// Faults on the line, in both directions.
    pub faults: FaultRate,
    /// A symbolic link to the port, which survives its being reopened.
    pub port_link: Option<PathBuf>,
    /// Pull the cable once, when so many bytes have come from the host: the port vanishes, the board loses power, and both
    /// come back.
    pub unplug_after: Option<u64>,
}

impl EmulatorOptions {
    /// A board with a clock of 12 MHz, so that 3 Mbaud are 4 clocks a bit, without faults.
    pub fn new() -> Self {
        EmulatorOptions {
            link: BoardLink::new(12_000_000),
            faults: FaultRate::NONE,
            port_link: None,
            unplug_after: None,
        }
    }
}

impl Default for EmulatorOptions {
    fn default() -> Self {
        EmulatorOptions::new()
    }
}

/// What has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Clock cycles simulated.
    pub cycles: u64,
    /// Bytes from the host.
    pub bytes_in: u64,
    /// Bytes to the host.
    pub bytes_out: u64,
    /// Faults injected.
    pub faults: u64,
    /// Times that the cable was pulled.
    pub unplugged: u64,
    /// Bytes that the program did not read in time.
    pub lost: u64,
}

/// A simulated board.
///
/// Time stands still while nothing happens, so that an idle board costs nothing.
pub struct Emulator {
    options: EmulatorOptions,
    model: BoardModel,
    pty: Pty,
    to_board: LineOut,
    from_board: LineIn,
    damage_in: Injector,
    damage_out: Injector,
    /// Bytes on their way to the program.
    towards: VecDeque<Item>,
    /// Bytes for the program that have arrived.
    arrived: Vec<u8>,
    totals: Totals,
}

impl Emulator {
    /// The accelerator of `config` on a board.
    ///
    /// # Errors
    /// As [`BoardModel::new`]; [`EngineError::Io`] if there is no pseudo-terminal or its link cannot be made.
    pub fn new(config: &Config, options: EmulatorOptions, build: &SimOptions) -> Result<Self, EngineError> {
        let model = BoardModel::new(config, &options.link, build)?;
        let pty = open(&options)?;
        let clock = options.link.clock_hz;
        Ok(Emulator {
            model,
            pty,
            to_board: LineOut::new(clock),
            from_board: LineIn::new(clock),
            damage_in: Injector::new(options.faults, 0),
            damage_out: Injector::new(options.faults, 1),
            towards: VecDeque::new(),
            arrived: vec![],
            totals: Totals::default(),
            options,
        })
    }

    /// The port to open: the symbolic link, if there is one.
    pub fn port(&self) -> &Path {
        self.options.port_link.as_deref().unwrap_or(self.pty.path())
    }

    /// What has happened so far.
    pub fn totals(&self) -> Totals {
        Totals { faults: self.damage_in.total() + self.damage_out.total(), ..self.totals }
    }

    /// Simulates until `stop` is set.
    ///
    /// # Errors
    /// [`EngineError::Io`] if the pseudo-terminal fails.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), EngineError> {
        let (mut levels, mut samples) = (vec![1; CHUNK], vec![]);
        while !stop.load(Ordering::Relaxed) {
            self.receive().map_err(|e| io_error(self.pty.path(), e))?;
            if self.options.unplug_after.is_some_and(|n| self.totals.bytes_in >= n) {
                self.options.unplug_after = None;
                self.unplug(stop)?;
            }
            let moved = self.clock(&mut levels, &mut samples).map_err(|e| io_error(self.pty.path(), e))?;
            if !moved {
                self.pty
                    .release()
                    .and_then(|()| self.pty.wait(false, NAP))
                    .map_err(|e| io_error(self.pty.path(), e))?;
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        // what is on the line already was sent at its own rate
        if self.to_board.queue.len() < 64 {
            let n = self.pty.read(&mut buffer)?;
            self.totals.bytes_in += n as u64;
            buffer[..n].iter().for_each(|b| self.damage_in.pass(*b, &mut self.to_board.queue));
        }
        Ok(())
    }

    /// Simulates a chunk; whether anything happened in it.
    fn clock(&mut self, levels: &mut [u8], samples: &mut Vec<u8>) -> io::Result<bool> {
        let baud = self.pty.baud()?;
        let before = self.to_board.is_idle() && self.from_board.is_idle() && self.towards.is_empty();
        levels.iter_mut().for_each(|l| *l = self.to_board.level(baud));
        self.model.clock(levels, samples);
        self.totals.cycles += levels.len() as u64;
        let mut quiet = before;
        for sample in samples.iter() {
            quiet &= sample & (pin::TX | pin::LED_BUSY) == pin::TX;
            if let Some(byte) = self.from_board.level(*sample, baud) {
                self.damage_out.pass(byte, &mut self.towards);
            }
        }
        self.deliver(baud)?;
        Ok(!quiet)
    }

    /// Gives the program what has arrived; a pause holds back what follows.
    fn deliver(&mut self, baud: u32) -> io::Result<()> {
        let chunk_bytes =
            (CHUNK as u64 * u64::from(baud) / u64::from(self.options.link.clock_hz) / 10).max(1);
        while let Some(item) = self.towards.front_mut() {
            match item {
                Item::Byte(b) => self.arrived.push(*b),
                Item::Pause(n) if u64::from(*n) > chunk_bytes => {
                    *n -= chunk_bytes as u32;
                    break;
                }
                Item::Pause(_) => {}
            }
            self.towards.pop_front();
        }
        let mut sent = 0;
        while sent < self.arrived.len() {
            let mut n = self.pty.write(&self.arrived[sent..])?;
            if n == 0 {
                self.pty.wait(true, PATIENCE)?;
                n = self.pty.write(&self.arrived[sent..])?;
            }
            if n == 0 {
                self.totals.lost += (self.arrived.len() - sent) as u64;
                break;
            }
            self.totals.bytes_out += n as u64;
            sent += n;
        }
        self.arrived.clear();
        Ok(())
    }

    fn unplug(&mut self, stop: &AtomicBool) -> Result<(), EngineError> {
        self.totals.unplugged += 1;
        if let Some(link) = &self.options.port_link {
            std::fs::remove_file(link).map_err(|e| io_error(link, e))?;
        }
        // a second pseudo-terminal first, so that the new port has another name, as a board may have
        let mut next = Pty::open().map_err(|e| io_error(Path::new("/dev/ptmx"), e))?;
        std::mem::swap(&mut self.pty, &mut next);
        drop(next);
        self.model.power_cycle();
        let clock = self.options.link.clock_hz;
        (self.to_board, self.from_board) = (LineOut::new(clock), LineIn::new(clock));
        self.towards.clear();
        let mut gone = Duration::ZERO;
        while gone < GONE && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(NAP);
            gone += NAP;
        }
        link_port(&self.options, &self.pty)
    }
}

fn open(options: &EmulatorOptions) -> Result<Pty, EngineError> {
    let pty = Pty::open().map_err(|e| io_error(Path::new("/dev/ptmx"), e))?;
    link_port(options, &pty)?;
    Ok(pty)
}

fn link_port(options: &EmulatorOptions, pty: &Pty) -> Result<(), EngineError> {
    let Some(link) = &options.port_link else { return Ok(()) };
    if link.is_symlink() {
        std::fs::remove_file(link).map_err(|e| io_error(link, e))?;
    }
    std::os::unix::fs::symlink(pty.path(), link).map_err(|e| io_error(link, e))
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Some(link) = &self.options.port_link {
            // nobody is left to tell
            let _ = std::fs::remove_file(link);
        }
    }
}
