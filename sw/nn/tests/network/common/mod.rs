//! Devices for tests: exact integer products on the host, one that lies, one that takes notes.
#![allow(dead_code, reason = "the example uses a part")]

pub mod data;
pub mod fft;
pub mod harness;

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;
use std::sync::{Arc, Mutex};
use tandem_driver::{ConvProduct, ConvRequest, ConvResult, Cost, Device, DeviceError, Format, GemmRequest};
use tandem_driver::{GemmResult, Operand, Request, Response, Sparsity};

/// Rows in a parallel block.
const ROWS: usize = 512;

/// Integer products in floating point, where every partial sum fits the mantissa.
///
/// Its cost counts one cycle for 64 products.
#[derive(Clone, Copy, Debug, Default)]
pub struct PlainDevice;

impl Device for PlainDevice {
    fn name(&self) -> &str {
        "plain"
    }

    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError> {
        match request {
            Request::Gemm(request) => self.gemm(&request).map(Response::Gemm),
            Request::Conv(request) => self.conv(&request).map(Response::Conv),
            _ => Err(DeviceError::Request { what: "plain: takes products only".into() }),
        }
    }
}

/// The operands of the matrix product that a product of a convolution is.
///
/// # Shape    `[rows, k²·C]`, `[k²·C, O]`; `[k²·C, rows]`, `[rows, O]`; `[rows, O]`, `[O, k²·C]`
pub fn as_product(request: &ConvRequest<'_>) -> (Array2<i32>, Array2<i32>) {
    let (window, x, w) = (&request.window, request.x.values.to_owned(), request.w.values.to_owned());
    let rows = x.nrows() * window.places();
    let windows = || {
        let mut rows = Array2::zeros((rows, window.volume()));
        let images = x.as_slice().expect("row-major images");
        window.im2col(images, rows.as_slice_mut().expect("row-major"));
        rows
    };
    match request.product {
        ConvProduct::Forward => (windows(), w),
        ConvProduct::WeightGradient => (windows().reversed_axes(), w),
        ConvProduct::InputGradient => {
            (x.to_shape((rows, w.ncols())).expect("positions·outputs").to_owned(), w.t().to_owned())
        }
    }
}

impl PlainDevice {
    fn conv(self, request: &ConvRequest<'_>) -> Result<ConvResult, DeviceError> {
        let (x, w) = as_product(request);
        let operand = |values, format| Operand::new(values, format);
        let product = self.gemm(&GemmRequest {
            x: operand(x.view(), request.x.format),
            w: operand(w.view(), request.w.format),
            result: request.result,
            sparsity: Sparsity::Dense,
        })?;
        let mut y = product.y.into_long();
        if request.product == ConvProduct::InputGradient {
            let window = &request.window;
            let mut dx = Array2::zeros((x.nrows() / window.places() * window.pixels(), window.channels));
            window.col2im(y.as_slice().expect("rows"), dx.as_slice_mut().expect("new"), |sum: i64| sum);
            y = dx;
        }
        if let Sparsity::Results(_, kept) = request.sparsity {
            y.zip_mut_with(&kept, |y, kept| *y = if *kept { *y } else { 0 });
        }
        Ok(ConvResult { y: y.into(), cost: product.cost, magnitude_or: product.magnitude_or, saturated: 0 })
    }

    fn gemm(self, request: &GemmRequest<'_>) -> Result<GemmResult, DeviceError> {
        let (x, w) = (&request.x, &request.w);
        let (left, right) = (x.values.to_owned(), w.values.to_owned());
        let ((m, k), (inner, n)) = (left.dim(), right.dim());
        if k != inner {
            let what = format!("inner dimensions {k} and {inner}");
            return Err(DeviceError::Request { what });
        }
        check(x)?;
        check(w)?;
        let largest = |o: &Operand<'_>| {
            let (lo, hi) = o.format.range();
            u64::from(lo.unsigned_abs().max(hi.unsigned_abs()))
        };
        // Terms whose sum fits the 24 bits of an f32.
        let block = (1 << 24) / (largest(x) * largest(w)).min(1 << 24);
        let y = if block >= 64 {
            product_f32(left.view(), right.view(), block.min(8192) as usize)
        } else {
            let (x, w) = (left.mapv(f64::from), right.mapv(f64::from));
            x.dot(&w).mapv(|y| y as i64)
        };
        let products = (m * k * n) as u64;
        let cost = Cost {
            cycles: products.div_ceil(64),
            predicted_cycles: products.div_ceil(64),
            products,
            ..Cost::default()
        };
        let magnitude_or = y.iter().fold(0, |or, y| or | y.unsigned_abs());
        Ok(GemmResult { y: y.into(), cost, magnitude_or, saturated: 0 })
    }
}

fn check(operand: &Operand<'_>) -> Result<(), DeviceError> {
    let values = operand.values.to_owned();
    let range = values.fold((i32::MAX, i32::MIN), |(lo, hi), &v| (lo.min(v), hi.max(v)));
    let (lo, hi) = operand.format.range();
    if values.is_empty() || lo <= range.0 && range.1 <= hi {
        return Ok(());
    }
    Err(DeviceError::Request { what: format!("values of {range:?} do not fit {:?}", operand.format) })
}

fn product_f32(x: ArrayView2<'_, i32>, w: ArrayView2<'_, i32>, block: usize) -> Array2<i64> {
    let (m, k) = x.dim();
    let w = w.mapv(|v| v as f32);
    let mut y = Array2::zeros((m, w.ncols()));
    let part = |x: ArrayView2<'_, i32>, first: usize| {
        let w = w.slice(s![first..first + x.ncols(), ..]);
        x.mapv(|v| v as f32).dot(&w)
    };
    if k <= block {
        let blocks = y.axis_chunks_iter_mut(Axis(0), ROWS).into_par_iter();
        blocks
            .zip(x.axis_chunks_iter(Axis(0), ROWS))
            .for_each(|(mut y, x)| y.assign(&part(x, 0).mapv(|v| v as i64)));
    } else {
        let starts: Vec<_> = (0..k).step_by(block).collect();
        let parts: Vec<_> = starts
            .into_par_iter()
            .map(|first| part(x.slice(s![.., first..(first + block).min(k)]), first))
            .collect();
        for part in parts {
            y.zip_mut_with(&part, |y, &p| *y += p as i64);
        }
    }
    y
}

/// Adds 1 to one result element of one call.
#[derive(Clone, Copy, Debug)]
pub struct Lying {
    /// The call, counted from 0.
    pub call: usize,
    /// The element, counted from 0 and from the start again after the last.
    pub element: usize,
    /// Calls so far.
    pub calls: usize,
}

impl Device for Lying {
    fn name(&self) -> &str {
        "lying"
    }

    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError> {
        let mut response = PlainDevice.run(request)?;
        if self.calls == self.call {
            let y = match &mut response {
                Response::Gemm(result) => &mut result.y,
                Response::Conv(result) => &mut result.y,
                Response::Fft(_) | Response::Smooth(_) => panic!("takes products only"),
            };
            let mut wrong = y.to_long();
            let n = wrong.len();
            wrong.as_slice_mut().expect("row-major")[self.element % n] += 1;
            *y = wrong.into();
        }
        self.calls += 1;
        Ok(response)
    }
}

/// What a device was asked; of a convolution the matrix product that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Left operand.
    pub x: Array2<i32>,
    /// Its format.
    pub x_format: Format,
    /// Right operand.
    pub w: Array2<i32>,
    /// Its format.
    pub w_format: Format,
}

/// Writes down every request, and fails from one on if asked to.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The requests so far.
    pub notes: Arc<Mutex<Vec<Note>>>,
    /// The call that fails.
    pub fails_at: Option<usize>,
}

impl Device for Recording {
    fn name(&self) -> &str {
        "recording"
    }

    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError> {
        let mut notes = self.notes.lock().expect("no panic while noting");
        if self.fails_at == Some(notes.len()) {
            return Err(DeviceError::Engine {
                engine: "recording".to_owned(),
                what: "out of ink".to_owned(),
            });
        }
        let (operands, [x_format, w_format]) = match &request {
            Request::Gemm(r) => ((r.x.values.to_owned(), r.w.values.to_owned()), [r.x.format, r.w.format]),
            Request::Conv(r) => (as_product(r), [r.x.format, r.w.format]),
            Request::Fft(_) | Request::Smooth(_) => panic!("takes products only"),
        };
        let (x, w) = operands;
        notes.push(Note { x, x_format, w, w_format });
        PlainDevice.run(request)
    }
}
