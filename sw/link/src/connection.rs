//! An open session: runs records, acknowledges, polls, sends again; bounds every wait.

use crate::error::LinkError;
use crate::frame::{Frame, FrameReader};
use crate::handshake::Hello;
use crate::options::LinkOptions;
use crate::statistics::Statistics;
use crate::transport::Transport;
use crate::windows::{Incoming, Outgoing};
use std::collections::VecDeque;
use std::time::{Duration, Instant};
use tandem_spec::Status;
use tandem_spec::isa::Who;
use tandem_spec::link::{Kind, MAX_PAYLOAD, STATE_BYTES, status};

/// Ids of polls in frames: 1 to 255.
const POLL_IDS: u64 = 255;

/// What records gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Link words from the accelerator.
    pub words: Vec<u8>,
    /// Where it stands.
    pub status: Status,
}

/// When something last happened.
struct Clocks {
    /// A whole frame came.
    frame: Instant,
    /// A frame was consumed or received.
    progress: Instant,
    /// A poll was sent, or something moved.
    poll: Instant,
    /// From there to the next poll.
    interval: Duration,
}

/// A session with a board.
pub struct Connection {
    pub(crate) transport: Box<dyn Transport>,
    pub(crate) port: String,
    pub(crate) options: LinkOptions,
    pub(crate) session: u8,
    pub(crate) hello: Hello,
    pub(crate) reader: FrameReader,
    pub(crate) statistics: Statistics,
    outgoing: Outgoing,
    incoming: Incoming,
    /// Frames sent, of any kind, each time.
    order: u64,
    /// Nothing was sent since the line was last read: there may be silence on it, and noise.
    silent: bool,
    /// A frame was consumed or received in this exchange.
    moved: bool,
    /// Polls sent, and the last one that was answered.
    polls: u64,
    answered: u64,
    /// Polls that may yet be answered: number, and place in the order of frames.
    poll_orders: VecDeque<(u64, u64)>,
    /// What the next ACK is for.
    ack_due: bool,
    poll_due: bool,
    resend: u16,
    damaged_before: u16,
    words: Vec<u8>,
    status: Option<Status>,
    clocks: Clocks,
}

impl Connection {
    /// A session that the handshake has opened.
    pub(crate) fn new(
        transport: Box<dyn Transport>,
        port: &str,
        options: &LinkOptions,
        session: u8,
        hello: Hello,
        statistics: Statistics,
    ) -> Self {
        let now = transport.now();
        Connection {
            transport,
            port: port.into(),
            session,
            hello,
            reader: FrameReader::default(),
            statistics,
            outgoing: Outgoing::new(hello.receive_slots),
            incoming: Incoming::new(hello.send_slots),
            order: 0,
            silent: true,
            moved: false,
            polls: 0,
            answered: 0,
            poll_orders: VecDeque::new(),
            ack_due: false,
            poll_due: false,
            resend: 0,
            damaged_before: 0,
            words: vec![],
            status: None,
            clocks: Clocks { frame: now, progress: now, poll: now, interval: options.poll },
            options: options.clone(),
        }
    }

    /// What the board has said of itself.
    pub fn hello(&self) -> Hello {
        self.hello
    }

    /// Counts.
    pub fn statistics(&self) -> Statistics {
        self.statistics
    }

    /// Sends records that end with a mark, and collects what comes back before its STATUS.
    ///
    /// # Errors
    /// [`LinkError::Lost`], [`LinkError::Quiet`], [`LinkError::Stuck`], [`LinkError::Protocol`]. The session is then of no
    /// further use.
    pub fn exchange(&mut self, records: &[u8]) -> Result<Reply, LinkError> {
        let begun = self.transport.now();
        (self.silent, self.moved) = (true, false);
        self.clocks = Clocks { frame: begun, progress: begun, poll: begun, interval: self.options.poll };
        let mut pieces = records.chunks(MAX_PAYLOAD);
        let mut piece = pieces.next();
        while self.status.is_none() {
            while let Some(payload) = piece.filter(|_| self.outgoing.has_room()) {
                self.send_data(payload)?;
                piece = pieces.next();
            }
            self.pump()?;
        }
        if let Some(rest) = piece {
            let what = format!("STATUS before the last {} bytes", rest.len());
            return Err(self.protocol(what));
        }
        // the mark was consumed, and it was the last byte
        self.outgoing.finish();
        self.acknowledge(false)?;
        self.statistics.busy += self.since(begun);
        let status = self.status.take().expect("the loop ended");
        Ok(Reply { words: std::mem::take(&mut self.words), status })
    }

    /// One look at the line, and what follows from it.
    fn pump(&mut self) -> Result<(), LinkError> {
        let Clocks { frame, progress, poll, interval } = self.clocks;
        let waits = [(poll, interval), (frame, self.options.quiet), (progress, self.options.stuck)];
        let until = waits.map(|(then, limit)| limit.saturating_sub(self.since(then))).into_iter().min();
        self.receive(until.expect("three of them").max(Duration::from_millis(1)))?;
        if self.since(self.clocks.poll) >= self.clocks.interval {
            self.clocks.interval = (2 * self.clocks.interval).min(self.options.poll_most);
            self.poll_due = true;
        }
        // one poll at a time, unless the timer says so
        if self.poll_due || self.resend != 0 {
            self.acknowledge(true)?;
        } else if self.ack_due {
            self.acknowledge(false)?;
        }
        let (port, quiet, stuck) = (&self.port, self.options.quiet, self.options.stuck);
        if self.since(self.clocks.frame) >= quiet {
            return Err(LinkError::Quiet { port: port.clone(), limit: quiet });
        }
        if self.since(self.clocks.progress) >= stuck {
            return Err(LinkError::Stuck { port: port.clone(), limit: stuck });
        }
        Ok(())
    }

    fn receive(&mut self, limit: Duration) -> Result<(), LinkError> {
        let mut buffer = [0; 4096];
        let n = self.transport.read(&mut buffer, limit).map_err(|e| self.lost(&e))?;
        self.silent = true;
        self.statistics.bytes_in += n as u64;
        for byte in &buffer[..n] {
            match self.reader.push(*byte) {
                Some(Ok(frame)) if frame.session == self.session => self.take(frame)?,
                Some(Ok(_)) | None => {}
                Some(Err(_)) => {
                    self.statistics.damaged += 1;
                    // what was it? STATE tells; but one question at a time
                    self.poll_due |= self.answered == self.polls;
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, frame: Frame) -> Result<(), LinkError> {
        self.clocks.frame = self.transport.now();
        match frame.kind {
            Kind::State => self.take_state(&frame),
            Kind::Words | Kind::Status => {
                self.ack_due = true;
                if !self.incoming.push(frame.seq, frame.kind, frame.payload) {
                    self.statistics.duplicates += 1;
                }
                while let Some((kind, payload)) = self.incoming.pop() {
                    self.statistics.frames_received += 1;
                    self.progress();
                    match kind {
                        Kind::Status => self.status = Some(self.read_status(&payload)?),
                        _ => self.words.extend(payload),
                    }
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn take_state(&mut self, frame: &Frame) -> Result<(), LinkError> {
        let Ok([r0, r1, p0, p1, sent, poll, d0, d1]) = <[u8; STATE_BYTES]>::try_from(&frame.payload[..])
        else {
            return Err(self.protocol(format!("STATE of {} bytes", frame.payload.len())));
        };
        let answered = number_of(poll, self.polls);
        if answered > self.answered {
            self.answered = answered;
            self.clocks.interval = self.options.poll;
        }
        let mut polled = 0;
        while let Some((_, order)) = self.poll_orders.front().copied().filter(|(n, _)| *n <= answered) {
            polled = order;
            self.poll_orders.pop_front();
        }
        let damaged = u16::from_le_bytes([d0, d1]);
        self.statistics.damaged_at_board += u64::from(damaged.saturating_sub(self.damaged_before));
        self.damaged_before = damaged;

        let received = u16::from_le_bytes([r0, r1]);
        let Some(news) = self.outgoing.state(frame.seq, received, polled) else {
            return Err(self.protocol(format!("STATE with base {}", frame.seq)));
        };
        if news.consumed > 0 {
            self.progress();
        }
        for seq in news.lost {
            self.resend_data(seq)?;
        }
        let pending = u16::from_le_bytes([p0, p1]);
        let Some(set) = self.incoming.missing(sent, pending, answered, self.polls + 1) else {
            return Err(self.protocol(format!("STATE with {sent} frames sent")));
        };
        self.statistics.frames_requested += u64::from(set.count_ones());
        self.resend |= set;
        Ok(())
    }

    fn progress(&mut self) {
        let now = self.transport.now();
        self.moved = true;
        (self.clocks.progress, self.clocks.poll, self.clocks.interval) = (now, now, self.options.poll);
    }

    fn read_status(&self, payload: &[u8]) -> Result<Status, LinkError> {
        let Ok(payload) = <[u8; status::BYTES]>::try_from(payload) else {
            return Err(self.protocol(format!("STATUS of {} bytes", payload.len())));
        };
        let on = |flag: u8| payload[0] & flag != 0;
        let number =
            |i: usize| u32::from_le_bytes(payload[1 + 4 * i..5 + 4 * i].try_into().expect("four bytes"));
        let waiting = [
            (Who::Compute, on(status::COMPUTE_PENDING), number(1)),
            (Who::Store, on(status::STORE_PENDING), number(2)),
        ];
        Ok(match waiting.iter().filter(|w| w.1).min_by_key(|w| w.2) {
            _ if on(status::FAILED) => Status::Failed,
            _ if !on(status::BOUNDARY) => Status::Starved { instruction: number(0) },
            Some(&(engine, _, instruction)) => Status::Blocked { engine, instruction },
            None => Status::Idle,
        })
    }

    fn send_data(&mut self, payload: &[u8]) -> Result<(), LinkError> {
        let (kind, session, seq) = (Kind::Data, self.session, self.outgoing.next());
        let line = Frame { kind, session, seq, payload: payload.to_vec() }.encode();
        self.write(&line)?;
        self.statistics.frames_sent += 1;
        self.outgoing.push(line, self.order);
        Ok(())
    }

    fn resend_data(&mut self, seq: u8) -> Result<(), LinkError> {
        let Some(line) = self.outgoing.resend(seq, self.order + 1).map(<[u8]>::to_vec) else { return Ok(()) };
        self.statistics.frames_resent += 1;
        // whether it arrives this time, a poll behind it shows
        self.poll_due = true;
        self.write(&line)
    }

    /// Sends an ACK, with a poll or without.
    fn acknowledge(&mut self, poll: bool) -> Result<(), LinkError> {
        let mut id = 0;
        if poll {
            self.polls += 1;
            self.statistics.polls += 1;
            id = id_of(self.polls);
            self.clocks.poll = self.transport.now();
            self.poll_orders.push_back((self.polls, self.order + 1));
        }
        let [r0, r1] = self.resend.to_le_bytes();
        let payload = vec![r0, r1, id];
        (self.ack_due, self.poll_due, self.resend) = (false, false, 0);
        let line =
            Frame { kind: Kind::Ack, session: self.session, seq: self.incoming.base(), payload }.encode();
        self.write(&line)
    }

    fn write(&mut self, line: &[u8]) -> Result<(), LinkError> {
        self.order += 1;
        // a zero ends what came on a silent line
        let lead: &[u8] = if std::mem::take(&mut self.silent) { &[0] } else { &[] };
        self.statistics.bytes_out += (lead.len() + line.len()) as u64;
        self.transport.write(&[lead, line].concat(), self.options.quiet).map_err(|e| self.lost(&e))
    }

    /// Time since then.
    fn since(&self, then: Instant) -> Duration {
        self.transport.now().saturating_duration_since(then)
    }

    /// Whether anything was consumed or received in the last exchange, and how long ago that, or its beginning, is.
    pub(crate) fn standstill(&self) -> (bool, Duration) {
        (self.moved, self.since(self.clocks.progress))
    }

    pub(crate) fn lost(&self, e: &std::io::Error) -> LinkError {
        LinkError::Lost { port: self.port.clone(), what: e.to_string() }
    }

    fn protocol(&self, what: String) -> LinkError {
        LinkError::Protocol { port: self.port.clone(), what }
    }
}

/// The id of poll `n`, from 1 on.
fn id_of(n: u64) -> u8 {
    (1 + (n - 1) % POLL_IDS) as u8
}

/// The last poll up to `n` with this id; 0 if there is none.
fn number_of(id: u8, n: u64) -> u64 {
    if id == 0 || n == 0 {
        return 0;
    }
    let back = (POLL_IDS + u64::from(id_of(n)) - u64::from(id)) % POLL_IDS;
    n.saturating_sub(back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poll_numbers_from_their_ids() {
        for n in 1..2000 {
            for back in 0..n.min(POLL_IDS) {
                assert_eq!(number_of(id_of(n - back), n), n - back);
            }
        }
        assert_eq!((number_of(0, 7), number_of(3, 0), number_of(9, 7)), (0, 0, 0));
    }
}
