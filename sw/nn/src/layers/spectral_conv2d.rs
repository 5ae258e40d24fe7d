//! Two-dimensional convolution as products of spectra of tiles.
//!
//! ```text
//! Ŷ_o = Σ_c conj(Ŵ_oc) ⊙ X̂_c        dX̂_c = Σ_o Ŵ_oc ⊙ dŶ_o        dŴ_oc = Σ_tiles conj(dŶ_o) ⊙ X̂_c
//! X [B, h, w, c], tiles of F×F whose first m×m = (F − k + 1)² points are output, Ŵ [bins, c, out], Y [B, h', w', out]
//! ```
//!
//! Without a mask, and with `support = "kernel"`, the convolution of [`super::conv2d`] with stride 1. With a mask on
//! bins the layer is *defined* as this operator on tiles: a masked Ŵ has no support of k×k points. See
//! [`crate::spectral`].

use super::spectral::layer::SpectralLayer;
use super::spectral::products;
use super::spectral::weights::SpectralWeights;
use super::{Layer, LayerKind, LayerSpec, Site, SpecError};
use crate::layers::{LayerBits, ProductPlan, Range, Signal};
use crate::number::{Int, yes};
use crate::spectral::frame::{Frame, Tiles};
use crate::tensor::Shape;
use serde::{Deserialize, Serialize};

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<SpectralConv2d>("spectral_conv2d");

/// A convolution in the frequency domain, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SpectralConv2d {
    channels: Int<1, 4096>,
    kernel: Int<1, 16>,
    #[serde(default)]
    padding: Int<0, 15>,
    #[serde(default = "eight")]
    tile: Int<8, 16>,
    #[serde(default)]
    support: Extent,
    #[serde(default = "yes")]
    bias: bool,
}

fn eight() -> Int<8, 16> {
    Int::new(8)
}

/// Which numbers are trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Extent {
    /// The k×k weights of the kernel.
    #[default]
    Kernel,
    /// The spectrum of a whole tile.
    Tile,
}

impl SpectralConv2d {
    fn tiles(&self, input: Shape) -> Option<Tiles> {
        let (kernel, padding) = (self.kernel.get(), self.padding.get());
        let along = |n: usize| (n + 2 * padding + 1).checked_sub(kernel).filter(|n| *n > 0);
        let output = Shape { h: along(input.h)?, w: along(input.w)?, c: self.channels.get() };
        Some(Tiles { input, output, kernel, padding, side: self.tile.get() })
    }

    fn frame(&self, input: Shape) -> Frame {
        Frame::Tiles(self.tiles(input).expect("a kernel that fits"))
    }
}

impl LayerSpec for SpectralConv2d {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let input = inputs[0].shape;
        let (kernel, tile) = (self.kernel.get(), self.tile.get());
        let wrong = |key, problem: String| Err(SpecError { key, problem });
        if ![8, 16].contains(&tile) {
            return wrong("tile", "must be 8 or 16".to_owned());
        }
        if kernel > tile {
            return wrong("kernel", format!("must be at most the side of a tile, {tile}"));
        }
        if self.padding.get() >= kernel {
            return wrong("padding", format!("must be less than the kernel, {kernel}"));
        }
        match self.tiles(input) {
            Some(tiles) => Ok(Signal { shape: tiles.output, range: Range::Real }),
            None => {
                let side = input.h.min(input.w) + 2 * self.padding.get();
                wrong("kernel", format!("must be at most {side}: the input is {input}"))
            }
        }
    }

    fn trained(&self) -> bool {
        true
    }

    fn products(&self, input: Signal, bits: &LayerBits, batch: usize) -> Vec<ProductPlan> {
        products(&self.frame(input.shape), bits, batch)
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        let (kernel, tile) = (self.kernel.get(), self.tile.get());
        let frame = self.frame(site.inputs[0].shape);
        let places = (0..kernel * kernel).map(|k| k / kernel * tile + k % kernel).collect();
        let inputs = kernel * kernel * frame.channels();
        let everywhere = self.support == Extent::Tile;
        let weights = SpectralWeights::new(&frame, places, everywhere, inputs, site);
        Box::new(SpectralLayer::new(frame, weights, self.bias.then_some(self.channels.get()), site))
    }
}
