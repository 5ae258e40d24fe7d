//! Samples to payloads, packets to spectra (docs/fft.md, "Data").

use ndarray::{ArrayView2, ArrayViewMut2};
use num_complex::Complex;
use std::ops::Range;
use tandem_spec::Config;
use tandem_spec::config::Fft;

/// The payload of a LOAD: transforms `range` of `x`, in batches of `fft.samples`, the last one filled with zeros.
pub(super) fn payload(fft: &Fft, x: ArrayView2<'_, Complex<i32>>, range: Range<usize>) -> Vec<u8> {
    let (samples, points) = (fft.samples, x.ncols());
    let batches = range.len().div_ceil(samples);
    let mut bytes = vec![0; batches * points * samples * 4];
    for (i, row) in x.slice(ndarray::s![range, ..]).outer_iter().enumerate() {
        let (batch, lane) = (i / samples, i % samples);
        for (n, z) in row.iter().enumerate() {
            let at = ((batch * points + n) * samples + lane) * 4;
            bytes[at..at + 2].copy_from_slice(&(z.re as i16).to_le_bytes());
            bytes[at + 2..at + 4].copy_from_slice(&(z.im as i16).to_le_bytes());
        }
    }
    bytes
}

/// Spectra, exponents and flags of the transforms of one packet's data.
pub(super) fn unpack(
    config: &Config,
    fft: &Fft,
    data: &[u8],
    mut y: ArrayViewMut2<'_, Complex<i32>>,
) -> (Vec<u8>, Vec<bool>) {
    let (samples, points) = (fft.samples, y.ncols());
    let transforms = y.nrows();
    let part = |at: usize| i32::from(i16::from_le_bytes([data[at], data[at + 1]]));
    for (i, mut row) in y.outer_iter_mut().enumerate() {
        let (batch, lane) = (i / samples, i % samples);
        for (k, z) in row.iter_mut().enumerate() {
            let at = ((batch * points + k) * samples + lane) * 4;
            *z = Complex::new(part(at), part(at + 2));
        }
    }
    let results = transforms.div_ceil(samples) * points * samples;
    let status = &data[results.next_multiple_of(config.array.drain) * 4..][..transforms];
    (status.iter().map(|s| s & 31).collect(), status.iter().map(|s| s >> 7 == 1).collect())
}
