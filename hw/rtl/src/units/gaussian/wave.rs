//! One cosine of the window, of the lines of a pipeline.
//!
//! ```text
//! t+4        t+5            t+6                      t+7
//! Z', D' ─► [z] ─► × λ ─► [high, low] ─► Σ, round ─► [falls] ─► (−) ─► D, Z of the line
//!           [d] ─► Z'+D' ─► [sum] ─► (+ A) ────────► [d + A, sum + A] ─┘
//! Δ ───────► × a ─────────► [rise] ─► round = A ─┘
//! ```

use super::{COEFFICIENT, COEFFICIENT_FRACTION, FRACTION, Place, STATE};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::config::Gaussian;

/// Bits of Z that the lower of two products takes.
const LOW: usize = 15;

unit! {
    /// D and Z of every line; Z leaves for the sum.
    ///
    /// # Timing  Δ in t+5, Z in t+8
    pub struct Wave() {
        let (turns, down) = (Gaussian::TURNS, COEFFICIENT_FRACTION - FRACTION);

        clock,
        /// Which line it is.
        pub place: Place<In> = Place::new(),
        /// Δ.
        pub change: Sig<In> = Sig::signed(18),
        /// λ.
        pub turn: Sig<In> = Sig::unsigned(COEFFICIENT),
        /// a.
        pub edge: Sig<In> = Sig::signed(COEFFICIENT),
        /// Z.
        pub z: Sig<Out> = Sig::signed(STATE),
        z_file: RegFile = RegFile::new(turns, STATE, true),
        d_file: RegFile = RegFile::new(turns, STATE, true),
        z_before: Reg = Reg::signed(STATE),
        d_before: Reg = Reg::signed(STATE),
        z_low: Sig<Local> = Sig::unsigned(LOW),
        high: Reg = Reg::signed(COEFFICIENT + STATE - LOW),
        low: Reg = Reg::unsigned(COEFFICIENT + LOW),
        product: Sig<Local> = Sig::signed(COEFFICIENT + STATE),
        falls: Reg = Reg::signed(STATE),
        rise: Reg = Reg::signed(COEFFICIENT + 18),
        rises: Sig<Local> = Sig::signed(STATE),
        sum: Reg = Reg::signed(STATE),
        d_after: Reg = Reg::signed(STATE),
        d_risen: Reg = Reg::signed(STATE),
        z_risen: Reg = Reg::signed(STATE),
        z_new: Sig<Local> = Sig::signed(STATE),
        z_out: Reg = Reg::signed(STATE),
        low_bits: Dim = Dim::new(LOW),
        whole: Dim = Dim::new(COEFFICIENT_FRACTION),
        down: Dim = Dim::new(down),
        half_falls: Dim = Dim::new(1 << (COEFFICIENT_FRACTION - 1)),
        half_rises: Dim = Dim::new(1 << (down - 1)),
    }
}

impl Logic for Wave {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.z_file.raddr.next = self.place.line.val();
        self.d_file.raddr.next = self.place.line.val();
        self.z_before.d.next = self.z_file.rdata.val();
        self.d_before.d.next = self.d_file.rdata.val();
        if self.place.begins.val() {
            self.z_before.d.next = 0.into();
            self.d_before.d.next = 0.into();
        }
        self.z_low.next = self.z_before.q.val();
        self.high.d.next = (self.z_before.q.val() >> self.low_bits.val()) * self.turn.val();
        self.low.d.next = self.z_low.val() * self.turn.val();
        self.sum.d.next = self.z_before.q.val() + self.d_before.q.val();
        self.d_after.d.next = self.d_before.q.val();
        self.rise.d.next = self.change.val() * self.edge.val();
        self.product.next = (self.high.q.val() << self.low_bits.val()) + self.low.q.val();
        self.falls.d.next = (self.product.val() + self.half_falls.val()) >> self.whole.val();
        self.rises.next = (self.rise.q.val() + self.half_rises.val()) >> self.down.val();
        self.d_risen.d.next = self.d_after.q.val() + self.rises.val();
        self.z_risen.d.next = self.sum.q.val() + self.rises.val();
        self.z_new.next = self.z_risen.q.val() - self.falls.q.val();
        self.z_file.we.next = self.place.turned.val();
        self.z_file.waddr.next = self.place.turned_line.val();
        self.z_file.wdata.next = self.z_new.val();
        self.d_file.we.next = self.place.turned.val();
        self.d_file.waddr.next = self.place.turned_line.val();
        self.d_file.wdata.next = self.d_risen.q.val() - self.falls.q.val();
        self.z_out.d.next = self.z_new.val();
        self.z.next = self.z_out.q.val();
    }
}
