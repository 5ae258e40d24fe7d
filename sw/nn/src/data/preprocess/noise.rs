//! Additive Gaussian noise: v ← v + deviation·n, n ~ N(0, 1) for each value, rounded half to even and saturated at 0 and 255.
//!
//! n of value i: number i of Philox(seed; noise, training or test, image).

use super::{Kind, Preprocess, SEED, Which};
use crate::random::{Purpose, Stream};
use tandem_filter::{FilterError, Image, Parameter, Samples, Values};

pub(super) const KIND: Kind =
    Kind { name: "noise", about: "adds Gaussian noise", parameters: &[DEVIATION, SEED], build };

const DEVIATION: Parameter = Parameter {
    name: "deviation",
    value: "D",
    default: None,
    help: "standard deviation, of values from 0 to 255",
};

struct Noise {
    deviation: f32,
    seed: u64,
}

fn build(values: &Values<'_>) -> Result<Box<dyn Preprocess>, FilterError> {
    let deviation = values.number(&DEVIATION, |d| (0.0..=255.0).contains(&d), "0 to 255")? as f32;
    Ok(Box::new(Noise { deviation, seed: values.whole(&SEED, 0..=usize::MAX)? as u64 }))
}

impl Preprocess for Noise {
    fn apply(&self, which: Which, image: Image) -> Result<Image, FilterError> {
        let shape = image.shape();
        let Samples::U8(mut bytes) = image.into_samples() else {
            unreachable!("images of data sets are bytes")
        };
        let stream = Stream::new(self.seed, Purpose::Noise, which.test.into(), which.image as u64);
        for (byte, n) in bytes.iter_mut().zip(stream.normals(shape.samples())) {
            // saturates
            *byte = (f32::from(*byte) + self.deviation * n).round_ties_even() as u8;
        }
        Image::new(shape, Samples::U8(bytes))
    }
}

#[cfg(test)]
mod tests {
    use crate::data::preprocess::tests::{flat, run};

    /// On mid-grey nothing saturates: the mean of n values has deviation D/√n, their variance D²·√(2/n); rounding adds 1/12 to it. Six of each.
    #[test]
    fn noise_has_the_mean_and_the_deviation_that_were_asked_for() {
        let (side, deviation) = (256, 20.0);
        let noisy = run("noise", &[("deviation", "20"), ("seed", "3")], false, 5, flat(side, side, 128));
        let n = noisy.len() as f64;
        let mean = noisy.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = noisy.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 128.0).abs() < 6.0 * deviation / n.sqrt(), "{mean}");
        let expected = deviation * deviation + 1.0 / 12.0;
        assert!((variance - expected).abs() < 6.0 * expected * (2.0 / n).sqrt(), "{variance}");
    }

    #[test]
    fn noise_belongs_to_seed_image_and_half() {
        let of = |seed, test, image| {
            run("noise", &[("deviation", "9"), ("seed", seed)], test, image, flat(6, 5, 100))
        };
        let base = of("1", false, 7);
        assert_eq!(base, of("1", false, 7));
        for other in [of("2", false, 7), of("1", true, 7), of("1", false, 8)] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn bytes_saturate() {
        let dark = run("noise", &[("deviation", "255")], false, 0, flat(40, 40, 0));
        let zeros = dark.iter().filter(|v| **v == 0).count();
        // P(n < 0.5/255) is a half, six deviations of the count about it
        assert!((680..=920).contains(&zeros), "{zeros}");
        assert!(dark.contains(&255));
    }
}
