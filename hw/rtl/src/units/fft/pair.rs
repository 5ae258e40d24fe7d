//! A pair of radix-2 butterflies with the twiddles behind it: one pass.
//!
//! ```text
//! x ─► (±) ─► r1 ─► −i? ─► (±) ─► r2 ─► × w ─► p ─► Σ ─► round ─► y
//!      ▲ │ 2Q              ▲ │ Q        └ twiddle(e)
//!      └─┘                 └─┘
//! ```
//! `now` numbers the group at the first butterfly's input modulo 4Q, from a register. What leaves that butterfly is 2Q behind it, what leaves
//! the second one Q more.

use super::delay_line::DelayLine;
use super::group::Groups;
use super::twiddle::Twiddle;
use super::{Shape, TWIDDLE_FRACTION};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

unit! {
    /// One pass over 4Q points (2Q, if the first butterfly is skipped).
    ///
    /// # Timing  a group leaves 3Q + 5 cycles after it entered (Q + 5 if skipped); the last pair takes 2 cycles less
    pub struct Pair(shape: &Shape, log_quarter: usize) {
        let (quarter, parts, w) = (1usize << log_quarter, shape.parts(), shape.inner);
        // the last pair has no twiddles
        let turns = usize::from(log_quarter > 0);
        let fraction = turns * TWIDDLE_FRACTION;
        // of the first group's sign, which comes a cycle before the group
        let stages = 2 + 2 * turns;
        let sum = w + 3 + fraction;
        let below = |bits: usize| Const::unsigned(((1i128 << bits) >> 1) - i128::from(bits > 0), sum);

        clock,
        /// Groups that enter.
        pub enters: Groups<In> = Groups::new(shape),
        /// Only the second butterfly works: an odd log2 N starts here.
        pub skip: Signal<In, Bit>,
        /// The butterflies belong to different dimensions of a tile.
        pub split: Signal<In, Bit>,
        /// Bits of n that count in twiddle exponents.
        pub mask: Sig<In> = Sig::unsigned(log_quarter.max(1)),
        /// The pass divides by so many powers of two, at most 2.
        pub shift: Sig<In> = Sig::unsigned(2),
        /// Groups that leave.
        pub leaves: Groups<Out> = Groups::new(shape),
        now: Reg = Reg::unsigned(log_quarter + 2),
        armed: Reg = Reg::unsigned(1),
        due: Signal<Local, Bit>,
        chain: Vec<Reg> = Reg::vec(stages, 1, false),
        behind_one: Reg = Reg::unsigned(log_quarter + 2),
        ahead: Sig<Local> = Sig::unsigned(log_quarter + 2),
        exponent: Reg = Reg::unsigned(log_quarter + 2),
        outer: DelayLine = DelayLine::new(shape, 2 * quarter, w + 1),
        inner: DelayLine = DelayLine::new(shape, quarter, w + 2),
        adds_outer: Signal<Local, Bit>,
        adds_inner: Signal<Local, Bit>,
        rotates: Signal<Local, Bit>,
        one: Vec<Sig<Local>> = Sig::vec(parts, w + 1, true),
        turned: Vec<Sig<Local>> = Sig::vec(parts, w + 1, true),
        carry: Vec<Sig<Local>> = Sig::vec(parts, 1, false),
        two: Vec<Sig<Local>> = Sig::vec(parts, w + 2, true),
        r1: Vec<Reg> = Reg::vec(parts, w + 1, true),
        r2: Vec<Reg> = Reg::vec(parts, w + 2, true),
        step: Sig<Local> = Sig::unsigned(log_quarter.max(1)),
        once: Sig<Local> = Sig::unsigned(log_quarter + 2),
        twice: Sig<Local> = Sig::unsigned(log_quarter + 2),
        twiddle: Vec<Twiddle> = (0..turns).map(|_| Twiddle::new(log_quarter)).collect(),
        product: Vec<Reg> = Reg::vec(turns * 2 * parts, w + 2 + TWIDDLE_FRACTION + 2, true),
        sum: Vec<Reg> = Reg::vec(turns * parts, sum, true),
        scaled: Vec<Sig<Local>> = Sig::vec(parts, sum, true),
        odd: Vec<Sig<Local>> = Sig::vec(parts, 1, false),
        total: Vec<Sig<Local>> = Sig::vec(parts, sum, true),
        rounded: Vec<Reg> = Reg::vec(parts, w, true),
        bias: Sig<Local> = Sig::unsigned(sum),
        lanes: Dim = Dim::new(shape.lanes),
        parts: Dim = Dim::new(parts),
        turns: Dim = Dim::new(turns),
        stages: Dim = Dim::new(stages),
        log_quarter: Dim = Dim::new(log_quarter),
        log_half: Dim = Dim::new(log_quarter + 1),
        quarter: Dim = Dim::new(quarter),
        half: Dim = Dim::new(2 * quarter),
        three: Dim = Dim::new(3 * quarter),
        fraction: Dim = Dim::new(fraction),
        below_half: Const = below(fraction),
        below_one: Const = below(fraction + 1),
        below_two: Const = below(fraction + 2),
    }
}

impl Logic for Pair {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // which group is where
        self.now.d.next = self.now.q.val() + 1;
        if self.enters.start.val() {
            self.now.d.next = 0.into();
        }
        self.behind_one.d.next = self.now.q.val() + self.half.val();
        self.ahead.next = self.now.q.val() + self.quarter.val() + 1;
        self.due.next = self.armed.q.val().any() & (self.now.q.val() == self.three.val());
        if self.skip.val() {
            self.behind_one.d.next = self.now.q.val();
            self.ahead.next = self.now.q.val() + self.three.val() + 1;
            self.due.next = self.armed.q.val().any() & (self.now.q.val() == self.quarter.val());
        }
        if self.due.val() {
            self.armed.d.next = 0.into();
        }
        if self.enters.start.val() {
            self.armed.d.next = 1.into();
        }
        for s in 0..self.stages.val() {
            if s == 0 {
                self.chain[s].d.next = self.due.val().into();
            } else {
                self.chain[s].d.next = self.chain[s - 1].q.val();
            }
        }
        self.leaves.start.next = self.chain[self.stages.val() - 1].q.val().any();
        // the first butterfly
        self.outer.cycle.next = self.now.q.val();
        self.adds_outer.next = (self.now.q.val() >> self.log_half.val()).get_bit(0);
        for p in 0..self.parts.val() {
            self.one[p].next = self.outer.q[p].val();
            self.outer.d[p].next = self.enters.part[p].val();
            if self.adds_outer.val() {
                self.one[p].next = self.outer.q[p].val() + self.enters.part[p].val();
                self.outer.d[p].next = self.outer.q[p].val() - self.enters.part[p].val();
            }
            if self.skip.val() {
                self.one[p].next = self.enters.part[p].val();
            }
            self.r1[p].d.next = self.one[p].val();
        }
        // −i, then the second butterfly
        self.inner.cycle.next = self.behind_one.q.val();
        self.adds_inner.next = (self.behind_one.q.val() >> self.log_quarter.val()).get_bit(0);
        self.rotates.next = self.adds_inner.val()
            & (self.behind_one.q.val() >> self.log_half.val()).get_bit(0)
            & !self.split.val();
        for l in 0..self.lanes.val() {
            self.turned[2 * l].next = self.r1[2 * l].q.val();
            self.turned[2 * l + 1].next = self.r1[2 * l + 1].q.val();
            self.carry[2 * l].next = 0.into();
            self.carry[2 * l + 1].next = 0.into();
            if self.rotates.val() {
                self.turned[2 * l].next = self.r1[2 * l + 1].q.val();
                self.turned[2 * l + 1].next = !self.r1[2 * l].q.val();
                self.carry[2 * l + 1].next = 1.into();
            }
        }
        for p in 0..self.parts.val() {
            self.two[p].next = self.inner.q[p].val();
            self.inner.d[p].next = self.r1[p].q.val();
            if self.adds_inner.val() {
                self.two[p].next = self.inner.q[p].val() + self.turned[p].val() + self.carry[p].val();
                self.inner.d[p].next = self.inner.q[p].val() - self.turned[p].val() - self.carry[p].val();
            }
            self.r2[p].d.next = self.two[p].val();
        }
        // the twiddle of the group that will be in r2 in three cycles; the first one's exponent is 0
        self.step.next = self.ahead.val();
        self.step.next = self.step.val() & self.mask.val();
        self.once.next = 0.into();
        if (self.ahead.val() >> self.log_half.val()).get_bit(0) & !self.split.val() {
            self.once.next = self.step.val();
        }
        self.twice.next = 0.into();
        if (self.ahead.val() >> self.log_quarter.val()).get_bit(0) {
            self.twice.next = self.step.val() << 1;
        }
        self.bias.next = self.below_half.val();
        if self.shift.val() == 1 {
            self.bias.next = self.below_one.val();
        }
        if self.shift.val() == 2 {
            self.bias.next = self.below_two.val();
        }
        self.exponent.d.next = self.once.val() + self.twice.val();
        if self.enters.start.val() {
            self.exponent.d.next = 0.into();
        }
        for t in 0..self.turns.val() {
            self.twiddle[t].exponent.next = self.exponent.q.val();
            for l in 0..self.lanes.val() {
                self.product[4 * l].d.next = self.r2[2 * l].q.val() * self.twiddle[t].re.val();
                self.product[4 * l + 1].d.next = self.r2[2 * l + 1].q.val() * self.twiddle[t].im.val();
                self.product[4 * l + 2].d.next = self.r2[2 * l + 1].q.val() * self.twiddle[t].re.val();
                self.product[4 * l + 3].d.next = self.r2[2 * l].q.val() * self.twiddle[t].im.val();
                self.sum[2 * l].d.next = self.product[4 * l].q.val() + self.product[4 * l + 1].q.val();
                self.sum[2 * l + 1].d.next =
                    self.product[4 * l + 2].q.val() - self.product[4 * l + 3].q.val();
                self.scaled[2 * l].next = self.sum[2 * l].q.val();
                self.scaled[2 * l + 1].next = self.sum[2 * l + 1].q.val();
            }
        }
        for p in 0..self.parts.val() {
            if self.turns.val() == 0 {
                self.scaled[p].next = self.r2[p].q.val();
            }
            // half to even: a bit less than a half is added, and the last bit that is kept
            self.odd[p].next = (self.scaled[p].val() >> self.fraction.val()).get_bit(0).into();
            if (self.turns.val() == 0) & (self.shift.val() == 0) {
                self.odd[p].next = 0.into();
            }
            if self.shift.val() == 1 {
                self.odd[p].next = (self.scaled[p].val() >> self.fraction.val()).get_bit(1).into();
            }
            if self.shift.val() == 2 {
                self.odd[p].next = (self.scaled[p].val() >> self.fraction.val()).get_bit(2).into();
            }
            self.total[p].next = self.scaled[p].val() + self.bias.val() + self.odd[p].val();
            self.rounded[p].d.next = self.total[p].val() >> self.fraction.val();
            if self.shift.val() == 1 {
                self.rounded[p].d.next = (self.total[p].val() >> self.fraction.val()) >> 1;
            }
            if self.shift.val() == 2 {
                self.rounded[p].d.next = (self.total[p].val() >> self.fraction.val()) >> 2;
            }
            self.leaves.part[p].next = self.rounded[p].q.val();
        }
    }
}
