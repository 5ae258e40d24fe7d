//! How training images are changed, in another way each epoch.
//!
//! ```text
//! bytes ─► first of the list ─► second ─► … ─► bytes          random words: Philox(seed of training; augment, place in the list, epoch)[image]
//! ```
//! An augmentation is one file and a line of [`AUGMENTATIONS`].

mod crop;
mod cutout;
mod flip;
mod shift;

use super::step::{List, Step, StepError};
use crate::random::{Purpose, Stream};
use crate::tensor::Shape;
use tandem_filter::{Border, FilterError, Parameter, Values};

/// Makes an image of an image and four random words.
pub trait Augment: Send + Sync {
    /// Fills `to`, an image like `from`.
    /// # Shape   `[h, w, c]`, channels fastest
    fn apply(&self, random: [u32; 4], shape: Shape, from: &[u8], to: &mut [u8]);
}

/// A named augmentation.
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What it can be told.
    pub parameters: &'static [Parameter],
    build: fn(&Values<'_>) -> Result<Box<dyn Augment>, FilterError>,
}

/// All augmentations.
pub static AUGMENTATIONS: &[Kind] = &[crop::KIND, flip::KIND, shift::KIND, cutout::KIND];

/// Makes what an entry describes.
///
/// # Errors   see [`List::check`]
pub(super) fn build(step: &Step) -> Result<Box<dyn Augment>, StepError> {
    let kind = AUGMENTATIONS.iter().find(|kind| kind.name == step.kind);
    let kind = kind.ok_or_else(|| List::Augment.unknown())?;
    Ok((kind.build)(&Values::new(kind.name, kind.parameters, &step.values)?)?)
}

/// A list of augmentations.
pub struct Augmentations(Vec<Box<dyn Augment>>);

impl Augmentations {
    /// The list of entries that [`List::check`] has found right.
    ///
    /// # Panics   if it has not
    pub fn new(steps: &[Step]) -> Self {
        let made = |step| build(step).unwrap_or_else(|e| panic!("{step:?}: {e:?}"));
        Augmentations(steps.iter().map(made).collect())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Changes an image, `now`, as in an epoch of a run; `other` is room for another one.
    pub fn apply(
        &self,
        (seed, epoch): (u64, u64),
        image: usize,
        shape: Shape,
        now: &mut Vec<u8>,
        other: &mut Vec<u8>,
    ) {
        other.resize(now.len(), 0);
        for (place, augment) in self.0.iter().enumerate() {
            let random = Stream::new(seed, Purpose::Augment, place, epoch).block(image as u32);
            augment.apply(random, shape, now, other);
            std::mem::swap(now, other);
        }
    }
}

/// One of `n` numbers from 0 on, by a random word.
fn below(n: usize, word: u32) -> usize {
    ((u64::from(word) * n as u64) >> 32) as usize
}

/// One of −most … most, by a random word.
fn within(most: usize, word: u32) -> isize {
    below(2 * most + 1, word).cast_signed() - most.cast_signed()
}

/// The image moved down and to the right by so many pixels; `border` moves in.
fn moved(border: Border, (down, right): (isize, isize), shape: Shape, from: &[u8], to: &mut [u8]) {
    let Shape { h, w, c } = shape;
    let outside = border.outside().round_ties_even() as u8;
    for (y, row) in to.chunks_exact_mut(w * c).enumerate() {
        let Some(from_y) = border.index(y as isize - down, h) else {
            row.fill(outside);
            continue;
        };
        let from_row = &from[from_y * w * c..][..w * c];
        // what lies inside moves as a whole
        let first = right.clamp(0, w as isize) as usize;
        let end = (w as isize + right).clamp(0, w as isize) as usize;
        if first < end {
            let start = (first as isize - right) as usize;
            row[first * c..end * c].copy_from_slice(&from_row[start * c..][..(end - first) * c]);
        }
        for x in (0..first.min(w)).chain(end.max(first)..w) {
            let pixel = &mut row[x * c..][..c];
            match border.index(x as isize - right, w) {
                Some(x) => pixel.copy_from_slice(&from_row[x * c..][..c]),
                None => pixel.fill(outside),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Words of many images.
    pub(super) fn words(n: u32) -> impl Iterator<Item = [u32; 4]> {
        let philox = crate::random::philox::Philox4x32::new(11);
        (0..n).map(move |i| philox.block([i, 0, 0, 0]))
    }

    /// An image whose values are all different, as far as bytes go.
    pub(super) fn image(shape: Shape) -> Vec<u8> {
        (0..shape.features()).map(|i| (i * 37 % 251 + 1) as u8).collect()
    }

    /// What a kind makes of [`image`].
    pub(super) fn run(kind: &str, values: &[(&str, &str)], random: [u32; 4], shape: Shape) -> Vec<u8> {
        let values = values.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let mut to = vec![99; shape.features()];
        let built = build(&Step { kind: kind.to_owned(), values }).unwrap();
        built.apply(random, shape, &image(shape), &mut to);
        to
    }

    pub(super) const SHAPES: [Shape; 4] = [
        Shape { h: 5, w: 7, c: 3 },
        Shape { h: 1, w: 6, c: 1 },
        Shape { h: 6, w: 1, c: 2 },
        Shape { h: 1, w: 1, c: 1 },
    ];

    #[test]
    fn moving_is_reading_elsewhere() {
        for shape in SHAPES {
            let Shape { h, w, c } = shape;
            let from = image(shape);
            for border in [Border::Constant(7.0), Border::Reflect, Border::Replicate, Border::Wrap] {
                for (down, right) in [(0, 0), (1, -2), (-3, 4), (9, 9), (-20, 0)] {
                    let mut to = vec![0; from.len()];
                    moved(border, (down, right), shape, &from, &mut to);
                    for y in 0..h {
                        for x in 0..w {
                            let at =
                                border.index(y as isize - down, h).zip(border.index(x as isize - right, w));
                            for k in 0..c {
                                let expected = at.map_or(7, |(y, x)| from[(y * w + x) * c + k]);
                                assert_eq!(to[(y * w + x) * c + k], expected, "{border}, {down}, {right}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn choices_are_even() {
        let mut counts = [0usize; 5];
        words(5000).for_each(|[word, ..]| counts[below(5, word)] += 1);
        // a count of 5000 of probability 1/5 has deviation √800
        assert!(counts.iter().all(|n| n.abs_diff(1000) < 170), "{counts:?}");
        assert_eq!((below(5, 0), below(5, u32::MAX), below(1, u32::MAX)), (0, 4, 0));
    }
}
