//! The forward product and the input gradient of a convolution.
//!
//! ```text
//! forward           row (oy, ox) begins at pixel (oy·s, ox·s) of X with its padding; a segment is a row of the kernel
//! input gradient    a phase of pixels at a time ([`Axis`]): a forward product of dY with a border, and of the kernel's taps that they meet
//! ```
//! So dX is never made of rows that are added up, and a stride costs no products with zeros.

use super::frame::Frame;
use super::sweep::Sweep;
use super::{Formatted, Product, SMALL, over_chunks};
use crate::conv::{Axis, ConvProduct, Phase, Window};
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
    for sweep in &mut sweeps {
        sweep.panel.skip_zeros(level, images * sweep.from.len());
    }
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
    let ([h, width], c, outputs) = (window.image, window.channels, w.cols);
    let axes = [0, 1].map(|axis| Axis::input_gradient(window, axis));
    let before =
        axes.each_ref().map(|axis| axis.phases.iter().map(|p| -p.lead).max().unwrap_or(0).max(0) as usize);
    let row = |axis: usize, phase: &Phase, i: usize| (phase.lead + (before[axis] + i) as isize) as usize;
    let size = [0, 1].map(|axis| {
        let end = |p: &Phase| row(axis, p, (p.count + p.taps.len()).saturating_sub(1));
        axes[axis].phases.iter().map(end).max().unwrap_or(0).max(before[axis] + axes[axis].inputs)
    });
    let frame = Frame { image: [axes[0].inputs, axes[1].inputs, outputs], before, size };
    let sweep = |down: &Phase, across: &Phase| {
        let value = |segment: usize, i: usize, channel: usize| {
            let (ky, kx) = (down.taps[segment], across.taps[i / outputs]);
            w.at((ky * window.kernel[1] + kx) * c + channel, i % outputs)
        };
        let segments = (0..down.taps.len()).map(|y| frame.at(y, 0)).collect();
        let panel = Panel::new(segments, across.taps.len() * outputs, c, value);
        let pixels = || (0..down.count).flat_map(|y| (0..across.count).map(move |x| (y, x)));
        let from = pixels().map(|(y, x)| frame.at(row(0, down, y), row(1, across, x)));
        let to = pixels().map(|(y, x)| (down.first + down.step * y) * width + across.first + across.step * x);
        Sweep { panel, from: from.collect(), to: to.collect() }
    };
    let phases =
        axes[0].phases.iter().flat_map(|down| axes[1].phases.iter().map(move |across| (down, across)));
    let met = phases.filter(|(down, across)| !down.taps.is_empty() && !across.taps.is_empty());
    let sweeps = met.map(|(down, across)| sweep(down, across)).collect();
    (frame, sweeps, h * width, c)
}
