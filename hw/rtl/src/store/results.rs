//! A STORE's results on their way from the result memory to link words.
//!
//! ```text
//! address ─► [memory] (─► [register]) ─► [A] ─► [B] (─► [nibbles]) ─► [word]          all move only in a free tick
//! ```

use super::assemble::{Assemble, Fit, part_bits};
use super::measure::Measure;
use super::narrow::Narrow;
use super::pack::{NIBBLES, Pack};
use super::result_memory::{ResultRead, read_latency, result_bits};
use crate::field::queue_halves;
use crate::fields;
use crate::hdl::prelude::*;
use crate::host::Lanes;
use rust_hdl::prelude::*;
use tandem_spec::isa::Who;
use tandem_spec::{Config, Timing};

/// Stages between the memory's word and the link word, both included, without those of packing.
const STAGES: usize = 3;
/// Stages of these in which results are narrowed; without that, they come out of the memory later.
const NARROWING: usize = 2;

fields! {
    /// What a STORE says of its results.
    struct Wanted of "STORE": format, address, count, shift
}

bundle! {
    /// Whose results are sent and when, and what comes of them.
    pub struct Delivery<D>(c: &Config) {
        /// The queue's head in 16-bit halves.
        head: Vec<Sig<D>> = Sig::vec(queue_halves(Who::Store), 16, false),
        /// No packet is under way: what the head says is taken over.
        prepares: Signal<D, Bit>,
        /// The head is a STORE and is taken.
        begins: Signal<D, Bit>,
        /// The pipeline moves.
        advance: Signal<D, Bit>,
    } back {
        /// Link words of the head's results.
        words: Sig<D::Back> = Sig::unsigned(bits_for(most_words(c))),
        /// A link word is there.
        valid: Signal<D::Back, Bit>,
        /// It is the last one.
        last: Signal<D::Back, Bit>,
        /// It.
        data: Vec<Sig<D::Back>> = Lanes::new(c).signals(),
        /// A result word counts in the summary.
        counts: Signal<D::Back, Bit>,
        /// OR of its magnitudes.
        magnitude: Sig<D::Back> = Sig::unsigned(32),
        /// How many of its results the clamp has changed.
        clamped: Sig<D::Back> = Sig::unsigned(6),
    }
}

/// Link words of the most results.
pub fn most_words(c: &Config) -> usize {
    c.memory.result * (c.array.drain * 32).div_ceil(c.link_bits)
}

unit! {
    /// Reads results, narrows them, and puts them together to link words.
    ///
    /// # Timing  head and `begins` in cycle t, `words` in t, first link word offered in tick F; nothing moves without `advance`
    pub struct Results(c: &Config) {
        let (t, lanes) = (Timing::new(c), Lanes::new(c));
        let stages = read_latency(c) + STAGES + usize::from(c.pack);
        let (drain, address, part) = (c.array.drain, index_bits(c.memory.result), part_bits(c));
        let formats = if c.pack { 0 } else if c.narrow { 3 } else { 1 };
        let fits: Vec<Fit> = (0..formats).map(|f| Fit::new(c, f)).collect();
        let bytes = c.link_bytes();
        let delays = if c.narrow { 0 } else { NARROWING };
        let packs = usize::from(c.pack);

        clock,
        /// What to send, and the link words.
        pub delivery: Delivery<In> = Delivery::new(c),
        /// The result memory.
        pub read: ResultRead<Out> = ResultRead::new(c),
        wanted: Wanted = Wanted::new(0),
        format_q: Reg = Reg::unsigned(if c.pack { 3 } else { 2 }),
        shift_q: Reg = Reg::unsigned(5),
        address: Reg = Reg::unsigned(address),
        left: Reg = Reg::unsigned(bits_for(c.memory.result)),
        part: Reg = Reg::unsigned(part),
        start_wait: Reg = Reg::unsigned(5),
        valid_at: Vec<Reg> = Reg::vec(stages, 1, false),
        part_at: Vec<Reg> = Reg::vec(stages - 1, part, false),
        last_at: Vec<Reg> = Reg::vec(stages, 1, false),
        delayed: Vec<Reg> = Reg::vec(delays, address, false),
        narrow: Vec<Narrow> = (0..if c.narrow { drain } else { 0 }).map(|_| Narrow::new(c.pack)).collect(),
        size: Vec<Sig<Local>> = Sig::vec(drain, result_bits(c), false),
        assemble: Vec<Assemble> = (0..formats).map(|f| Assemble::new(c, f)).collect(),
        measure: Vec<Measure> = (0..packs).map(|_| Measure::new(c)).collect(),
        pack: Vec<Pack> = (0..packs).map(|_| Pack::new(c)).collect(),
        sent_q: Vec<Reg> = Reg::vec(packs * drain, 1, false),
        each_q: Vec<Reg> = Reg::vec(packs, bits_for(drain * NIBBLES), false),
        word: Vec<Reg> = Reg::vec(bytes, 8, false),
        word_join: Vec<Concat> = (0..lanes.count).map(|_| Concat::new(lanes.bits / 8, 8)).collect(),
        mask: Sig<Local> = Sig::unsigned(32),
        half_step: Sig<Local> = Sig::unsigned(32),
        mask_q: Vec<Reg> = Reg::vec(usize::from(c.narrow), 32, false),
        half_step_q: Vec<Reg> = Reg::vec(usize::from(c.narrow), 32, false),
        splits: Signal<Local, Bit>,
        last_part: Sig<Local> = Sig::unsigned(part),
        part_ends: Signal<Local, Bit>,
        emits: Signal<Local, Bit>,
        complete: Signal<Local, Bit>,
        narrows: Flag = Flag::new(c.narrow),
        delays: Dim = Dim::new(delays),
        formats: Dim = Dim::new(formats),
        fit_splits: Vec<Flag> = fits.iter().map(|f| Flag::new(f.share == 1)).collect(),
        fit_last: Vec<Dim> = fits.iter().map(|f| Dim::new(f.split.max(f.share) - 1)).collect(),
        fit_shift: Vec<Dim> =
            fits.iter().map(|f| Dim::new(f.split.max(f.share).trailing_zeros() as usize)).collect(),
        fit_round: Vec<Dim> = fits.iter().map(|f| Dim::new(f.share - 1)).collect(),
        results: Dim = Dim::new(drain),
        lanes: Dim = Dim::new(lanes.count),
        bytes: Dim = Dim::new(bytes),
        per_lane: Dim = Dim::new(lanes.bits / 8),
        wait_start: Dim = Dim::new(t.first_data - 1 - stages),
        assembled: Dim = Dim::new(stages - 2),
        offered: Dim = Dim::new(stages - 1),
    }
}

impl Logic for Results {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        // how many link words there will be
        wire::join_all(&mut self.delivery.head, &mut self.wanted.half);
        self.delivery.words.next = 0.into();
        for p in 0..self.measure.len() {
            wire::join_all(&mut self.delivery.head, &mut self.measure[p].instruction);
            self.delivery.words.next = self.measure[p].words.val();
        }
        for f in 0..self.formats.val() {
            if (self.wanted.format.val() == f) | !self.narrows.val() {
                if self.fit_splits[f].val() {
                    self.delivery.words.next = self.wanted.count.val() << self.fit_shift[f].val();
                } else {
                    self.delivery.words.next =
                        (self.wanted.count.val() + self.fit_round[f].val()) >> self.fit_shift[f].val();
                }
            }
        }
        // address, memory, two stages of narrowing, link word
        self.splits.next = false;
        self.last_part.next = 0.into();
        for f in 0..self.formats.val() {
            if self.format_q.q.val() == f {
                self.splits.next = self.fit_splits[f].val();
                self.last_part.next = self.fit_last[f].val().into();
            }
        }
        self.part_ends.next = self.part.q.val() == self.last_part.val();
        self.emits.next = self.left.q.val().any() & !self.start_wait.q.val().any();
        for p in 0..self.pack.len() {
            self.emits.next = self.emits.val() & self.pack[p].wants.val();
        }
        self.read.re.next = self.delivery.advance.val();
        self.read.address.next = self.address.q.val();
        for d in 0..self.delays.val() {
            if self.delivery.advance.val() {
                self.delayed[d].d.next = self.read.address.val();
            }
            self.read.address.next = self.delayed[d].q.val();
        }
        self.mask.next = 0.into();
        self.half_step.next = 0.into();
        // of the shift, which stands from the head on
        for n in 0..self.mask_q.len() {
            for b in 0..31 {
                if self.shift_q.q.val() > b {
                    self.mask.next = self.mask.val() * 2 + 1;
                }
            }
            if self.mask.val().any() {
                self.half_step.next = (self.mask.val() >> 1) + 1;
            }
            self.mask_q[n].d.next = self.mask.val();
            self.half_step_q[n].d.next = self.half_step.val();
        }
        self.delivery.magnitude.next = 0.into();
        self.delivery.clamped.next = 0.into();
        for r in 0..self.results.val() {
            self.size[r].next = 0.into();
            if !self.narrows.val() {
                self.size[r].next = self.read.result[r].val();
                if self.read.result[r].val() < 0 {
                    self.size[r].next = -self.read.result[r].val();
                }
                self.delivery.magnitude.next = self.delivery.magnitude.val() | self.size[r].val();
                for f in 0..self.formats.val() {
                    self.assemble[f].filling.result[r].next = self.read.result[r].val();
                }
            }
        }
        for r in 0..self.narrow.len() {
            self.narrow[r].narrowing.advance.next = self.delivery.advance.val();
            self.narrow[r].exact.next = self.read.result[r].val();
            self.narrow[r].narrowing.shift.next = self.shift_q.q.val();
            self.narrow[r].narrowing.mask.next = self.mask_q[0].q.val();
            self.narrow[r].narrowing.half_step.next = self.half_step_q[0].q.val();
            self.narrow[r].narrowing.format.next = self.format_q.q.val();
            for p in 0..self.pack.len() {
                self.narrow[r].is_sent[p].next = self.sent_q[r].q.val().any();
                self.pack[p].filling.result[r].next = self.narrow[r].narrowed.val();
            }
            self.delivery.magnitude.next = self.delivery.magnitude.val() | self.narrow[r].magnitude.val();
            self.delivery.clamped.next = self.delivery.clamped.val() + self.narrow[r].saturates.val();
            for f in 0..self.formats.val() {
                self.assemble[f].filling.result[r].next = self.narrow[r].narrowed.val();
            }
        }
        for f in 0..self.formats.val() {
            self.assemble[f].part_number.next = self.part_at[self.assembled.val()].q.val();
            for b in 0..self.bytes.val() {
                self.assemble[f].before[b].next = self.word[b].q.val();
            }
        }
        self.complete.next = self.valid_at[self.assembled.val()].q.val().any()
            & (self.splits.val()
                | (self.part_at[self.assembled.val()].q.val() == self.last_part.val())
                | self.last_at[self.assembled.val()].q.val().any());
        for b in 0..self.bytes.val() {
            for f in 0..self.formats.val() {
                if self.delivery.advance.val()
                    & self.valid_at[self.assembled.val()].q.val().any()
                    & (self.format_q.q.val() == f)
                {
                    self.word[b].d.next = self.assemble[f].filling.after[b].val();
                }
            }
        }
        self.delivery.counts.next = self.valid_at[self.assembled.val()].q.val().any()
            & (!self.splits.val() | !self.part_at[self.assembled.val()].q.val().any());
        for p in 0..self.pack.len() {
            self.pack[p].advance.next = self.delivery.advance.val();
            self.pack[p].reads.next = self.emits.val();
            self.pack[p].exhausted.next =
                !self.left.q.val().any() | (self.emits.val() & (self.left.q.val() == 1));
            self.pack[p].packing.width.next = self.format_q.q.val();
            self.pack[p].packing.each.next = self.each_q[p].q.val();
            self.pack[p].closes.next = self.valid_at[self.assembled.val()].q.val().any();
            self.delivery.counts.next = self.pack[p].arrives.val();
            for b in 0..self.bytes.val() {
                if self.delivery.advance.val() & self.valid_at[self.assembled.val()].q.val().any() {
                    self.word[b].d.next = self.pack[p].filling.after[b].val();
                }
            }
        }
        if self.delivery.advance.val() {
            self.valid_at[0].d.next = self.emits.val().into();
            self.part_at[0].d.next = self.part.q.val();
            self.last_at[0].d.next =
                ((self.left.q.val() == 1) & (self.part_ends.val() | !self.splits.val())).into();
            for p in 0..self.pack.len() {
                self.valid_at[0].d.next = self.pack[p].gives.val().into();
                self.last_at[0].d.next = self.pack[p].gives_last.val().into();
            }
            for s in 1..self.offered.val() {
                self.valid_at[s].d.next = self.valid_at[s - 1].q.val();
                self.part_at[s].d.next = self.part_at[s - 1].q.val();
                self.last_at[s].d.next = self.last_at[s - 1].q.val();
            }
            self.valid_at[self.offered.val()].d.next = self.complete.val().into();
            self.last_at[self.offered.val()].d.next = self.last_at[self.assembled.val()].q.val();
            if self.start_wait.q.val().any() {
                self.start_wait.d.next = self.start_wait.q.val() - 1;
            }
            if self.emits.val() {
                self.part.d.next = self.part.q.val() + 1;
                if self.part_ends.val() {
                    self.part.d.next = 0.into();
                }
                if self.part_ends.val() | !self.splits.val() {
                    self.address.d.next = self.address.q.val() + 1;
                    self.left.d.next = self.left.q.val() - 1;
                }
            }
        }
        for b in 0..self.bytes.val() {
            self.word_join[b / self.per_lane.val()].x[b % self.per_lane.val()].next = self.word[b].q.val();
        }
        for i in 0..self.lanes.val() {
            self.delivery.data[i].next = self.word_join[i].y.val();
        }
        self.delivery.valid.next = self.valid_at[self.offered.val()].q.val().any();
        self.delivery.last.next = self.last_at[self.offered.val()].q.val().any();
        // before a packet: everything as the head wants it
        if self.delivery.prepares.val() {
            self.part.d.next = 0.into();
            self.start_wait.d.next = self.wait_start.val().into();
            self.format_q.d.next = 0.into();
            self.shift_q.d.next = 0.into();
            if self.narrows.val() {
                self.format_q.d.next = self.wanted.format.val();
                self.shift_q.d.next = self.wanted.shift.val();
            }
            for p in 0..self.measure.len() {
                self.format_q.d.next = self.measure[p].packing.width.val();
                self.each_q[p].d.next = self.measure[p].packing.each.val();
                for r in 0..self.results.val() {
                    self.sent_q[r].d.next = self.measure[p].sent[r].val().into();
                }
            }
            self.address.d.next = self.wanted.address.val();
        }
        if self.delivery.begins.val() {
            self.left.d.next = self.wanted.count.val();
        }
    }
}
