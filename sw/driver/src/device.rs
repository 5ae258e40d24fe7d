//! What a trainer sees of an accelerator: integer matrix products, exactly.
//!
//! ```text
//! Y[m, n] = Σ_k X[m, k] · W[k, n]        X, W integers of 1 to 16 bits, Y exact
//! ```
//!
//! Every device returns the same integers for the same request. Whoever runs it (twin, simulator,
//! board) only changes how long it takes in wall-clock time.

use crate::plan::Problem;
use crate::sparsity::Sparsity;
use crate::transform::{FftProblem, FftRequest, FftResult};
use ndarray::{Array2, ArrayView2};

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

/// An integer matrix and its format.
#[derive(Clone, Copy, Debug)]
pub struct Operand<'a> {
    /// The integers; any memory layout (a transposed view costs nothing).
    pub values: ArrayView2<'a, i32>,
    /// The format that all values fit.
    pub format: Format,
}

/// How results leave the accelerator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ResultFormat {
    /// The exact sum.
    #[default]
    Full,
    /// `saturate(round_half_to_even(sum / 2^shift))`, two's complement of 8 or 16 bits.
    Narrow {
        /// 8 or 16.
        bits: u8,
        /// 0 to 31.
        shift: u8,
    },
}

/// One product to compute.
#[derive(Clone, Copy, Debug)]
pub struct GemmRequest<'a> {
    /// `[m, k]`.
    pub x: Operand<'a>,
    /// `[k, n]`.
    pub w: Operand<'a>,
    /// How results leave.
    pub result: ResultFormat,
    /// What N:M selection may skip.
    pub sparsity: Sparsity<'a>,
}

/// What a product cost, by the accelerator's own counters.
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

/// The answer to a [`GemmRequest`].
#[derive(Clone, Debug)]
pub struct GemmResult {
    /// `[m, n]`, exact (or narrowed, if the request says so).
    pub y: Array2<i64>,
    /// What it cost.
    pub cost: Cost,
    /// OR of the magnitudes of all sums before narrowing.
    pub magnitude_or: u64,
    /// Number of results that saturated when they were narrowed.
    pub saturated: u64,
}

/// Something that computes integer products: twin, simulated accelerator or board.
pub trait Device: Send {
    /// Short name for tables and JSON: `model`, `sim`, `serial`.
    fn name(&self) -> &str;

    /// Computes one product.
    ///
    /// # Errors
    /// [`DeviceError::Request`] if shapes disagree or a value does not fit its format;
    /// [`DeviceError::Engine`] if the accelerator or its link fails.
    fn gemm(&mut self, request: &GemmRequest<'_>) -> Result<GemmResult, DeviceError>;

    /// What a product will cost, by the cycle model; `None` if the device has none, or cannot run it.
    ///
    /// # Panics   if a dimension is zero
    fn predict(&mut self, _problem: &Problem) -> Option<Cost> {
        None
    }

    /// Computes transforms on the FFT unit.
    ///
    /// # Errors
    /// [`DeviceError::Request`] if the accelerator has no FFT unit, or one that cannot run this transform, or a
    /// value does not fit; [`DeviceError::Engine`] if the accelerator or its link fails.
    fn fft(&mut self, _request: &FftRequest<'_>) -> Result<FftResult, DeviceError> {
        Err(DeviceError::Request { what: format!("{}: has no FFT unit", self.name()) })
    }

    /// What transforms will cost, by the cycle model; `None` if the device has none, or cannot run them.
    fn predict_fft(&mut self, _problem: &FftProblem) -> Option<Cost> {
        None
    }
}

/// Why a product was not computed.
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
