//! A product of a convolution to compute, and what it must satisfy before anything is planned.

use super::window::Window;
use crate::codebook::Codes;
use crate::device::{Cost, DeviceError, Format};
use crate::gemm::{Operand, Pattern, ResultFormat, ResultWidth, Selection, Sparsity};
use crate::gemm::{check_pattern, result_width};
use crate::integers::Integers;

/// Which product of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConvProduct {
    /// Y from X and W.
    Forward,
    /// dX from dY and W.
    InputGradient,
    /// dW from X and dY.
    WeightGradient,
}

/// One product of a convolution: B images of h × w × C, a window of kh × kw, O outputs.
///
/// | product | `x` | `w` | answer |
/// |---|---|---|---|
/// | forward | X `[B, h·w·C]` | W `[kh·kw·C, O]` | Y `[B·h'·w', O]` |
/// | input gradient | dY `[B, h'·w'·O]` | W | dX `[B·h·w, C]` |
/// | weight gradient | X | dY `[B·h'·w', O]` | dW `[kh·kw·C, O]` |
#[derive(Clone, Copy, Debug)]
pub struct ConvRequest<'a> {
    /// Which product.
    pub product: ConvProduct,
    /// Image and window of the forward product.
    pub window: Window,
    /// The images that are walked over.
    pub x: Operand<'a>,
    /// Weights, or the output gradient of the weight gradient.
    pub w: Operand<'a>,
    /// How results leave.
    pub result: ResultFormat,
    /// What N:M selection may skip: of W along k = (ky, kx, c) in the forward product, along its columns in the
    /// input gradient; of dW along k. A group lies within a pixel's channels or within a row of the kernel.
    pub sparsity: Sparsity<'a>,
}

/// A [`ConvRequest`] without its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConvProblem {
    /// Which product.
    pub product: ConvProduct,
    /// Image and window of the forward product.
    pub window: Window,
    /// B.
    pub images: usize,
    /// O.
    pub outputs: usize,
    /// Format of the images that are walked over.
    pub x: Format,
    /// Format of the other operand.
    pub w: Format,
    /// Width of the results.
    pub result: ResultWidth,
    /// What is skipped.
    pub selection: Selection,
    /// The codes that weights may move as, if they enter by the columns.
    pub codes: Option<Codes>,
}

/// The answer to a [`ConvRequest`].
#[derive(Clone, Debug)]
pub struct ConvResult {
    /// See [`ConvRequest`]; exact, or narrowed if the request says so.
    pub y: Integers,
    /// What it cost.
    pub cost: Cost,
    /// OR of the magnitudes of all sums before narrowing.
    pub magnitude_or: u64,
    /// Number of results that saturated when they were narrowed.
    pub saturated: u64,
}

impl ConvProblem {
    /// Shape of the answer.
    pub fn answer(&self) -> (usize, usize) {
        match self.product {
            ConvProduct::Forward => (self.images * self.window.places(), self.outputs),
            ConvProduct::InputGradient => (self.images * self.window.pixels(), self.window.channels),
            ConvProduct::WeightGradient => (self.window.volume(), self.outputs),
        }
    }

    /// Channels of the images that are walked over.
    pub fn channels(&self) -> usize {
        match self.product {
            ConvProduct::InputGradient => self.outputs,
            ConvProduct::Forward | ConvProduct::WeightGradient => self.window.channels,
        }
    }
}

fn refuse<T>(what: String) -> Result<T, DeviceError> {
    Err(DeviceError::Request { what })
}

/// Shapes and formats of the request.
///
/// # Errors   if shapes disagree, a width is not in 1 to 16, or a pattern's groups cross pixels and kernel rows
pub(super) fn problem(request: &ConvRequest<'_>) -> Result<ConvProblem, DeviceError> {
    let (window, product) = (request.window, request.product);
    let Window { kernel, stride, padding, .. } = window;
    if kernel.contains(&0) || stride.contains(&0) || (0..2).any(|axis| padding[axis] >= kernel[axis]) {
        let [kernel, stride, padding] = [kernel, stride, padding].map(|[h, w]| format!("{h} × {w}"));
        return refuse(format!(
            "kernel {kernel}, stride {stride}, padding {padding}: expected a kernel and a stride of at least 1 and less padding than kernel"
        ));
    }
    let Some((out_h, out_w)) = window.positions().filter(|_| window.channels > 0) else {
        let ([h, w], c) = (window.image, window.channels);
        return refuse(format!(
            "an image of {h} × {w} × {c}: expected at least one channel and the size of the kernel, {} × {}",
            kernel[0], kernel[1]
        ));
    };
    let ((images, features), (rows, outputs)) = (request.x.values.dim(), request.w.values.dim());
    let (features_expected, rows_expected) = match product {
        ConvProduct::Forward => (window.features(), window.volume()),
        ConvProduct::InputGradient => (out_h * out_w * outputs, window.volume()),
        ConvProduct::WeightGradient => (window.features(), images * out_h * out_w),
    };
    if features != features_expected {
        return refuse(format!("images of {features} values: expected {features_expected}"));
    }
    if rows != rows_expected {
        return refuse(format!("the second operand has {rows} rows: expected {rows_expected}"));
    }
    for (name, operand) in [("X", &request.x), ("W", &request.w)] {
        if !(1..=16).contains(&operand.format.bits) {
            return refuse(format!("{name} has {} bits: expected 1 to 16", operand.format.bits));
        }
    }
    let result = result_width(request.result)?;
    let selection = selection(request, outputs)?;
    let (x, w, codes) = (request.x.format, request.w.format, Codes::of(request.w.codebook));
    Ok(ConvProblem { product, window, images, outputs, x, w, result, selection, codes })
}

fn selection(request: &ConvRequest<'_>, outputs: usize) -> Result<Selection, DeviceError> {
    let window = &request.window;
    let (pattern, along, selection) = match (request.product, request.sparsity) {
        (_, Sparsity::Dense) => return Ok(Selection::Dense),
        (ConvProduct::Forward, Sparsity::Weights(p)) => (p, window.volume(), Selection::Weights(p)),
        (ConvProduct::InputGradient, Sparsity::Weights(p)) => (p, outputs, Selection::Weights(p)),
        (ConvProduct::WeightGradient, Sparsity::Results(p, kept)) => {
            if kept.dim() != (window.volume(), outputs) {
                let (m, n) = (window.volume(), outputs);
                return refuse(format!("marks are {:?}: expected {m} × {n}, as dW", kept.dim()));
            }
            if request.result != ResultFormat::Full {
                return refuse("selected results leave at full width only".into());
            }
            (p, window.volume(), Selection::Results(p))
        }
        (product, _) => {
            return refuse(format!(
                "{product:?}: weights are sparse in the first two products, results in the third"
            ));
        }
    };
    check_pattern(pattern, along)?;
    Ok(if pattern.n == pattern.m { Selection::Dense } else { selection })
}

/// Whether the groups of a pattern along k stay within a pixel's channels, or within a row of the kernel.
pub(super) fn walks(pattern: &Pattern, window: &Window) -> bool {
    pattern.run == window.channels || pattern.run == window.channels * window.kernel[1]
}
