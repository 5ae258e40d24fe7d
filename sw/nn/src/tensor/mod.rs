//! What a network keeps: shapes, parameters, buffers, masks.
//!
//! Activations are `Array2<f32>` of `[batch, h·w·c]`, row-major, each row one example in the order
//! (h, w, c) with c fastest. A flat vector of n features has the shape 1 × 1 × n.

pub mod blocks;
pub mod conv;
pub mod gemm;
pub(crate) mod gemm64;

use ndarray::Array2;
use std::fmt;
use tandem_driver::Window;

/// The shape of one example: height, width, channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Height.
    pub h: usize,
    /// Width.
    pub w: usize,
    /// Channels.
    pub c: usize,
}

impl Shape {
    /// A flat vector of `n` features.
    pub const fn flat(n: usize) -> Self {
        Shape { h: 1, w: 1, c: n }
    }

    /// Number of values, `h·w·c`.
    pub const fn features(self) -> usize {
        self.h * self.w * self.c
    }

    /// Positions, `h·w`.
    pub const fn positions(self) -> usize {
        self.h * self.w
    }

    /// A window that slides over it.
    pub const fn window(self, kernel: [usize; 2], stride: [usize; 2], padding: [usize; 2]) -> Window {
        let Shape { h, w, c } = self;
        Window { image: [h, w], channels: c, kernel, stride, padding }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.h, self.w, self.c)
    }
}

/// Which positions of a tensor are kept: `true` is kept.
pub type Mask = Array2<bool>;

/// Keeps what a mask keeps of a tensor of its shape; the others become 0.
pub fn keep<T: Clone + Default>(values: &mut Array2<T>, mask: &Mask) {
    values.zip_mut_with(mask, |value, kept| {
        if !kept {
            *value = T::default();
        }
    });
}

/// A trained tensor with its gradient and the optimiser's moments.
///
/// Vectors are one row, scalars 1 × 1.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Name inside its layer.
    pub name: String,
    /// The values.
    pub value: Array2<f32>,
    /// The loss's derivative, overwritten by each backward pass.
    pub gradient: Array2<f32>,
    /// The optimiser's state: velocity, or first and second moment.
    pub moments: Vec<Array2<f32>>,
    /// Whether weight decay applies.
    pub decay: bool,
    /// The smallest value the optimiser leaves behind, if there is a bound.
    pub floor: Option<f32>,
}

impl Parameter {
    /// A parameter without moments, decay or floor.
    pub fn new(name: impl Into<String>, value: Array2<f32>) -> Self {
        Parameter {
            name: name.into(),
            gradient: Array2::zeros(value.dim()),
            value,
            moments: Vec::new(),
            decay: false,
            floor: None,
        }
    }

    /// The values, row-major.
    pub fn values(&self) -> &[f32] {
        slice(&self.value)
    }

    /// The gradient, row-major.
    pub fn gradients_mut(&mut self) -> &mut [f32] {
        slice_mut(&mut self.gradient)
    }
}

/// A tensor that is state but not trained, such as a running mean.
#[derive(Clone, Debug)]
pub struct Buffer {
    /// Name inside its layer.
    pub name: String,
    /// The values.
    pub value: Array2<f32>,
}

impl Buffer {
    /// A buffer with these values.
    pub fn new(name: impl Into<String>, value: Array2<f32>) -> Self {
        Buffer { name: name.into(), value }
    }
}

/// A piece of a layer's state: all that checkpoints and digests need to know.
#[derive(Debug)]
pub enum Slot<'a> {
    /// A trained tensor.
    Parameter(&'a mut Parameter),
    /// What the network computes with and does not train, such as a running mean.
    Statistic(&'a mut Buffer),
    /// Other state that is not trained: that of quantizers.
    Buffer(&'a mut Buffer),
    /// Which positions of a parameter are kept; `None` keeps all.
    Mask {
        /// Name inside the layer.
        name: &'static str,
        /// Shape of the parameter.
        shape: (usize, usize),
        /// The mask.
        mask: &'a mut Option<Mask>,
    },
}

/// The elements of a row-major array.
///
/// # Panics   if the array is not row-major
pub(crate) fn slice<T>(array: &Array2<T>) -> &[T] {
    array.as_slice().expect("row-major array")
}

/// The elements of a row-major array.
///
/// # Panics   if the array is not row-major
pub(crate) fn slice_mut<T>(array: &mut Array2<T>) -> &mut [T] {
    array.as_slice_mut().expect("row-major array")
}

/// Gives `array` this shape. Keeps the memory, and whatever was in it, if the shape is the same.
pub(crate) fn reshape<T: Clone + Default>(array: &mut Array2<T>, rows: usize, columns: usize) {
    if array.dim() != (rows, columns) {
        *array = Array2::default((rows, columns));
    }
}
