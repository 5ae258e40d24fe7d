//! A result's way to 16 or 8 bits.
//!
//! ```text
//! v ─► ⌊v / 2^shift⌋, what is cut off ─►[A]─► round, clamp ─►[B]
//!  └─► |v| ──────────────────────►[ ]────────────►[magnitude]
//! ```

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

bundle! {
    /// A power of two, and what rounding needs of it.
    pub struct Divisor<D>() {
        /// Its exponent.
        shift: Sig<D> = Sig::unsigned(5),
        /// 2^shift − 1.
        mask: Sig<D> = Sig::unsigned(32),
        /// 2^(shift−1), or 0.
        half_step: Sig<D> = Sig::unsigned(32),
    }
}

unit! {
    /// `y = clamp(round_half_to_even(v / 2^shift))`, or `v` if the format is 32 bits.
    ///
    /// # Timing  v in tick t, magnitude, saturation and y in t+2; nothing moves without `advance`
    pub struct Narrow() {
        clock,
        /// The pipeline moves.
        pub advance: Signal<In, Bit>,
        /// The result.
        pub v: Sig<In> = Sig::signed(32),
        /// What it is divided by.
        pub divisor: Divisor<In> = Divisor::new(),
        /// 0: 32 bits, 1: 16, 2: 8.
        pub format: Sig<In> = Sig::unsigned(2),
        /// |v|.
        pub magnitude: Sig<Out> = Sig::unsigned(32),
        /// The clamp has changed the result.
        pub saturates: Signal<Out, Bit>,
        /// The narrowed result.
        pub y: Sig<Out> = Sig::signed(32),
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
        most_16: Const = Const::signed(0x7fff, 33),
        most_8: Const = Const::signed(0x7f, 33),
    }
}

impl Logic for Narrow {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.quotient.en.next = self.advance.val();
        self.cut_half.en.next = self.advance.val();
        self.cut_rest.en.next = self.advance.val();
        self.size.en.next = self.advance.val();
        self.size_2.en.next = self.advance.val();
        self.clipped.en.next = self.advance.val();
        self.result.en.next = self.advance.val();
        self.shifted.x.next = self.v.val();
        self.shifted.amount.next = self.divisor.shift.val();
        self.quotient.d.next = self.shifted.y.val();
        self.rest.next = bits_of(self.v.val(), 32) & self.divisor.mask.val();
        // up if the highest bit that is cut off is set and another one is, or the quotient is odd
        self.cut_half.d.next = (self.rest.val() & self.divisor.half_step.val()).any().into();
        self.cut_rest.d.next = (self.rest.val() & !self.divisor.half_step.val()).any().into();
        self.up.next = (self.cut_half.q.val() & self.cut_rest.q.val()).any()
            | (self.cut_half.q.val().any() & self.quotient.q.val().get_bit(0));
        self.size.d.next = self.v.val();
        if self.v.val() < 0 {
            self.size.d.next = -self.v.val();
        }
        self.size_2.d.next = self.size.q.val();
        self.magnitude.next = self.size_2.q.val();
        self.rounded.next = self.quotient.q.val() + self.up.val();
        // too large if the bits above the format's are not all the same as its sign
        self.above.next = 0.into();
        self.most.next = 0.into();
        if self.format.val() == 1 {
            self.above.next = self.rounded.val() >> 15;
            self.most.next = self.most_16.val();
        }
        if self.format.val() == 2 {
            self.above.next = self.rounded.val() >> 7;
            self.most.next = self.most_8.val();
        }
        self.over.next = self.above.val().any() & !self.above.val().all();
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
        self.y.next = self.result.q.val();
    }
}
