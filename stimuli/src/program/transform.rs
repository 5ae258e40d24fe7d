//! Random samples and TRANSFORMs.

use super::{Cell, Writer};
use crate::random::Random;
use tandem_spec::config::Fft;
use tandem_spec::isa::{Who, words_per_address};
use tandem_spec::{Config, Instruction, Load, Memory, Tokens, Transform};

/// Samples for a payload of `bytes`.
///
/// Noise of any size, or square waves between the extremes, which are what is clamped.
fn samples(r: &mut Random, bytes: usize) -> Vec<u8> {
    let quiet = r.pick(&[0, 0, 2, 7, 13]);
    let period = r.percent(40).then(|| r.up_to(7));
    let mut parts = vec![];
    for i in 0..bytes.div_ceil(2) {
        let part = match period {
            Some(log) if i >> log & 1 == 0 => i16::MAX,
            Some(_) => i16::MIN,
            None => r.i16() >> quiet,
        };
        parts.extend(part.to_le_bytes());
    }
    parts.truncate(bytes);
    parts
}

impl Writer<'_> {
    /// A LOAD of 16-bit numbers: samples or pixels.
    pub(super) fn load_parts(&mut self, memory: Memory) {
        let full = words_per_address(self.config, memory, 1);
        let words = if self.r.percent(85) { full } else { self.r.up_to(full) };
        let (first, depth) = self.cells(Some(memory));
        let most = (600 / words).clamp(1, 80);
        let (address, count) = match self.r.percent(40) {
            true => ((self.half * depth / 2) as u16, (depth / 2).min(most) as u16),
            false => self.stretch(depth, most),
        };
        let load = Load {
            tokens: Tokens::default(),
            broadcast: self.r.percent(20),
            memory,
            address,
            count,
            words: words as u16,
            mask: if self.r.percent(90) { self.r.any() as u32 | 1 } else { self.r.any() as u32 },
        };
        let writes = (0..usize::from(count)).map(|i| first + usize::from(address) + i).collect();
        self.push(Instruction::Load(load), vec![], writes);
        let bytes = usize::from(count) * words * self.config.link_bytes();
        self.drafts.last_mut().expect("just pushed").payload = samples(&mut self.r, bytes);
    }

    /// A TRANSFORM; mostly one whose samples and results lie in this round's half.
    pub(super) fn transform(&mut self, fft: &Fft) {
        self.settle(|w, tidy| {
            let t = w.transform_shape(fft, tidy);
            let (reads, writes) = w.transform_cells(fft, &t);
            (Instruction::Transform(t), reads, writes)
        });
    }

    fn transform_shape(&mut self, fft: &Fft, tidy: bool) -> Transform {
        let Config { array, memory, link_bits, .. } = self.config;
        let groups = fft.groups(*link_bits);
        let largest = i64::from(fft.points.trailing_zeros());
        let log_points = self.r.within(if fft.any_size { 2 } else { largest }..largest + 1);
        let fit = (fft.depth * groups) >> log_points;
        let short = self.r.pick(&[1, 1, 40, 300, 600]) >> log_points;
        let count = self.r.up_to(fit.min(4 * array.drain / fft.samples).min(short.max(1)));
        let words = (count << log_points) / groups;
        let half = if self.half * fft.depth / 2 + words <= fft.depth { self.half * fft.depth / 2 } else { 0 };
        let from = if tidy { half } else { 0 };
        let result_base = match tidy {
            true => self.half * memory.result / 2 + self.r.up_to(3) - 1,
            false => self.r.any() as usize,
        };
        Transform {
            tokens: Tokens::default(),
            inverse: self.r.percent(50),
            block: fft.block && self.r.percent(50),
            tile: fft.tiles && [4, 6, 8].contains(&log_points) && self.r.percent(50),
            address: (from + self.r.up_to(fft.depth - from - words + 1) - 1) as u16,
            count: count as u16,
            result_base: result_base as u16,
            log_points: log_points as u8,
        }
    }

    /// Where the status word of the last TRANSFORM lies, if it was the last instruction of its engine.
    pub(super) fn last_status(&self) -> Option<usize> {
        let fft = self.config.fft.as_ref()?;
        let last = self.drafts.iter().rev().find(|d| d.engine() == Who::Compute)?;
        let Instruction::Transform(t) = last.instruction else { return None };
        Some((usize::from(t.result_base) + self.result_words(fft, &t) - 1) % self.config.memory.result)
    }

    /// Result words of a TRANSFORM, the status word included.
    fn result_words(&self, fft: &Fft, t: &Transform) -> usize {
        (usize::from(t.count) << t.log_points).div_ceil(self.config.array.drain / fft.samples) + 1
    }

    /// Addresses that a TRANSFORM reads, and those that it writes.
    fn transform_cells(&self, fft: &Fft, t: &Transform) -> (Vec<Cell>, Vec<Cell>) {
        let groups = usize::from(t.count) << t.log_points;
        let (first, _) = self.cells(Some(Memory::Sample));
        let words = groups / fft.groups(self.config.link_bits);
        let reads = (0..words).map(|i| first + usize::from(t.address) + i).collect();
        let (first, depth) = self.cells(None);
        let words = self.result_words(fft, t);
        let writes =
            (0..words.min(depth)).map(|i| first + (usize::from(t.result_base) + i) % depth).collect();
        (reads, writes)
    }
}
