//! The engine `serial`: programs on a board.

use crate::connection::{Connection, Reply};
use crate::error::LinkError;
use crate::handshake::{Hello, connect, reconnect};
use crate::options::LinkOptions;
use crate::records::records;
use crate::statistics::Statistics;
use crate::transport::Port;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tandem_spec::isa::Opcode;
use tandem_spec::{Config, Engine, EngineError, Outcome, Packet, RunOptions, Stream};

/// First and longest interval between attempts to open a port.
const PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(1)];

/// A board on a line.
///
/// A connection that is lost is opened again, with growing intervals. A stream that begins with a RESET depends on nothing
/// before it and is then sent again; any other run ends with [`EngineError::Link`], so that whoever knows what came before
/// can do the same. An outage, opening and runs in which nothing moves together, lasts at most [`LinkOptions::reopen`]; then
/// the run ends with [`EngineError::Tool`].
pub struct SerialEngine {
    port: Box<dyn Port>,
    config: Config,
    options: LinkOptions,
    connection: Option<Connection>,
    hello: Hello,
    carried: Arc<Mutex<Statistics>>,
    /// Time spent in vain since anything moved.
    outage: Duration,
}

impl SerialEngine {
    /// Opens the port, and checks that the board on it has the accelerator of `config`.
    ///
    /// # Errors
    /// [`LinkError`].
    pub fn open(mut port: Box<dyn Port>, config: &Config, options: LinkOptions) -> Result<Self, LinkError> {
        let connection = connect(&mut *port, Some(config.hash()), &options, Statistics::default())?;
        let hello = connection.hello();
        let carried = Arc::new(Mutex::new(connection.statistics()));
        Ok(SerialEngine {
            port,
            config: config.clone(),
            options,
            connection: Some(connection),
            hello,
            carried,
            outage: Duration::ZERO,
        })
    }

    /// What the board has said of itself.
    pub fn hello(&self) -> Hello {
        self.hello
    }

    /// Counts up to the last run.
    pub fn statistics(&self) -> Statistics {
        *self.carried.lock().expect("no panic while it is held")
    }

    /// The same counts, for who has given the engine away.
    pub fn carried(&self) -> Arc<Mutex<Statistics>> {
        Arc::clone(&self.carried)
    }

    /// Opens the connection again, if it was lost.
    fn connected(&mut self) -> Result<&mut Connection, LinkError> {
        if self.connection.is_none() {
            let statistics = self.statistics();
            let (begun, outage, mut pause) = (self.port.now(), self.outage, PAUSES[0]);
            let mut connection = loop {
                let left = self.options.reopen.saturating_sub(self.outage);
                let (connect, rates) = (self.options.connect.min(left), self.options.rates.min(left));
                let options = LinkOptions { connect, rates, ..self.options.clone() };
                let error = match reconnect(&mut *self.port, self.config.hash(), &options, statistics) {
                    Ok(connection) => break connection,
                    Err(e) => e,
                };
                self.outage = outage + self.port.now().saturating_duration_since(begun);
                let left = self.options.reopen.saturating_sub(self.outage);
                if !error.is_passing() || left.is_zero() {
                    // who asks again later begins anew
                    self.outage = Duration::ZERO;
                    return Err(self.gone(error));
                }
                tracing::debug!(%error, "not yet");
                self.port.pause(pause.min(left));
                self.outage = outage + self.port.now().saturating_duration_since(begun);
                pause = (2 * pause).min(PAUSES[1]);
            };
            self.outage = outage + self.port.now().saturating_duration_since(begun);
            connection.statistics.reconnects += 1;
            tracing::warn!(port = connection.port, "connected again");
            self.connection = Some(connection);
        }
        Ok(self.connection.as_mut().expect("just opened"))
    }

    /// An attempt's error as the end of all attempts.
    fn gone(&self, error: LinkError) -> LinkError {
        if !error.is_passing() {
            return error;
        }
        let (port, limit) = (self.port.name().to_owned(), self.options.reopen);
        let last = error.to_string();
        let last = last.strip_prefix(&format!("{port}: ")).unwrap_or(&last).to_owned();
        LinkError::Gone { port, limit, last }
    }

    fn attempt(&mut self, records: &[u8], payload: usize) -> Result<Reply, LinkError> {
        self.connected()?;
        let connection = self.connection.as_mut().expect("connected");
        let reply = connection.exchange(records);
        if let Ok(reply) = &reply {
            connection.statistics.payload += (payload + reply.words.len()) as u64;
        }
        *self.carried.lock().expect("no panic while it is held") = connection.statistics;
        self.outage = match connection.standstill() {
            _ if reply.is_ok() => Duration::ZERO,
            (true, stood) => stood,
            (false, stood) => self.outage + stood,
        };
        if let Err(e) = &reply {
            if e.is_passing() {
                tracing::warn!("{e}; opened again for at most {} s", self.options.reopen.as_secs_f64());
            }
            self.connection = None;
        }
        reply
    }
}

impl Engine for SerialEngine {
    fn name(&self) -> &str {
        "serial"
    }

    fn config(&self) -> &Config {
        &self.config
    }

    /// Stalls and the cycle limit are those of the line: [`RunOptions`] has no say, [`LinkOptions`] bounds the time.
    ///
    /// # Errors
    /// [`EngineError::Link`] if the connection was lost and the stream does not begin with a RESET, or was lost every time,
    /// or the accelerator sends no packets; [`EngineError::Mismatch`] if another accelerator came back;
    /// [`EngineError::Tool`] if the board cannot be reached.
    fn run(&mut self, stream: &Stream, options: &RunOptions) -> Result<Outcome, EngineError> {
        let link = self.config.link_bytes();
        if stream.words() > 0 && stream.link_bytes != link {
            let found = stream.link_bytes;
            return Err(EngineError::Link(format!("words of {found} bytes on a link of {link}")));
        }
        if let Some(file) = &options.trace {
            let what = format!("waveform {}: a board writes none", file.display());
            return Err(EngineError::Tool { tool: "serial".into(), what });
        }
        let attempts = if begins_with_reset(stream) { self.options.attempts.max(1) } else { 1 };
        let records = records(stream);
        let mut reply = self.attempt(&records, stream.bytes.len());
        for _ in 1..attempts {
            if !matches!(&reply, Err(e) if e.is_passing()) {
                break;
            }
            self.carried.lock().expect("no panic while it is held").replays += 1;
            reply = self.attempt(&records, stream.bytes.len());
        }
        let reply = reply.map_err(engine_error)?;
        let packets = Packet::parse_all(&reply.words, link).map_err(|e| EngineError::Link(e.to_string()))?;
        Ok(Outcome { status: reply.status, packets })
    }
}

fn begins_with_reset(stream: &Stream) -> bool {
    let reset = Opcode::named("RESET");
    stream.first.first() == Some(&true) && stream.bytes.first() == Some(&reset.code)
}

fn engine_error(error: LinkError) -> EngineError {
    match error {
        LinkError::Mismatch { expected, found, .. } => EngineError::Mismatch { expected, found },
        LinkError::Lost { .. } | LinkError::Quiet { .. } | LinkError::Protocol { .. } => {
            EngineError::Link(error.to_string())
        }
        other => {
            let said = other.to_string();
            // every message begins with its port
            let (tool, what) = said.split_once(": ").unwrap_or(("serial", &said));
            EngineError::Tool { tool: tool.into(), what: what.into() }
        }
    }
}
