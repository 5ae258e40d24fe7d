//! How the pixels that a kernel's row covers become flat words.
//!
//! ```text
//! step    q pixels, one after the other: q·C digits, the terms of a sum, or its groups of N:M
//! word    a term for each lane (or for each row of the array), M members a term
//!
//! a pixel a step (q = 1)           ⌈C / lanes⌉ words: best for many channels
//! a kernel's row a step (q = kw)   ⌈kw·C / lanes⌉ words at each position: few channels fill the lanes
//! ```
//! A position stores the words of the step that starts there, so q − 1 of q pixels are stored again.

use crate::gemm::Pattern;
use crate::layout::NOWHERE;
use std::ops::Range;

/// A step of pixels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Its pixels, q.
    pub step: usize,
    /// Channels of a pixel.
    pub channels: usize,
    /// Digits of each term, counted from the step's first pixel.
    pub terms: Vec<Range<usize>>,
    /// Members of a term, M.
    pub members: usize,
    /// Terms of a word.
    pub width: usize,
}

impl Reach {
    /// Steps of `step` pixels in a kernel's row of `taps`, for words of `width` terms; `None` if a group of the
    /// pattern would cross the end of a step.
    pub fn new(
        channels: usize,
        taps: usize,
        step: usize,
        pattern: Option<Pattern>,
        width: usize,
    ) -> Option<Reach> {
        let digits = step * channels;
        let Some(p) = pattern else {
            let terms = (0..digits).map(|d| d..d + 1).collect();
            return Some(Reach { step, channels, terms, members: 1, width });
        };
        let in_pixel = |pixel: usize| {
            let first = pixel * channels;
            (first..first + channels).step_by(p.m).map(move |d| d..(d + p.m).min(first + channels))
        };
        let terms: Vec<_> = if p.run == channels {
            (0..step).flat_map(in_pixel).collect()
        } else if digits.is_multiple_of(p.m) || step >= taps {
            (0..digits).step_by(p.m).map(|d| d..(d + p.m).min(digits)).collect()
        } else {
            return None;
        };
        Some(Reach { step, channels, terms, members: p.m, width })
    }

    /// Words of a step.
    pub fn words(&self) -> usize {
        self.terms.len().div_ceil(self.width)
    }

    /// Words of all steps over `taps` pixels; the last step may need fewer than the others.
    pub fn all_words(&self, taps: usize) -> usize {
        let last = taps - (self.steps(taps) - 1) * self.step;
        let terms = self.terms.iter().filter(|term| term.start < last * self.channels).count();
        (self.steps(taps) - 1) * self.words() + terms.div_ceil(self.width)
    }

    /// Flat words of a step: M for each word.
    pub fn flat(&self) -> usize {
        self.words() * self.members
    }

    /// Steps over `taps` pixels.
    pub fn steps(&self, taps: usize) -> usize {
        taps.div_ceil(self.step)
    }

    /// The first digit of the term at a lane of a word, if there is one.
    pub fn first_digit(&self, word: usize, lane: usize) -> Option<usize> {
        Some(self.terms.get(word * self.width + lane)?.start)
    }

    /// For every position, word, member and term of a word: its column in a row of an image of `pixels`, whose first
    /// position is at pixel `start` (maybe in the padding) and the next `grain` further.
    pub fn columns(&self, positions: usize, start: isize, grain: usize, pixels: usize) -> Vec<u32> {
        let mut columns = vec![NOWHERE; positions * self.flat() * self.width];
        for position in 0..positions {
            let first = start + (position * grain) as isize;
            for (i, term) in self.terms.iter().enumerate() {
                let (word, lane) = (i / self.width, i % self.width);
                for (member, digit) in term.clone().enumerate() {
                    let pixel = first + (digit / self.channels) as isize;
                    if (0..pixels as isize).contains(&pixel) {
                        let flat = position * self.flat() + word * self.members + member;
                        let column = pixel as usize * self.channels + digit % self.channels;
                        columns[flat * self.width + lane] = column as u32;
                    }
                }
            }
        }
        columns
    }
}
