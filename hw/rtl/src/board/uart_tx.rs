//! Bytes to a line.

use crate::board::frame::Bytes;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::link::DIVIDER_FRACTION;

unit! {
    /// UART transmitter; see docs/link.md, "Line".
    ///
    /// # Timing   10 bits of divider/16 clocks a byte, one clock between bytes
    /// # Numeric  divider: sixteenths of a clock a bit, at least 64
    pub struct UartTx() {
        clock,
        /// Sixteenths of a clock a bit.
        pub divider: Sig<In> = Sig::unsigned(16),
        /// Bytes; one is taken when nothing is being sent.
        pub bytes: Bytes<In> = Bytes::new(),
        /// The line.
        pub tx: Signal<Out, Bit>,
        time: Reg = Reg::unsigned(17),
        left: Reg = Reg::unsigned(4),
        shift: Reg = Reg::with_reset(9, false, 0x1ff),
        sum: Sig<Local> = Sig::unsigned(17),
        over: Sig<Local> = Sig::signed(18),
        one: Dim = Dim::new(1 << DIVIDER_FRACTION),
        bits: Dim = Dim::new(10),
        ones: Const = Const::unsigned(0x100, 9),
    }
}

impl Logic for UartTx {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.tx.next = self.shift.q.val().get_bit(0);
        self.bytes.ready.next = !self.left.q.val().any();
        self.sum.next = self.time.q.val() + self.one.val();
        self.over.next = self.sum.val() - self.divider.val();
        self.time.d.next = self.sum.val();
        if self.left.q.val() == 0 {
            self.time.d.next = 0.into();
            if self.bytes.valid.val() {
                self.left.d.next = self.bits.val().into();
                self.shift.d.next = self.bytes.data.val() << 1;
            }
        } else if self.over.val() >= 0 {
            self.time.d.next = self.over.val();
            self.left.d.next = self.left.q.val() - 1;
            self.shift.d.next = (self.shift.q.val() >> 1) | self.ones.val();
        }
    }
}
