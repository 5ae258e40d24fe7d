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
    /// Those of them that left the accelerator.
    pub words_out: u64,
}

/// What holds a product up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The array: digit products, and tiles whose results take longer to leave than the next one's to come.
    Array,
    /// Link words to the accelerator.
    In,
    /// Link words from it.
    Out,
    /// None of them: what is left is start, end and waiting for each other.
    Latency,
}

impl Bound {
    /// Its name in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Bound::Array => "array",
            Bound::In => "in",
            Bound::Out => "out",
            Bound::Latency => "latency",
        }
    }
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
        self.words_out += times * o.words_out;
    }

    /// Cycles of the array: digit products and waits for the drain.
    pub fn array(&self) -> u64 {
        self.compute_busy + self.wait_drain
    }

    /// Link words to the accelerator.
    pub fn words_in(&self) -> u64 {
        self.link_words - self.words_out
    }

    /// Cycles that it takes at least, by the busiest of array and the two directions of the link, and which one that is;
    /// [`Bound::Latency`] if it took more than 1.15 times as long.
    pub fn bound(&self) -> (Bound, u64) {
        let all = [(Bound::Array, self.array()), (Bound::In, self.words_in()), (Bound::Out, self.words_out)];
        let (bound, least) = all.into_iter().rev().max_by_key(|(_, cycles)| *cycles).expect("three");
        (if self.cycles * 20 > least * 23 { Bound::Latency } else { bound }, least)
    }
}

/// How a request is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The plan.
    pub plan: String,
    /// Why it is not done in the way that is usual for its kind.
    pub why: Option<String>,
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

    /// How a request will be done, in a few words; `None` if the device does not plan, or cannot run it.
    ///
    /// # Panics   if a dimension of a product is zero
    fn describe(&mut self, _problem: &Problem) -> Option<Description> {
        None
    }

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
