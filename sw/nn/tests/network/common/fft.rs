//! A device with an FFT unit: correctly rounded transforms, exact products, and notes of what it was asked.

use super::{PlainDevice, as_product};
use ndarray::{Array2, Axis};
use num_complex::Complex;
use rustfft::{FftDirection, FftPlannerScalar};
use std::sync::{Arc, Mutex};
use tandem_driver::{
    Cost, Device, DeviceError, FftRequest, FftResult, GemmRequest, GemmResult, Points, Problem, Request,
    Response, Sparsity,
};

/// One product that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Rows, contraction, columns.
    pub shape: [usize; 3],
    /// N of M and run, of W or of Y.
    pub pattern: Option<(usize, usize, usize)>,
}

/// Products of [`PlainDevice`], transforms in f64, rounded once: 16 bits and one exponent a transform.
#[derive(Clone, Debug, Default)]
pub struct FftDevice {
    /// The products so far.
    pub products: Arc<Mutex<Vec<Asked>>>,
    /// Number of transforms so far.
    pub transforms: Arc<Mutex<usize>>,
}

impl Device for FftDevice {
    fn name(&self) -> &str {
        "fft"
    }

    fn run(&mut self, request: Request<'_>) -> Result<Response, DeviceError> {
        match request {
            Request::Gemm(request) => self.gemm(&request).map(Response::Gemm),
            Request::Fft(request) => self.fft(&request).map(Response::Fft),
            Request::Smooth(_) => panic!("takes products and transforms only"),
            Request::Conv(request) => {
                let (x, w) = as_product(&request);
                let shape = [x.nrows(), x.ncols(), w.ncols()];
                self.products.lock().expect("no panic").push(Asked { shape, pattern: None });
                PlainDevice.run(request.into())
            }
        }
    }

    /// Tells of transforms only.
    fn predict(&mut self, problem: &Problem) -> Option<Cost> {
        let Problem::Fft(problem) = problem else { return None };
        let samples = (problem.transforms * problem.points.count()) as u64;
        Some(Cost { cycles: samples, compute_busy: samples, ..Cost::default() })
    }
}

impl FftDevice {
    fn gemm(&self, request: &GemmRequest<'_>) -> Result<GemmResult, DeviceError> {
        let ((m, k), n) = (request.x.values.dim(), request.w.values.ncols());
        let (pattern, marks) = match request.sparsity {
            Sparsity::Dense => (None, None),
            Sparsity::Weights(p) => (Some(p), Some(request.w.values.to_owned().mapv(|w| w != 0))),
            Sparsity::Results(p, kept) => (Some(p), Some(kept.to_owned())),
        };
        if let (Some(p), Some(marks)) = (pattern, &marks) {
            for column in marks.axis_iter(Axis(1)) {
                for g in 0..p.groups(marks.nrows()) {
                    let kept = p.members(g).filter(|row| column[*row]).count();
                    assert!(kept <= p.n, "group {g} keeps {kept} of {p:?}");
                }
            }
        }
        let pattern = pattern.map(|p| (p.n, p.m, p.run));
        self.products.lock().expect("no panic").push(Asked { shape: [m, k, n], pattern });
        let mut result = PlainDevice.run((*request).into())?.into_gemm();
        if let Sparsity::Results(_, kept) = request.sparsity {
            let mut y = result.y.into_long();
            y.zip_mut_with(&kept, |y, kept| *y = if *kept { *y } else { 0 });
            result.y = y.into();
        }
        Ok(result)
    }

    fn fft(&self, request: &FftRequest<'_>) -> Result<FftResult, DeviceError> {
        *self.transforms.lock().expect("no panic") += request.x.nrows();
        let direction = if request.inverse { FftDirection::Inverse } else { FftDirection::Forward };
        let length = match request.points {
            Points::Line(n) => n,
            Points::Tile(side) => side,
        };
        let plan = FftPlannerScalar::new().plan_fft(length, direction);
        let mut y = Array2::from_elem(request.x.raw_dim(), Complex::new(0, 0));
        let mut exponents = vec![0; y.nrows()];
        for ((x, mut y), exponent) in request.x.rows().into_iter().zip(y.rows_mut()).zip(&mut exponents) {
            let in_range = |v: &Complex<i32>| [v.re, v.im].iter().all(|p| (-32768..=32767).contains(p));
            if let Some(v) = x.iter().find(|v| !in_range(v)) {
                return Err(DeviceError::Request { what: format!("{v} does not fit 16 bits") });
            }
            let mut z: Vec<_> = x.iter().map(|v| Complex::new(f64::from(v.re), f64::from(v.im))).collect();
            plan.process(&mut z);
            if let Points::Tile(side) = request.points {
                let mut turned: Vec<_> = (0..z.len()).map(|i| z[i % side * side + i / side]).collect();
                plan.process(&mut turned);
                z = (0..z.len()).map(|i| turned[i % side * side + i / side]).collect();
            }
            let largest = z.iter().fold(0.0f64, |m, v| m.max(v.re.abs()).max(v.im.abs()));
            while (largest / f64::from(1u32 << *exponent)).round_ties_even() > 32767.0 {
                *exponent += 1;
            }
            let round = |v: f64| (v / f64::from(1u32 << *exponent)).round_ties_even() as i32;
            y.iter_mut().zip(&z).for_each(|(y, v)| *y = Complex::new(round(v.re), round(v.im)));
        }
        let saturated = vec![false; exponents.len()];
        let samples = (y.len()) as u64;
        let cost = Cost { cycles: samples, compute_busy: samples, ..Cost::default() };
        Ok(FftResult { y, exponents, saturated, cost })
    }
}
