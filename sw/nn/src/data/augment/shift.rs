//! Shift: y(p) = f(p − s), s of −pixels … pixels along each axis; black moves in.

use super::{Augment, Kind, moved, within};
use crate::tensor::Shape;
use tandem_filter::{Border, FilterError, Parameter, Values};

pub(super) const KIND: Kind =
    Kind { name: "shift", about: "moves the image, black moves in", parameters: &[PIXELS], build };

const PIXELS: Parameter = Parameter {
    name: "pixels",
    value: "N",
    default: Some("1"),
    help: "most pixels along each axis, 1 to 4096",
};

struct Shift {
    most: usize,
}

fn build(values: &Values<'_>) -> Result<Box<dyn Augment>, FilterError> {
    Ok(Box::new(Shift { most: values.whole(&PIXELS, 1..=4096)? }))
}

impl Augment for Shift {
    fn apply(&self, [y, x, ..]: [u32; 4], shape: Shape, from: &[u8], to: &mut [u8]) {
        moved(Border::Constant(0.0), (within(self.most, y), within(self.most, x)), shape, from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHAPES, image, run, words};
    use super::*;

    #[test]
    fn a_shift_reads_elsewhere_or_black_and_reaches_both_ends() {
        for shape in SHAPES {
            let Shape { h, w, c } = shape;
            let from = image(shape);
            let mut reached = std::collections::BTreeSet::new();
            for random in words(200) {
                let got = run("shift", &[("pixels", "2")], random, shape);
                let s = [random[0], random[1]].map(|word| (u64::from(word) * 5 / (1 << 32)) as isize - 2);
                reached.insert(s);
                for (i, value) in got.iter().enumerate() {
                    let (y, x, k) = ((i / c / w) as isize - s[0], (i / c % w) as isize - s[1], i % c);
                    let inside = (0..h as isize).contains(&y) && (0..w as isize).contains(&x);
                    let expected = if inside { from[(y as usize * w + x as usize) * c + k] } else { 0 };
                    assert_eq!(*value, expected);
                }
            }
            assert_eq!(reached.len(), 25);
        }
    }
}
