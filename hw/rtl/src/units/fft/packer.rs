//! Groups to result words, and the status word after them.

use super::Shape;
use super::group::Spectrum;
use crate::hdl::prelude::*;
use crate::units::words::Words;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::config::Fft;

/// Bits of a transform's status.
const STATUS: usize = 8;

unit! {
    /// Collects the groups of an instruction.
    ///
    /// # Timing  a result word is offered in the cycle in which its last group is there, the status word in the cycle
    /// after the instruction's last group
    pub struct Packer(c: &Config, fft: &Fft) {
        let (shape, width) = (Shape::new(fft), c.array.drain);
        let groups = width / shape.lanes;

        clock,
        /// A group is there.
        pub valid: Signal<In, Bit>,
        /// It is the last of its batch.
        pub ends: Signal<In, Bit>,
        /// It is the last of the instruction.
        pub finishes: Signal<In, Bit>,
        /// It.
        pub spectrum: Spectrum<In> = Spectrum::new(shape.lanes),
        /// A result word is there.
        pub we: Signal<Out, Bit>,
        /// Its results.
        pub result: Vec<Sig<Out>> = Sig::vec(width, 32, true),
        /// The status word is there: nothing follows.
        pub done: Signal<Out, Bit>,
        words: Words = Words::new(c, shape.lanes),
        batch: Reg = Reg::unsigned(index_bits(4 * groups)),
        sample: Vec<Concat> = (0..shape.lanes).map(|_| Concat::new(2, 16)).collect(),
        clamps: Vec<Reg> = Reg::vec(shape.lanes, 1, false),
        clamps_now: Vec<Sig<Local>> = Sig::vec(shape.lanes, 1, false),
        status: Vec<Reg> = Reg::vec(4 * width, STATUS, false),
        status_join: Vec<Concat> = (0..width).map(|_| Concat::new(4, STATUS)).collect(),
        closing: Reg = Reg::unsigned(1),
        lanes: Dim = Dim::new(shape.lanes),
        width: Dim = Dim::new(width),
        batches: Dim = Dim::new(4 * groups),
    }
}

impl Logic for Packer {
    named!("fft_packer");

    #[hdl_gen]
    fn update(&mut self) {
        // at an instruction's end everything is as at its start
        if self.valid.val() {
            self.batch.d.next = self.batch.q.val() + self.ends.val();
            if self.finishes.val() {
                self.batch.d.next = 0.into();
            }
        }
        self.closing.d.next = (self.valid.val() & self.finishes.val()).into();
        self.done.next = self.closing.q.val().any();
        self.words.valid.next = self.valid.val();
        self.words.finishes.next = self.finishes.val();
        self.we.next = self.closing.q.val().any() | self.words.we.val();
        for l in 0..self.lanes.val() {
            self.sample[l].x[0].next = self.spectrum.part[2 * l].val();
            self.sample[l].x[1].next = self.spectrum.part[2 * l + 1].val();
            self.words.group[l].next = self.sample[l].y.val();
            self.clamps_now[l].next = self.clamps[l].q.val() | self.spectrum.clamped[l].val();
            if self.valid.val() {
                self.clamps[l].d.next = self.clamps_now[l].val();
                if self.ends.val() {
                    self.clamps[l].d.next = 0.into();
                }
            }
        }
        for b in 0..self.batches.val() {
            for l in 0..self.lanes.val() {
                if self.closing.q.val().any() {
                    self.status[b * self.lanes.val() + l].d.next = 0.into();
                }
                if self.valid.val() & self.ends.val() & (self.batch.q.val() == b) {
                    self.status[b * self.lanes.val() + l].d.next =
                        (self.clamps_now[l].val() << 7) + self.spectrum.exponent[l].val();
                }
                self.status_join[(b * self.lanes.val() + l) / 4].x[(b * self.lanes.val() + l) % 4].next =
                    self.status[b * self.lanes.val() + l].q.val();
            }
        }
        for w in 0..self.width.val() {
            self.result[w].next = self.words.result[w].val();
            if self.closing.q.val().any() {
                self.result[w].next = self.status_join[w].y.val();
            }
        }
    }
}
