//! The last rounding of a transform: by its largest magnitude (`block`), or by the guard bits (`scaled`).
//!
//! ```text
//! behind the last pass: passed ─► OR of magnitudes ─► (batch ends) ─► q ─► half, mask
//! from the reorder buffer: reordered ─► held ─► held + half, tie? ─► >> q ─► clamp ─► rounded
//! ```

use super::group::{Place, Spectrum};
use super::{FREE_STAGES, LOG_BITS, Shape};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

/// Bits of q: at most 8.
const SHIFT_BITS: usize = 4;

unit! {
    /// v / 2^q, half to even, clamped to b bits; q from the transform's OR of magnitudes, or 2.
    ///
    /// # Timing  a batch's last group enters in cycle t; its first one is read in t+1 (`reordered`) and leaves in t+4
    pub struct Normalise(shape: &Shape) {
        let (w, b) = (shape.inner, shape.bits);
        let most = (1i128 << (b - 1)) - 1;

        clock,
        /// Block floating point.
        pub block: Signal<In, Bit>,
        /// log2 N.
        pub log_points: Sig<In> = Sig::unsigned(LOG_BITS),
        /// Real and imaginary part behind the last pass.
        pub passed: Vec<Sig<In>> = Sig::vec(2, w, true),
        /// Where it lies in its batch.
        pub place: Place<In> = Place::new(),
        /// Parts from the reorder buffer.
        pub reordered: Vec<Sig<In>> = Sig::vec(2, w, true),
        /// The rounded result of one transform.
        pub rounded: Spectrum<Out> = Spectrum::new(1),
        magnitude: Vec<Sig<Local>> = Sig::vec(2, w, false),
        seen: Sig<Local> = Sig::unsigned(w),
        all: Reg = Reg::unsigned(w),
        whole: Reg = Reg::unsigned(w),
        amount: Sig<Local> = Sig::unsigned(SHIFT_BITS),
        q: Reg = Reg::unsigned(SHIFT_BITS),
        q_late: Reg = Reg::unsigned(SHIFT_BITS),
        exponent_late: Reg = Reg::unsigned(5),
        exponent_q: Reg = Reg::unsigned(5),
        dropped: Sig<Local> = Sig::unsigned(LOG_BITS),
        mask: Sig<Local> = Sig::unsigned(w),
        half: Sig<Local> = Sig::unsigned(w),
        held: Vec<Reg> = Reg::vec(2, w, true),
        raised: Vec<Reg> = Reg::vec(2, w + 1, true),
        tie: Vec<Reg> = Reg::vec(2, 1, false),
        shifted: Vec<Sig<Local>> = Sig::vec(2, w + 1, true),
        floor: Vec<Sig<Local>> = Sig::vec(2, w + 1, true),
        out: Vec<Reg> = Reg::vec(2, b, true),
        over: Vec<Sig<Local>> = Sig::vec(2, 1, false),
        over_q: Reg = Reg::unsigned(1),
        most: Const = Const::signed(most, b),
        least: Const = Const::signed(-most - 1, b),
        shifts: Dim = Dim::new(w - b + 1),
        kept: Dim = Dim::new(b - 1),
        free: Dim = Dim::new(FREE_STAGES),
        has_block: Flag = Flag::new(shape.block),
    }
}

impl Logic for Normalise {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // the OR of a batch: of what has passed, or of its complement if negative
        for i in 0..2 {
            self.magnitude[i].next = self.passed[i].val();
            if self.passed[i].val() < 0 {
                self.magnitude[i].next = !self.passed[i].val();
            }
        }
        self.seen.next = self.magnitude[0].val() | self.magnitude[1].val();
        if !self.place.begins.val() {
            self.seen.next = self.seen.val() | self.all.q.val();
        }
        self.all.d.next = self.seen.val();
        if self.place.ends.val() {
            self.whole.d.next = self.seen.val();
        }
        // its bits above those that are kept
        self.amount.next = 2.into();
        self.dropped.next = 0.into();
        self.exponent_late.d.next = self.log_points.val();
        if self.has_block.val() & self.block.val() {
            self.amount.next = 0.into();
            for s in 0..self.shifts.val() {
                if ((self.whole.q.val() >> self.kept.val()) >> s).any() {
                    self.amount.next = (s + 1).into();
                }
            }
            if self.log_points.val() > self.free.val() {
                self.dropped.next = self.log_points.val() - self.free.val();
            }
            self.exponent_late.d.next = self.dropped.val() + self.q.q.val();
        }
        self.q.d.next = self.amount.val();
        self.q_late.d.next = self.q.q.val();
        self.mask.next = 0.into();
        for s in 0..self.shifts.val() {
            if self.q.q.val() > s {
                self.mask.next = self.mask.val() * 2 + 1;
            }
        }
        self.half.next = 0.into();
        if self.q.q.val().any() {
            self.half.next = (self.mask.val() >> 1) + 1;
        }
        // held + half; half too much if it was a tie and the floor is odd
        for i in 0..2 {
            self.held[i].d.next = self.reordered[i].val();
            self.raised[i].d.next = self.held[i].q.val() + self.half.val();
            self.tie[i].d.next =
                (self.q.q.val().any() & ((self.held[i].q.val() & self.mask.val()) == self.half.val())).into();
            self.shifted[i].next = self.raised[i].q.val() >> self.q_late.q.val();
            self.floor[i].next = self.shifted[i].val();
            if self.tie[i].q.val().any() & self.floor[i].val().get_bit(0) {
                self.floor[i].next = (self.floor[i].val() >> 1) << 1;
            }
            self.out[i].d.next = self.floor[i].val();
            self.over[i].next = 0.into();
            // the tie's bit has no say in this
            if self.shifted[i].val() > self.most.val() {
                self.out[i].d.next = self.most.val();
                self.over[i].next = 1.into();
            }
            if self.shifted[i].val() < self.least.val() {
                self.out[i].d.next = self.least.val();
                self.over[i].next = 1.into();
            }
            self.rounded.part[i].next = self.out[i].q.val();
        }
        self.over_q.d.next = self.over[0].val() | self.over[1].val();
        self.rounded.clamped[0].next = self.over_q.q.val().any();
        self.exponent_q.d.next = self.exponent_late.q.val();
        self.rounded.exponent[0].next = self.exponent_q.q.val();
    }
}
