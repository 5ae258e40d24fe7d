//! The twin: an engine that executes instruction streams.

use crate::frontend::{Frontend, Words};
use crate::hazard::{Hazard, Watch};
use crate::memory::Memories;
use crate::store;
use crate::timing::{Event, Fault, Schedule, Then, with_identity};
use crate::units::Units;
use tandem_spec::isa::Who;
use tandem_spec::packet::Kind;
use tandem_spec::registers::IDENTITY;
use tandem_spec::{Config, Counters, Engine, EngineError, Outcome, Packet, RunOptions, Status, Stream};

/// The bit-exact twin of an accelerator, with its exact cycle counts.
///
/// Memories, accumulators, tokens, queues, a half received instruction and the counters live on from
/// run to run; only a RESET clears what `docs/accelerator.md` says it clears (memories, row offsets and
/// accumulators stay).
///
/// # Numeric
/// Bit-exact for every program without hazards. [`Twin::checked`] looks for them.
///
/// # Timing
/// See [`crate::timing`]. Work and memory of a run are bounded by its cycles, which are known before
/// an instruction is executed.
///
/// # Errors
/// [`EngineError::Link`] if the stream's words are not those of this link.
///
/// A run that ends with [`Status::CycleLimit`] has given the packets whose last word passes in time;
/// it leaves memories as they happen to be and everything else as after a RESET.
pub struct Twin {
    config: Config,
    hash: u64,
    frontend: Frontend,
    schedule: Schedule,
    memories: Memories,
    units: Units,
    watch: Option<Box<Watch>>,
}

impl Twin {
    /// An accelerator after power-up: memories and accumulators are zero.
    pub fn new(config: &Config) -> Self {
        Twin {
            config: config.clone(),
            hash: config.hash(),
            frontend: Frontend::new(config),
            schedule: Schedule::new(config),
            memories: Memories::new(config),
            units: Units::new(config),
            watch: None,
        }
    }

    /// The same, and it looks for hazards: see [`Twin::hazards`].
    pub fn checked(config: &Config) -> Self {
        let twin = Twin::new(config);
        let watch = Watch::new(config, &twin.memories);
        Twin { watch: Some(Box::new(watch)), ..twin }
    }

    /// The hazards of the last run, as they were found; always none if the twin is not [`Twin::checked`].
    ///
    /// Whether there are any depends on the program only, not on stalls; how far they are looked for, on where
    /// the run ended. Two instructions and a memory count once, and the first 64 are kept.
    pub fn hazards(&self) -> &[Hazard] {
        self.watch.as_ref().map_or(&[], |w| w.found())
    }

    fn check(&self, stream: &Stream) -> Result<(), EngineError> {
        let link = self.config.link_bytes();
        let (words, bytes) = (stream.words(), stream.bytes.len());
        if words > 0 && stream.link_bytes != link {
            let found = stream.link_bytes;
            return Err(EngineError::Link(format!("words of {found} bytes on a link of {link}")));
        }
        if bytes != words * link {
            return Err(EngineError::Link(format!("{words} words of {link} bytes in {bytes} bytes")));
        }
        Ok(())
    }

    /// Lets the watch, if there is one, see what happens.
    fn watch_over(&mut self, event: &Event) {
        let Some(watch) = &mut self.watch else { return };
        match event {
            Event::Load(number, l) => watch.load(&self.config, *number, l, &self.memories),
            Event::Queued => {}
            Event::Execute(number, i) => {
                let unit = &self.units[i];
                watch.compute(*number, i.tokens(), |touch| {
                    unit.touches(&self.config, i, &self.memories, touch);
                });
            }
            Event::Store(number, s) => watch.store(*number, s),
            Event::Read(number, tokens, _) => watch.read(*number, *tokens),
            Event::Fault(_) => watch.fail(),
            Event::Ready | Event::Limit => watch.reset(),
            Event::Quiet => watch.rest(),
        }
    }

    fn status_at_rest(&self) -> Status {
        if self.frontend.is_dropping() {
            return Status::Failed;
        }
        if let Some(instruction) = self.frontend.inside() {
            return Status::Starved { instruction };
        }
        match self.schedule.waiting() {
            Some((engine, instruction)) => Status::Blocked { engine, instruction },
            None => Status::Idle,
        }
    }

    fn error_packet(fault: Fault) -> Packet {
        let who = match fault.who {
            Who::Load => 0,
            Who::Compute => 1,
            Who::Store => 2,
        };
        Packet {
            kind: Kind::Error,
            reason: Some(fault.reason),
            instruction: fault.number,
            data: vec![],
            summary: [who, 0, 0, 0],
        }
    }

    fn ready_packet(&self) -> Packet {
        Packet {
            kind: Kind::Ready,
            reason: None,
            instruction: 0,
            data: vec![],
            summary: [self.hash as u32, (self.hash >> 32) as u32, IDENTITY, 0],
        }
    }

    fn register_packet(&self, number: u32, counters: Counters) -> Packet {
        let words = with_identity(counters.generated(&self.config), self.hash).to_words();
        let mut data: Vec<u8> = words.into_iter().flat_map(u32::to_le_bytes).collect();
        data.resize(data.len().next_multiple_of(self.config.link_bytes()), 0);
        Packet { kind: Kind::Registers, reason: None, instruction: number, data, summary: [0; 4] }
    }
}

impl Engine for Twin {
    fn name(&self) -> &str {
        "model"
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn run(&mut self, stream: &Stream, options: &RunOptions) -> Result<Outcome, EngineError> {
        self.check(stream)?;
        let mut words = Words::new(stream);
        let mut packets = vec![];
        self.schedule.begin(options);
        if let Some(w) = &mut self.watch {
            w.begin();
        }
        let status = loop {
            if self.schedule.wants_words()
                && let Some(piece) = self.frontend.next(&mut words, &mut self.memories)
            {
                if let (Then::Payload, Some(w)) = (&piece.then, &mut self.watch) {
                    w.loaded();
                }
                self.schedule.feed(piece);
                continue;
            }
            let event = self.schedule.step();
            self.watch_over(&event);
            match event {
                Event::Load(..) | Event::Queued => {}
                Event::Execute(_, i) => {
                    self.units[&i].execute(&self.config, &i, &mut self.memories);
                }
                Event::Store(number, s) => {
                    packets.push(store::packet(&self.config, &self.memories, number, &s));
                }
                Event::Read(number, _, counters) => packets.push(self.register_packet(number, counters)),
                Event::Fault(fault) => {
                    self.frontend.fail();
                    packets.push(Self::error_packet(fault));
                }
                Event::Ready => {
                    self.frontend.reset();
                    packets.push(self.ready_packet());
                }
                Event::Quiet => break self.status_at_rest(),
                Event::Limit => {
                    self.frontend.reset();
                    self.schedule = Schedule::new(&self.config);
                    break Status::CycleLimit;
                }
            }
        };
        Ok(Outcome { status, packets })
    }
}
