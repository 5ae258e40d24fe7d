//! Accelerator and serial link: everything between a board's pins.
//!
//! ```text
//! rx ─► UART ─► frame reader ─► receive window ─► word in ─► ┌────────┐
//!                    └► session                              │ Tandem │
//! tx ◄─ UART ◄─ frame sender ◄─ slots, send window ◄─ word out ◄────┘
//! ```

use crate::board::frame::Lights;
use crate::board::frame_reader::FrameReader;
use crate::board::frame_sender::FrameSender;
use crate::board::receive_window::{ReceiveWindow, SLOT};
use crate::board::send_window::SendWindow;
use crate::board::session::Session;
use crate::board::uart_rx::UartRx;
use crate::board::uart_tx::UartTx;
use crate::board::word_in::WordIn;
use crate::board::word_out::WordOut;
use crate::hdl::prelude::*;
use crate::top::Tandem;
use rust_hdl::prelude::*;
use tandem_spec::Config;
use tandem_spec::link::BoardLink;
use tandem_spec::registers::IDENTITY;

/// Bits of a set of slots in a frame.
const SET: usize = 16;

unit! {
    /// The top module of a board; see docs/link.md.
    pub struct BoardTop(c: &Config, link: &BoardLink) {
        let greeting = greeting(c, link);

        clock,
        /// Line from the host.
        pub rx: Signal<In, Bit>,
        /// Line to the host.
        pub tx: Signal<Out, Bit>,
        /// Lights.
        pub led: Lights<Out> = Lights::new(),
        /// The accelerator works.
        pub led_busy: Signal<Out, Bit>,
        tandem: Tandem = Tandem::new(c),
        uart_rx: UartRx = UartRx::new(link),
        uart_tx: UartTx = UartTx::new(),
        reader: FrameReader = FrameReader::new(),
        session: Session = Session::new(link),
        receive: ReceiveWindow = ReceiveWindow::new(link),
        word_in: WordIn = WordIn::new(c),
        word_out: WordOut = WordOut::new(c),
        send: SendWindow = SendWindow::new(link),
        slots_memory: Ram = Ram::new(link.slots * SLOT, 8, false),
        sender: FrameSender = FrameSender::new(link),
        received: Concat = Concat::new(SET, 1),
        received_cut: Unpack = Unpack::new(2, 8, false),
        pending: Concat = Concat::new(SET, 1),
        pending_cut: Unpack = Unpack::new(2, 8, false),
        resend: Concat = Concat::new(2, 8),
        resend_cut: Unpack = Unpack::new(SET, 1, false),
        damage_cut: Unpack = Unpack::new(2, 8, false),
        divider_cut: Unpack = Unpack::new(2, 8, false),
        next_cut: Unpack = Unpack::new(2, 8, false),
        head_slot: Sig<Local> = Sig::unsigned(index_bits(link.slots)),
        greeting: Vec<Const> = greeting.iter().map(|b| Const::unsigned(i128::from(*b), 8)).collect(),
        hello_bytes: Dim = Dim::new(greeting.len()),
        divider_at: Dim = Dim::new(1 + greeting.len()),
        slots: Dim = Dim::new(link.slots),
        set: Dim = Dim::new(SET),
        shift: Dim = Dim::new(SLOT.trailing_zeros() as usize),
    }
}

/// HELLO's payload behind the flags, up to the divider.
fn greeting(c: &Config, link: &BoardLink) -> Vec<u8> {
    let slots = link.slots as u8;
    let mut b = vec![slots, slots, 0];
    b.extend(IDENTITY.to_le_bytes());
    b.extend(c.hash().to_le_bytes());
    b.extend(link.clock_hz.to_le_bytes());
    b.extend(link.divider().to_le_bytes());
    b
}

impl Logic for BoardTop {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // line in
        self.uart_rx.rx.next = self.rx.val();
        wire::join_all(&mut self.session.rate, &mut self.uart_rx.rate);
        wire::join_all(&mut self.uart_rx.line, &mut self.reader.line);
        // frames in
        wire::join_all(&mut self.reader.header, &mut self.session.header);
        wire::join_all(&mut self.session.answers, &mut self.sender.answers);
        self.session.failed.next = self.tandem.status.failed.val();
        wire::join_all(&mut self.reader.arrival, &mut self.receive.arrival);
        wire::join_all(&mut self.session.reception, &mut self.receive.reception);
        // records to the accelerator
        self.word_in.clear.next = self.session.reception.clear.val();
        wire::join_all(&mut self.receive.bytes, &mut self.word_in.bytes);
        wire::join_all(&mut self.word_in.in_, &mut self.tandem.in_);
        wire::join_all(&mut self.word_in.mark, &mut self.word_out.mark);
        // the accelerator to slots
        self.word_out.clear.next = self.session.reception.clear.val();
        wire::join_all(&mut self.tandem.out, &mut self.word_out.out);
        wire::join_all(&mut self.tandem.status, &mut self.word_out.status);
        wire::join_all(&mut self.word_out.closing, &mut self.send.closing);
        self.head_slot.next = self.send.head.val();
        self.slots_memory.we.next = self.word_out.content.we.val();
        self.slots_memory.waddr.next =
            (self.head_slot.val() << self.shift.val()) + self.word_out.content.place.val();
        self.slots_memory.wdata.next = self.word_out.content.value.val();
        self.slots_memory.re.next = true;
        self.slots_memory.raddr.next = self.sender.raddr.val();
        self.send.clear.next = self.session.reception.clear.val();
        self.send.ack.next = self.session.ack.val();
        self.send.ack_base.next = self.reader.arrival.seq.val();
        self.resend.x[0].next = self.reader.header.argument[0].val();
        self.resend.x[1].next = self.reader.header.argument[1].val();
        self.resend_cut.x.next = self.resend.y.val();
        for i in 0..self.set.val() {
            self.received.x[i].next = 0.into();
            self.pending.x[i].next = 0.into();
        }
        for s in 0..self.slots.val() {
            self.send.ack_resend[s].next = self.resend_cut.y[s].val().any();
            self.received.x[s].next = self.receive.received[s].val().into();
            self.pending.x[s].next = self.send.pending[s].val().into();
        }
        // frames out
        self.divider_cut.x.next = self.session.rate.divider.val();
        for i in 0..self.hello_bytes.val() {
            self.sender.hello_byte[i + 1].next = self.greeting[i].val();
        }
        self.sender.hello_byte[0].next = self.word_out.flushing.val().into();
        self.sender.hello_byte[self.divider_at.val()].next = self.divider_cut.y[0].val();
        self.sender.hello_byte[self.divider_at.val() + 1].next = self.divider_cut.y[1].val();
        self.next_cut.x.next = self.session.next_divider.val();
        self.sender.rate_byte[0].next = self.next_cut.y[0].val();
        self.sender.rate_byte[1].next = self.next_cut.y[1].val();
        self.received_cut.x.next = self.received.y.val();
        self.pending_cut.x.next = self.pending.y.val();
        self.damage_cut.x.next = self.session.damage.val();
        self.sender.state_seq.next = self.receive.base.val();
        self.sender.state_byte[0].next = self.received_cut.y[0].val();
        self.sender.state_byte[1].next = self.received_cut.y[1].val();
        self.sender.state_byte[2].next = self.pending_cut.y[0].val();
        self.sender.state_byte[3].next = self.pending_cut.y[1].val();
        self.sender.state_byte[4].next = self.send.head.val();
        self.sender.state_byte[5].next = self.session.poll.val();
        self.sender.state_byte[6].next = self.damage_cut.y[0].val();
        self.sender.state_byte[7].next = self.damage_cut.y[1].val();
        wire::join_all(&mut self.send.outgoing, &mut self.sender.outgoing);
        self.sender.rdata.next = self.slots_memory.rdata.val();
        // line out
        self.uart_tx.divider.next = self.session.rate.divider.val();
        wire::join_all(&mut self.sender.bytes, &mut self.uart_tx.bytes);
        self.tx.next = self.uart_tx.tx.val();
        wire::join_all(&mut self.session.led, &mut self.led);
        self.led_busy.next = !self.word_out.still.val();
    }
}
