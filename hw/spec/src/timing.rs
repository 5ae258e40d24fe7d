//! Numbers of cycles that the specification fixes (`docs/accelerator.md`, "Timing").
//!
//! Hardware is built to them, the cycle model computes with them, the driver plans with them.

use crate::config::{Config, DEEP};

/// Bits of an instruction unit, of a packet's header and of its summary.
pub const UNIT_BITS: usize = 128;

/// Cycle counts and word counts of one configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Link words of one 128-bit unit.
    pub unit_words: usize,
    /// Link words of a 32-bit checksum.
    pub check_words: usize,
    /// Registers between element (0, 0) and the last column: ⌊(cols − 1) / hop⌋.
    pub col_skew: usize,
    /// Registers between element (0, 0) and the last row: ⌊(rows − 1) / hop⌋.
    pub row_skew: usize,
    /// From a tile's last step in the sequencer to its first row in the drain: `pipeline` + `col_skew`.
    pub drain_start: usize,
    /// Tick in which a packet's first result word is there: max(5, 1 + `unit_words`), where 5 is one more in a deep pipeline and
    /// one more where results are packed.
    pub first_data: usize,
}

impl Timing {
    /// The numbers for `config`.
    pub fn new(config: &Config) -> Self {
        let unit_words = UNIT_BITS / config.link_bits;
        let col_skew = (config.array.cols - 1) / config.array.hop;
        Timing {
            unit_words,
            check_words: 32usize.div_ceil(config.link_bits),
            col_skew,
            row_skew: (config.array.rows - 1) / config.array.hop,
            drain_start: config.array.pipeline + col_skew,
            first_data: (5 + usize::from(config.array.pipeline == DEEP) + usize::from(config.pack))
                .max(1 + unit_words),
        }
    }
}
