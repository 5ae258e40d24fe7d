//! Delays groups by a fixed number of cycles.

use super::Shape;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

/// Depth from which on groups lie in a memory.
const IN_MEMORY: usize = 4;

unit! {
    /// `q` is the `d` of `depth` cycles ago, once `depth` cycles have passed since `cycle` was 0.
    ///
    /// # Timing  `cycle` counts cycles modulo `depth` (or a multiple)
    pub struct DelayLine(shape: &Shape, depth: usize, bits: usize) {
        let (lanes, parts) = (shape.lanes, shape.parts());
        let (memories, stages) = if depth >= IN_MEMORY { (lanes, 0) } else { (0, depth) };

        clock,
        /// The cycle's number.
        pub cycle: Sig<In> = Sig::unsigned(index_bits(depth)),
        /// Parts in.
        pub d: Vec<Sig<In>> = Sig::vec(parts, bits, true),
        /// Parts out.
        pub q: Vec<Sig<Out>> = Sig::vec(parts, bits, true),
        ram: Vec<Ram> = (0..memories).map(|_| Ram::new(depth, 2 * bits, false)).collect(),
        join: Vec<Concat> = (0..memories).map(|_| Concat::new(2, bits)).collect(),
        cut: Vec<Unpack> = (0..memories).map(|_| Unpack::new(2, bits, true)).collect(),
        read: Vec<Reg> = Reg::vec(memories, 2 * bits, false),
        line: Vec<Reg> = Reg::vec(stages * parts, bits, true),
        memories: Dim = Dim::new(memories),
        parts: Dim = Dim::new(parts),
        stages: Dim = Dim::new(stages),
    }
}

impl Logic for DelayLine {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for m in 0..self.memories.val() {
            self.join[m].x[0].next = self.d[2 * m].val();
            self.join[m].x[1].next = self.d[2 * m + 1].val();
            self.ram[m].we.next = true;
            self.ram[m].waddr.next = self.cycle.val();
            self.ram[m].wdata.next = self.join[m].y.val();
            self.ram[m].re.next = true;
            self.ram[m].raddr.next = self.cycle.val() + 2;
            self.read[m].d.next = self.ram[m].rdata.val();
            self.cut[m].x.next = self.read[m].q.val();
            self.q[2 * m].next = self.cut[m].y[0].val();
            self.q[2 * m + 1].next = self.cut[m].y[1].val();
        }
        for s in 0..self.stages.val() {
            for p in 0..self.parts.val() {
                if s == 0 {
                    self.line[s * self.parts.val() + p].d.next = self.d[p].val();
                } else {
                    self.line[s * self.parts.val() + p].d.next =
                        self.line[(s - 1) * self.parts.val() + p].q.val();
                }
                if s + 1 == self.stages.val() {
                    self.q[p].next = self.line[s * self.parts.val() + p].q.val();
                }
            }
        }
    }
}
