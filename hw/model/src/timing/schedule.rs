//! The three engines against each other: what happens next, and in which cycle.
//!
//! ```text
//! load     g = max(ISSUE, token | room)          ┐
//! compute  t = max(idle, visible, tokens)        ├─ the earliest happens; ties: load, compute, store
//! store    t = max(idle, visible, tokens)        ┘
//! ```
//! An engine's candidate needs only what the others have already done: what they do later makes tokens
//! and room visible later still. So the earliest candidate is final, and a READ finds everything before
//! its cycle known. If there is no candidate, all engines are stuck: the run is over, or a failure, a
//! deadlock or a RESET is due.

use super::front::{Fault, Front};
use super::gate::Gate;
use super::lane::{Channels, Lane, NEVER};
use super::meter::{Ahead, Meter, Open, Wait};
use super::packet::{Data, Sent, send};
use crate::units::Units;
use tandem_spec::isa::Who;
use tandem_spec::{Config, Counters, Instruction, Load, Reason, RunOptions, Store, Timing, Tokens};

/// Logged activities at which the counters are brought up to date.
const FOLD_AT: usize = 64;

/// What happens next.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A LOAD left ISSUE; its payload comes next.
    Load(u32, Load),
    /// Another instruction left ISSUE, to a queue.
    Queued,
    /// An instruction of the compute engine is taken, and ends within the run.
    Execute(u32, Instruction),
    /// A STORE is taken, and its packet ends within the run.
    Store(u32, Store),
    /// A READ is taken, with the registers that it sends.
    Read(u32, Tokens, Counters),
    /// An error packet is sent.
    Fault(Fault),
    /// A *ready* packet is sent.
    Ready,
    /// All words are taken and nothing can move.
    Quiet,
    /// The run's last cycle is over.
    Limit,
}

/// Tokens, queues, engines, counters and the clock.
#[derive(Debug)]
pub(crate) struct Schedule {
    config: Config,
    timing: Timing,
    pub(super) units: Units,
    read_data: Data,
    /// First cycle of the run.
    pub(super) epoch: u64,
    /// First cycle after the run.
    pub(super) limit: u64,
    /// The cycle of the last event.
    now: u64,
    /// Whether something does not end within the run.
    pub(super) over: bool,
    pub(super) gate_in: Gate,
    gate_out: Gate,
    pub(super) front: Front,
    pub(super) compute: Lane,
    pub(super) store: Lane,
    pub(super) tokens: Channels,
    /// A tile's last step is not issued before this cycle.
    release: u64,
    pub(super) meter: Meter,
}

/// The latest cycle that is computed with.
const END_OF_TIME: u64 = 1 << 62;

impl Schedule {
    /// An accelerator that is idle in cycle 0.
    pub(crate) fn new(config: &Config) -> Self {
        Schedule {
            config: config.clone(),
            timing: Timing::new(config),
            units: Units::new(config),
            read_data: Data::of_read(config),
            epoch: 0,
            limit: END_OF_TIME,
            now: 0,
            over: false,
            gate_in: Gate::default(),
            gate_out: Gate::default(),
            front: Front::Fetch { from: 0 },
            compute: Lane::new(config.queue),
            store: Lane::new(config.queue),
            tokens: Channels::default(),
            release: 0,
            meter: Meter::default(),
        }
    }

    /// Starts a run: its first cycle follows the last one of the run before.
    pub(crate) fn begin(&mut self, options: &RunOptions) {
        self.limit = self.epoch.saturating_add(options.max_cycles).min(END_OF_TIME);
        self.gate_in = Gate::new(&options.stall_in, self.epoch);
        self.gate_out = Gate::new(&options.stall_out, self.epoch);
    }

    /// What happens next, when the load engine wants no words or the host has none.
    pub(crate) fn step(&mut self) -> Event {
        loop {
            let candidates = [
                (self.leaving_issue(), Who::Load),
                (self.starting(Who::Compute), Who::Compute),
                (self.starting(Who::Store), Who::Store),
            ];
            let known = candidates.into_iter().filter_map(|(at, who)| at.map(|at| (at.max(self.epoch), who)));
            let Some((at, who)) = known.min_by_key(|c| c.0) else { return self.stuck() };
            if at >= self.limit {
                return self.out_of_time();
            }
            self.now = at;
            if self.meter.pending() >= FOLD_AT {
                self.meter.fold(at, &self.gate_in, self.open());
            }
            let event = match who {
                Who::Load => {
                    Some(self.leave_issue(at).map_or(Event::Queued, |(n, load)| Event::Load(n, load)))
                }
                _ => self.start(who, at),
            };
            if let Some(event) = event {
                return event;
            }
        }
    }

    fn lane(&mut self, who: Who) -> &mut Lane {
        if who == Who::Compute { &mut self.compute } else { &mut self.store }
    }

    /// The cycle in which an engine takes its queue's head, if that is known to come.
    fn starting(&mut self, who: Who) -> Option<u64> {
        let lane = self.lane(who);
        let (ready, t) = (lane.ready()?, lane.head()?.instruction.tokens());
        self.tokens.all_there(who, [t.pop_prev, t.pop_next]).map(|visible| visible.max(ready))
    }

    /// Takes an engine's head in cycle `at`.
    fn start(&mut self, who: Who, at: u64) -> Option<Event> {
        let lane = self.lane(who);
        let ready = lane.ready()?;
        let entry = lane.take(at)?;
        let wait = if who == Who::Compute { Wait::Compute } else { Wait::Store };
        self.meter.wait(wait, ready, at);
        let t = entry.instruction.tokens();
        self.tokens.pop(who, [t.pop_prev, t.pop_next]);
        match entry.instruction {
            i if who == Who::Compute => self.execute(entry.number, i, at),
            Instruction::Store(s) => {
                let sent = self.send(at, Data::of_store(&self.config, &s), t.push_prev)?;
                self.meter.packet(at, sent);
                Some(Event::Store(entry.number, s))
            }
            _ => {
                self.store.idle = NEVER;
                self.meter.fold(at + 1, &self.gate_in, self.open());
                let registers = self.meter.registers(at);
                let sent = self.send(at, self.read_data, t.push_prev)?;
                self.meter.restart(sent.last + 1);
                Some(Event::Read(entry.number, t, registers))
            }
        }
    }

    fn execute(&mut self, number: u32, i: Instruction, at: u64) -> Option<Event> {
        let span = self.units[&i].span(&self.config, &i, at, self.release);
        let (idle, quiet) = (span.idle(), span.quiet());
        self.release = self.release.max(span.release());
        self.meter.log(Ahead::Unit(span));
        if quiet > self.limit {
            self.over = true;
            (self.compute.idle, self.compute.quiet) = (NEVER, NEVER);
            return None;
        }
        (self.compute.idle, self.compute.quiet) = (idle, quiet);
        let t = i.tokens();
        self.tokens.push_from_compute(quiet, [t.push_prev, t.push_next]);
        Some(Event::Execute(number, i))
    }

    /// The store engine begins a packet in cycle `at`; `None` if the run ends before it does.
    fn send(&mut self, at: u64, data: Data, push: bool) -> Option<Sent> {
        let sent = send(&self.timing, &self.gate_out, at, data).filter(|s| s.last < self.limit);
        let idle = sent.map_or(NEVER, |s| s.last + 1);
        (self.store.idle, self.store.quiet) = (idle, idle);
        self.over |= sent.is_none();
        if sent.is_some() && push {
            self.tokens.store_compute.push(idle);
        }
        sent
    }

    /// No engine can move.
    fn stuck(&mut self) -> Event {
        if self.over {
            return self.out_of_time();
        }
        let quiet = self.compute.quiet.max(self.store.quiet).max(self.epoch);
        match &self.front {
            Front::Never => self.out_of_time(),
            Front::Fetch { from } | Front::Payload { from, .. } => {
                let end = quiet.max(*from);
                if end > self.limit {
                    return self.out_of_time();
                }
                self.meter.fold(end, &self.gate_in, self.open());
                (self.epoch, self.now) = (end, end);
                Event::Quiet
            }
            Front::Issue { from, instruction, .. } if matches!(**instruction, Instruction::Reset) => {
                self.reset(quiet.max(*from))
            }
            Front::Issue { from, number, .. } => {
                let (who, number) = self.waiting().unwrap_or((Who::Load, *number));
                self.report(quiet.max(*from), Fault { reason: Reason::Deadlock, number, who })
            }
            Front::Failing { from, fault } => self.report(quiet.max(*from), *fault),
        }
    }

    /// The head with the lowest number that waits for a token.
    pub(crate) fn waiting(&self) -> Option<(Who, u32)> {
        let heads = [(Who::Compute, self.compute.head()), (Who::Store, self.store.head())];
        heads.into_iter().filter_map(|(who, e)| e.map(|e| (who, e.number))).min_by_key(|h| h.1)
    }

    fn flush(&mut self) {
        self.compute.flush();
        self.store.flush();
        self.tokens = Channels::default();
    }

    /// Gives up in cycle `at`: empties queues and tokens and sends an error packet.
    fn report(&mut self, at: u64, fault: Fault) -> Event {
        if at >= self.limit {
            return self.out_of_time();
        }
        self.now = at;
        self.flush();
        self.front = Front::Fetch { from: at + 1 };
        match self.send(at, Data::Words(0), false) {
            None => self.out_of_time(),
            Some(sent) => {
                self.meter.packet(at, sent);
                Event::Fault(fault)
            }
        }
    }

    /// Obeys a RESET in cycle `at`. Words are taken again, and the counters restart, in the cycle after
    /// the *ready* packet.
    fn reset(&mut self, at: u64) -> Event {
        if at >= self.limit {
            return self.out_of_time();
        }
        self.now = at;
        self.flush();
        self.meter = Meter::default();
        match self.send(at, Data::Words(0), false) {
            None => {
                self.front = Front::Never;
                self.out_of_time()
            }
            Some(sent) => {
                self.front = Front::Fetch { from: sent.last + 1 };
                self.meter.restart(sent.last + 1);
                Event::Ready
            }
        }
    }

    /// The waits that are not over.
    fn open(&self) -> Open {
        [
            self.open_front(),
            self.compute.ready().map(|from| (Wait::Compute, from)),
            self.store.ready().map(|from| (Wait::Store, from)),
        ]
    }

    fn out_of_time(&mut self) -> Event {
        self.now = self.limit;
        Event::Limit
    }

    /// The registers before the cycle of the last event.
    pub(crate) fn registers(&mut self) -> Counters {
        self.meter.fold(self.now, &self.gate_in, self.open());
        self.meter.registers(self.now.saturating_sub(1))
    }
}
