//! The twin: an engine that executes instruction streams.

use crate::compute::Array;
use crate::fft;
use crate::frontend::{Frontend, Words};
use crate::memory::Memories;
use crate::store;
use crate::timing::{Event, Fault, Schedule, with_identity};
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
/// Bit-exact for every program in which tokens order whatever touches the same memory address.
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
    array: Array,
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
            array: Array::new(config),
        }
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
        let status = loop {
            if self.schedule.wants_words()
                && let Some(piece) = self.frontend.next(&mut words, &mut self.memories)
            {
                self.schedule.feed(piece);
                continue;
            }
            match self.schedule.step() {
                Event::Dispatch => {}
                Event::Compute(c) => self.array.execute(&self.config, &c, &mut self.memories),
                Event::Transform(t) => {
                    if let Some(unit) = &self.config.fft {
                        fft::execute(&self.config, unit, &t, &mut self.memories);
                    }
                }
                Event::Store(number, s) => {
                    packets.push(store::packet(&self.config, &self.memories, number, &s));
                }
                Event::Read(number, counters) => packets.push(self.register_packet(number, counters)),
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
                    self.frontend = Frontend::new(&self.config);
                    self.schedule = Schedule::new(&self.config);
                    break Status::CycleLimit;
                }
            }
        };
        Ok(Outcome { status, packets })
    }
}
