//! SMOOTH: docs/gaussian.md line by line.

mod flow;
mod line;
mod unit;

use crate::memory::Memories;
use line::Line;
use tandem_spec::config::Gaussian;
use tandem_spec::engine::CosineWindow;
use tandem_spec::{Config, Memory, Smooth};

pub(crate) use unit::GaussianUnit;

/// A line from its beginning to its end: as many results as pixels.
pub(crate) fn smooth(window: &CosineWindow, pixels: &[i16]) -> Vec<i32> {
    let mut line = Line::default();
    pixels.iter().map(|p| line.step(*p, window)).collect()
}

/// Result words of a SMOOTH.
fn words(config: &Config, unit: &Gaussian, s: &Smooth) -> usize {
    let steps = usize::from(s.count.saturating_sub(s.skip));
    (steps * unit.lines()).div_ceil(config.array.drain)
}

/// Executes a valid instruction on the lines of a batch.
fn execute(config: &Config, unit: &Gaussian, lines: &mut [Line], s: &Smooth, memories: &mut Memories) {
    let (window, drain, depth) = (s.window(), config.array.drain, config.memory.result);
    let first = usize::from(s.address) * unit.steps(config.link_bits);
    let skip = usize::from(s.skip);
    let mut results = vec![0; words(config, unit, s) * drain];
    let count = lines.len();
    for (l, line) in lines.iter_mut().enumerate() {
        if !s.keep {
            *line = Line::default();
        }
        for n in 0..usize::from(s.count) {
            let at = 2 * ((first + n) * count + l);
            let bytes = &memories[Memory::Pixel].digits[at..at + 2];
            let y = line.step(i16::from_le_bytes([bytes[0], bytes[1]]), &window);
            if n >= skip {
                results[(n - skip) * count + l] = y;
            }
        }
    }
    for (w, word) in results.chunks_exact(drain).enumerate() {
        let address = (usize::from(s.result_base) + w) % depth;
        memories.result[address * drain..][..drain].copy_from_slice(word);
    }
}
