//! Layers whose products run in the frequency domain.
//!
//! ```text
//! x ─ frame ─► planes ─ FFT ─► X̂ [bin][row, channel] ─ X̂·A ─► Ŷ [bin][row, output] ─ inverse ─► planes ─ frame ─► y
//! ```
//!
//! A [`Frame`](frame::Frame) cuts signals into real planes of N points. Two planes share a complex transform
//! ([`hermitian`]), half of the bins is enough ([`bins::Bins`]), and in each bin the channels meet in a complex
//! matrix product, which is a real one of twice the size ([`contraction`]):
//!
//! ```text
//! [Re Y | Im Y] = [Re X | Im X] · |  Re A  Im A |        dX = dY·Aᴴ: the transpose of the same real matrix
//!                                 | −Im A  Re A |        dA = Xᴴ·dY
//! ```
//!
//! A = conj(Ŵ) correlates (a convolution layer), A = Ŵ convolves (a circulant matrix). A bin whose mask keeps nothing
//! takes part in none of the three products.
//!
//! # Source   Mathieu, Henaff, LeCun, "Fast training of convolutional networks through FFTs", 2014 (products in the
//! frequency domain); deviation: tiles (overlap-save) instead of whole images

pub mod bins;
pub mod contraction;
mod coordinates;
pub mod frame;
pub mod hermitian;
pub mod layer;
pub mod quantize;
pub mod reference;
pub mod transform;
mod unquantized;
pub mod weights;

use crate::engine::Product;
use crate::plan::{LayerBits, ProductPlan};
use crate::prunable::Groups;
use frame::Frame;
use tandem_driver::Format;

/// The products of a training step: those of bins with two parts, and those of real bins.
pub(crate) fn products(frame: &Frame, bits: &LayerBits, batch: usize) -> Vec<ProductPlan> {
    let (channels, outputs) = (frame.channels(), frame.outputs());
    let (bins, format) = (frame.bins(), Format::signed(bits.spectra));
    let groups = Groups { height: 1, width: 2, channels, outputs };
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
            alternative: None,
            times,
        };
        [
            plan(Product::Forward, [rows, k, n]),
            plan(Product::WeightGradient, [k, rows, n]),
            plan(Product::InputGradient, [rows, n, k]),
        ]
    });
    plans.concat()
}
