//! Bytes from a line.
//!
//! ```text
//! rx ─► 2 registers ─► falling edge ─► ½ bit ─► start bit, 8 data bits, stop bit: one sample each
//! ```

use crate::board::frame::{Line, Rate};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::link::{BoardLink, DIVIDER_FRACTION};

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum Phase {
    /// The line is high.
    Idle,
    /// Bits are sampled.
    Bits,
    /// A stop bit was low: the line must go high.
    Low,
}

unit! {
    /// UART receiver; see docs/link.md, "Line".
    ///
    /// # Timing   samples are divider/32 − 1 clocks after the edge is seen, then every divider/16 clocks, each rounded up: with the
    /// clock that the edge may take to be seen, ¼ to ¾ of a bit after its start at 4 clocks a bit
    /// # Numeric  divider: sixteenths of a clock a bit, at least 64
    pub struct UartRx(link: &BoardLink) {
        let limit = (usize::from(link.divider()) * 17 / 2) >> DIVIDER_FRACTION;

        clock,
        /// The line, not synchronous to the clock.
        pub rx: Signal<In, Bit>,
        /// Its rate.
        pub rate: Rate<In> = Rate::new(),
        /// What comes.
        pub line: Line<Out> = Line::new(),
        meta: Reg = Reg::with_reset(1, false, 1),
        level: Reg = Reg::with_reset(1, false, 1),
        phase: DFF<Phase>,
        time: Reg = Reg::unsigned(17),
        index: Reg = Reg::unsigned(4),
        shift: Reg = Reg::unsigned(8),
        low: Reg = Reg::unsigned(bits_for(limit + 1)),
        whole: Reg = Reg::unsigned(1),
        cut: Reg = Reg::unsigned(1),
        tick: Signal<Local, Bit>,
        sum: Sig<Local> = Sig::unsigned(17),
        over: Sig<Local> = Sig::signed(18),
        one: Dim = Dim::new(1 << DIVIDER_FRACTION),
        top: Dim = Dim::new(7),
        stop: Dim = Dim::new(9),
        low_limit: Const = Const::unsigned(limit as i128, bits_for(limit + 1)),
    }
}

impl Logic for UartRx {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.meta.d.next = self.rx.val().into();
        self.level.d.next = self.meta.q.val();
        self.sum.next = self.time.q.val() + self.one.val();
        self.over.next = self.sum.val() - self.rate.divider.val();
        self.tick.next = self.over.val() >= 0;
        self.time.d.next = self.sum.val();
        if self.tick.val() {
            self.time.d.next = self.over.val();
        }
        // a cycle late; the shift register stands still meanwhile
        self.whole.d.next = 0.into();
        self.cut.d.next = 0.into();
        self.line.valid.next = self.whole.q.val().any();
        self.line.unframed.next = self.cut.q.val().any();
        self.line.data.next = self.shift.q.val();
        match self.phase.q.val() {
            Phase::Idle => {
                self.time.d.next = (self.rate.divider.val() >> 1) + self.one.val();
                self.index.d.next = 0.into();
                if !self.level.q.val().any() {
                    self.phase.d.next = Phase::Bits;
                }
            }
            Phase::Bits => {
                if self.tick.val() {
                    self.index.d.next = self.index.q.val() + 1;
                    if self.index.q.val() == 0 {
                        // too short for a start bit
                        if self.level.q.val().any() {
                            self.phase.d.next = Phase::Idle;
                        }
                    } else if self.index.q.val() == self.stop.val() {
                        self.phase.d.next = Phase::Idle;
                        self.whole.d.next = self.level.q.val();
                        if !self.level.q.val().any() {
                            self.cut.d.next = 1.into();
                            self.phase.d.next = Phase::Low;
                        }
                    } else {
                        self.shift.d.next =
                            (self.shift.q.val() >> 1) + (self.level.q.val() << self.top.val());
                    }
                }
            }
            Phase::Low => {
                if self.level.q.val().any() {
                    self.phase.d.next = Phase::Idle;
                }
            }
        }
        self.rate.long_low.next = self.low.q.val() == self.low_limit.val();
        if self.level.q.val().any() {
            self.low.d.next = 0.into();
        } else if self.low.q.val() <= self.low_limit.val() {
            self.low.d.next = self.low.q.val() + 1;
        }
    }
}
