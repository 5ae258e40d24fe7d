//! A result's way to 16 or 8 bits, or, where results are packed, to any multiple of 4.
//!
//! ```text
//! exact ─► ⌊exact / 2^shift⌋, what is cut off ─►[A]─► round, clamp ─►[B]
//!    └───► |exact| ────────────────────────►[ ]────────────►[magnitude]
//! ```

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

bundle! {
    /// How results are narrowed: what they are divided by, and what rounding needs of it.
    pub struct Narrowing<D>(packs: bool) {
        /// The pipeline moves.
        advance: Signal<D, Bit>,
        /// The exponent of the power of two that they are divided by.
        shift: Sig<D> = Sig::unsigned(5),
        /// 2^shift − 1.
        mask: Sig<D> = Sig::unsigned(32),
        /// 2^(shift−1), or 0.
        half_step: Sig<D> = Sig::unsigned(32),
        /// 0: 32 bits, 1: 16, 2: 8; where results are packed, their nibbles less one.
        format: Sig<D> = Sig::unsigned(if packs { 3 } else { 2 }),
    }
}

unit! {
    /// `narrowed = clamp(round_half_to_even(exact / 2^shift))`, or `exact` if the format is 32 bits.
    ///
    /// # Timing  `exact` in tick t, magnitude, saturation and `narrowed` in t+2; nothing moves without `advance`
    pub struct Narrow(packs: bool) {
        clock,
        /// How.
        pub narrowing: Narrowing<In> = Narrowing::new(packs),
        /// The result.
        pub exact: Sig<In> = Sig::signed(32),
        /// The result is sent; where results are packed only. Of one that is not, everything is 0.
        pub is_sent: Vec<Signal<In, Bit>> = wire::bits(usize::from(packs)),
        /// |exact|.
        pub magnitude: Sig<Out> = Sig::unsigned(32),
        /// The clamp has changed the result.
        pub saturates: Signal<Out, Bit>,
        /// The narrowed result.
        pub narrowed: Sig<Out> = Sig::signed(32),
        quotient: RegEn = RegEn::signed(32),
        cut_half: RegEn = RegEn::unsigned(1),
        cut_rest: RegEn = RegEn::unsigned(1),
        size: RegEn = RegEn::unsigned(32),
        size_2: RegEn = RegEn::unsigned(32),
        clipped: RegEn = RegEn::unsigned(1),
        result: RegEn = RegEn::signed(32),
        shifted: Asr = Asr::new(32, 5),
        rest: Sig<Local> = Sig::unsigned(32),
        rounded: Sig<Local> = Sig::signed(33),
        clamped: Sig<Local> = Sig::signed(33),
        above: Sig<Local> = Sig::signed(33),
        most: Sig<Local> = Sig::signed(33),
        up: Signal<Local, Bit>,
        over: Signal<Local, Bit>,
        beyond: Sig<Local> = Sig::unsigned(33),
        outside: Vec<Const> = (1..if packs { 9 } else { 1 }).map(nibble_top).collect(),
        packs: Flag = Flag::new(packs),
        most_16: Const = Const::signed(0x7fff, 33),
        most_8: Const = Const::signed(0x7f, 33),
    }
}

/// From the highest bit of nibble `n` − 1 to the one below that of nibble `n`, of 33 bits: what a number of n nibbles or fewer
/// has no room for.
fn nibble_top(n: usize) -> Const {
    let bits = (4 * n).saturating_sub(1)..(4 * n + 3).min(33);
    Const::unsigned(bits.map(|b| 1 << b).sum(), 33)
}

impl Logic for Narrow {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.quotient.en.next = self.narrowing.advance.val();
        self.cut_half.en.next = self.narrowing.advance.val();
        self.cut_rest.en.next = self.narrowing.advance.val();
        self.size.en.next = self.narrowing.advance.val();
        self.size_2.en.next = self.narrowing.advance.val();
        self.clipped.en.next = self.narrowing.advance.val();
        self.result.en.next = self.narrowing.advance.val();
        self.shifted.x.next = self.exact.val();
        self.shifted.amount.next = self.narrowing.shift.val();
        self.quotient.d.next = self.shifted.y.val();
        self.rest.next = bits_of(self.exact.val(), 32) & self.narrowing.mask.val();
        // up if the highest bit that is cut off is set and another one is, or the quotient is odd
        self.cut_half.d.next = (self.rest.val() & self.narrowing.half_step.val()).any().into();
        self.cut_rest.d.next = (self.rest.val() & !self.narrowing.half_step.val()).any().into();
        self.up.next = (self.cut_half.q.val() & self.cut_rest.q.val()).any()
            | (self.cut_half.q.val().any() & self.quotient.q.val().get_bit(0));
        self.size.d.next = self.exact.val();
        if self.exact.val() < 0 {
            self.size.d.next = -self.exact.val();
        }
        for s in 0..self.is_sent.len() {
            if !self.is_sent[s].val() {
                self.quotient.d.next = 0.into();
                self.cut_half.d.next = 0.into();
                self.cut_rest.d.next = 0.into();
                self.size.d.next = 0.into();
            }
        }
        self.size_2.d.next = self.size.q.val();
        self.magnitude.next = self.size_2.q.val();
        self.rounded.next = self.quotient.q.val() + self.up.val();
        // too large if the bits above the format's are not all the same as its sign
        self.above.next = 0.into();
        self.most.next = 0.into();
        self.beyond.next = 0.into();
        if self.packs.val() {
            for n in 0..self.outside.len() {
                if self.narrowing.format.val() <= n {
                    self.beyond.next = self.beyond.val() | self.outside[n].val();
                }
            }
            self.most.next = !self.beyond.val();
            self.over.next = (self.rounded.val() & self.beyond.val()).any()
                & (!self.rounded.val() & self.beyond.val()).any();
        } else {
            if self.narrowing.format.val() == 1 {
                self.above.next = self.rounded.val() >> 15;
                self.most.next = self.most_16.val();
            }
            if self.narrowing.format.val() == 2 {
                self.above.next = self.rounded.val() >> 7;
                self.most.next = self.most_8.val();
            }
            self.over.next = self.above.val().any() & !self.above.val().all();
        }
        self.clamped.next = self.rounded.val();
        if self.over.val() {
            self.clamped.next = self.most.val();
            if self.rounded.val() < 0 {
                self.clamped.next = !self.most.val();
            }
        }
        self.clipped.d.next = self.over.val().into();
        self.saturates.next = self.clipped.q.val().any();
        self.result.d.next = self.clamped.val();
        self.narrowed.next = self.result.q.val();
    }
}
