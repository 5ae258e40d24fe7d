//! What layers share whose products run in the frequency domain; the mathematics is in [`crate::spectral`].

mod coordinates;
pub mod layer;
mod unquantized;
pub mod weights;

use super::prunable::Groups;
use super::{LayerBits, ProductPlan};
use crate::backend::Product;
use crate::spectral::frame::Frame;
use tandem_driver::Format;
use tandem_driver::gemm::ResultWidth;

/// The products of a training step: those of bins with two parts, and those of real bins.
pub(crate) fn products(frame: &Frame, bits: &LayerBits, batch: usize) -> Vec<ProductPlan> {
    let (channels, outputs) = (frame.channels(), frame.outputs());
    let (bins, format) = (frame.bins(), Format::signed(bits.spectra));
    let groups = Groups { height: 2, width: 1, channels, outputs, blocks: 1 };
    let plans = [2, 1].map(|parts| {
        let times = bins.iter().filter(|bin| bin.parts() == parts).count();
        let (rows, k, n) = (batch * frame.rows(), parts * channels, parts * outputs);
        let plan = |product, [m, k, n]: [usize; 3]| ProductPlan {
            product,
            m,
            k,
            n,
            x: format,
            w: format,
            groups,
            result: ResultWidth::Full,
            window: None,
            times,
            code_bits: None,
        };
        [
            plan(Product::Forward, [rows, k, n]),
            plan(Product::WeightGradient, [k, rows, n]),
            plan(Product::InputGradient, [rows, n, k]),
        ]
    });
    plans.concat()
}
