//! A pixel a clock, of four lines in turn.

use super::wave::Wave;
use super::{COEFFICIENT, COEFFICIENT_FRACTION, Coefficients, FRACTION, Turns};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::config::Gaussian;

/// Bits of S.
const SUM: usize = 25;

/// Bits of the ring's addresses: the widest window of every line.
pub(super) fn ring_bits(gaussian: &Gaussian) -> usize {
    index_bits(Gaussian::TURNS * (2 * gaussian.radius + 1))
}

unit! {
    /// The window's pixels in a ring, their sum, and K waves.
    ///
    /// # Timing  a pixel in t+2, y in t+9
    pub struct Pipeline(gaussian: &Gaussian) {
        let (terms, turns, down) = (gaussian.terms, Gaussian::TURNS, COEFFICIENT_FRACTION - FRACTION);

        clock,
        /// Which line is where.
        pub turns: Turns<In> = Turns::new(),
        /// The window.
        pub window: Coefficients<In> = Coefficients::new(terms),
        /// A pixel.
        pub pixel: Sig<In> = Sig::signed(16),
        /// Where the pixel that leaves the window lies in the ring (t+2).
        pub gone: Sig<In> = Sig::unsigned(ring_bits(gaussian)),
        /// Where the pixel goes (t+3).
        pub place: Sig<In> = Sig::unsigned(ring_bits(gaussian)),
        /// y.
        pub y: Sig<Out> = Sig::signed(32),
        ring: Ram = Ram::new(1 << ring_bits(gaussian), 16, true),
        x: Reg = Reg::signed(16),
        leaves: Sig<Local> = Sig::signed(16),
        u: Reg = Reg::signed(17),
        u_file: RegFile = RegFile::new(turns, 17, true),
        s_file: RegFile = RegFile::new(turns, SUM, true),
        u_before: Sig<Local> = Sig::signed(17),
        s_before: Sig<Local> = Sig::signed(SUM),
        change: Reg = Reg::signed(18),
        sum: Reg = Reg::signed(SUM),
        mean: Reg = Reg::signed(COEFFICIENT + SUM),
        mean_6: Reg = Reg::signed(32),
        mean_7: Reg = Reg::signed(32),
        wave: Vec<Wave> = (0..terms).map(|_| Wave::new()).collect(),
        total: Sig<Local> = Sig::signed(32),
        out: Reg = Reg::signed(32),
        terms: Dim = Dim::new(terms),
        down: Dim = Dim::new(down),
        half: Dim = Dim::new(1 << (down - 1)),
    }
}

impl Logic for Pipeline {
    named!("gaussian_pipeline");

    #[hdl_gen]
    fn update(&mut self) {
        // t+2, t+3: the pixel, and the one that leaves the window
        self.x.d.next = self.pixel.val();
        self.ring.re.next = true;
        self.ring.raddr.next = self.gone.val();
        self.ring.we.next = self.turns.pixel.val();
        self.ring.waddr.next = self.place.val();
        self.ring.wdata.next = self.x.q.val();
        self.leaves.next = 0.into();
        if self.turns.full.val() {
            self.leaves.next = self.ring.rdata.val();
        }
        self.u.d.next = self.x.q.val() - self.leaves.val();
        // t+4: the line's last u and sum
        self.u_file.raddr.next = self.turns.state.line.val();
        self.s_file.raddr.next = self.turns.state.line.val();
        self.u_before.next = self.u_file.rdata.val();
        self.s_before.next = self.s_file.rdata.val();
        if self.turns.state.begins.val() {
            self.u_before.next = 0.into();
            self.s_before.next = 0.into();
        }
        self.change.d.next = self.u.q.val() - self.u_before.val();
        self.sum.d.next = self.s_before.val() + self.u.q.val();
        self.u_file.we.next = self.turns.enters.val();
        self.u_file.waddr.next = self.turns.state.line.val();
        self.u_file.wdata.next = self.u.q.val();
        self.s_file.we.next = self.turns.enters.val();
        self.s_file.waddr.next = self.turns.state.line.val();
        self.s_file.wdata.next = self.s_before.val() + self.u.q.val();
        // t+5 to t+8: the mean, and the waves beside it
        self.mean.d.next = self.sum.q.val() * self.window.mean.val();
        self.mean_6.d.next = (self.mean.q.val() + self.half.val()) >> self.down.val();
        self.mean_7.d.next = self.mean_6.q.val();
        self.total.next = self.mean_7.q.val();
        for k in 0..self.terms.val() {
            wire::join_all(&mut self.turns.state, &mut self.wave[k].place);
            self.wave[k].change.next = self.change.q.val();
            self.wave[k].turn.next = self.window.turn[k].val();
            self.wave[k].edge.next = self.window.edge[k].val();
            self.total.next = self.total.val() + self.wave[k].z.val();
        }
        self.out.d.next = self.total.val();
        self.y.next = self.out.q.val();
    }
}
