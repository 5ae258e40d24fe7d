//! What frames mean: sessions, rates, what is to be answered.

use crate::board::frame_reader::ARGUMENT;
use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::link::{BoardLink, Kind, MIN_DIVIDER};

/// See docs/link.md, "Session", "Line" and "Lights".
///
/// # Timing  acts in the cycle in which a frame ends
#[derive(LogicBlock)]
pub struct Session {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// A frame ended well.
    pub good: Signal<In, Bit>,
    /// Something else ended.
    pub damaged: Signal<In, Bit>,
    /// The frame's kind, as far as it is known.
    pub kind: Sig<In>,
    /// Its session.
    pub number: Sig<In>,
    /// The first bytes of its payload.
    pub argument: Vec<Sig<In>>,
    /// The line was low for long.
    pub long_low: Signal<In, Bit>,
    /// A DATA frame is consumed.
    pub consumed: Signal<In, Bit>,
    /// The accelerator has failed.
    pub failed: Signal<In, Bit>,
    /// A HELLO is being sent.
    pub hello_taken: Signal<In, Bit>,
    /// A RATE is being sent.
    pub rate_taken: Signal<In, Bit>,
    /// It has left the line.
    pub rate_done: Signal<In, Bit>,
    /// A STATE is being sent.
    pub state_taken: Signal<In, Bit>,
    /// The present session.
    pub present: Sig<Out>,
    /// A session begins: empty everything.
    pub clear: Signal<Out, Bit>,
    /// The running frame is DATA of this session.
    pub is_data: Signal<Out, Bit>,
    /// An ACK of this session ended well.
    pub ack: Signal<Out, Bit>,
    /// A HELLO is wanted.
    pub hello: Signal<Out, Bit>,
    /// A RATE is wanted.
    pub rate: Signal<Out, Bit>,
    /// A STATE is wanted.
    pub state: Signal<Out, Bit>,
    /// The divider.
    pub divider: Sig<Out>,
    /// The divider that RATE carries.
    pub next_divider: Sig<Out>,
    /// Last poll of this session.
    pub poll: Sig<Out>,
    /// Damaged frames in this session.
    pub damage: Sig<Out>,
    /// A session is open.
    pub led_link: Signal<Out, Bit>,
    /// Damage or failure.
    pub led_error: Signal<Out, Bit>,
    present_q: Reg,
    open: DFF<Bit>,
    hello_q: DFF<Bit>,
    rate_q: DFF<Bit>,
    state_q: DFF<Bit>,
    divider_q: Reg,
    next_q: Reg,
    poll_q: Reg,
    damage_q: Reg,
    light: Reg,
    asked: Sig<Local>,
    ours: Signal<Local, Bit>,
    connect: Dim,
    data: Dim,
    acknowledge: Dim,
    speed: Dim,
    least: Dim,
    most_damage: Dim,
    initial: Const,
    light_start: Const,
}

impl Session {
    /// For `link`.
    pub fn new(link: &BoardLink) -> Self {
        let divider = link.divider().into();
        let light = (link.clock_hz / 8).max(1) as usize;
        Session {
            clock: Default::default(),
            good: Default::default(),
            damaged: Default::default(),
            kind: Sig::unsigned(8),
            number: Sig::unsigned(8),
            argument: Sig::vec(ARGUMENT, 8, false),
            long_low: Default::default(),
            consumed: Default::default(),
            failed: Default::default(),
            hello_taken: Default::default(),
            rate_taken: Default::default(),
            rate_done: Default::default(),
            state_taken: Default::default(),
            present: Sig::unsigned(8),
            clear: Default::default(),
            is_data: Default::default(),
            ack: Default::default(),
            hello: Default::default(),
            rate: Default::default(),
            state: Default::default(),
            divider: Sig::unsigned(16),
            next_divider: Sig::unsigned(16),
            poll: Sig::unsigned(8),
            damage: Sig::unsigned(16),
            led_link: Default::default(),
            led_error: Default::default(),
            present_q: Reg::unsigned(8),
            open: Default::default(),
            hello_q: Default::default(),
            rate_q: Default::default(),
            state_q: Default::default(),
            divider_q: Reg::with_reset(16, false, divider),
            next_q: Reg::with_reset(16, false, divider),
            poll_q: Reg::unsigned(8),
            damage_q: Reg::unsigned(16),
            light: Reg::unsigned(bits_for(light)),
            asked: Sig::unsigned(16),
            ours: Default::default(),
            connect: Dim::new(Kind::Connect as usize),
            data: Dim::new(Kind::Data as usize),
            acknowledge: Dim::new(Kind::Ack as usize),
            speed: Dim::new(Kind::Speed as usize),
            least: Dim::new(MIN_DIVIDER as usize),
            most_damage: Dim::new(usize::from(u16::MAX)),
            initial: Const::unsigned(divider, 16),
            light_start: Const::unsigned(light as i128, bits_for(light)),
        }
    }
}

impl Logic for Session {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, present_q, open, hello_q, rate_q, state_q, divider_q, next_q, poll_q, damage_q,
            light
        );
        self.ours.next = self.open.q.val() & (self.number.val() == self.present_q.q.val());
        self.is_data.next = self.ours.val() & (self.kind.val() == self.data.val());
        self.asked.next = (self.argument[1].val() << 8) + self.argument[0].val();
        self.clear.next = self.good.val() & (self.kind.val() == self.connect.val()) & !self.ours.val();
        self.ack.next = self.good.val() & self.ours.val() & (self.kind.val() == self.acknowledge.val());
        // what has been answered
        if self.hello_taken.val() {
            self.hello_q.d.next = false;
        }
        if self.rate_taken.val() {
            self.rate_q.d.next = false;
        }
        if self.state_taken.val() {
            self.state_q.d.next = false;
        }
        if self.rate_done.val() {
            self.divider_q.d.next = self.next_q.q.val();
        }
        // what is to be answered
        if self.consumed.val() {
            self.state_q.d.next = true;
        }
        if self.good.val() {
            if self.kind.val() == self.connect.val() {
                self.hello_q.d.next = true;
            }
            if self.is_data.val() {
                self.state_q.d.next = true;
            }
            if self.ack.val() & self.argument[2].val().any() {
                self.poll_q.d.next = self.argument[2].val();
                self.state_q.d.next = true;
            }
            if self.ours.val() & (self.kind.val() == self.speed.val()) {
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
        if self.damaged.val() {
            self.light.d.next = self.light_start.val();
            self.state_q.d.next = self.open.q.val();
            if self.damage_q.q.val() != self.most_damage.val() {
                self.damage_q.d.next = self.damage_q.q.val() + 1;
            }
        }
        if self.long_low.val() {
            self.divider_q.d.next = self.initial.val();
            self.rate_q.d.next = false;
        }
        if self.clear.val() {
            self.open.d.next = true;
            self.present_q.d.next = self.number.val();
            self.state_q.d.next = false;
            self.rate_q.d.next = false;
            self.poll_q.d.next = 0.into();
            self.damage_q.d.next = 0.into();
        }
        self.present.next = self.present_q.q.val();
        self.hello.next = self.hello_q.q.val();
        self.rate.next = self.rate_q.q.val();
        self.state.next = self.state_q.q.val();
        self.divider.next = self.divider_q.q.val();
        self.next_divider.next = self.next_q.q.val();
        self.poll.next = self.poll_q.q.val();
        self.damage.next = self.damage_q.q.val();
        self.led_link.next = self.open.q.val();
        self.led_error.next = self.light.q.val().any() | self.failed.val();
    }
}
