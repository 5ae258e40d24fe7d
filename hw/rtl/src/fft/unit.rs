//! The FFT unit in the compute engine: takes a TRANSFORM from the queue and carries it out.

use super::core::Core;
use super::packer::Packer;
use super::samples::Samples;
use super::{LOG_BITS, Shape};
use crate::field::field;
use crate::hdl::prelude::*;
use crate::load::pieces::pieces;
use crate::named;
use rust_hdl::prelude::*;
use tandem_spec::config::Fft;
use tandem_spec::isa::transform;
use tandem_spec::{Config, Memory};

/// 16-bit halves of a TRANSFORM that are looked at.
pub const HALVES: usize = 5;

/// See docs/fft.md, "Timing".
///
/// # Timing  taken in cycle t, group 0 read in t+1
#[derive(LogicBlock)]
pub struct FftUnit {
    /// Clock.
    pub clock: Signal<In, Clock>,
    /// The queue's head is a TRANSFORM, and whatever came before is done.
    pub available: Signal<In, Bit>,
    /// The head's 16-bit halves.
    pub half: Vec<Sig<In>>,
    /// A token from the load engine is there.
    pub load_token: Signal<In, Bit>,
    /// A token from the store engine is there.
    pub store_token: Signal<In, Bit>,
    /// The head is taken.
    pub take: Signal<Out, Bit>,
    /// … with a token from the load engine.
    pub pop_load: Signal<Out, Bit>,
    /// … with a token from the store engine.
    pub pop_store: Signal<Out, Bit>,
    /// Nothing runs.
    pub idle: Signal<Out, Bit>,
    /// Idle, and the head lacks a token.
    pub wait_token: Signal<Out, Bit>,
    /// A group is read.
    pub step: Signal<Out, Bit>,
    /// Sample memory: address to write.
    pub waddr: Sig<In>,
    /// Write enable of each piece.
    pub sample_we: Vec<Signal<In, Bit>>,
    /// The pieces.
    pub sample_data: Vec<Sig<In>>,
    /// A result word is written.
    pub we: Signal<Out, Bit>,
    /// Where.
    pub address: Sig<Out>,
    /// Its results.
    pub result: Vec<Sig<Out>>,
    /// A token for the load engine.
    pub give_load: Signal<Out, Bit>,
    /// A token for the store engine.
    pub give_store: Signal<Out, Bit>,
    samples: Samples,
    core: Core,
    packer: Packer,
    busy: Reg,
    reading: Reg,
    group: Reg,
    point: Reg,
    batches: Reg,
    fresh: Reg,
    entering: Reg,
    leaving: Reg,
    out_point: Reg,
    out_at_last: Reg,
    out_batches: Reg,
    result_at: Reg,
    log_points: Reg,
    tile: Reg,
    inverse: Reg,
    block: Reg,
    push_load: Reg,
    push_store: Reg,
    ready: Signal<Local, Bit>,
    valid: Signal<Local, Bit>,
    out_ends: Signal<Local, Bit>,
    out_last: Signal<Local, Bit>,
    pop_prev: Slice,
    pop_next: Slice,
    push_prev: Slice,
    push_next: Slice,
    is_inverse: Slice,
    is_block: Slice,
    is_tile: Slice,
    log: Slice,
    pieces: Dim,
    parts: Dim,
    lanes: Dim,
    width: Dim,
    log_groups: Dim,
}

impl FftUnit {
    /// The unit of `fft`.
    pub fn new(c: &Config, fft: &Fft) -> Self {
        let (shape, pieces, width) = (Shape::new(fft), pieces(c, Memory::Sample), c.array.drain);
        let log_groups = fft.groups(c.link_bits).ilog2() as usize;
        let batches = bits_for(4 * width / shape.lanes);
        FftUnit {
            clock: Default::default(),
            available: Default::default(),
            half: Sig::vec(HALVES, 16, false),
            load_token: Default::default(),
            store_token: Default::default(),
            take: Default::default(),
            pop_load: Default::default(),
            pop_store: Default::default(),
            idle: Default::default(),
            wait_token: Default::default(),
            step: Default::default(),
            waddr: Sig::unsigned(16),
            sample_we: (0..pieces.count).map(|_| Default::default()).collect(),
            sample_data: Sig::vec(pieces.count, pieces.bits, false),
            we: Default::default(),
            address: Sig::unsigned(index_bits(c.memory.result)),
            result: Sig::vec(width, 32, true),
            give_load: Default::default(),
            give_store: Default::default(),
            samples: Samples::new(c, fft),
            core: Core::new(&shape),
            packer: Packer::new(c, fft),
            busy: Reg::unsigned(1),
            reading: Reg::unsigned(1),
            group: Reg::unsigned(index_bits(fft.depth) + log_groups),
            point: Reg::unsigned(shape.log_points),
            batches: Reg::unsigned(batches),
            fresh: Reg::unsigned(1),
            entering: Reg::unsigned(1),
            leaving: Reg::unsigned(1),
            out_point: Reg::unsigned(shape.log_points),
            out_at_last: Reg::unsigned(1),
            out_batches: Reg::unsigned(batches),
            result_at: Reg::unsigned(index_bits(c.memory.result)),
            // so that the core's N − 1 is never 0
            log_points: Reg::with_reset(LOG_BITS, false, shape.log_points as i128),
            tile: Reg::unsigned(1),
            inverse: Reg::unsigned(1),
            block: Reg::unsigned(1),
            push_load: Reg::unsigned(1),
            push_store: Reg::unsigned(1),
            ready: Default::default(),
            valid: Default::default(),
            out_ends: Default::default(),
            out_last: Default::default(),
            pop_prev: field(transform::POP_PREV, 0),
            pop_next: field(transform::POP_NEXT, 0),
            push_prev: field(transform::PUSH_PREV, 0),
            push_next: field(transform::PUSH_NEXT, 0),
            is_inverse: field(transform::INVERSE, 0),
            is_block: field(transform::BLOCK, 0),
            is_tile: field(transform::TILE, 0),
            log: field(transform::LOG_POINTS, 4),
            pieces: Dim::new(pieces.count),
            parts: Dim::new(shape.parts()),
            lanes: Dim::new(shape.lanes),
            width: Dim::new(width),
            log_groups: Dim::new(log_groups),
        }
    }
}

impl Logic for FftUnit {
    named!("fft_unit");

    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            busy,
            reading,
            group,
            point,
            batches,
            fresh,
            entering,
            leaving,
            out_point,
            out_at_last,
            out_batches,
            result_at,
            log_points,
            tile,
            inverse,
            block,
            push_load,
            push_store
        );
        self.pop_prev.x.next = self.half[0].val();
        self.pop_next.x.next = self.half[0].val();
        self.push_prev.x.next = self.half[0].val();
        self.push_next.x.next = self.half[0].val();
        self.is_inverse.x.next = self.half[0].val();
        self.is_block.x.next = self.half[0].val();
        self.is_tile.x.next = self.half[0].val();
        self.log.x.next = self.half[4].val();
        self.samples.clock.next = self.clock.val();
        self.samples.waddr.next = self.waddr.val();
        for i in 0..self.pieces.val() {
            self.samples.we[i].next = self.sample_we[i].val();
            self.samples.wdata[i].next = self.sample_data[i].val();
        }
        // reading groups
        self.step.next = self.reading.q.val().any();
        self.samples.group.next = self.group.q.val();
        self.group.d.next = self.group.q.val() + 1;
        if self.reading.q.val().any() {
            self.fresh.d.next = 0.into();
            self.point.d.next = self.point.q.val() + 1;
            if self.point.q.val() == self.core.last.val() {
                self.point.d.next = 0.into();
                self.batches.d.next = self.batches.q.val() - 1;
                if self.batches.q.val() == 1 {
                    self.reading.d.next = 0.into();
                }
            }
        }
        self.entering.d.next = self.fresh.q.val() & self.reading.q.val();
        // through the core
        self.core.clock.next = self.clock.val();
        self.core.log_points.next = self.log_points.q.val();
        self.core.tile.next = self.tile.q.val().any();
        self.core.inverse.next = self.inverse.q.val().any();
        self.core.block.next = self.block.q.val().any();
        self.core.start.next = self.entering.q.val().any();
        for p in 0..self.parts.val() {
            self.core.x[p].next = self.samples.part[p].val();
            self.packer.part[p].next = self.core.y[p].val();
        }
        // to result words
        self.valid.next = self.busy.q.val().any() & (self.core.starts.val() | self.leaving.q.val().any());
        self.out_ends.next = self.valid.val() & self.out_at_last.q.val().any();
        self.out_last.next = self.out_ends.val() & (self.out_batches.q.val() == 1);
        if self.valid.val() {
            self.out_at_last.d.next = (self.out_point.q.val() + 1 == self.core.last.val()).into();
            self.leaving.d.next = (!self.out_last.val()).into();
            self.out_point.d.next = self.out_point.q.val() + 1;
            if self.out_ends.val() {
                self.out_point.d.next = 0.into();
                self.out_batches.d.next = self.out_batches.q.val() - 1;
            }
        }
        self.packer.clock.next = self.clock.val();
        self.packer.valid.next = self.valid.val();
        self.packer.ends.next = self.out_ends.val();
        self.packer.last.next = self.out_last.val();
        for l in 0..self.lanes.val() {
            self.packer.exponent[l].next = self.core.exponent[l].val();
            self.packer.clamped[l].next = self.core.clamped[l].val();
        }
        self.we.next = self.packer.we.val();
        self.address.next = self.result_at.q.val();
        if self.packer.we.val() {
            self.result_at.d.next = self.result_at.q.val() + 1;
        }
        for w in 0..self.width.val() {
            self.result[w].next = self.packer.result[w].val();
        }
        self.give_load.next = self.packer.done.val() & self.push_load.q.val().any();
        self.give_store.next = self.packer.done.val() & self.push_store.q.val().any();
        if self.packer.done.val() {
            self.busy.d.next = 0.into();
        }
        // taking the head
        self.ready.next = (self.load_token.val() | !self.pop_prev.y.val().any())
            & (self.store_token.val() | !self.pop_next.y.val().any());
        self.idle.next = !self.busy.q.val().any();
        self.take.next = self.available.val() & self.ready.val() & self.idle.val();
        self.wait_token.next = self.available.val() & !self.ready.val() & self.idle.val();
        self.pop_load.next = self.take.val() & self.pop_prev.y.val().any();
        self.pop_store.next = self.take.val() & self.pop_next.y.val().any();
        if self.take.val() {
            self.busy.d.next = 1.into();
            self.reading.d.next = 1.into();
            self.fresh.d.next = 1.into();
            self.leaving.d.next = 0.into();
            self.group.d.next = self.half[1].val() << self.log_groups.val();
            self.point.d.next = 0.into();
            self.batches.d.next = self.half[2].val();
            self.out_batches.d.next = self.half[2].val();
            self.result_at.d.next = self.half[3].val();
            self.log_points.d.next = self.log.y.val();
            self.tile.d.next = self.is_tile.y.val();
            self.inverse.d.next = self.is_inverse.y.val();
            self.block.d.next = self.is_block.y.val();
            self.push_load.d.next = self.push_prev.y.val();
            self.push_store.d.next = self.push_next.y.val();
        }
    }
}
