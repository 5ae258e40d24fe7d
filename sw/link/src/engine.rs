//! The engine `serial`: programs on a board.

use crate::connection::{Connection, Reply};
use crate::error::LinkError;
use crate::handshake::{Hello, connect};
use crate::options::LinkOptions;
use crate::records::records;
use crate::statistics::Statistics;
use crate::transport::Port;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tandem_spec::isa::OPCODES;
use tandem_spec::{Config, Engine, EngineError, Outcome, Packet, RunOptions, Stream};

/// A board on a line.
///
/// A connection that is lost is opened again, with growing intervals, for at most [`LinkOptions::reopen`]. A stream that
/// begins with a RESET depends on nothing before it and is then sent again; any other run ends with
/// [`EngineError::Link`], so that whoever knows what came before can do the same.
pub struct SerialEngine {
    port: Box<dyn Port>,
    config: Config,
    options: LinkOptions,
    connection: Option<Connection>,
    hello: Hello,
    carried: Arc<Mutex<Statistics>>,
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
            let (begun, mut pause) = (Instant::now(), Duration::from_millis(50));
            let connection = loop {
                let hash = Some(self.config.hash());
                match connect(&mut *self.port, hash, &self.options, statistics) {
                    Ok(connection) => break connection,
                    Err(e) if e.is_passing() && begun.elapsed() < self.options.reopen => {
                        tracing::debug!(%e, "not yet");
                        std::thread::sleep(pause);
                        pause = (2 * pause).min(Duration::from_secs(1));
                    }
                    Err(e) => return Err(e),
                }
            };
            self.connection = Some(connection);
            let connection = self.connection.as_mut().expect("just opened");
            connection.statistics.reconnects += 1;
            tracing::warn!(port = connection.port, "connected again");
        }
        Ok(self.connection.as_mut().expect("just opened"))
    }

    fn attempt(&mut self, records: &[u8], payload: usize) -> Result<Reply, LinkError> {
        let reply = self.connected()?.exchange(records);
        let connection = self.connection.as_mut().expect("connected");
        if let Ok(reply) = &reply {
            connection.statistics.payload += (payload + reply.words.len()) as u64;
        }
        *self.carried.lock().expect("no panic while it is held") = connection.statistics;
        if let Err(e) = &reply {
            tracing::warn!("{e}");
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
    /// [`EngineError::Link`] if the connection was lost and the stream does not begin with a RESET, or the accelerator
    /// sends no packets; [`EngineError::Mismatch`] if another accelerator came back; [`EngineError::Tool`] if the
    /// board cannot be reached.
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
    let reset = OPCODES.iter().find(|o| o.name == "RESET").expect("in the table");
    stream.first.first() == Some(&true) && stream.bytes.first() == Some(&reset.code)
}

fn engine_error(error: LinkError) -> EngineError {
    match error {
        LinkError::Mismatch { expected, found, .. } => EngineError::Mismatch { expected, found },
        LinkError::Lost { .. } | LinkError::Quiet { .. } | LinkError::Protocol { .. } => {
            EngineError::Link(error.to_string())
        }
        other => EngineError::Tool { tool: "serial".into(), what: other.to_string() },
    }
}
