//! The FFT unit in the compute engine: takes a TRANSFORM from the queue and carries it out.

use super::core::Core;
use super::packer::Packer;
use super::{LOG_BITS, Shape};
use crate::fields;
use crate::hdl::prelude::*;
use crate::load::scatter::Scatter;
use crate::units::engine::Engine;
use crate::units::groups::Groups;
use crate::units::taking::Taking;
use rust_hdl::prelude::*;
use tandem_spec::config::Fft;
use tandem_spec::{Config, Memory};

fields! {
    /// A TRANSFORM.
    struct Head of "TRANSFORM": pop_prev, pop_next, push_prev, push_next, inverse, block, tile, address, count, result_base,
        log_points
}

unit! {
    /// See docs/fft.md, "Timing".
    ///
    /// # Timing  taken in cycle t, group 0 read in t+1
    pub struct FftUnit(c: &Config, fft: &Fft) {
        let (shape, width) = (Shape::new(fft), c.array.drain);
        let log_groups = fft.groups(c.link_bits).ilog2() as usize;
        let batches = bits_for(4 * width / shape.lanes);

        clock,
        /// The accelerator around it.
        pub engine: Engine<In> = Engine::new(c),
        head: Head = Head::new(0),
        scatter: Scatter = Scatter::new(c, Memory::Sample),
        samples: Groups = Groups::new(c, Memory::Sample, shape.parts()),
        core: Core = Core::new(&shape),
        packer: Packer = Packer::new(c, fft),
        taking: Taking = Taking::new(),
        reading: Reg = Reg::unsigned(1),
        group: Reg = Reg::unsigned(index_bits(fft.depth) + log_groups),
        point: Reg = Reg::unsigned(shape.log_points),
        batches: Reg = Reg::unsigned(batches),
        fresh: Reg = Reg::unsigned(1),
        entering: Reg = Reg::unsigned(1),
        leaving: Reg = Reg::unsigned(1),
        out_point: Reg = Reg::unsigned(shape.log_points),
        out_at_last: Reg = Reg::unsigned(1),
        out_batches: Reg = Reg::unsigned(batches),
        result_at: Reg = Reg::unsigned(index_bits(c.memory.result)),
        // so that the core's N − 1 is never 0
        log_points: Reg = Reg::with_reset(LOG_BITS, false, shape.log_points as i128),
        tile: Reg = Reg::unsigned(1),
        inverse: Reg = Reg::unsigned(1),
        block: Reg = Reg::unsigned(1),
        valid: Signal<Local, Bit>,
        out_ends: Signal<Local, Bit>,
        out_last: Signal<Local, Bit>,
        parts: Dim = Dim::new(shape.parts()),
        width: Dim = Dim::new(width),
        log_groups: Dim = Dim::new(log_groups),
    }
}

impl Logic for FftUnit {
    named!("fft_unit");

    #[hdl_gen]
    fn update(&mut self) {
        for h in 0..self.head.half.len() {
            self.head.half[h].next = self.engine.request.queue.half[h].val();
        }
        wire::join_all(&mut self.engine.payload, &mut self.scatter.payload);
        wire::join_all(&mut self.scatter.element[0], &mut self.samples.write);
        // reading groups
        self.engine.busy.next = self.reading.q.val().any();
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
        self.core.mode.log_points.next = self.log_points.q.val();
        self.core.mode.tile.next = self.tile.q.val().any();
        self.core.mode.inverse.next = self.inverse.q.val().any();
        self.core.mode.block.next = self.block.q.val().any();
        self.core.start.next = self.entering.q.val().any();
        for p in 0..self.parts.val() {
            self.core.samples[p].next = self.samples.part[p].val();
        }
        // to result words
        self.valid.next = !self.taking.quiet.val() & (self.core.starts.val() | self.leaving.q.val().any());
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
        self.packer.valid.next = self.valid.val();
        self.packer.ends.next = self.out_ends.val();
        self.packer.finishes.next = self.out_last.val();
        wire::join_all(&mut self.core.spectrum, &mut self.packer.spectrum);
        self.engine.outcome.write.we.next = self.packer.we.val();
        self.engine.outcome.write.address.next = self.result_at.q.val();
        if self.packer.we.val() {
            self.result_at.d.next = self.result_at.q.val() + 1;
        }
        for w in 0..self.width.val() {
            self.engine.outcome.write.result[w].next = self.packer.result[w].val();
        }
        self.taking.done.next = self.packer.done.val();
        // taking the head
        wire::join_all(&mut self.engine.request.load, &mut self.taking.load);
        wire::join_all(&mut self.engine.request.store, &mut self.taking.store);
        wire::join_all(&mut self.taking.give, &mut self.engine.outcome.give);
        self.taking.available.next = self.engine.request.queue.available.val();
        self.taking.pop_prev.next = self.head.pop_prev.val().any();
        self.taking.pop_next.next = self.head.pop_next.val().any();
        self.taking.push_prev.next = self.head.push_prev.val().any();
        self.taking.push_next.next = self.head.push_next.val().any();
        self.engine.request.queue.take.next = self.taking.take.val();
        self.engine.request.wait_token.next = self.taking.wait_token.val();
        self.engine.quiet.next = self.taking.quiet.val();
        if self.taking.take.val() {
            self.reading.d.next = 1.into();
            self.fresh.d.next = 1.into();
            self.leaving.d.next = 0.into();
            self.group.d.next = self.head.address.val() << self.log_groups.val();
            self.point.d.next = 0.into();
            self.batches.d.next = self.head.count.val();
            self.out_batches.d.next = self.head.count.val();
            self.result_at.d.next = self.head.result_base.val();
            self.log_points.d.next = self.head.log_points.val();
            self.tile.d.next = self.head.tile.val();
            self.inverse.d.next = self.head.inverse.val();
            self.block.d.next = self.head.block.val();
        }
    }
}
