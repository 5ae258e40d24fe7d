//! Residual addition of an earlier layer's output.
//!
//! ```text
//! y = a + S(b)        a: the layer before, b: the layer named by `from`        da = dy, db = Sᵀ(dy)
//! identity            S(b)[y, x, c] = b[y·stride, x·stride, c]
//! zero-pad            the same with channels of zeros after those of b, as many as a has more ("option A")
//! ```
//! A projection ("option B") is a `conv2d` layer with kernel 1 and a stride, whose `input` is where the block began: `from` then names it, or
//! what follows it.
//!
//! # Source   He et al. 2016, "Deep residual learning for image recognition", section 3.3

use super::relu::{passed, rectified};
use super::unquantized::{Form, Gradients, Pullback, Unquantized};
use super::{Layer, LayerKind, LayerSpec, Site, SpecError, Tape};
use crate::backend::{Pass, ProductError};
use crate::layers::{Range, Signal};
use crate::number::{Pair, ones};
use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::{Shape, slice, slice_mut};
use ndarray::Array2;
use serde::{Deserialize, Serialize};

/// This layer under its name.
pub const KIND: LayerKind = LayerKind::of::<Residual>("residual");

/// A residual addition, as described.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// Name of an earlier layer, or `input`.
    from: String,
    /// Not said where it is the default: experiments without the key are the same ones.
    #[serde(default, skip_serializing_if = "Shortcut::is_identity")]
    shortcut: Shortcut,
    #[serde(default = "ones", skip_serializing_if = "Pair::is_one")]
    stride: Pair<1, 31>,
}

/// What becomes of the earlier output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Shortcut {
    #[default]
    Identity,
    ZeroPad,
}

impl Shortcut {
    fn is_identity(&self) -> bool {
        *self == Shortcut::Identity
    }
}

/// Positions of b that are added.
fn strided(b: Shape, [down, across]: [usize; 2]) -> Shape {
    Shape { h: b.h.div_ceil(down), w: b.w.div_ceil(across), c: b.c }
}

impl LayerSpec for Residual {
    fn infer(&self, inputs: &[Signal]) -> Result<Signal, SpecError> {
        let [a, b] = [inputs[0], inputs[1]];
        let stride = self.stride.get();
        let added = strided(b.shape, stride);
        if (added.h, added.w) != (a.shape.h, a.shape.w) {
            let key = if stride == [1, 1] { "from" } else { "stride" };
            let at = if stride == [1, 1] { String::new() } else { format!(", {added} at this stride") };
            let problem = format!("its output is {}{at}, but {} is added to", b.shape, a.shape);
            return Err(SpecError { key, problem });
        }
        let fits = match self.shortcut {
            Shortcut::Identity => added.c == a.shape.c,
            Shortcut::ZeroPad => added.c <= a.shape.c,
        };
        if !fits {
            let padded = self.shortcut.is_identity() && added.c < a.shape.c;
            let advice =
                if padded { ": `shortcut = \"zero-pad\"`, or a `conv2d` with this `input`" } else { "" };
            let problem = format!("its output is {}, but {} is added to{advice}", b.shape, a.shape);
            return Err(SpecError { key: "from", problem });
        }
        let range =
            if a.range == Range::Real || b.range == Range::Real { Range::Real } else { Range::NonNegative };
        Ok(Signal { shape: a.shape, range })
    }

    fn second_input(&self) -> Option<&str> {
        Some(&self.from)
    }

    fn build(&self, site: &Site<'_>) -> Box<dyn Layer> {
        Box::new(Add {
            from: site.inputs[1].shape,
            to: site.output.shape,
            stride: self.stride.get(),
            rectifies: false,
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Add {
    from: Shape,
    to: Shape,
    stride: [usize; 2],
    /// Whether max(·, 0) follows in the same passes.
    rectifies: bool,
}

impl Add {
    fn is_identity(&self) -> bool {
        self.from == self.to
    }

    /// Calls `f(first value in b, first value in y)` for the channels of every position of an example.
    fn for_positions(&self, mut f: impl FnMut(usize, usize)) {
        let [down, across] = self.stride;
        for (y, x) in (0..self.to.h).flat_map(|y| (0..self.to.w).map(move |x| (y, x))) {
            let from = (y * down * self.from.w + x * across) * self.from.c;
            f(from, (y * self.to.w + x) * self.to.c);
        }
    }

    /// y ← y + S(b) of one example.
    fn add<T: Copy + std::ops::Add<Output = T>>(&self, b: &[T], y: &mut [T]) {
        let c = self.from.c;
        self.for_positions(|from, to| {
            y[to..][..c].iter_mut().zip(&b[from..][..c]).for_each(|(y, &b)| *y = *y + b);
        });
    }

    /// db = Sᵀ(dy) of one example.
    fn spread<T: Copy + Default>(&self, dy: impl Fn(usize) -> T, db: &mut [T]) {
        let c = self.from.c;
        db.fill(T::default());
        self.for_positions(|from, to| {
            db[from..][..c].iter_mut().zip(to..).for_each(|(db, i)| *db = dy(i));
        });
    }
}

impl Layer for Add {
    fn forward(
        &mut self,
        inputs: &[&Array2<f32>],
        output: &mut Array2<f32>,
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let (a, b, rectifies) = (slice(inputs[0]), slice(inputs[1]), self.rectifies);
        if self.is_identity() {
            for_blocks(slice_mut(output), BLOCK, move |start, y| {
                for ((y, a), b) in y.iter_mut().zip(&a[start..]).zip(&b[start..]) {
                    *y = if rectifies { rectified(a + b) } else { a + b };
                }
            });
            return Ok(());
        }
        let (ins, outs) = (self.from.features(), self.to.features());
        for_blocks(slice_mut(output), outs, move |start, y| {
            y.copy_from_slice(&a[start..][..y.len()]);
            let images = y.chunks_exact_mut(outs).zip(b[start / outs * ins..].chunks_exact(ins));
            images.for_each(|(y, b)| self.add(b, y));
            if rectifies {
                y.iter_mut().for_each(|y| *y = rectified(*y));
            }
        });
        Ok(())
    }

    fn backward(
        &mut self,
        tape: Tape<'_>,
        dx: &mut [Option<&mut Array2<f32>>],
        _: &mut Pass<'_>,
    ) -> Result<(), ProductError> {
        let [da, db] = dx else { unreachable!("two inputs") };
        let (y, dy, rectifies) = (slice(tape.output), slice(tape.dy), self.rectifies);
        let copy = |to: &mut Array2<f32>| {
            for_blocks(slice_mut(to), BLOCK, move |start, to| {
                for ((to, dy), y) in to.iter_mut().zip(&dy[start..]).zip(&y[start..]) {
                    *to = if rectifies { passed(*y, *dy) } else { *dy };
                }
            });
        };
        if let Some(da) = da {
            copy(da);
        }
        let Some(db) = db else { return Ok(()) };
        if self.is_identity() {
            copy(db);
            return Ok(());
        }
        let (ins, outs) = (self.from.features(), self.to.features());
        for_blocks(slice_mut(db), ins, move |start, db| {
            let at = start / ins * outs;
            let images =
                db.chunks_exact_mut(ins).zip(dy[at..].chunks_exact(outs).zip(y[at..].chunks_exact(outs)));
            images.for_each(|(db, (dy, y))| {
                self.spread(|i| if rectifies { passed(y[i], dy[i]) } else { dy[i] }, db);
            });
        });
        Ok(())
    }

    fn rectify(&mut self) -> bool {
        self.rectifies = true;
        true
    }

    fn unquantized(&self) -> Option<Box<dyn Unquantized>> {
        Some(Box::new(*self))
    }
}

impl Unquantized for Add {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        _: Option<&Array2<f64>>,
        _: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        let (ins, outs) = (self.from.features(), self.to.features());
        let mut y = inputs[0].clone();
        let images = slice_mut(&mut y).chunks_exact_mut(outs).zip(slice(inputs[1]).chunks_exact(ins));
        images.for_each(|(y, b)| self.add(b, y));
        let both = move |dy: &Array2<f64>, _: bool| {
            let mut db = Array2::zeros((dy.nrows(), ins));
            let images = slice_mut(&mut db).chunks_exact_mut(ins).zip(slice(dy).chunks_exact(outs));
            images.for_each(|(db, dy)| self.spread(|i| dy[i], db));
            Gradients { inputs: vec![dy.clone(), db], weight: None }
        };
        (y, Box::new(both))
    }
}
