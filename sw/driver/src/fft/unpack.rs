//! Packets to spectra (docs/fft.md, "Data").
//!
//! ```text
//! packet of a block:  spectra, in the order in which their samples lie; from the next result word on a byte for
//!                     each transform: exponent (bits 0 to 4), clamped (bit 7)
//! ```

use super::FftPlan;
use ndarray::Array2;
use num_complex::Complex;
use std::ops::Range;
use tandem_spec::Config;

/// Writes a block's spectra to the rows of `y` that they belong to, and returns the status of each.
pub(super) fn unpack<'a>(
    config: &Config,
    plan: &FftPlan,
    block: &Range<usize>,
    data: &'a [u8],
    y: &mut Array2<Complex<i32>>,
) -> &'a [u8] {
    let layout = plan.layout(config, block);
    for tile in 0..block.len() {
        let spectra = &data[2 * tile * layout.digits()..][..2 * layout.digits()];
        layout.entries(tile, 1, |at, line, column| {
            let v = i16::from_le_bytes([spectra[2 * at], spectra[2 * at + 1]]).into();
            let z = &mut y[[line, column / 2]];
            *(if column % 2 == 0 { &mut z.re } else { &mut z.im }) = v;
        });
    }
    let results = 2 * block.len() * layout.digits();
    &data[results.next_multiple_of(4 * config.array.drain)..][..plan.transforms(block).len()]
}
