//! Opening a session: the initial rate, two CONNECTs, identity, the fastest rate.

use crate::connection::Connection;
use crate::error::LinkError;
use crate::frame::{Frame, FrameReader};
use crate::options::LinkOptions;
use crate::statistics::Statistics;
use crate::transport::{Port, Transport};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::time::{Duration, Instant};
use tandem_spec::link::{HELLO_BUSY, HELLO_BYTES, INITIAL_BAUD, Kind, RATES, VERSION, divider};
use tandem_spec::registers::IDENTITY;

/// How long an answer may take at the initial rate.
const ANSWER: Duration = Duration::from_millis(250);
/// How long a board may take at the usual rate, and at others, where they are tried for a better message.
const GUESSES: [Duration; 2] = [Duration::from_millis(500), Duration::from_millis(150)];
/// Zeros before a CONNECT to a board whose rate is not known: the first may be cut, one forces the initial rate, one ends a frame.
const ZEROS: usize = 4;
/// Zeros before a frame: the line was silent, and a board that knows the rate only ends with them what came.
const ZERO: usize = 1;
/// Times that a CONNECT is sent at a new rate.
const GREETINGS: usize = 3;
/// Rates at which boards are looked for when there is no answer.
const USUAL: [u32; 8] = [INITIAL_BAUD, 9600, 19_200, 38_400, 57_600, 230_400, 460_800, 921_600];

/// What a board says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Its version of the protocol.
    pub version: u8,
    /// The accelerator still moves.
    pub busy: bool,
    /// Frames that it takes ahead (R).
    pub receive_slots: u8,
    /// Frames that it keeps (T).
    pub send_slots: u8,
    /// Identity of the instruction set.
    pub identity: u32,
    /// Hash of the accelerator's configuration.
    pub hash: u64,
    /// Clock in Hz.
    pub clock_hz: u32,
    /// Divider of the initial rate.
    pub initial_divider: u16,
    /// Present divider.
    pub divider: u16,
}

impl Hello {
    /// From a frame.
    fn of(frame: &Frame) -> Option<Hello> {
        let p = <[u8; HELLO_BYTES]>::try_from(&frame.payload[..]).ok()?;
        let u16_at = |i: usize| u16::from_le_bytes([p[i], p[i + 1]]);
        let u32_at = |i: usize| u32::from(u16_at(i)) | u32::from(u16_at(i + 2)) << 16;
        let window = |n: u8| [2, 4, 8, 16].contains(&n);
        (window(p[1]) && window(p[2])).then(|| Hello {
            version: frame.seq,
            busy: p[0] & HELLO_BUSY != 0,
            receive_slots: p[1],
            send_slots: p[2],
            identity: u32_at(4),
            hash: u64::from(u32_at(8)) | u64::from(u32_at(12)) << 32,
            clock_hz: u32_at(16),
            initial_divider: u16_at(20),
            divider: u16_at(22),
        })
    }
}

/// What a SPEED led to.
enum Change {
    /// The board has not answered at the old rate.
    Unanswered,
    /// Board or port refuse the rate, or nothing comes at it.
    Refused,
    /// The board answers at the new rate.
    Done(Hello),
}

/// A line before there is a session.
struct Dialogue<'a> {
    transport: Box<dyn Transport>,
    port: &'a str,
    options: &'a LinkOptions,
    /// Whether to find out why there is no answer.
    explain: bool,
    reader: FrameReader,
    statistics: Statistics,
    /// Bytes that came since the port was opened, and the first of them.
    bytes: u64,
    first: Vec<u8>,
}

/// Opens a port and a session, and finds the fastest rate; `expected` is the configuration hash, if one is wanted.
///
/// # Errors
/// [`LinkError`].
pub fn connect(
    port: &mut dyn Port,
    expected: Option<u64>,
    options: &LinkOptions,
    statistics: Statistics,
) -> Result<Connection, LinkError> {
    open(port, expected, options, statistics, true)
}

/// The same with a board that was there: if it does not answer, no other rates are tried for a better message.
pub(crate) fn reconnect(
    port: &mut dyn Port,
    expected: u64,
    options: &LinkOptions,
    statistics: Statistics,
) -> Result<Connection, LinkError> {
    open(port, Some(expected), options, statistics, false)
}

fn open(
    port: &mut dyn Port,
    expected: Option<u64>,
    options: &LinkOptions,
    statistics: Statistics,
    explain: bool,
) -> Result<Connection, LinkError> {
    let transport = port.open(options.initial_baud)?;
    let (name, reader) = (port.name().to_owned(), FrameReader::default());
    let (bytes, first) = (0, vec![]);
    let mut d = Dialogue { transport, port: &name, options, explain, reader, statistics, bytes, first };
    d.transport.discard().map_err(|e| d.lost(&e))?;
    let session = any_session();
    let hello = d.open_session(session, expected)?;
    d.statistics.baud = options.initial_baud;
    let hello = d.negotiate(session.wrapping_add(1), hello)?;
    let Dialogue { transport, statistics, .. } = d;
    Ok(Connection::new(transport, &name, options, session.wrapping_add(1), hello, statistics))
}

/// A number that differs from run to run.
fn any_session() -> u8 {
    RandomState::new().build_hasher().finish() as u8
}

impl Dialogue<'_> {
    /// Two sessions, so that the second is new; then the board is checked.
    fn open_session(&mut self, session: u8, expected: Option<u64>) -> Result<Hello, LinkError> {
        let port = self.port.to_owned();
        let begun = self.transport.now();
        let mut found = None;
        while found.is_none() && self.since(begun) < self.options.connect {
            let left = self.options.connect.saturating_sub(self.since(begun));
            found = self.greet(session, ANSWER.min(left), ZEROS)?;
        }
        let Some(hello) = found else { return Err(self.no_answer(session)?) };
        let differs = |what, expected: u32, found: u32| {
            if expected == found {
                Ok(())
            } else {
                Err(LinkError::Version { port: port.clone(), what, expected, found })
            }
        };
        differs("protocol version", VERSION.into(), hello.version.into())?;
        differs("identity", IDENTITY, hello.identity)?;
        if let Some(expected) = expected.filter(|e| *e != hello.hash) {
            return Err(LinkError::Mismatch { port, expected, found: hello.hash });
        }
        let begun = self.transport.now();
        let mut last = begun;
        let session = session.wrapping_add(1);
        loop {
            match self.greet(session, ANSWER, ZERO)? {
                Some(hello) if !hello.busy => return Ok(hello),
                Some(_) => {
                    last = self.transport.now();
                    self.wait(session, Kind::Hello, self.options.poll)?;
                }
                None => {}
            }
            if self.since(last) >= self.options.connect {
                return Err(LinkError::Quiet { port, limit: self.options.connect });
            }
            if self.since(begun) >= self.options.stuck {
                return Err(LinkError::Restless { port, limit: self.options.stuck });
            }
        }
    }

    /// CONNECT, and the HELLO that answers it.
    fn greet(&mut self, session: u8, limit: Duration, zeros: usize) -> Result<Option<Hello>, LinkError> {
        self.write(zeros, &Frame { kind: Kind::Connect, session, seq: VERSION, payload: vec![] })?;
        let answer = self.wait(session, Kind::Hello, limit)?;
        Ok(answer.as_ref().and_then(Hello::of))
    }

    /// The next frame of this session and kind.
    fn wait(&mut self, session: u8, kind: Kind, limit: Duration) -> Result<Option<Frame>, LinkError> {
        let begun = self.transport.now();
        let mut buffer = [0; 512];
        loop {
            let left = limit.saturating_sub(self.since(begun));
            if left.is_zero() {
                return Ok(None);
            }
            let n = self.transport.read(&mut buffer, left).map_err(|e| self.lost(&e))?;
            self.bytes += n as u64;
            self.statistics.bytes_in += n as u64;
            let room = 8usize.saturating_sub(self.first.len());
            self.first.extend(&buffer[..n.min(room)]);
            let mut found = None;
            for byte in &buffer[..n] {
                match self.reader.push(*byte) {
                    Some(Ok(f)) if f.session == session && f.kind == kind => found = Some(f),
                    _ => {}
                }
            }
            if found.is_some() {
                return Ok(found);
            }
        }
    }

    /// Why there is no answer: another rate, another device, or nothing.
    fn no_answer(&mut self, session: u8) -> Result<LinkError, LinkError> {
        let (port, baud) = (self.port.to_owned(), self.options.initial_baud);
        let (bytes, first) = (self.bytes, self.first.iter().map(|b| format!("{b:02x} ")).collect::<String>());
        if self.explain && self.transport.has_rate() {
            for answers_at in USUAL.into_iter().filter(|r| *r != baud) {
                let limit = GUESSES[usize::from(answers_at != INITIAL_BAUD)];
                if self.transport.set_baud(answers_at).is_ok() && self.greet(session, limit, ZEROS)?.is_some()
                {
                    return Ok(LinkError::WrongBaud { port, baud, answers_at });
                }
            }
        }
        Ok(match bytes {
            0 => LinkError::Silent { port, baud },
            _ => LinkError::Foreign { port, baud, bytes, first: first.trim_end().into() },
        })
    }

    /// The fastest rate at which the board still answers.
    fn negotiate(&mut self, session: u8, hello: Hello) -> Result<Hello, LinkError> {
        if !self.transport.has_rate() {
            return Ok(hello);
        }
        let (begun, mut patience) = (self.transport.now(), ANSWER);
        let slowest = self.options.initial_baud.saturating_mul(2);
        for baud in RATES.into_iter().filter(|r| (slowest..=self.options.max_baud).contains(r)) {
            let Some(wanted) = divider(hello.clock_hz, baud).filter(|d| fits(hello.clock_hz, baud, *d))
            else {
                continue;
            };
            // no answer at the old rate says nothing of the new one: it was lost, or takes longer
            while self.since(begun) < self.options.rates {
                let change = self.change_rate(session, baud, wanted, patience)?;
                if let Change::Done(hello) = change {
                    self.statistics.baud = baud;
                    return Ok(hello);
                }
                self.back_to_initial(session)?;
                if matches!(change, Change::Refused) {
                    break;
                }
                patience = (2 * patience).min(self.options.connect);
            }
        }
        Ok(hello)
    }

    /// Asks for a rate and changes to it.
    fn change_rate(
        &mut self,
        session: u8,
        baud: u32,
        wanted: u16,
        patience: Duration,
    ) -> Result<Change, LinkError> {
        let payload = wanted.to_le_bytes().to_vec();
        self.write(ZERO, &Frame { kind: Kind::Speed, session, seq: 0, payload })?;
        let Some(rate) = self.wait(session, Kind::Rate, patience)? else { return Ok(Change::Unanswered) };
        if rate.payload != wanted.to_le_bytes() || self.transport.set_baud(baud).is_err() {
            return Ok(Change::Refused);
        }
        for _ in 0..GREETINGS {
            let hello = self.greet(session, patience, ZERO)?;
            if let Some(hello) = hello.filter(|h| h.divider == wanted) {
                return Ok(Change::Done(hello));
            }
        }
        Ok(Change::Refused)
    }

    fn back_to_initial(&mut self, session: u8) -> Result<(), LinkError> {
        self.transport.set_baud(self.options.initial_baud).map_err(|e| self.lost(&e))?;
        let begun = self.transport.now();
        while self.greet(session, ANSWER, ZEROS)?.is_none() {
            if self.since(begun) >= self.options.connect {
                return Err(LinkError::Quiet { port: self.port.into(), limit: self.options.connect });
            }
        }
        Ok(())
    }

    fn write(&mut self, zeros: usize, frame: &Frame) -> Result<(), LinkError> {
        let line = [vec![0; zeros], frame.encode()].concat();
        self.statistics.bytes_out += line.len() as u64;
        self.transport.write(&line, self.options.connect).map_err(|e| self.lost(&e))
    }

    /// Time since then.
    fn since(&self, then: Instant) -> Duration {
        self.transport.now().saturating_duration_since(then)
    }

    fn lost(&self, e: &io::Error) -> LinkError {
        LinkError::Lost { port: self.port.into(), what: e.to_string() }
    }
}

/// Whether the rounded divider meets the rate within 1 %.
fn fits(clock_hz: u32, baud: u32, divider: u16) -> bool {
    let (asked, got) = (16 * u64::from(clock_hz), u64::from(divider) * u64::from(baud));
    asked.abs_diff(got) * 100 <= asked
}
