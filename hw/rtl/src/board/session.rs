//! What frames mean: sessions, rates, what is to be answered.

use crate::board::frame::{Answers, Header, Lights, Rate, Reception};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::link::{BoardLink, Kind, MIN_DIVIDER};

unit! {
    /// See docs/link.md, "Session", "Line" and "Lights".
    ///
    /// # Timing  acts in the cycle in which a frame ends
    pub struct Session(link: &BoardLink) {
        let divider = link.divider().into();
        let light = (link.clock_hz / 8).max(1) as usize;

        clock,
        /// The frame.
        pub header: Header<In> = Header::new(),
        /// The accelerator has failed.
        pub failed: Signal<In, Bit>,
        /// What is to be answered.
        pub answers: Answers<Out> = Answers::new(),
        /// For the window that receives; `clear` is for all.
        pub reception: Reception<Out> = Reception::new(),
        /// An ACK of this session ended well.
        pub ack: Signal<Out, Bit>,
        /// The line's rate.
        pub rate: Rate<Out> = Rate::new(),
        /// The divider that RATE carries.
        pub next_divider: Sig<Out> = Sig::unsigned(16),
        /// Last poll of this session.
        pub poll: Sig<Out> = Sig::unsigned(8),
        /// Damaged frames in this session.
        pub damage: Sig<Out> = Sig::unsigned(16),
        /// Lights.
        pub led: Lights<Out> = Lights::new(),
        present_q: Reg = Reg::unsigned(8),
        open: DFF<Bit>,
        hello_q: DFF<Bit>,
        rate_q: DFF<Bit>,
        state_q: DFF<Bit>,
        divider_q: Reg = Reg::with_reset(16, false, divider),
        next_q: Reg = Reg::with_reset(16, false, divider),
        poll_q: Reg = Reg::unsigned(8),
        damage_q: Reg = Reg::unsigned(16),
        light: Reg = Reg::unsigned(bits_for(light)),
        asked: Sig<Local> = Sig::unsigned(16),
        ours: Signal<Local, Bit>,
        connect: Dim = Dim::new(Kind::Connect as usize),
        data: Dim = Dim::new(Kind::Data as usize),
        acknowledge: Dim = Dim::new(Kind::Ack as usize),
        speed: Dim = Dim::new(Kind::Speed as usize),
        least: Dim = Dim::new(MIN_DIVIDER as usize),
        most_damage: Dim = Dim::new(usize::from(u16::MAX)),
        initial: Const = Const::unsigned(divider, 16),
        light_start: Const = Const::unsigned(light as i128, bits_for(light)),
    }
}

impl Logic for Session {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.ours.next = self.open.q.val() & (self.header.session.val() == self.present_q.q.val());
        self.reception.mine.next = self.ours.val() & (self.header.kind.val() == self.data.val());
        self.asked.next = (self.header.argument[1].val() << 8) + self.header.argument[0].val();
        self.reception.clear.next =
            self.header.good.val() & (self.header.kind.val() == self.connect.val()) & !self.ours.val();
        self.ack.next =
            self.header.good.val() & self.ours.val() & (self.header.kind.val() == self.acknowledge.val());
        // what has been answered
        if self.answers.hello_taken.val() {
            self.hello_q.d.next = false;
        }
        if self.answers.rate_taken.val() {
            self.rate_q.d.next = false;
        }
        if self.answers.state_taken.val() {
            self.state_q.d.next = false;
        }
        if self.answers.rate_done.val() {
            self.divider_q.d.next = self.next_q.q.val();
        }
        // what is to be answered
        if self.reception.consumed.val() {
            self.state_q.d.next = true;
        }
        if self.header.good.val() {
            if self.header.kind.val() == self.connect.val() {
                self.hello_q.d.next = true;
            }
            if self.reception.mine.val() {
                self.state_q.d.next = true;
            }
            if self.ack.val() & self.header.argument[2].val().any() {
                self.poll_q.d.next = self.header.argument[2].val();
                self.state_q.d.next = true;
            }
            if self.ours.val() & (self.header.kind.val() == self.speed.val()) {
                self.rate_q.d.next = true;
                self.next_q.d.next = self.divider_q.q.val();
                if self.asked.val() >= self.least.val() {
                    self.next_q.d.next = self.asked.val();
                }
            }
        }
        if self.light.q.val().any() {
            self.light.d.next = self.light.q.val() - 1;
        }
        if self.header.damaged.val() {
            self.light.d.next = self.light_start.val();
            self.state_q.d.next = self.open.q.val();
            if self.damage_q.q.val() != self.most_damage.val() {
                self.damage_q.d.next = self.damage_q.q.val() + 1;
            }
        }
        if self.rate.long_low.val() {
            self.divider_q.d.next = self.initial.val();
            self.rate_q.d.next = false;
        }
        if self.reception.clear.val() {
            self.open.d.next = true;
            self.present_q.d.next = self.header.session.val();
            self.state_q.d.next = false;
            self.rate_q.d.next = false;
            self.poll_q.d.next = 0.into();
            self.damage_q.d.next = 0.into();
        }
        self.answers.session.next = self.present_q.q.val();
        self.answers.hello.next = self.hello_q.q.val();
        self.answers.rate.next = self.rate_q.q.val();
        self.answers.state.next = self.state_q.q.val();
        self.rate.divider.next = self.divider_q.q.val();
        self.next_divider.next = self.next_q.q.val();
        self.poll.next = self.poll_q.q.val();
        self.damage.next = self.damage_q.q.val();
        self.led.link.next = self.open.q.val();
        self.led.error.next = self.light.q.val().any() | self.failed.val();
    }
}
