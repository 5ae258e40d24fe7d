//! The scales of quantized values: v ≈ s·q.
//!
//! ```text
//! One       one s for all
//! Columns   s_o: value [i, o] is s_o·q[i, o]          weights by output channel, gradients by output channel
//! Rows      s_b: image b's values are s_b·q           gradients by image
//! ```
//!
//! A scale may follow any axis that a product does not sum over.

use crate::tensor::blocks::{BLOCK, for_blocks};
use crate::tensor::slice;
use tandem_driver::{Integer, Integers, with_integers};

/// The scales of quantized values.
#[derive(Clone, Debug, PartialEq)]
pub enum Scales {
    /// One for all values.
    One(f32),
    /// One a column.
    Columns(Vec<f32>),
    /// One an image: a block of consecutive values, all of one length.
    Rows(Vec<f32>),
}

impl Scales {
    /// The only scale.
    ///
    /// # Panics   if there are several
    pub fn one(&self) -> f32 {
        match self {
            Scales::One(s) => *s,
            _ => panic!("one scale was asked for: {self:?}"),
        }
    }

    /// The same, each multiplied.
    pub fn times(self, factor: f32) -> Scales {
        let each = |all: Vec<f32>| all.into_iter().map(|s| s * factor).collect();
        match self {
            Scales::One(s) => Scales::One(s * factor),
            Scales::Columns(all) => Scales::Columns(each(all)),
            Scales::Rows(all) => Scales::Rows(each(all)),
        }
    }

    /// The scale of value `i` of `len`.
    #[inline(always)]
    pub fn at(&self, i: usize, len: usize) -> f32 {
        match self {
            Scales::One(s) => *s,
            Scales::Columns(all) => all[i % all.len()],
            Scales::Rows(all) => all[i / (len / all.len())],
        }
    }

    /// `out` = integers · scale, in f32.
    pub fn apply(&self, integers: &Integers, out: &mut [f32]) {
        with_integers!(integers, q => self.apply_to(slice(q), out));
    }

    fn apply_to<T: Integer>(&self, integers: &[T], out: &mut [f32]) {
        let len = out.len();
        match self {
            &Scales::One(s) => for_blocks(out, BLOCK, move |start, out| {
                for (o, &q) in out.iter_mut().zip(&integers[start..]) {
                    *o = q.to_f32() * s;
                }
            }),
            scales => for_blocks(out, BLOCK, move |start, out| {
                for (i, (o, &q)) in out.iter_mut().zip(&integers[start..]).enumerate() {
                    *o = q.to_f32() * scales.at(start + i, len);
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn scales_follow_their_axis() {
        let q = Integers::from(array![[1, 2, 3], [4, 5, 6]]);
        let of = |scales: Scales| {
            let mut out = [0.0; 6];
            scales.apply(&q, &mut out);
            out
        };
        assert_eq!(of(Scales::One(0.5)), [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]);
        assert_eq!(of(Scales::Columns(vec![1.0, 0.0, 2.0])), [1.0, 0.0, 6.0, 4.0, 0.0, 12.0]);
        assert_eq!(of(Scales::Rows(vec![1.0, 10.0])), [1.0, 2.0, 3.0, 40.0, 50.0, 60.0]);
        assert_eq!(Scales::Rows(vec![1.0, 3.0]).times(2.0), Scales::Rows(vec![2.0, 6.0]));
    }
}
