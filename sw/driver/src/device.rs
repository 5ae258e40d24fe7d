//! What a trainer sees of an accelerator.
//!
//! Every device returns the same integers for the same request. Whoever runs it (twin, simulator,
//! board) only changes how long it takes in wall-clock time.

use crate::request::{Problem, Request, Response};

/// Width and sign of the integers in an operand.
///
/// # Numeric
/// Signed: two's complement, `-2^(bits-1) … 2^(bits-1)-1`. Unsigned: `0 … 2^bits-1`. `bits` is 1 to 16.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// Width in bits, 1 to 16.
    pub bits: u8,
    /// Two's complement if set.
    pub signed: bool,
}

impl Format {
    /// A signed format.
    pub const fn signed(bits: u8) -> Self {
        Format { bits, signed: true }
    }

    /// An unsigned format.
    pub const fn unsigned(bits: u8) -> Self {
        Format { bits, signed: false }
    }

    /// Smallest and largest value.
    pub const fn range(self) -> (i32, i32) {
        if self.signed {
            (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1)
        } else {
            (0, (1 << self.bits) - 1)
        }
    }
}

/// What a request cost, by the accelerator's own counters.
///
/// The names are those of the hardware counters and of the JSON output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Cycles from the first link word taken to the last result word sent.
    pub cycles: u64,
    /// The same, predicted by the cycle model before the run.
    pub predicted_cycles: u64,
    /// Cycles in which the load engine was busy.
    pub load_busy: u64,
    /// Cycles that issued digit products.
    pub compute_busy: u64,
    /// Cycles in which a tile's last step waited for the drain.
    pub wait_drain: u64,
    /// Cycles in which the store engine was busy.
    pub store_busy: u64,
    /// Cycles from the first to the last digit product.
    pub span: u64,
    /// Digit products executed.
    pub products: u64,
    /// Digit products that N:M selection avoided.
    pub skipped: u64,
    /// Link words of instructions.
    pub instruction_words: u64,
    /// Link words in both directions, all told.
    pub link_words: u64,
}

impl std::ops::AddAssign for Cost {
    fn add_assign(&mut self, o: Cost) {
        self.add_times(&o, 1);
    }
}

impl Cost {
    /// Adds another cost so many times.
    pub fn add_times(&mut self, o: &Cost, times: u64) {
        self.cycles += times * o.cycles;
        self.predicted_cycles += times * o.predicted_cycles;
        self.load_busy += times * o.load_busy;
        self.compute_busy += times * o.compute_busy;
        self.wait_drain += times * o.wait_drain;
        self.store_busy += times * o.store_busy;
        self.span += times * o.span;
        self.products += times * o.products;
        self.skipped += times * o.skipped;
        self.instruction_words += times * o.instruction_words;
        self.link_words += times * o.link_words;
    }
}

/// Something that computes integer products and transforms: twin, simulated accelerator or board.
pub trait Device: Send {
    /// Short name for tables and JSON: `model`, `sim`, `serial`.
    fn name(&self) -> &str;

    /// Computes one request; the response is of its kind.
    ///
    /// # Errors
    /// [`DeviceError::Request`] if shapes disagree, a value does not fit its format or the accelerator cannot run it;
    /// [`DeviceError::Engine`] if the accelerator or its link fails.
    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError>;

    /// What a request will cost, by the cycle model; `None` if the device has none, or cannot run it.
    ///
    /// # Panics   if a dimension of a product is zero
    fn predict(&mut self, _problem: &Problem) -> Option<Cost> {
        None
    }
}

/// Why a request was not computed.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The request itself is wrong.
    #[error("{what}")]
    Request {
        /// What is wrong, with the offending position and value.
        what: String,
    },
    /// The accelerator reported an error or could not be reached.
    #[error("{engine}: {what}")]
    Engine {
        /// Name of the device.
        engine: String,
        /// What it reported.
        what: String,
    },
}
