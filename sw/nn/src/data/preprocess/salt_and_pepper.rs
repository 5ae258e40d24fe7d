//! Salt-and-pepper noise: a share of all pixels becomes black or white, in all channels.
//!
//! u of pixel i: number i of Philox(seed; impulses, training or test, image), uniform in [0, 1). u < share/2: 0; u < share: 255.

use super::{Kind, Preprocess, SEED, Which};
use crate::random::{Purpose, Stream};
use tandem_filter::{FilterError, Image, Parameter, Samples, Values};

pub(super) const KIND: Kind =
    Kind { name: "salt-and-pepper", about: "makes pixels black or white", parameters: &[SHARE, SEED], build };

const SHARE: Parameter =
    Parameter { name: "share", value: "P", default: None, help: "share of pixels, half of them black" };

struct SaltAndPepper {
    /// Of 2³².
    share: u64,
    seed: u64,
}

fn build(values: &Values<'_>) -> Result<Box<dyn Preprocess>, FilterError> {
    let share = values.number(&SHARE, |p| (0.0..=1.0).contains(&p), "0 to 1")?;
    let seed = values.whole(&SEED, 0..=usize::MAX)? as u64;
    Ok(Box::new(SaltAndPepper { share: (share * 4_294_967_296.0) as u64, seed }))
}

impl Preprocess for SaltAndPepper {
    fn apply(&self, which: Which, image: Image) -> Result<Image, FilterError> {
        let shape = image.shape();
        let Samples::U8(mut bytes) = image.into_samples() else {
            unreachable!("images of data sets are bytes")
        };
        let stream = Stream::new(self.seed, Purpose::Impulses, which.test.into(), which.image as u64);
        for (block, pixels) in (0..).zip(bytes.chunks_mut(4 * shape.channels)) {
            for (pixel, word) in pixels.chunks_mut(shape.channels).zip(stream.block(block)) {
                match u64::from(word) {
                    u if u < self.share / 2 => pixel.fill(0),
                    u if u < self.share => pixel.fill(255),
                    _ => {}
                }
            }
        }
        Image::new(shape, Samples::U8(bytes))
    }
}

#[cfg(test)]
mod tests {
    use crate::data::preprocess::tests::{flat, run};

    /// A count of n pixels with probability p has deviation √(n·p·(1 − p)): six of them.
    #[test]
    fn the_share_is_met_and_half_of_it_is_black() {
        let side = 200;
        let noisy = run("salt-and-pepper", &[("share", "0.2")], false, 1, flat(side, side, 77));
        let count = |of: u8| noisy.iter().filter(|v| **v == of).count() as f64;
        let (n, p) = ((side * side) as f64, 0.1f64);
        for value in [0, 255] {
            assert!(
                (count(value) - n * p).abs() < 6.0 * (n * p * (1.0 - p)).sqrt(),
                "{value}: {}",
                count(value)
            );
        }
        assert_eq!(count(0) + count(255) + count(77), n);
    }
}
