//! Where quantized integers are kept: in bytes if their format fits, else at 32 bits.

use crate::tensor::{reshape, slice_mut};
use ndarray::Array2;
use tandem_driver::{Entries, Format};

/// A row-major matrix of integers of a format.
#[derive(Clone, Debug)]
pub enum Storage {
    /// From −128 to 127.
    Bytes(Array2<i8>),
    /// Any others.
    Words(Array2<i32>),
}

/// What a quantizer writes: row-major integers.
pub enum Target<'a> {
    /// From −128 to 127.
    Bytes(&'a mut [i8]),
    /// Any others.
    Words(&'a mut [i32]),
}

/// Does the same with a target of either width.
macro_rules! with_target {
    ($target:expr, $integers:ident => $body:expr) => {
        match $target {
            $crate::quant::Target::Bytes($integers) => $body,
            $crate::quant::Target::Words($integers) => $body,
        }
    };
}
pub(crate) use with_target;

impl Storage {
    /// Room for nothing yet.
    pub fn new(format: Format) -> Self {
        let (lo, hi) = format.range();
        if lo >= i8::MIN.into() && hi <= i8::MAX.into() {
            Storage::Bytes(Array2::default((0, 0)))
        } else {
            Storage::Words(Array2::default((0, 0)))
        }
    }

    /// Room for a matrix; whatever was there stays if the shape is the same.
    pub fn resized(&mut self, rows: usize, columns: usize) -> Target<'_> {
        match self {
            Storage::Bytes(all) => {
                reshape(all, rows, columns);
                Target::Bytes(slice_mut(all))
            }
            Storage::Words(all) => {
                reshape(all, rows, columns);
                Target::Words(slice_mut(all))
            }
        }
    }

    /// The integers.
    pub fn entries(&self) -> Entries<'_> {
        match self {
            Storage::Bytes(all) => all.view().into(),
            Storage::Words(all) => all.view().into(),
        }
    }
}

impl Target<'_> {
    /// The same, to be written again later.
    pub fn reborrow(&mut self) -> Target<'_> {
        match self {
            Target::Bytes(all) => Target::Bytes(all),
            Target::Words(all) => Target::Words(all),
        }
    }
}

impl<'a> From<&'a mut [i32]> for Target<'a> {
    fn from(integers: &'a mut [i32]) -> Self {
        Target::Words(integers)
    }
}

impl<'a> From<&'a mut Vec<i32>> for Target<'a> {
    fn from(integers: &'a mut Vec<i32>) -> Self {
        Target::Words(integers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Moment;
    use crate::quant::{CLIPS, Role, Values};

    #[test]
    fn formats_decide_on_the_width() {
        let is_bytes = |format| matches!(Storage::new(format), Storage::Bytes(_));
        assert!(is_bytes(Format::signed(8)) && is_bytes(Format::unsigned(7)));
        assert!(!is_bytes(Format::unsigned(8)) && !is_bytes(Format::signed(9)));
    }

    /// Every quantizer writes the same integers at either width.
    #[test]
    fn integers_do_not_depend_on_the_width() {
        let v: Vec<f32> = (0..20_000).map(|i| ((i * 7919) % 10_007) as f32 * 1e-3 - 4.0).collect();
        for clip in CLIPS {
            for channels in [None, Some(8)] {
                let bits = clip.widths.0.max(2).min(clip.widths.1);
                let role = Role { channels, ..Role::new("weight", Format::signed(bits), v.len()) };
                let values = Values { v: &v, columns: 8, kept: None };
                let (mut bytes, mut words) = (vec![0i8; v.len()], vec![0i32; v.len()]);
                let run = |target| (clip.build)(role).quantize(values, target, Moment::TRAIN);
                let scales = [run(Target::Bytes(&mut bytes)), run(Target::Words(&mut words))];
                assert_eq!(scales[0], scales[1], "{}", clip.name);
                assert!(words.iter().any(|q| *q != 0), "{}", clip.name);
                assert!(bytes.iter().zip(&words).all(|(b, w)| i32::from(*b) == *w), "{}", clip.name);
            }
        }
    }
}
