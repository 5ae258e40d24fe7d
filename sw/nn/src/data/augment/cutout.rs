//! Cutout: a black square whose middle is any pixel; what of it lies outside is cut off.
//!
//! With (y, x) the middle, rows y − ⌊size/2⌋ … y − ⌊size/2⌋ + size − 1, columns likewise.
//! # Source   DeVries, Taylor 2017, section 3.1

use super::{Augment, Kind, below};
use crate::tensor::Shape;
use std::ops::Range;
use tandem_filter::{FilterError, Parameter, Values};

pub(super) const KIND: Kind =
    Kind { name: "cutout", about: "makes a square at a random place black", parameters: &[SIZE], build };

const SIZE: Parameter =
    Parameter { name: "size", value: "N", default: None, help: "pixels along the square's sides, 1 to 4096" };

struct Cutout {
    size: usize,
}

fn build(values: &Values<'_>) -> Result<Box<dyn Augment>, FilterError> {
    Ok(Box::new(Cutout { size: values.whole(&SIZE, 1..=4096)? }))
}

impl Cutout {
    /// What of the square lies in `0..n`.
    fn side(&self, n: usize, word: u32) -> Range<usize> {
        let middle = below(n, word);
        let first = middle.saturating_sub(self.size / 2);
        first..(middle + self.size - self.size / 2).min(n)
    }
}

impl Augment for Cutout {
    fn apply(&self, [y, x, ..]: [u32; 4], Shape { h, w, c }: Shape, from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
        let columns = self.side(w, x);
        for y in self.side(h, y) {
            to[(y * w + columns.start) * c..(y * w + columns.end) * c].fill(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHAPES, image, run, words};
    use crate::tensor::Shape;

    #[test]
    fn a_square_is_black_and_the_rest_stays() {
        for (shape, size) in SHAPES.into_iter().flat_map(|shape| [1, 2, 3, 9].map(|size| (shape, size))) {
            let Shape { h, w, c } = shape;
            for random in words(100) {
                let got = run("cutout", &[("size", &size.to_string())], random, shape);
                let middle = |n: usize, word: u32| (u64::from(word) * n as u64 / (1 << 32)) as isize;
                let (y0, x0) = (middle(h, random[0]), middle(w, random[1]));
                let is_cut = |at: usize, middle: isize| {
                    let first = middle - size / 2;
                    (first..first + size).contains(&(at as isize))
                };
                for (i, (got, from)) in got.iter().zip(image(shape)).enumerate() {
                    let black = is_cut(i / c / w, y0) && is_cut(i / c % w, x0);
                    assert_eq!(*got, if black { 0 } else { from }, "{size}, {i}");
                }
            }
        }
    }
}
