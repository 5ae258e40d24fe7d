//! The rules of a valid instruction, in hardware: bounds and unused bits as the table states them, and the rules between
//! fields, which `tandem_spec::isa` states in software.

use super::pieces::pieces;
use crate::field::{Fields, HALVES, kind, kind_bits};
use crate::fields;
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;
use tandem_spec::config::MAX_LOOPS;
use tandem_spec::isa::{Field, Opcode};
use tandem_spec::{Config, Memory};

fields! {
    struct Load of "LOAD": memory, address, count, words
}
fields! {
    struct Compute of "COMPUTE": row_edge, col_edge, coded, col_planes, tiles; levels count
}
fields! {
    struct Store of "STORE": format, address, count, shift
}
fields! {
    struct Transform of "TRANSFORM": tile, address, count, log_points
}

fields! {
    struct Smooth of "SMOOTH": address, count
}

/// A field of instruction number `kind` and its bounds.
struct Bound {
    kind: usize,
    field: Field,
    least: usize,
    most: usize,
}

/// Bits of no field, which are zero, and fields with bounds that say something.
fn bounds(c: &Config) -> Vec<Bound> {
    let mut all = vec![];
    for (kind, op) in Opcode::present(c).enumerate() {
        let reserved = op.reserved_in(c).into_iter().flat_map(parts);
        all.extend(reserved.map(|field| Bound { kind, field, least: 0, most: 0 }));
        for field in op.fields {
            if let Some([least, most]) = field.bound.map(|bound| bound(c))
                && (least > 0 || most < (1 << field.width) - 1)
            {
                all.push(Bound { kind, field: *field, least, most });
            }
        }
    }
    all
}

/// A field in parts that a signal has room for.
fn parts(field: Field) -> impl Iterator<Item = Field> {
    const MOST: usize = 127;
    (0..field.width).step_by(MOST).map(move |from| {
        let width = MOST.min(field.width - from);
        Field { offset: field.offset + from, width, ..field }
    })
}

/// Bits of a COMPUTE's half `h` that must have certain values, and these: upper bits of counts, and all of the
/// counts of levels that are not generated.
pub fn count_bits(c: &Config, h: usize) -> (u16, u16) {
    let compute = Opcode::named("COMPUTE");
    let is_count = |l: &usize| compute.level(*l).is_some_and(|[count, ..]| count.offset == 16 * h);
    match (0..MAX_LOOPS).find(is_count) {
        Some(level) if level < c.loops => (!(u16::MAX >> (16 - c.address_bits)), 0),
        Some(_) => (u16::MAX, 1),
        None => (0, 0),
    }
}

unit! {
    /// Looks at a whole instruction.
    ///
    /// # Timing  combinational
    pub struct InstructionRules(c: &Config) {
        let bounds = bounds(c);
        let memories: Vec<Memory> = Memory::ALL.into_iter().filter(|m| m.shape(c).is_some()).collect();
        let fft = c.fft.as_ref();
        let gaussian = c.gaussian.as_ref();

        /// The instruction's number.
        pub kind: Sig<In> = Sig::unsigned(kind_bits(c)),
        /// Its 16-bit halves.
        pub half: Vec<Sig<In>> = Sig::vec(HALVES, 16, false),
        /// A COMPUTE's counts have bits that they must not have ([`count_bits`]).
        pub excess: Signal<In, Bit>,
        /// Columns that have been given levels (none without codebooks).
        pub tables: Vec<Sig<In>> = Sig::vec(usize::from(c.codebook.is_some()), c.array.cols, false),
        /// A field is out of range, or a bit of no field is set.
        pub bad: Signal<Out, Bit>,
        bounded: Fields = Fields::new(HALVES, bounds.iter().map(|b| b.field).collect()),
        kind_of: Vec<Dim> = bounds.iter().map(|b| Dim::new(b.kind)).collect(),
        least: Vec<Dim> = bounds.iter().map(|b| Dim::new(b.least)).collect(),
        most: Vec<Dim> = bounds.iter().map(|b| Dim::new(b.most)).collect(),
        /// The field has room for values above `most`.
        above: Vec<Flag> = bounds.iter().map(|b| Flag::new(b.most > 0 && b.most + 1 < 1 << b.field.width)).collect(),
        load: Load = Load::new(0),
        compute: Compute = Compute::new(c.loops),
        store: Store = Store::new(0),
        transform: Transform = Transform::new(0),
        smooth: Smooth = Smooth::new(0),
        is_load: Signal<Local, Bit>,
        is_compute: Signal<Local, Bit>,
        is_store: Signal<Local, Bit>,
        is_transform: Signal<Local, Bit>,
        is_smooth: Signal<Local, Bit>,
        loads: Dim = kind(c, "LOAD"),
        computes: Dim = kind(c, "COMPUTE"),
        stores: Dim = kind(c, "STORE"),
        transforms: Dim = kind(c, "TRANSFORM"),
        smooths: Dim = kind(c, "SMOOTH"),
        count: Vec<Sig<Local>> = Sig::vec(c.loops, c.address_bits, false),
        depth: Sig<Local> = Sig::unsigned(17),
        most_words: Sig<Local> = Sig::unsigned(16),
        code_of: Vec<Dim> = memories.iter().map(|m| Dim::new(m.code() as usize)).collect(),
        depth_of: Vec<Dim> = memories.iter().map(|m| Dim::new(pieces(c, *m).depth)).collect(),
        words_of: Vec<Dim> = memories.iter().map(|m| Dim::new(pieces(c, *m).words)).collect(),
        level_digits: Dim = Dim::new(c.level_digits()),
        result_depth: Dim = Dim::new(c.memory.result),
        words: Sig<Local> = Sig::unsigned(32),
        square: Signal<Local, Bit>,
        has_unit: Flag = Flag::new(fft.is_some()),
        sample_depth: Dim = Dim::new(fft.map_or(0, |f| f.depth)),
        log_groups: Dim = Dim::new(fft.map_or(0, |f| f.groups(c.link_bits).ilog2() as usize)),
        sizes: Dim = Dim::new(fft.map_or(0, |f| f.points.ilog2() as usize) + 1),
        has_smooths: Flag = Flag::new(gaussian.is_some()),
        steps_over: Dim = Dim::new(gaussian.map_or(0, |g| g.steps(c.link_bits) - 1)),
        log_steps: Dim = Dim::new(gaussian.map_or(0, |g| g.steps(c.link_bits).ilog2() as usize)),
        pixel_depth: Dim = Dim::new(gaussian.map_or(0, |g| g.depth)),
    }
}

impl Logic for InstructionRules {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        for h in 0..self.half.len() {
            self.bounded.half[h].next = self.half[h].val();
        }
        for h in 0..self.load.half.len() {
            self.load.half[h].next = self.half[h].val();
        }
        for h in 0..self.compute.half.len() {
            self.compute.half[h].next = self.half[h].val();
        }
        for h in 0..self.store.half.len() {
            self.store.half[h].next = self.half[h].val();
        }
        for h in 0..self.transform.half.len() {
            self.transform.half[h].next = self.half[h].val();
        }
        for h in 0..self.smooth.half.len() {
            self.smooth.half[h].next = self.half[h].val();
        }
        self.is_load.next = self.kind.val() == self.loads.val();
        self.is_compute.next = self.kind.val() == self.computes.val();
        self.is_store.next = self.kind.val() == self.stores.val();
        self.is_transform.next = self.kind.val() == self.transforms.val();
        self.is_smooth.next = self.kind.val() == self.smooths.val();
        self.bad.next = false;
        for b in 0..self.kind_of.len() {
            if self.kind.val() == self.kind_of[b].val() {
                if self.most[b].val() == 0 {
                    if self.bounded.y[b].val().any() {
                        self.bad.next = true;
                    }
                } else {
                    if (self.least[b].val() == 1) & !self.bounded.y[b].val().any() {
                        self.bad.next = true;
                    }
                    if (self.least[b].val() > 1) & (self.bounded.y[b].val() < self.least[b].val()) {
                        self.bad.next = true;
                    }
                    if self.above[b].val() & (self.bounded.y[b].val() > self.most[b].val()) {
                        self.bad.next = true;
                    }
                }
            }
        }
        // LOAD: of a memory that is not generated no word can be written
        self.depth.next = 0.into();
        self.most_words.next = 0.into();
        for m in 0..self.depth_of.len() {
            if self.load.memory.val() == self.code_of[m].val() {
                self.depth.next = self.depth_of[m].val().into();
                self.most_words.next = self.words_of[m].val().into();
            }
        }
        if self.is_load.val()
            & (!self.load.count.val().any()
                | (self.load.address.val() + self.load.count.val() > self.depth.val())
                | !self.load.words.val().any()
                | (self.load.words.val() > self.most_words.val()))
        {
            self.bad.next = true;
        }
        // COMPUTE: edges are tile levels, counts at least 1
        if self.is_compute.val()
            & (self.excess.val()
                | (!self.compute.row_edge.val().all()
                    & (self.compute.row_edge.val() >= self.compute.tiles.val()))
                | (!self.compute.col_edge.val().all()
                    & (self.compute.col_edge.val() >= self.compute.tiles.val())))
        {
            self.bad.next = true;
        }
        for l in 0..self.count.len() {
            self.count[l].next = self.compute.count[l].val();
            if self.is_compute.val() & !self.count[l].val().any() {
                self.bad.next = true;
            }
        }
        for t in 0..self.tables.len() {
            if self.is_compute.val()
                & self.compute.coded.val().any()
                & (!self.tables[t].val().all() | (self.compute.col_planes.val() > self.level_digits.val()))
            {
                self.bad.next = true;
            }
        }
        // STORE
        if self.is_store.val()
            & ((!self.store.format.val().any() & self.store.shift.val().any())
                | !self.store.count.val().any()
                | (self.store.address.val() + self.store.count.val() > self.result_depth.val()))
        {
            self.bad.next = true;
        }
        // TRANSFORM: its words of samples are count · 2^log_points / groups
        self.words.next = 0.into();
        self.square.next = false;
        if self.has_unit.val() {
            for w in 0..self.sizes.val() {
                if self.transform.log_points.val() == w + self.log_groups.val() {
                    self.words.next = self.transform.count.val() << w;
                }
            }
            self.square.next = (self.transform.log_points.val() == 4)
                | (self.transform.log_points.val() == 6)
                | (self.transform.log_points.val() == 8);
            if self.is_transform.val()
                & ((self.transform.tile.val().any() & !self.square.val())
                    | (self.transform.address.val() + self.words.val() > self.sample_depth.val()))
            {
                self.bad.next = true;
            }
        }
        // SMOOTH: its words of pixels are ⌈count / steps⌉
        if self.has_smooths.val()
            & self.is_smooth.val()
            & (!self.smooth.count.val().any()
                | (self.smooth.address.val()
                    + ((self.smooth.count.val() + self.steps_over.val()) >> self.log_steps.val())
                    > self.pixel_depth.val()))
        {
            self.bad.next = true;
        }
    }
}
