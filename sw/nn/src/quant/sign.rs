//! One bit: the sign.
//!
//! ```text
//! v̂ = s·(+1 if v ≥ 0, else −1),  s = mean |v|          the least squared error of two opposite levels
//! ```
//!
//! There is no code for 0, so a layer with these weights cannot be pruned.
//!
//! # Source   Rastegari et al. 2016, "XNOR-Net: ImageNet classification using binary convolutional neural networks", section 3.1

use super::Clip;
use super::coded::{Coded, Fit, Table};
use super::sorted::Sorted;
use tandem_driver::Format;

/// This quantizer under its name.
pub const CLIP: Clip = Clip {
    widths: (1, 1),
    has_zero: false,
    ..Clip::coded("sign", |_, _| LEVELS, |role| Box::new(Coded::new(role, LEVELS, fit)))
};

/// −1 and 1 in two's complement.
const LEVELS: Format = Format::signed(2);

fn fit(values: &Sorted, _: Table) -> Fit {
    let magnitudes = values.magnitudes();
    Fit { levels: vec![-1, 1], step: magnitudes.sum(0..magnitudes.len()) / values.len() as f64 }
}
