//! The Gaussian unit in the compute engine: takes a SMOOTH from the queue and carries it out.

use super::pipeline::{Pipeline, ring_bits};
use super::{COEFFICIENT, LATENCY, TURN_BITS};
use crate::fields;
use crate::hdl::prelude::*;
use crate::load::scatter::Scatter;
use crate::units::engine::Engine;
use crate::units::groups::Groups;
use crate::units::taking::Taking;
use crate::units::words::Words;
use rust_hdl::prelude::*;
use tandem_spec::config::Gaussian;
use tandem_spec::{Config, Memory};

fields! {
    /// A SMOOTH.
    struct Head of "SMOOTH": pop_prev, pop_next, push_prev, push_next, keep, address, count, result_base, skip, radius, mean,
        turn_1, edge_1, turn_2, edge_2, turn_3, edge_3, turn_4, edge_4
}

unit! {
    /// See docs/gaussian.md, "Timing".
    ///
    /// # Timing  taken in cycle t, group 0 read in t+1
    pub struct GaussianUnit(c: &Config, gaussian: &Gaussian) {
        let (lanes, width, terms) = (gaussian.pixels, c.array.drain, gaussian.terms);
        let log_groups = (Gaussian::TURNS * gaussian.steps(c.link_bits)).ilog2() as usize;
        // the stages behind the one that reads, t+2 to t+9
        let stages = LATENCY - 1;

        clock,
        /// The accelerator around it.
        pub engine: Engine<In> = Engine::new(c),
        head: Head = Head::new(0),
        scatter: Scatter = Scatter::new(c, Memory::Pixel),
        pixels: Groups = Groups::new(c, Memory::Pixel, lanes),
        pipeline: Vec<Pipeline> = (0..lanes).map(|_| Pipeline::new(gaussian)).collect(),
        words: Words = Words::new(c, lanes),
        taking: Taking = Taking::new(),
        reading: Reg = Reg::unsigned(1),
        // lines begin where nothing has been taken yet
        idle_since_reset: Reg = Reg::with_reset(1, false, 1),
        begins: Reg = Reg::unsigned(1),
        group: Reg = Reg::unsigned(index_bits(gaussian.depth) + log_groups),
        line: Reg = Reg::unsigned(TURN_BITS),
        ends_step: Signal<Local, Bit>,
        steps: Reg = Reg::unsigned(16),
        skips: Reg = Reg::unsigned(16),
        ends: Signal<Local, Bit>,
        mean: Reg = Reg::signed(COEFFICIENT),
        turn: Vec<Reg> = Reg::vec(terms, COEFFICIENT, false),
        edge: Vec<Reg> = Reg::vec(terms, COEFFICIENT, true),
        radius: Reg = Reg::unsigned(8),
        result_at: Reg = Reg::unsigned(index_bits(c.memory.result)),
        // by stage, t+2 first
        valid: Vec<Reg> = Reg::vec(stages, 1, false),
        wanted: Vec<Reg> = Reg::vec(stages, 1, false),
        last: Vec<Reg> = Reg::vec(stages, 1, false),
        turn_of: Vec<Reg> = Reg::vec(6, TURN_BITS, false),
        first: Vec<Reg> = Reg::vec(3, 1, false),
        place: Reg = Reg::unsigned(ring_bits(gaussian)),
        place_3: Reg = Reg::unsigned(ring_bits(gaussian)),
        filled: Reg = Reg::unsigned(9),
        known: Sig<Local> = Sig::unsigned(9),
        full: Reg = Reg::unsigned(1),
        lanes: Dim = Dim::new(lanes),
        width: Dim = Dim::new(width),
        terms: Dim = Dim::new(terms),
        has_third: Dim = Dim::new(usize::from(terms > 2)),
        has_fourth: Dim = Dim::new(usize::from(terms > 3)),
        stages: Dim = Dim::new(stages),
        turns: Dim = Dim::new(6),
        log_groups: Dim = Dim::new(log_groups),
        last_turn: Dim = Dim::new(Gaussian::TURNS - 1),
        once: Dim = Dim::new(Gaussian::TURNS),
        log_window: Dim = Dim::new(TURN_BITS + 1),
        widest: Dim = Dim::new(2 * 255 + 1),
    }
}

impl Logic for GaussianUnit {
    named!("gaussian_unit");

    #[hdl_gen]
    fn update(&mut self) {
        for h in 0..self.head.half.len() {
            self.head.half[h].next = self.engine.request.queue.half[h].val();
        }
        wire::join_all(&mut self.engine.payload, &mut self.scatter.payload);
        wire::join_all(&mut self.scatter.element[0], &mut self.pixels.write);
        // reading groups
        self.engine.busy.next = self.reading.q.val().any();
        self.pixels.group.next = self.group.q.val();
        self.group.d.next = self.group.q.val() + 1;
        self.ends_step.next = self.line.q.val() == self.last_turn.val();
        self.ends.next = self.ends_step.val() & (self.steps.q.val() == 1);
        if self.reading.q.val().any() {
            self.line.d.next = self.line.q.val() + 1;
            if self.ends_step.val() {
                self.begins.d.next = 0.into();
                self.steps.d.next = self.steps.q.val() - 1;
                if self.skips.q.val().any() {
                    self.skips.d.next = self.skips.q.val() - 1;
                }
            }
            if self.ends.val() {
                self.reading.d.next = 0.into();
            }
        }
        for s in 0..self.stages.val() {
            if s == 0 {
                self.valid[s].d.next = self.reading.q.val();
                self.wanted[s].d.next = (self.reading.q.val().any() & !self.skips.q.val().any()).into();
                self.last[s].d.next = (self.reading.q.val().any() & self.ends.val()).into();
            } else {
                self.valid[s].d.next = self.valid[s - 1].q.val();
                self.wanted[s].d.next = self.wanted[s - 1].q.val();
                self.last[s].d.next = self.last[s - 1].q.val();
            }
        }
        for s in 0..self.turns.val() {
            if s == 0 {
                self.turn_of[s].d.next = self.line.q.val();
            } else {
                self.turn_of[s].d.next = self.turn_of[s - 1].q.val();
            }
        }
        self.first[0].d.next = self.begins.q.val();
        self.first[1].d.next = self.first[0].q.val();
        self.first[2].d.next = self.first[1].q.val();
        // t+2: the ring, and whether the window is full
        self.known.next = self.filled.q.val();
        if self.first[0].q.val().any() {
            self.known.next = 0.into();
        }
        self.full.d.next = (self.known.val() > (self.radius.q.val() << 1)).into();
        self.place_3.d.next = self.place.q.val();
        if self.valid[0].q.val().any() {
            self.place.d.next = self.place.q.val() + 1;
            if self.turn_of[0].q.val() == self.last_turn.val() {
                self.filled.d.next = self.known.val() + 1;
                if self.known.val() == self.widest.val() {
                    self.filled.d.next = self.known.val();
                }
            }
        }
        for l in 0..self.lanes.val() {
            self.pipeline[l].pixel.next = self.pixels.part[l].val();
            self.pipeline[l].gone.next =
                self.place.q.val() - (self.radius.q.val() << self.log_window.val()) - self.once.val();
            self.pipeline[l].place.next = self.place_3.q.val();
            self.pipeline[l].turns.pixel.next = self.valid[1].q.val().any();
            self.pipeline[l].turns.full.next = self.full.q.val().any();
            self.pipeline[l].turns.enters.next = self.valid[2].q.val().any();
            self.pipeline[l].turns.state.begins.next = self.first[2].q.val().any();
            self.pipeline[l].turns.state.line.next = self.turn_of[2].q.val();
            self.pipeline[l].turns.state.turned.next = self.valid[5].q.val().any();
            self.pipeline[l].turns.state.turned_line.next = self.turn_of[5].q.val();
            self.pipeline[l].window.mean.next = self.mean.q.val();
            for k in 0..self.terms.val() {
                self.pipeline[l].window.turn[k].next = self.turn[k].q.val();
                self.pipeline[l].window.edge[k].next = self.edge[k].q.val();
            }
            self.words.group[l].next = self.pipeline[l].y.val();
        }
        // to result words
        self.words.valid.next = self.wanted[self.stages.val() - 1].q.val().any();
        self.words.finishes.next = self.last[self.stages.val() - 1].q.val().any();
        self.taking.done.next = self.last[self.stages.val() - 1].q.val().any();
        self.engine.outcome.write.we.next = self.words.we.val();
        self.engine.outcome.write.address.next = self.result_at.q.val();
        if self.words.we.val() {
            self.result_at.d.next = self.result_at.q.val() + 1;
        }
        for w in 0..self.width.val() {
            self.engine.outcome.write.result[w].next = self.words.result[w].val();
        }
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
            self.idle_since_reset.d.next = 0.into();
            self.begins.d.next = (!self.head.keep.val().any() | self.idle_since_reset.q.val().any()).into();
            self.group.d.next = self.head.address.val() << self.log_groups.val();
            self.line.d.next = 0.into();
            self.steps.d.next = self.head.count.val();
            self.skips.d.next = self.head.skip.val();
            self.result_at.d.next = self.head.result_base.val();
            self.radius.d.next = self.head.radius.val();
            self.mean.d.next = self.head.mean.val();
            self.turn[0].d.next = self.head.turn_1.val();
            self.edge[0].d.next = self.head.edge_1.val();
            self.turn[1].d.next = self.head.turn_2.val();
            self.edge[1].d.next = self.head.edge_2.val();
            for t in 0..self.has_third.val() {
                self.turn[2 + t].d.next = self.head.turn_3.val();
                self.edge[2 + t].d.next = self.head.edge_3.val();
            }
            for t in 0..self.has_fourth.val() {
                self.turn[3 + t].d.next = self.head.turn_4.val();
                self.edge[3 + t].d.next = self.head.edge_4.val();
            }
        }
    }
}
