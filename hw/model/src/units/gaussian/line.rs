//! One line: a running sum, and cosines that turn by a step a pixel.

use std::collections::VecDeque;
use tandem_spec::engine::{CosineWindow, WAVES};

/// Bits of a coefficient after the binary point.
const COEFFICIENT: u32 = 30;

/// Bits of D and Z after the binary point.
const FRACTION: u32 = 12;

/// Bits of D and Z.
const STATE: u32 = 30;

/// Bits of the sum.
const SUM: u32 = 25;

/// Pixels of the widest window.
const WIDEST: usize = 2 * 255 + 1;

/// What a line carries from pixel to pixel; at its beginning nothing.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Pixels since it began, the last ones.
    past: VecDeque<i16>,
    /// u of the pixel before.
    entered: i64,
    sum: i64,
    waves: [Wave; WAVES],
}

/// A cosine's value and its difference.
#[derive(Clone, Copy, Debug, Default)]
struct Wave {
    d: i64,
    z: i64,
}

impl Line {
    /// Takes a pixel; y.
    ///
    /// # Numeric  docs/gaussian.md, "Arithmetic"
    pub(super) fn step(&mut self, pixel: i16, window: &CosineWindow) -> i32 {
        let width = 2 * usize::from(window.radius) + 1;
        let gone = self.past.len().checked_sub(width).map_or(0, |at| self.past[at]);
        self.past.push_back(pixel);
        if self.past.len() > WIDEST {
            self.past.pop_front();
        }
        let enters = i64::from(pixel) - i64::from(gone);
        let change = enters - self.entered;
        self.entered = enters;
        self.sum = low(self.sum + enters, SUM);
        let down = COEFFICIENT - FRACTION;
        let mut y = rounded(i64::from(window.mean) * self.sum, down);
        for (wave, (turn, edge)) in self.waves.iter_mut().zip(window.turn.iter().zip(&window.edge)) {
            let falls = rounded(i64::from(*turn) * wave.z, COEFFICIENT);
            let rises = rounded(i64::from(*edge) * change, down);
            wave.d = low(wave.d - falls + rises, STATE);
            wave.z = low(wave.z + wave.d, STATE);
            y += wave.z;
        }
        y as i32
    }
}

/// The low `bits` bits, two's complement.
fn low(v: i64, bits: u32) -> i64 {
    v << (64 - bits) >> (64 - bits)
}

/// v / 2^shift, rounded to the nearest, ties upwards.
fn rounded(v: i64, shift: u32) -> i64 {
    (v + (1 << (shift - 1))) >> shift
}
