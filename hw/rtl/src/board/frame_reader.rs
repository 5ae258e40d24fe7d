//! Frames out of a stream of bytes: COBS, CRC-32, header.
//!
//! ```text
//! byte ─► COBS ─► content ─┬─► CRC-32 ─► good | damaged, at the zero that ends the frame
//!                          └─► kind, session, seq, argument; the rest to the window
//! ```

use crate::board::frame::{Arrival, Header, Line};
use crate::crc::crc_step;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::check::{CRC32_INIT, CRC32_POLY};
use tandem_spec::link::{CHECK, CRC_RESIDUE, HEADER, MAX_PAYLOAD};

/// Payload bytes that are kept for frames without a window.
pub const ARGUMENT: usize = 3;

unit! {
    /// See docs/link.md, "Frames".
    ///
    /// # Timing  content passes in the cycle in which its byte comes; `good` and `damaged` one cycle after
    /// the zero
    pub struct FrameReader() {
        let keeps = HEADER + ARGUMENT;

        clock,
        /// The line.
        pub line: Line<In> = Line::new(),
        /// The running frame.
        pub header: Header<Out> = Header::new(),
        /// The same for the window.
        pub arrival: Arrival<Out> = Arrival::new(),
        left: Reg = Reg::unsigned(8),
        count: Reg = Reg::unsigned(8),
        begun: DFF<Bit>,
        broken: DFF<Bit>,
        ended: DFF<Bit>,
        sound: DFF<Bit>,
        crc: Reg = Reg::with_reset(32, false, CRC32_INIT.into()),
        crc_step: XorReduce = crc_step(CRC32_POLY.into(), 32, 8, 1),
        kept: Vec<RegEn> = RegEn::vec(keeps, 8, false),
        length_q: Reg = Reg::unsigned(8),
        passes: Signal<Local, Bit>,
        byte: Sig<Local> = Sig::unsigned(8),
        zero: Signal<Local, Bit>,
        keeps: Dim = Dim::new(keeps),
        header_bytes: Dim = Dim::new(HEADER),
        arguments: Dim = Dim::new(ARGUMENT),
        overhead: Dim = Dim::new(HEADER + CHECK),
        most: Dim = Dim::new(HEADER + MAX_PAYLOAD + CHECK),
        never: Dim = Dim::new(255),
        crc_start: Const = Const::unsigned(CRC32_INIT.into(), 32),
        residue: Const = Const::unsigned(CRC_RESIDUE.into(), 32),
    }
}

impl Logic for FrameReader {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.zero.next = self.line.valid.val() & (self.line.data.val() == 0);
        self.ended.d.next = false;
        self.sound.d.next = false;
        // content of this byte: a code that is not the first stands for a zero
        self.passes.next = false;
        self.byte.next = self.line.data.val();
        if self.line.unframed.val() {
            self.broken.d.next = true;
            self.begun.d.next = true;
        }
        if self.line.valid.val() {
            if self.zero.val() {
                self.ended.d.next = self.begun.q.val();
                self.sound.d.next = !self.broken.q.val()
                    & (self.left.q.val() == 0)
                    & (self.count.q.val() >= self.overhead.val())
                    & (self.crc.q.val() == self.residue.val());
                self.length_q.d.next = self.count.q.val() - self.overhead.val();
                self.left.d.next = 0.into();
                self.count.d.next = 0.into();
                self.begun.d.next = false;
                self.broken.d.next = false;
                self.crc.d.next = self.crc_start.val();
            } else {
                self.begun.d.next = true;
                if self.left.q.val() == 0 {
                    self.left.d.next = self.line.data.val() - 1;
                    self.byte.next = 0.into();
                    self.passes.next = self.begun.q.val() & !self.broken.q.val();
                    if self.line.data.val() == self.never.val() {
                        self.broken.d.next = true;
                    }
                } else {
                    self.left.d.next = self.left.q.val() - 1;
                    self.passes.next = !self.broken.q.val();
                }
            }
        }
        self.crc_step.x[0].next = self.crc.q.val();
        self.crc_step.x[1].next = self.byte.val();
        if self.passes.val() {
            self.crc.d.next = self.crc_step.y.val();
            self.count.d.next = self.count.q.val() + 1;
            if self.count.q.val() == self.most.val() {
                self.count.d.next = self.count.q.val();
                self.broken.d.next = true;
            }
        }
        for i in 0..self.keeps.val() {
            self.kept[i].d.next = self.byte.val();
            self.kept[i].en.next = self.passes.val() & (self.count.q.val() == i);
        }
        self.arrival.content.we.next = self.passes.val() & (self.count.q.val() >= self.header_bytes.val());
        self.arrival.content.value.next = self.byte.val();
        self.arrival.content.place.next = self.count.q.val() - self.header_bytes.val();
        self.header.good.next = self.ended.q.val() & self.sound.q.val();
        self.arrival.good.next = self.ended.q.val() & self.sound.q.val();
        self.header.damaged.next = self.ended.q.val() & !self.sound.q.val();
        self.header.kind.next = self.kept[0].q.val();
        self.header.session.next = self.kept[1].q.val();
        self.arrival.seq.next = self.kept[2].q.val();
        self.arrival.length.next = self.length_q.q.val();
        for i in 0..self.arguments.val() {
            self.header.argument[i].next = self.kept[self.header_bytes.val() + i].q.val();
        }
    }
}
