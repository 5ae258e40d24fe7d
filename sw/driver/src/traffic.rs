//! What a program moves over the link, and its cost as the trainer sees it.

use crate::device::Cost;
use tandem_spec::registers::REGISTERS;
use tandem_spec::{Config, Counters, Counting, Instruction, Timing};

/// Link words of a program, both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Instructions.
    pub instructions: u64,
    /// Payloads of loads with their checksums.
    pub payloads: u64,
    /// Packets: headers, data, summaries, checksums.
    pub packets: u64,
}

impl Traffic {
    /// Counts a program's words.
    pub fn of(config: &Config, program: &[Instruction]) -> Self {
        let t = Timing::new(config);
        let mut sum = Traffic::default();
        for i in program {
            sum.instructions += (i.opcode().units * t.unit_words) as u64;
            let packet = |data: usize| (2 * t.unit_words + data + t.check_words) as u64;
            match i {
                Instruction::Load(l) => {
                    let words = usize::from(l.count) * usize::from(l.words);
                    sum.payloads += (words + t.check_words) as u64;
                }
                Instruction::Store(s) => sum.packets += packet(s.data_words(config)),
                Instruction::Read(_) => sum.packets += packet(REGISTERS.len() * 32 / config.link_bits),
                _ => {}
            }
        }
        sum
    }

    /// All words.
    pub fn total(&self) -> u64 {
        self.instructions + self.payloads + self.packets
    }

    /// Part of the words that are instructions, 0 to 1.
    pub fn instruction_share(&self) -> f64 {
        self.instructions as f64 / self.total() as f64
    }
}

/// A run's cost from its counters and the products that were planned.
///
/// The register `products` counts them modulo 2^32 and by lanes, so its upper bits are taken from the plan. Counters
/// that are not generated are those of the prediction.
pub(crate) fn cost(
    config: &Config,
    planned: u64,
    traffic: &Traffic,
    ran: &Counters,
    ideal: &Counters,
) -> Cost {
    let ran = match config.counters {
        Counting::All => *ran,
        Counting::Total => Counters { total: ran.total, ..*ideal },
    };
    let products = planned - (planned & 0xffff_ffff) + u64::from(ran.products);
    let lanes = config.array.lanes as u64;
    Cost {
        cycles: ran.total.into(),
        predicted_cycles: ideal.total.into(),
        load_busy: ran.load_busy.into(),
        compute_busy: ran.compute_busy.into(),
        wait_drain: ran.wait_drain.into(),
        store_busy: ran.store_busy.into(),
        span: ran.span.into(),
        products: products * lanes,
        skipped: u64::from(ran.skipped) * lanes,
        instruction_words: traffic.instructions,
        link_words: traffic.total(),
        words_out: traffic.packets,
    }
}
