//! Who computes the products of training, and what they cost.
//!
//! ```text
//! layer ── product(forward | input gradient | weight gradient) ──► Pass ──► Device
//!                                                                   └─ cost ─► Ledger[layer][product]
//! ```

pub mod ledger;

use crate::backend::ledger::Ledger;
use crate::random::{Purpose, Stream};
use ndarray::ArrayView2;
use num_complex::Complex;
use serde::{Deserialize, Serialize};
use tandem_driver::{
    ConvProduct, ConvRequest, Cost, Device, DeviceError, FftRequest, FftResult, GemmRequest, Integers,
};
use tandem_driver::{Operand, Points, Problem, ResultFormat, Scaling, Sparsity, Window};

/// Who computes a network's matrix products. (An *engine*, in `tandem_spec`, runs instruction streams; a device may be one.)
pub enum Backend {
    /// The host, in f32 and without quantization: the reference of the same network.
    Float,
    /// An accelerator, in integers.
    Device(Box<dyn Device>),
}

impl Backend {
    /// Short name for tables and JSON.
    pub fn name(&self) -> &str {
        match self {
            Backend::Float => "float",
            Backend::Device(device) => device.name(),
        }
    }

    /// Whether this is the float reference.
    pub fn is_float(&self) -> bool {
        matches!(self, Backend::Float)
    }
}

/// The three products of a layer with weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// Y = X·W
    Forward,
    /// dX = dY·Wᵀ
    InputGradient,
    /// dW = Xᵀ·dY
    WeightGradient,
}

impl Product {
    /// Its name in tables and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Product::Forward => "forward",
            Product::InputGradient => "input_gradient",
            Product::WeightGradient => "weight_gradient",
        }
    }

    /// The same product of a convolution.
    pub const fn of_convolution(self) -> ConvProduct {
        match self {
            Product::Forward => ConvProduct::Forward,
            Product::InputGradient => ConvProduct::InputGradient,
            Product::WeightGradient => ConvProduct::WeightGradient,
        }
    }
}

/// What a forward pass is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Training: statistics of the batch are used and recorded.
    Train,
    /// Evaluation: recorded statistics are used and nothing changes.
    Evaluate,
}

/// What a pass is for, and when in a run.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What it is for.
    pub mode: Mode,
    /// Training steps before it.
    pub step: u64,
    /// Training steps of the whole run.
    pub steps: u64,
}

impl Moment {
    /// The first step of a run without end.
    pub const TRAIN: Moment = Moment { mode: Mode::Train, step: 0, steps: u64::MAX };
    /// An evaluation before it.
    pub const EVALUATE: Moment = Moment { mode: Mode::Evaluate, ..Moment::TRAIN };

    /// Whether statistics are recorded.
    pub fn is_training(self) -> bool {
        self.mode == Mode::Train
    }

    /// Share of the run that lies before it.
    pub fn progress(self) -> f64 {
        self.step as f64 / self.steps as f64
    }
}

/// Sums of a product from a device.
#[derive(Clone, Debug)]
pub struct Sums {
    /// Row-major; divided by 2^shift if they were asked for so.
    pub y: Integers,
    /// OR of the magnitudes of all sums before that.
    pub magnitude_or: u64,
}

/// One pass through a network, as its layers see it.
pub struct Pass<'a> {
    /// What it is for.
    pub mode: Mode,
    /// Index of the layer that is running.
    pub layer: usize,
    seed: u64,
    step: u64,
    steps: u64,
    drops: bool,
    backend: &'a mut Backend,
    ledger: &'a mut Ledger,
}

/// A product that failed.
#[derive(Debug, thiserror::Error)]
#[error("layer {layer}, {} product: {source}", product.name())]
pub struct ProductError {
    /// Index of the layer.
    pub layer: usize,
    /// Which of its products.
    pub product: Product,
    /// What the device said.
    pub source: DeviceError,
}

impl<'a> Pass<'a> {
    /// A pass on `engine` whose costs are added to `ledger`.
    pub fn new(mode: Mode, seed: u64, step: u64, backend: &'a mut Backend, ledger: &'a mut Ledger) -> Self {
        Pass { mode, layer: 0, seed, step, steps: u64::MAX, drops: mode == Mode::Train, backend, ledger }
    }

    /// The same in a run of so many steps. Without, a run has no end.
    pub fn of(self, steps: u64) -> Self {
        Pass { steps, ..self }
    }

    /// Lets layers drop nothing from now on.
    pub fn keep_all(&mut self) {
        self.drops = false;
    }

    /// Whether layers drop values at random.
    pub fn drops(&self) -> bool {
        self.drops
    }

    /// When it is.
    pub fn moment(&self) -> Moment {
        Moment { mode: self.mode, step: self.step, steps: self.steps }
    }

    /// Whether products are computed by the float reference.
    pub fn is_float(&self) -> bool {
        self.backend.is_float()
    }

    /// The numbers that round this layer's output gradient in this step.
    pub fn rounding(&self) -> Stream {
        Stream::new(self.seed, Purpose::Gradient, self.layer, self.step)
    }

    /// The numbers that round it for the input gradient, where that has integers of its own.
    pub fn input_rounding(&self) -> Stream {
        Stream::new(self.seed, Purpose::InputGradient, self.layer, self.step)
    }

    /// The numbers that decide what this layer drops in this step.
    pub fn dropout(&self) -> Stream {
        Stream::new(self.seed, Purpose::Dropout, self.layer, self.step)
    }

    /// The numbers that round the spectrum of this layer's output gradient in this step.
    pub fn spectrum_rounding(&self) -> Stream {
        Stream::new(self.seed, Purpose::Spectrum, self.layer, self.step)
    }

    /// Computes transforms that one product of the running layer needs, in block floating point.
    ///
    /// # Shape    `[transforms, points]`
    /// # Errors   whatever the device reports
    /// # Panics   on the float engine
    pub fn transform(
        &mut self,
        product: Product,
        x: ArrayView2<'_, Complex<i32>>,
        points: Points,
        inverse: bool,
    ) -> Result<FftResult, ProductError> {
        let Backend::Device(device) = &mut *self.backend else {
            panic!("the float engine takes no integer transforms");
        };
        let request = FftRequest { x: x.view(), points, inverse, scaling: Scaling::Block };
        let layer = self.layer;
        let response = device.run(request.into());
        let result = response.map_err(|source| ProductError { layer, product, source })?.into_fft();
        self.ledger.add_transforms(layer, x.nrows() as u64, result.cost);
        Ok(result)
    }

    /// Computes one product of the running layer on the device.
    ///
    /// # Shape    `[m, k]`, `[k, n]` → `[m, n]`, row-major
    /// # Numeric  exact, or narrowed as `result` says; zero where `sparsity` drops a result
    /// # Errors   whatever the device reports
    /// # Panics   on the float engine
    pub fn product(
        &mut self,
        product: Product,
        x: Operand<'_>,
        w: Operand<'_>,
        sparsity: Sparsity<'_>,
        result: ResultFormat,
    ) -> Result<Sums, ProductError> {
        let Backend::Device(device) = &mut *self.backend else {
            panic!("the float engine takes no integer products");
        };
        let request = GemmRequest { x: reborrow(&x), w: reborrow(&w), result, sparsity: shorten(&sparsity) };
        let (layer, response) = (self.layer, device.run(request.into()));
        let result = response.map_err(|source| ProductError { layer, product, source })?.into_gemm();
        self.ledger.add(self.layer, product, result.cost);
        Ok(Sums { y: result.y, magnitude_or: result.magnitude_or })
    }

    /// What a request of the running layer would cost; `None` if the device cannot tell, or run it.
    pub fn predict(&mut self, problem: &Problem) -> Option<Cost> {
        match &mut *self.backend {
            Backend::Float => None,
            Backend::Device(device) => device.predict(problem),
        }
    }

    /// Computes one product of the running layer, a convolution, on the device: its operands are those of
    /// [`ConvRequest`].
    ///
    /// # Numeric  exact, or narrowed as `result` says; zero where `sparsity` drops a result
    /// # Errors   whatever the device reports
    /// # Panics   on the float engine
    pub fn convolve(
        &mut self,
        product: Product,
        window: Window,
        x: Operand<'_>,
        w: Operand<'_>,
        sparsity: Sparsity<'_>,
        result: ResultFormat,
    ) -> Result<Sums, ProductError> {
        let Backend::Device(device) = &mut *self.backend else {
            panic!("the float engine takes no integer products");
        };
        let request = ConvRequest {
            product: product.of_convolution(),
            window,
            x: reborrow(&x),
            w: reborrow(&w),
            result,
            sparsity: shorten(&sparsity),
        };
        let (layer, response) = (self.layer, device.run(request.into()));
        let result = response.map_err(|source| ProductError { layer, product, source })?.into_conv();
        self.ledger.add(self.layer, product, result.cost);
        Ok(Sums { y: result.y, magnitude_or: result.magnitude_or })
    }
}

/// The same operand for a shorter time: views are invariant in their lifetime.
fn reborrow<'a>(operand: &'a Operand<'_>) -> Operand<'a> {
    Operand { codebook: operand.codebook, ..Operand::new(operand.values.view(), operand.format) }
}

/// The same for a sparsity.
fn shorten<'a>(sparsity: &'a Sparsity<'_>) -> Sparsity<'a> {
    match sparsity {
        Sparsity::Dense => Sparsity::Dense,
        Sparsity::Weights(pattern) => Sparsity::Weights(*pattern),
        Sparsity::Results(pattern, kept) => Sparsity::Results(*pattern, kept.view()),
    }
}
