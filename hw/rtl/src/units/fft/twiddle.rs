//! Twiddle factors from a quarter of a cosine.

use super::TWIDDLE_FRACTION;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use std::f64::consts::FRAC_PI_2;

unit! {
    /// `re − i·im = 2^16·e^(−2πi·e/L)`, both parts rounded to the nearest integer.
    ///
    /// # Timing  latency 2
    pub struct Twiddle(log_quarter: usize) {
        let quarter = 1usize << log_quarter;
        let one = f64::from(1u32 << TWIDDLE_FRACTION);
        let cosine = |r: usize| (one * (FRAC_PI_2 * r as f64 / quarter as f64).cos()).round() as i128;
        let contents: Vec<i128> = (0..quarter).map(cosine).collect();
        let bits = TWIDDLE_FRACTION + 2;

        clock,
        /// e, modulo L.
        pub exponent: Sig<In> = Sig::unsigned(log_quarter + 2),
        /// The cosine.
        pub re: Sig<Out> = Sig::signed(bits),
        /// The sine.
        pub im: Sig<Out> = Sig::signed(bits),
        table: Rom = Rom::new(TWIDDLE_FRACTION + 1, &contents),
        within: Sig<Local> = Sig::unsigned(log_quarter),
        quadrant: Reg = Reg::unsigned(2),
        starts: Reg = Reg::unsigned(1),
        cosine: Sig<Local> = Sig::signed(bits),
        sine: Sig<Local> = Sig::signed(bits),
        re_q: Reg = Reg::signed(bits),
        im_q: Reg = Reg::signed(bits),
        log_quarter: Dim = Dim::new(log_quarter),
    }
}

impl Logic for Twiddle {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.within.next = self.exponent.val();
        self.table.a_addr.next = self.within.val();
        self.table.b_addr.next = -self.within.val();
        self.quadrant.d.next = self.exponent.val() >> self.log_quarter.val();
        self.starts.d.next = (!self.within.val().any()).into();
        self.cosine.next = self.table.a.val();
        self.sine.next = self.table.b.val();
        if self.starts.q.val().any() {
            self.sine.next = 0.into();
        }
        self.re_q.d.next = self.cosine.val();
        self.im_q.d.next = self.sine.val();
        if self.quadrant.q.val() == 1 {
            self.re_q.d.next = -self.sine.val();
            self.im_q.d.next = self.cosine.val();
        }
        if self.quadrant.q.val() == 2 {
            self.re_q.d.next = -self.cosine.val();
            self.im_q.d.next = -self.sine.val();
        }
        if self.quadrant.q.val() == 3 {
            self.re_q.d.next = self.sine.val();
            self.im_q.d.next = -self.cosine.val();
        }
        self.re.next = self.re_q.q.val();
        self.im.next = self.im_q.q.val();
    }
}
