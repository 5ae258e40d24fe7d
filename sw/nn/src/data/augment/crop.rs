//! Crop: the image with `padding` pixels around it, cut back to its size at a random place.
//!
//! With o of 0 … 2·padding along each axis: y(p) = f(p + o − padding).
//! # Source   as used on CIFAR by He, Zhang, Ren, Sun 2016, section 4.2

use super::{Augment, Kind, moved, within};
use crate::tensor::Shape;
use tandem_filter::{Border, FilterError, Parameter, Values};

pub(super) const KIND: Kind = Kind {
    name: "crop",
    about: "pads the image and cuts it back to its size at a random place",
    parameters: &[PADDING, BORDER],
    build,
};

const PADDING: Parameter =
    Parameter { name: "padding", value: "N", default: Some("4"), help: "pixels on each side, 1 to 4096" };
const BORDER: Parameter = Parameter {
    name: "border",
    value: "MODE",
    default: Some("constant"),
    help: "what is padded: reflect, reflect-101, replicate, wrap, constant (black) or constant:VALUE",
};

struct Crop {
    padding: usize,
    border: Border,
}

fn build(values: &Values<'_>) -> Result<Box<dyn Augment>, FilterError> {
    let text = values.needed(BORDER.name)?;
    let refused = |expected| FilterError::Value { name: BORDER.name, value: text.to_owned(), expected };
    let border: Border = text.parse().map_err(refused)?;
    if !(0.0..=255.0).contains(&border.outside()) {
        return Err(refused("a value from 0 to 255".to_owned()));
    }
    Ok(Box::new(Crop { padding: values.whole(&PADDING, 1..=4096)?, border }))
}

impl Augment for Crop {
    fn apply(&self, [y, x, ..]: [u32; 4], shape: Shape, from: &[u8], to: &mut [u8]) {
        let back = |word| -within(self.padding, word);
        moved(self.border, (back(y), back(x)), shape, from, to);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHAPES, image, run, words};
    use crate::tensor::Shape;

    /// A padded copy is made and cut.
    #[test]
    fn a_crop_is_a_window_of_the_padded_image() {
        const P: usize = 3;
        for shape in SHAPES {
            let Shape { h, w, c } = shape;
            let from = image(shape);
            let pitch = (w + 2 * P) * c;
            let mut padded = vec![0; (h + 2 * P) * pitch];
            for y in 0..h {
                padded[(y + P) * pitch + P * c..][..w * c].copy_from_slice(&from[y * w * c..][..w * c]);
            }
            for random in words(100) {
                let origin = |word: u32| (u64::from(word) * (2 * P as u64 + 1) / (1 << 32)) as usize;
                let (y0, x0) = (origin(random[0]), origin(random[1]));
                let window: Vec<u8> =
                    (0..h).flat_map(|y| padded[(y + y0) * pitch + x0 * c..][..w * c].to_vec()).collect();
                assert_eq!(run("crop", &[("padding", "3")], random, shape), window);
            }
        }
    }

    #[test]
    fn the_border_may_be_any() {
        let shape = Shape { h: 4, w: 5, c: 1 };
        for random in words(50) {
            let all = run("crop", &[("padding", "2"), ("border", "replicate")], random, shape);
            assert!(all.iter().all(|v| image(shape).contains(v)));
        }
    }
}
