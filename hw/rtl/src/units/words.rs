//! Groups of results to result words.

use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::Config;

unit! {
    /// Collects the groups of an instruction, `lanes` results each.
    ///
    /// # Timing  a result word is offered in the cycle in which its last group is there
    pub struct Words(c: &Config, lanes: usize) {
        let width = c.array.drain;
        let groups = width / lanes;

        clock,
        /// A group is there.
        pub valid: Signal<In, Bit>,
        /// It is the last of the instruction.
        pub finishes: Signal<In, Bit>,
        /// It.
        pub group: Vec<Sig<In>> = Sig::vec(lanes, 32, true),
        /// A result word is there.
        pub we: Signal<Out, Bit>,
        /// Its results.
        pub result: Vec<Sig<Out>> = Sig::vec(width, 32, true),
        place: Reg = Reg::unsigned(index_bits(groups)),
        held: Vec<Reg> = Reg::vec(width, 32, true),
        full: Signal<Local, Bit>,
        lanes: Dim = Dim::new(lanes),
        groups: Dim = Dim::new(groups),
        last_place: Dim = Dim::new(groups - 1),
    }
}

impl Logic for Words {
    named!("result_words");

    #[hdl_gen]
    fn update(&mut self) {
        // at an instruction's end everything is as at its start
        self.full.next = self.finishes.val() | (self.place.q.val() == self.last_place.val());
        if self.valid.val() {
            self.place.d.next = self.place.q.val() + 1;
            if self.full.val() {
                self.place.d.next = 0.into();
            }
        }
        self.we.next = self.valid.val() & self.full.val();
        // a word: the groups held, then the one that is there, then zeros
        for g in 0..self.groups.val() {
            for l in 0..self.lanes.val() {
                self.result[g * self.lanes.val() + l].next = 0.into();
                if self.place.q.val() > g {
                    self.result[g * self.lanes.val() + l].next = self.held[g * self.lanes.val() + l].q.val();
                }
                if self.place.q.val() == g {
                    self.result[g * self.lanes.val() + l].next = self.group[l].val();
                    if self.valid.val() {
                        self.held[g * self.lanes.val() + l].d.next = self.group[l].val();
                    }
                }
            }
        }
    }
}
