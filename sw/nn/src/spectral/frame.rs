//! How signals are cut into planes of as many points as a transform has, and put together again.
//!
//! ```text
//! tiles     input tile (ty, tx), channel c = the F×F pixels from (ty·m − padding, tx·m − padding), m = F − k + 1
//!           output tile = its first m×m points (overlap-save); dY tiles are zero outside of them; dX tiles overlap-add
//! blocks    block j = values j·b … j·b + b − 1, zero beyond the end
//! ```
//!
//! Planes of an example lie in the order (row, channel): row = tile, or one row of all blocks.

use super::bins::Bins;
use super::contraction::Contraction;
use super::hermitian::Layout;
use crate::tensor::Shape;
use std::ops::AddAssign;
use tandem_driver::Points;

/// A way to cut signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Images into overlapping tiles.
    Tiles(Tiles),
    /// Vectors into blocks.
    Blocks(Blocks),
}

/// The tiles of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tiles {
    /// The image.
    pub input: Shape,
    /// Its convolution.
    pub output: Shape,
    /// Side of the kernel, at most that of a tile.
    pub kernel: usize,
    /// Zeros around the image.
    pub padding: usize,
    /// Side of a tile, F.
    pub side: usize,
}

/// The blocks of a block-circulant matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blocks {
    /// Values that arrive.
    pub inputs: usize,
    /// Values that leave.
    pub outputs: usize,
    /// Values in a block, b.
    pub block: usize,
}

impl Tiles {
    /// Points of an output tile along one side, m.
    pub const fn step(&self) -> usize {
        self.side - self.kernel + 1
    }

    fn across(&self) -> usize {
        self.output.w.div_ceil(self.step())
    }

    fn count(&self) -> usize {
        self.output.h.div_ceil(self.step()) * self.across()
    }

    /// Calls `f(pixel's place in the image, its place in the first channel's plane)` for each pixel that a window of
    /// `size` points from the corner of each tile covers; the first corner lies `offset` outside of the image.
    fn for_pixels(&self, shape: Shape, size: usize, offset: usize, mut f: impl FnMut(usize, usize)) {
        let (step, side) = (self.step(), self.side);
        for tile in 0..self.count() {
            let (top, left) = (tile / self.across() * step, tile % self.across() * step);
            for y in 0..size {
                let Some(row) = (top + y).checked_sub(offset).filter(|row| *row < shape.h) else { continue };
                for x in 0..size {
                    let Some(column) = (left + x).checked_sub(offset).filter(|c| *c < shape.w) else {
                        continue;
                    };
                    let plane = tile * shape.c * side * side + y * side + x;
                    f((row * shape.w + column) * shape.c, plane);
                }
            }
        }
    }
}

impl Frame {
    /// The transform of a plane.
    pub fn points(&self) -> Points {
        match self {
            Frame::Tiles(tiles) => Points::Tile(tiles.side),
            Frame::Blocks(blocks) => Points::Line(blocks.block),
        }
    }

    /// The bins of a plane.
    pub fn bins(&self) -> Bins {
        Bins::new(self.points())
    }

    /// Whether the layer correlates (A = conj Ŵ) or convolves (A = Ŵ).
    pub fn correlates(&self) -> bool {
        matches!(self, Frame::Tiles(_))
    }

    /// Rows of an example.
    pub fn rows(&self) -> usize {
        match self {
            Frame::Tiles(tiles) => tiles.count(),
            Frame::Blocks(_) => 1,
        }
    }

    /// Channels that arrive.
    pub fn channels(&self) -> usize {
        match self {
            Frame::Tiles(tiles) => tiles.input.c,
            Frame::Blocks(blocks) => blocks.inputs.div_ceil(blocks.block),
        }
    }

    /// Channels that leave.
    pub fn outputs(&self) -> usize {
        match self {
            Frame::Tiles(tiles) => tiles.output.c,
            Frame::Blocks(blocks) => blocks.outputs.div_ceil(blocks.block),
        }
    }

    /// Values of an example that arrive and that leave.
    pub fn features(&self) -> [usize; 2] {
        match self {
            Frame::Tiles(tiles) => [tiles.input.features(), tiles.output.features()],
            Frame::Blocks(blocks) => [blocks.inputs, blocks.outputs],
        }
    }

    /// The planes of so many inputs.
    pub fn input_layout(&self, examples: usize) -> Layout {
        Layout { examples, rows: self.rows(), channels: self.channels(), points: self.points().count() }
    }

    /// The planes of so many outputs.
    pub fn output_layout(&self, examples: usize) -> Layout {
        Layout { channels: self.outputs(), ..self.input_layout(examples) }
    }

    /// The product of a bin.
    pub fn contraction(&self) -> Contraction {
        Contraction { channels: self.channels(), outputs: self.outputs(), conjugate: self.correlates() }
    }

    /// Cuts an input.
    ///
    /// # Shape    `[h·w·c]` → `[rows·channels·N]`; `planes` are zero before
    pub fn cut_input<T: Copy>(&self, image: &[T], planes: &mut [T]) {
        match self {
            Frame::Tiles(t) => cut(t, t.input, t.side, t.padding, image, planes),
            Frame::Blocks(_) => planes[..image.len()].copy_from_slice(image),
        }
    }

    /// Cuts an output gradient.
    ///
    /// # Shape    `[h'·w'·o]` → `[rows·outputs·N]`; `planes` are zero before
    pub fn cut_gradient<T: Copy>(&self, gradient: &[T], planes: &mut [T]) {
        match self {
            Frame::Tiles(t) => cut(t, t.output, t.step(), 0, gradient, planes),
            Frame::Blocks(_) => planes[..gradient.len()].copy_from_slice(gradient),
        }
    }

    /// Puts an output together; the transpose of [`cut_gradient`](Self::cut_gradient).
    ///
    /// # Shape    `[rows·outputs·N]` → `[h'·w'·o]`
    pub fn join_output<T: Copy + Default + AddAssign>(&self, planes: &[T], output: &mut [T]) {
        match self {
            Frame::Tiles(t) => add(t, t.output, t.step(), 0, planes, output),
            Frame::Blocks(_) => output.copy_from_slice(&planes[..output.len()]),
        }
    }

    /// Puts an input gradient together; the transpose of [`cut_input`](Self::cut_input).
    ///
    /// # Shape    `[rows·channels·N]` → `[h·w·c]`
    /// # Numeric  overlapping tiles are added in their order
    pub fn join_input_gradient<T: Copy + Default + AddAssign>(&self, planes: &[T], gradient: &mut [T]) {
        match self {
            Frame::Tiles(t) => add(t, t.input, t.side, t.padding, planes, gradient),
            Frame::Blocks(_) => gradient.copy_from_slice(&planes[..gradient.len()]),
        }
    }
}

fn cut<T: Copy>(t: &Tiles, shape: Shape, size: usize, offset: usize, image: &[T], planes: &mut [T]) {
    let area = t.side * t.side;
    t.for_pixels(shape, size, offset, |pixel, plane| {
        let channels = image[pixel..pixel + shape.c].iter();
        channels.enumerate().for_each(|(c, v)| planes[plane + c * area] = *v);
    });
}

fn add<T: Copy + Default + AddAssign>(
    t: &Tiles,
    shape: Shape,
    size: usize,
    offset: usize,
    planes: &[T],
    image: &mut [T],
) {
    let area = t.side * t.side;
    image.fill(T::default());
    t.for_pixels(shape, size, offset, |pixel, plane| {
        let channels = image[pixel..pixel + shape.c].iter_mut();
        channels.enumerate().for_each(|(c, v)| *v += planes[plane + c * area]);
    });
}
