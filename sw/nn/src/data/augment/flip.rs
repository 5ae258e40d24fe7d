//! Flip: left and right exchanged with probability ½.

use super::{Augment, Kind};
use crate::tensor::Shape;
use tandem_filter::{FilterError, Values};

pub(super) const KIND: Kind =
    Kind { name: "flip", about: "exchanges left and right of every second image", parameters: &[], build };

struct Flip;

fn build(_: &Values<'_>) -> Result<Box<dyn Augment>, FilterError> {
    Ok(Box::new(Flip))
}

impl Augment for Flip {
    fn apply(&self, [word, ..]: [u32; 4], shape: Shape, from: &[u8], to: &mut [u8]) {
        to.copy_from_slice(from);
        if word >> 31 == 1 {
            let Shape { w, c, .. } = shape;
            for (to, from) in to.chunks_exact_mut(w * c).zip(from.chunks_exact(w * c)) {
                for (to, from) in to.chunks_exact_mut(c).zip(from.chunks_exact(c).rev()) {
                    to.copy_from_slice(from);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{SHAPES, image, run, words};
    use crate::tensor::Shape;

    #[test]
    fn half_of_all_images_are_mirrored_the_others_stay() {
        for shape in SHAPES {
            let Shape { w, c, .. } = shape;
            let from = image(shape);
            let mirrored: Vec<u8> = (0..from.len())
                .map(|i| {
                    let (row, x, k) = (i / c / w, i / c % w, i % c);
                    from[(row * w + (w - 1 - x)) * c + k]
                })
                .collect();
            let mut count = 0;
            for random in words(1000) {
                let got = run("flip", &[], random, shape);
                assert_eq!(got, if random[0] < 1 << 31 { &*from } else { &*mirrored });
                count += usize::from(random[0] >= 1 << 31);
            }
            // √250 is the count's deviation
            assert!(count.abs_diff(500) < 96, "{count}");
        }
    }
}
