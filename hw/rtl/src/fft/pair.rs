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
use super::twiddle::Twiddle;
use super::{Shape, TWIDDLE_FRACTION};
use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;

/// One pass over 4Q points (2Q, if the first butterfly is skipped).
///
/// # Timing  a group leaves 3Q + 5 cycles after it entered (Q + 5 if skipped); the last pair takes 2 cycles less
#[derive(LogicBlock)]
pub struct Pair {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The first group enters in the next cycle.
    pub start: Signal<In, Bit>,
    /// Parts of the group that enters.
    pub x: Vec<Sig<In>>,
    /// Only the second butterfly works: an odd log2 N starts here.
    pub skip: Signal<In, Bit>,
    /// The butterflies belong to different dimensions of a tile.
    pub split: Signal<In, Bit>,
    /// Bits of n that count in twiddle exponents.
    pub mask: Sig<In>,
    /// The pass divides by so many powers of two, at most 2.
    pub shift: Sig<In>,
    /// Parts of the group that leaves.
    pub y: Vec<Sig<Out>>,
    /// The first one leaves in the next cycle.
    pub started: Signal<Out, Bit>,
    now: Reg,
    armed: Reg,
    due: Signal<Local, Bit>,
    chain: Vec<Reg>,
    behind_one: Reg,
    ahead: Sig<Local>,
    exponent: Reg,
    outer: DelayLine,
    inner: DelayLine,
    adds_outer: Signal<Local, Bit>,
    adds_inner: Signal<Local, Bit>,
    rotates: Signal<Local, Bit>,
    one: Vec<Sig<Local>>,
    turned: Vec<Sig<Local>>,
    carry: Vec<Sig<Local>>,
    two: Vec<Sig<Local>>,
    r1: Vec<Reg>,
    r2: Vec<Reg>,
    step: Sig<Local>,
    once: Sig<Local>,
    twice: Sig<Local>,
    twiddle: Vec<Twiddle>,
    product: Vec<Reg>,
    sum: Vec<Reg>,
    scaled: Vec<Sig<Local>>,
    odd: Vec<Sig<Local>>,
    total: Vec<Sig<Local>>,
    rounded: Vec<Reg>,
    bias: Sig<Local>,
    lanes: Dim,
    parts: Dim,
    turns: Dim,
    stages: Dim,
    log_quarter: Dim,
    log_half: Dim,
    quarter: Dim,
    half: Dim,
    three: Dim,
    fraction: Dim,
    below_half: Const,
    below_one: Const,
    below_two: Const,
}

impl Pair {
    /// The pair of butterflies over 2Q and Q, Q = 2^`log_quarter`.
    pub fn new(shape: &Shape, log_quarter: usize) -> Self {
        let (quarter, parts, w) = (1usize << log_quarter, shape.parts(), shape.inner);
        // the last pair has no twiddles
        let turns = usize::from(log_quarter > 0);
        let fraction = turns * TWIDDLE_FRACTION;
        // of the first group's sign, which comes a cycle before the group
        let stages = 2 + 2 * turns;
        let sum = w + 3 + fraction;
        let below = |bits: usize| Const::unsigned(((1i128 << bits) >> 1) - i128::from(bits > 0), sum);
        Pair {
            clock: Default::default(),
            start: Default::default(),
            x: Sig::vec(parts, w, true),
            skip: Default::default(),
            split: Default::default(),
            mask: Sig::unsigned(log_quarter.max(1)),
            shift: Sig::unsigned(2),
            y: Sig::vec(parts, w, true),
            started: Default::default(),
            now: Reg::unsigned(log_quarter + 2),
            armed: Reg::unsigned(1),
            due: Default::default(),
            chain: Reg::vec(stages, 1, false),
            behind_one: Reg::unsigned(log_quarter + 2),
            ahead: Sig::unsigned(log_quarter + 2),
            exponent: Reg::unsigned(log_quarter + 2),
            outer: DelayLine::new(shape, 2 * quarter, w + 1),
            inner: DelayLine::new(shape, quarter, w + 2),
            adds_outer: Default::default(),
            adds_inner: Default::default(),
            rotates: Default::default(),
            one: Sig::vec(parts, w + 1, true),
            turned: Sig::vec(parts, w + 1, true),
            carry: Sig::vec(parts, 1, false),
            two: Sig::vec(parts, w + 2, true),
            r1: Reg::vec(parts, w + 1, true),
            r2: Reg::vec(parts, w + 2, true),
            step: Sig::unsigned(log_quarter.max(1)),
            once: Sig::unsigned(log_quarter + 2),
            twice: Sig::unsigned(log_quarter + 2),
            twiddle: (0..turns).map(|_| Twiddle::new(log_quarter)).collect(),
            product: Reg::vec(turns * 2 * parts, w + 2 + TWIDDLE_FRACTION + 2, true),
            sum: Reg::vec(turns * parts, sum, true),
            scaled: Sig::vec(parts, sum, true),
            odd: Sig::vec(parts, 1, false),
            total: Sig::vec(parts, sum, true),
            rounded: Reg::vec(parts, w, true),
            bias: Sig::unsigned(sum),
            lanes: Dim::new(shape.lanes),
            parts: Dim::new(parts),
            turns: Dim::new(turns),
            stages: Dim::new(stages),
            log_quarter: Dim::new(log_quarter),
            log_half: Dim::new(log_quarter + 1),
            quarter: Dim::new(quarter),
            half: Dim::new(2 * quarter),
            three: Dim::new(3 * quarter),
            fraction: Dim::new(fraction),
            below_half: below(fraction),
            below_one: below(fraction + 1),
            below_two: below(fraction + 2),
        }
    }
}

impl Logic for Pair {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, now, armed, behind_one, exponent);
        // which group is where
        self.now.d.next = self.now.q.val() + 1;
        if self.start.val() {
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
        if self.start.val() {
            self.armed.d.next = 1.into();
        }
        for s in 0..self.stages.val() {
            self.chain[s].clock.next = self.clock.val();
            if s == 0 {
                self.chain[s].d.next = self.due.val().into();
            } else {
                self.chain[s].d.next = self.chain[s - 1].q.val();
            }
        }
        self.started.next = self.chain[self.stages.val() - 1].q.val().any();
        // the first butterfly
        self.outer.clock.next = self.clock.val();
        self.outer.at.next = self.now.q.val();
        self.adds_outer.next = (self.now.q.val() >> self.log_half.val()).get_bit(0);
        for p in 0..self.parts.val() {
            self.one[p].next = self.outer.q[p].val();
            self.outer.d[p].next = self.x[p].val();
            if self.adds_outer.val() {
                self.one[p].next = self.outer.q[p].val() + self.x[p].val();
                self.outer.d[p].next = self.outer.q[p].val() - self.x[p].val();
            }
            if self.skip.val() {
                self.one[p].next = self.x[p].val();
            }
            self.r1[p].clock.next = self.clock.val();
            self.r1[p].d.next = self.one[p].val();
        }
        // −i, then the second butterfly
        self.inner.clock.next = self.clock.val();
        self.inner.at.next = self.behind_one.q.val();
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
            self.r2[p].clock.next = self.clock.val();
            self.r2[p].d.next = self.two[p].val();
            self.rounded[p].clock.next = self.clock.val();
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
        if self.start.val() {
            self.exponent.d.next = 0.into();
        }
        for t in 0..self.turns.val() {
            self.twiddle[t].clock.next = self.clock.val();
            self.twiddle[t].exponent.next = self.exponent.q.val();
            for l in 0..self.lanes.val() {
                for k in 0..4 {
                    self.product[4 * l + k].clock.next = self.clock.val();
                }
                self.product[4 * l].d.next = self.r2[2 * l].q.val() * self.twiddle[t].re.val();
                self.product[4 * l + 1].d.next = self.r2[2 * l + 1].q.val() * self.twiddle[t].im.val();
                self.product[4 * l + 2].d.next = self.r2[2 * l + 1].q.val() * self.twiddle[t].re.val();
                self.product[4 * l + 3].d.next = self.r2[2 * l].q.val() * self.twiddle[t].im.val();
                self.sum[2 * l].clock.next = self.clock.val();
                self.sum[2 * l + 1].clock.next = self.clock.val();
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
            self.y[p].next = self.rounded[p].q.val();
        }
    }
}
