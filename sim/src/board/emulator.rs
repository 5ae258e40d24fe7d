//! The board on its pseudo-terminal.

use super::disturbance::{Noise, NoiseClock, Stick};
use super::faults::{FaultRate, Injector, Item};
use super::line::{LineIn, LineOut};
use super::model::{BoardModel, pin};
use super::port_link::{PortLink, PortLinkError};
use super::pty::Pty;
use crate::options::SimOptions;
use crate::recipe::command::io_error;
use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
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
    /// Noise on both lines.
    pub noise: Option<Noise>,
    /// Both lines stick once.
    pub stick: Option<Stick>,
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
            noise: None,
            stick: None,
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

/// Why a board cannot be simulated.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Its model cannot be built, or the pseudo-terminal fails.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Its port's link cannot be made.
    #[error(transparent)]
    Link(#[from] PortLinkError),
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
    /// Bytes of noise, on both lines.
    pub noise: u64,
    /// Times that the lines stuck.
    pub stuck: u64,
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
    /// Before the pseudo-terminal, so that the link goes first.
    link: Option<PortLink>,
    pty: Pty,
    to_board: LineOut,
    from_board: LineIn,
    damage_in: Injector,
    damage_out: Injector,
    noise: NoiseClock,
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
    /// [`BoardModel::new`], [`Emulator::with_model`].
    pub fn new(config: &Config, options: EmulatorOptions, build: &SimOptions) -> Result<Self, EmulatorError> {
        let model = BoardModel::new(config, &options.link, build)?;
        Emulator::with_model(model, options)
    }

    /// A board that is built, with the same link.
    ///
    /// # Errors
    /// [`EngineError::Io`] if there is no pseudo-terminal, [`PortLinkError`] if its link cannot be made.
    pub fn with_model(model: BoardModel, options: EmulatorOptions) -> Result<Self, EmulatorError> {
        let pty = open()?;
        let clock = options.link.clock_hz;
        Ok(Emulator {
            model,
            link: name(&options, &pty)?,
            pty,
            to_board: LineOut::new(clock),
            from_board: LineIn::new(clock),
            damage_in: Injector::new(options.faults, 0),
            damage_out: Injector::new(options.faults, 1),
            noise: NoiseClock::new(options.noise),
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
    /// [`EngineError::Io`] if the pseudo-terminal fails; [`PortLinkError`] if the port's link cannot be made again after the cable
    /// was pulled.
    pub fn run(&mut self, stop: &AtomicBool) -> Result<(), EmulatorError> {
        let (mut levels, mut samples) = (vec![1; CHUNK], vec![]);
        while !stop.load(Ordering::Relaxed) {
            self.receive().map_err(|e| io_error(self.pty.path(), e))?;
            if self.options.unplug_after.is_some_and(|n| self.totals.bytes_in >= n) {
                self.options.unplug_after = None;
                self.unplug(stop)?;
            }
            if let Some(stick) = self.options.stick.take_if(|s| self.totals.bytes_in >= s.after) {
                self.stick(&stick, stop).map_err(|e| io_error(self.pty.path(), e))?;
            }
            let moved = self.clock(&mut levels, &mut samples).map_err(|e| io_error(self.pty.path(), e))?;
            let mut time = Duration::from_secs(CHUNK as u64) / self.options.link.clock_hz;
            if !moved {
                let begun = Instant::now();
                self.nap().map_err(|e| io_error(self.pty.path(), e))?;
                time = begun.elapsed();
            }
            for _ in 0..self.noise.pass(time) {
                self.to_board.queue.push_front(self.damage_in.any());
                self.towards.push_back(self.damage_out.any());
                self.totals.noise += 2;
            }
        }
        Ok(())
    }

    /// Waits for the program, while another one may open the port.
    fn nap(&self) -> io::Result<()> {
        self.pty.release()?;
        self.pty.wait(false, NAP)
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        // what is on the line already was sent at its own rate
        if self.to_board.queue.len() < 64 {
            let n = self.pty.read(&mut buffer)?;
            self.totals.bytes_in += n as u64;
            if self.to_board.is_idle() {
                self.damage_in.line_is_idle();
            }
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
                if self.towards.is_empty() {
                    self.damage_out.line_is_idle();
                }
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
                // most adapters give a 0, and what comes next comes later
                Item::Low(n) => {
                    self.arrived.push(0);
                    *item = Item::Pause(*n);
                    continue;
                }
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

    fn unplug(&mut self, stop: &AtomicBool) -> Result<(), EmulatorError> {
        self.totals.unplugged += 1;
        self.link = None;
        // a second pseudo-terminal first, so that the new port has another name, as a board may have
        let mut next = open()?;
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
        self.link = name(&self.options, &self.pty)?;
        Ok(())
    }

    /// Both lines stick. The board sees as much of it as changes its rate, then its time stands still.
    fn stick(&mut self, stick: &Stick, stop: &AtomicBool) -> io::Result<()> {
        self.totals.stuck += 1;
        let BoardLink { clock_hz, baud, .. } = self.options.link;
        let byte = 10 * u64::from(clock_hz / baud);
        self.model.clock(&vec![stick.level.bit(); byte as usize], &mut vec![]);
        self.totals.cycles += byte;
        (self.to_board, self.from_board) = (LineOut::new(clock_hz), LineIn::new(clock_hz));
        self.towards.clear();
        self.towards.extend(stick.level.seen());
        let (begun, mut buffer) = (Instant::now(), [0; 4096]);
        while begun.elapsed() < stick.lasts && !stop.load(Ordering::Relaxed) {
            self.nap()?;
            self.totals.bytes_in += self.pty.read(&mut buffer)? as u64;
        }
        Ok(())
    }
}

fn open() -> Result<Pty, EngineError> {
    Pty::open().map_err(|e| io_error(Path::new("/dev/ptmx"), e))
}

fn name(options: &EmulatorOptions, pty: &Pty) -> Result<Option<PortLink>, PortLinkError> {
    options.port_link.as_deref().map(|link| PortLink::new(link, pty.path())).transpose()
}
