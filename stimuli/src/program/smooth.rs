//! Random SMOOTHs.

use super::{Cell, Writer};
use crate::random::Random;
use std::f64::consts::TAU;
use tandem_spec::config::Gaussian;
use tandem_spec::engine::CosineWindow;
use tandem_spec::{Config, Instruction, Memory, Smooth, Tokens};

/// A window of cosines with random weights, or, where everything may wrap around, any coefficients.
fn window(r: &mut Random, gaussian: &Gaussian) -> CosineWindow {
    let radius = r.up_to(gaussian.radius);
    let mut window = CosineWindow { radius: radius as u8, ..CosineWindow::default() };
    let any = r.percent(25);
    let width = (2 * radius + 1) as f64;
    let fixed = |v: f64| (v * f64::from(1 << 30)).round();
    window.mean = if any { r.any() as i32 } else { fixed(1.0 / width) as i32 };
    for k in 0..gaussian.terms {
        let angle = TAU / width * (k + 1) as f64;
        let weight = r.up_to(200) as f64 / 100.0 / width;
        (window.turn[k], window.edge[k]) = match any {
            true => (r.any() as u32, r.any() as i32),
            false => (
                fixed(4.0 * (angle / 2.0).sin().powi(2)) as u32,
                fixed(weight * (angle * radius as f64).cos()) as i32,
            ),
        };
    }
    window
}

impl Writer<'_> {
    /// A SMOOTH; mostly one whose pixels and results lie in this round's half.
    pub(super) fn smooth(&mut self, gaussian: &Gaussian) {
        self.settle(|w, tidy| {
            let s = w.smooth_shape(gaussian, tidy);
            let (reads, writes) = w.smooth_cells(gaussian, &s);
            (Instruction::Smooth(s), reads, writes)
        });
    }

    fn smooth_shape(&mut self, gaussian: &Gaussian, tidy: bool) -> Smooth {
        let Config { memory, link_bits, .. } = self.config;
        let steps = gaussian.steps(*link_bits);
        let longest = self.r.pick(&[1, 3, 20, 60]);
        let count = self.r.up_to((gaussian.depth * steps).min(longest));
        let words = count.div_ceil(steps);
        let half = if self.half * gaussian.depth / 2 + words <= gaussian.depth {
            self.half * gaussian.depth / 2
        } else {
            0
        };
        let from = if tidy { half } else { 0 };
        let skip = match self.r.pick(&[0, 0, 1, 2]) {
            0 => 0,
            1 => self.r.up_to(count + 1) - 1,
            _ => self.r.up_to(2 * count) - 1,
        };
        let result_base = match tidy {
            true => self.half * memory.result / 2 + self.r.up_to(3) - 1,
            false => self.r.any() as usize,
        };
        let window = window(&mut self.r, gaussian);
        let s = Smooth {
            tokens: Tokens::default(),
            keep: self.r.percent(50),
            address: (from + self.r.up_to(gaussian.depth - from - words + 1) - 1) as u16,
            count: count as u16,
            result_base: result_base as u16,
            skip: skip as u16,
            ..Smooth::default()
        };
        s.with(&window)
    }

    /// Addresses that a SMOOTH reads, and those that it writes.
    fn smooth_cells(&self, gaussian: &Gaussian, s: &Smooth) -> (Vec<Cell>, Vec<Cell>) {
        let (first, _) = self.cells(Some(Memory::Pixel));
        let words = usize::from(s.count).div_ceil(gaussian.steps(self.config.link_bits));
        let reads = (0..words).map(|i| first + usize::from(s.address) + i).collect();
        let (first, depth) = self.cells(None);
        let steps = usize::from(s.count.saturating_sub(s.skip));
        let words = (4 * steps).div_ceil(self.config.array.drain / gaussian.pixels);
        let writes =
            (0..words.min(depth)).map(|i| first + (usize::from(s.result_base) + i) % depth).collect();
        (reads, writes)
    }
}
