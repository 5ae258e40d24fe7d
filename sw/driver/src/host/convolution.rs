//! The forward product and the input gradient of a convolution.
//!
//! ```text
//! forward           row (oy, ox) begins at pixel (oy·s, ox·s) of X with its padding; a segment is a row of the kernel
//! input gradient    pixel (y, x) of phase (y + p) mod s = a, (x + p) mod s = b sums taps ky = a + s·j, kx = b + s·i
//!                   of dY at (t − j, u − i), t = ⌊(y + p)/s⌋, u = ⌊(x + p)/s⌋: a forward product of dY with a border, and
//!                   the kernel's taps of that phase backwards
//! ```
//! So dX is never made of rows that are added up, and a stride costs no products with zeros.

use super::frame::Frame;
use super::sweep::Sweep;
use super::{Formatted, Product, SMALL, over_chunks};
use crate::conv::{ConvProduct, Window};
use crate::entries::Entry;
use crate::integers::Integers;
use crate::layout::Matrix;
use ndarray::Array2;
use tandem_kernels::{Element, Level, Panel};

/// The sums of Y or dX.
pub(super) fn sums<E: Element, T: Entry>(
    level: Level,
    product: ConvProduct,
    window: &Window,
    (x, x_format): Formatted<'_, T>,
    (w, w_format): Formatted<'_, T>,
) -> Product {
    let (frame, mut sweeps, rows, columns) = match product {
        ConvProduct::Forward => forward::<E, T>(window, w),
        _ => input_gradient::<E, T>(window, w),
    };
    let features: usize = frame.image.iter().product();
    let images = x.data.len() / features;
    sweeps.iter_mut().for_each(|sweep| sweep.skip_zeros(level, images));
    let mut y = Array2::zeros((images * rows, columns));
    let (lo, zero) = (x_format.range().0, E::zero(x_format.range().0));
    let reach =
        |sweep: &Sweep<E>| frame.len(sweep.from.iter().max().copied().unwrap_or(0), sweep.panel.reach());
    let length = sweeps.iter().map(reach).max().unwrap_or(0);
    let image = |a: &mut Vec<E::Left>, (i, y): (usize, &mut [i32])| {
        let from = &x.data[i * features..][..features];
        let or = level.run(
            #[inline(always)]
            || frame.fill::<E, T>(from, (lo, zero), a),
        );
        let magnitudes = sweeps.iter().fold(0, |or, sweep| or | sweep.run(level, a, zero, y));
        [or, magnitudes]
    };
    let scratch = || vec![E::left(0, zero); length];
    let products = images * w.data.len() * if product == ConvProduct::Forward { rows } else { features };
    let all = y.as_slice_mut().expect("just made");
    let [or, magnitudes] = over_chunks((all, rows * columns), products >= SMALL, scratch, image);
    let w_or = w.or_above(w_format.range().0);
    Product { y: Integers::Short(y), ors: [or, w_or], magnitude_or: Some(magnitudes.into()) }
}

/// Frame of the images that are read, sweeps over each, rows and columns of an image's answer.
type Plan<E> = (Frame, Vec<Sweep<E>>, usize, usize);

fn forward<E: Element, T: Entry>(window: &Window, w: &Matrix<'_, T>) -> Plan<E> {
    let (out_h, out_w) = window.positions().expect("a window that fits");
    let ([h, width], c, [kh, kw]) = (window.image, window.channels, window.kernel);
    let ([sy, sx], padding) = (window.stride, window.padding);
    let size = [h + 2 * padding[0], width + 2 * padding[1]];
    let frame = Frame { image: [h, width, c], before: padding, size };
    let segments = (0..kh).map(|ky| frame.at(ky, 0)).collect();
    let panel = Panel::new(segments, kw * c, w.cols, |ky, i, o| w.at(ky * kw * c + i, o));
    let places = (0..out_h).flat_map(|oy| (0..out_w).map(move |ox| (oy, ox)));
    let from = places.map(|(oy, ox)| frame.at(oy * sy, ox * sx)).collect();
    let rows = out_h * out_w;
    (frame, vec![Sweep { panel, from, to: (0..rows).collect() }], rows, w.cols)
}

fn input_gradient<E: Element, T: Entry>(window: &Window, w: &Matrix<'_, T>) -> Plan<E> {
    let (out_h, out_w) = window.positions().expect("a window that fits");
    let ([h, width], c, kernel, outputs) = (window.image, window.channels, window.kernel, w.cols);
    let (stride, padding) = (window.stride, window.padding);
    // taps of a phase, the most of any, and the last position that a pixel asks for
    let taps = |axis: usize, phase: usize| kernel[axis].saturating_sub(phase).div_ceil(stride[axis]);
    let before = [0, 1].map(|axis| taps(axis, 0) - 1);
    let last = [0, 1].map(|axis| (window.image[axis] - 1 + padding[axis]) / stride[axis]);
    let size = [before[0] + out_h.max(last[0] + 1), before[1] + out_w.max(last[1] + 1)];
    let frame = Frame { image: [out_h, out_w, outputs], before, size };
    let phases = (0..stride[0]).flat_map(|a| (0..stride[1]).map(move |b| (a, b)));
    let sweep = |(a, b): (usize, usize)| {
        let (down, across) = (taps(0, a), taps(1, b));
        if down * across == 0 {
            return None;
        }
        let value = |segment: usize, i: usize, channel: usize| {
            let (ky, kx) = (a + stride[0] * (down - 1 - segment), b + stride[1] * (across - 1 - i / outputs));
            w.at((ky * kernel[1] + kx) * c + channel, i % outputs)
        };
        let segments = (0..down).map(|row| frame.at(row, 0)).collect();
        let panel = Panel::new(segments, across * outputs, c, value);
        let own = |axis: usize, phase: usize| {
            let at = move |pixel: usize| pixel + padding[axis];
            (0..window.image[axis]).filter(move |pixel| at(*pixel) % stride[axis] == phase)
        };
        let pixels = || own(0, a).flat_map(|y| own(1, b).map(move |x| (y, x)));
        let first = |(y, x): (usize, usize)| {
            let (t, u) = ((y + padding[0]) / stride[0], (x + padding[1]) / stride[1]);
            frame.at(t + before[0] + 1 - down, u + before[1] + 1 - across)
        };
        let (from, to) = (pixels().map(first).collect(), pixels().map(|(y, x)| y * width + x).collect());
        Some(Sweep { panel, from, to })
    };
    (frame, phases.filter_map(sweep).collect(), h * width, c)
}
