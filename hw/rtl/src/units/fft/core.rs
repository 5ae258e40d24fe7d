//! The streaming transform: samples in natural order in, spectra in natural order out.

use super::group::{Mode, Spectrum};
use super::normalise::Normalise;
use super::pair::Pair;
use super::reorder::Reorder;
use super::{FREE_STAGES, LOG_BITS, Shape};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

unit! {
    /// Transforms P sequences in lockstep, batches following each other without gaps.
    ///
    /// # Numeric  docs/fft.md, "Arithmetic"
    /// # Timing   the first group enters in cycle t with `start`, the others follow; the first result is there, with
    /// `starts`, in t + 2N + 5p + 1, p = ⌈log2 N / 2⌉; `mode`
    /// holds from t − 1 until the last one
    pub struct Core(shape: &Shape) {
        let parts = shape.parts();
        let remaining: Vec<usize> = (0..shape.pairs).map(|j| shape.log_quarter(j)).collect();
        let dims = |add: usize| remaining.iter().map(|r| Dim::new(r + add)).collect();
        // bits of n from `low` on, if the pair's quarter has them: a tile's columns
        let above = |low: usize| -> Vec<Const> {
            let mask = |lq: &usize| ((1i128 << lq) - 1) & !((1i128 << low.min(*lq)) - 1);
            remaining.iter().map(|lq| Const::unsigned(mask(lq), (*lq).max(1))).collect()
        };

        clock,
        /// What is wanted.
        pub mode: Mode<In> = Mode::new(),
        /// The first group enters.
        pub start: Signal<In, Bit>,
        /// Parts of the group that enters, 16 bits each.
        pub samples: Vec<Sig<In>> = Sig::vec(parts, 16, true),
        /// N − 1.
        pub last: Sig<Out> = Sig::unsigned(shape.log_points),
        /// The first group leaves.
        pub starts: Signal<Out, Bit>,
        /// The group that leaves.
        pub spectrum: Spectrum<Out> = Spectrum::new(shape.lanes),
        log: Sig<Local> = Sig::unsigned(LOG_BITS),
        tiled: Signal<Local, Bit>,
        blocked: Signal<Local, Bit>,
        sample: Vec<Sig<Local>> = Sig::vec(parts, shape.bits, true),
        first: Vec<Reg> = Reg::vec(parts, shape.inner, true),
        pair: Vec<Pair> = remaining.iter().map(|lq| Pair::new(shape, *lq)).collect(),
        enters: Vec<Reg> = Reg::vec(shape.pairs, 1, false),
        skip: Vec<Reg> = Reg::vec(shape.pairs, 1, false),
        split: Vec<Reg> = Reg::vec(shape.pairs, 1, false),
        shift: Vec<Reg> = Reg::vec(shape.pairs, 2, false),
        mask: Vec<Reg> = remaining.iter().map(|lq| Reg::unsigned((*lq).max(1))).collect(),
        reorder: Reorder = Reorder::new(shape),
        normalise: Vec<Normalise> = (0..shape.lanes).map(|_| Normalise::new(shape)).collect(),
        chain: Vec<Reg> = Reg::vec(4, 1, false),
        lanes: Dim = Dim::new(shape.lanes),
        parts: Dim = Dim::new(parts),
        pairs: Dim = Dim::new(shape.pairs),
        /// log2 N of which a pair is the first one, with one butterfly or with both.
        one_more: Vec<Dim> = dims(1),
        two_more: Vec<Dim> = dims(2),
        all_kept: Vec<Dim> = dims(FREE_STAGES),
        largest: Dim = Dim::new(shape.log_points),
        any_size: Flag = Flag::new(shape.any_size),
        has_tiles: Flag = Flag::new(shape.tiles),
        has_block: Flag = Flag::new(shape.block),
        ones: Vec<Const> = above(0),
        above_two: Vec<Const> = above(2),
        above_three: Vec<Const> = above(3),
        above_four: Vec<Const> = above(4),
        quarters: Vec<Dim> = remaining.iter().map(|lq| Dim::new(*lq)).collect(),
    }
}

impl Logic for Core {
    named!("fft_core");

    #[hdl_gen]
    fn update(&mut self) {
        self.log.next = self.largest.val().into();
        if self.any_size.val() {
            self.log.next = self.mode.log_points.val();
        }
        self.tiled.next = false;
        if self.has_tiles.val() {
            self.tiled.next = self.mode.tile.val();
        }
        self.blocked.next = false;
        if self.has_block.val() {
            self.blocked.next = self.mode.block.val();
        }
        // samples to the first pass: b bits, exchanged parts for the inverse, two guard bits unless `block`
        for l in 0..self.lanes.val() {
            self.sample[2 * l].next = self.samples[2 * l].val();
            self.sample[2 * l + 1].next = self.samples[2 * l + 1].val();
            if self.mode.inverse.val() {
                self.sample[2 * l].next = self.samples[2 * l + 1].val();
                self.sample[2 * l + 1].next = self.samples[2 * l].val();
            }
        }
        for p in 0..self.parts.val() {
            self.first[p].d.next = self.sample[p].val() << 2;
            if self.blocked.val() {
                self.first[p].d.next = self.sample[p].val();
            }
        }
        // passes; what the size means to each stands in registers before its first group comes
        for j in 0..self.pairs.val() {
            if j == 0 {
                // only if it is the first of this size: else its pulse would reach the next instruction
                self.pair[j].enters.start.next = false;
                for p in 0..self.parts.val() {
                    self.pair[j].enters.part[p].next = self.first[p].q.val();
                }
            } else {
                self.pair[j].enters.start.next = self.pair[j - 1].leaves.start.val();
                for p in 0..self.parts.val() {
                    self.pair[j].enters.part[p].next = self.pair[j - 1].leaves.part[p].val();
                }
            }
            self.skip[j].d.next = (self.log.val() == self.one_more[j].val()).into();
            self.enters[j].d.next = ((self.log.val() == self.one_more[j].val())
                | (self.log.val() == self.two_more[j].val()))
            .into();
            self.pair[j].skip.next = self.skip[j].q.val().any();
            if self.enters[j].q.val().any() {
                self.pair[j].enters.start.next = self.start.val();
                for p in 0..self.parts.val() {
                    self.pair[j].enters.part[p].next = self.first[p].q.val();
                }
            }
            // `block` drops a bit for each stage after the first six
            self.shift[j].d.next = 2.into();
            if self.log.val() == self.one_more[j].val() {
                self.shift[j].d.next = 1.into();
            }
            if self.blocked.val() {
                self.shift[j].d.next = 2.into();
                if self.log.val() == self.all_kept[j].val() + 1 {
                    self.shift[j].d.next = 1.into();
                }
                if self.log.val() <= self.all_kept[j].val() {
                    self.shift[j].d.next = 0.into();
                }
            }
            // tiles: twiddles of the columns' index only, as long as it is transformed
            self.split[j].d.next = (self.log.val() == self.one_more[j].val()).into();
            self.mask[j].d.next = self.ones[j].val();
            if self.tiled.val() {
                if (self.log.val() == 4) & (self.quarters[j].val() == 2) {
                    self.mask[j].d.next = self.above_two[j].val();
                }
                if (self.log.val() == 6) & (self.quarters[j].val() == 4) {
                    self.mask[j].d.next = self.above_three[j].val();
                }
                if (self.log.val() == 6) & (self.quarters[j].val() == 2) {
                    self.split[j].d.next = 1.into();
                }
                if (self.log.val() == 8) & ((self.quarters[j].val() == 6) | (self.quarters[j].val() == 4)) {
                    self.mask[j].d.next = self.above_four[j].val();
                }
            }
            self.pair[j].shift.next = self.shift[j].q.val();
            self.pair[j].split.next = self.split[j].q.val().any();
            self.pair[j].mask.next = self.mask[j].q.val();
        }
        // natural order
        self.reorder.size.log_points.next = self.log.val();
        self.reorder.size.tile.next = self.tiled.val();
        self.last.next = self.reorder.last.val();
        wire::join_all(&mut self.pair[self.pairs.val() - 1].leaves, &mut self.reorder.enters);
        for s in 0..4 {
            if s == 0 {
                self.chain[s].d.next = self.reorder.leaves.start.val().into();
            } else {
                self.chain[s].d.next = self.chain[s - 1].q.val();
            }
        }
        self.starts.next = self.chain[3].q.val().any();
        for l in 0..self.lanes.val() {
            self.normalise[l].block.next = self.blocked.val();
            self.normalise[l].log_points.next = self.log.val();
            wire::join_all(&mut self.reorder.place, &mut self.normalise[l].place);
            for i in 0..2 {
                self.normalise[l].passed[i].next =
                    self.pair[self.pairs.val() - 1].leaves.part[2 * l + i].val();
                self.normalise[l].reordered[i].next = self.reorder.leaves.part[2 * l + i].val();
            }
            self.spectrum.part[2 * l].next = self.normalise[l].rounded.part[0].val();
            self.spectrum.part[2 * l + 1].next = self.normalise[l].rounded.part[1].val();
            if self.mode.inverse.val() {
                self.spectrum.part[2 * l].next = self.normalise[l].rounded.part[1].val();
                self.spectrum.part[2 * l + 1].next = self.normalise[l].rounded.part[0].val();
            }
            self.spectrum.exponent[l].next = self.normalise[l].rounded.exponent[0].val();
            self.spectrum.clamped[l].next = self.normalise[l].rounded.clamped[0].val();
        }
    }
}
