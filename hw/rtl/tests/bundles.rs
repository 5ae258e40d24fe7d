//! Units and bundles: what they say in Rust's simulation and in Verilog is the same.
mod common;
use common::{Random, confirm};
use rust_hdl::prelude::*;
use tandem_rtl::hdl::prelude::*;
use tandem_rtl::hdl::trace::Trace;
use tandem_rtl::hdl::{ElabError, verilog};

bundle! {
    /// Words with back pressure.
    struct Words<D>(lanes: usize, bits: usize) {
        /// One is offered.
        valid: Signal<D, Bit>,
        /// It.
        data: Vec<Sig<D>> = Sig::vec(lanes, bits, true),
        /// A bundle inside.
        tag: Tag<D> = Tag::new(),
    } back {
        /// It is taken.
        ready: Signal<D::Back, Bit>,
        /// How many are inside.
        level: Sig<D::Back> = Sig::unsigned(2),
    }
}

bundle! {
    /// Something that goes with a word.
    struct Tag<D>() {
        /// It is the first.
        first: Signal<D, Bit>,
    }
}

unit! {
    /// Holds one word; with `through`, none.
    struct Slot(lanes: usize, through: bool) {
        let bits = 6;

        clock,
        pub in_: Words<In> = Words::new(lanes, bits),
        pub out: Words<Out> = Words::new(lanes, bits),
        held: Vec<Reg> = Reg::vec(if through { 0 } else { lanes }, bits, true),
        first: Vec<DFF<Bit>> = (usize::from(through)..1).map(|_| Default::default()).collect(),
        full: Vec<Reg> = Reg::vec(usize::from(!through), 1, false),
        through: Flag = Flag::new(through),
        lanes: Dim = Dim::new(lanes),
        words: Dim = Dim::new(usize::from(!through)),
    }
}

impl Logic for Slot {
    named!(self => "slot_{}", if self.through.val() { "through" } else { "held" });

    #[hdl_gen]
    fn update(&mut self) {
        if self.through.val() {
            wire::join_all(&mut self.in_, &mut self.out);
        }
        for w in 0..self.words.val() {
            self.in_.ready.next = !self.full[w].q.val().any() | self.out.ready.val();
            self.in_.level.next = self.out.level.val() + self.full[w].q.val();
            self.out.valid.next = self.full[w].q.val().any();
            self.out.tag.first.next = self.first[w].q.val();
            if self.out.ready.val() {
                self.full[w].d.next = 0.into();
            }
            if self.in_.ready.val() & self.in_.valid.val() {
                self.full[w].d.next = 1.into();
                self.first[w].d.next = self.in_.tag.first.val();
            }
            for l in 0..self.lanes.val() {
                self.out.data[l].next = self.held[l].q.val();
                if self.in_.ready.val() & self.in_.valid.val() {
                    self.held[l].d.next = self.in_.data[l].val();
                }
            }
        }
    }
}

unit! {
    /// Two lines of slots side by side, joined in every way.
    struct Lines(lanes: usize) {
        clock,
        pub in_: Vec<Words<In>> = (0..2).map(|_| Words::new(lanes, 6)).collect(),
        pub out: Vec<Words<Out>> = (0..2).map(|_| Words::new(lanes, 6)).collect(),
        pub seen: Tag<Out> = Tag::new(),
        pub copy: Vec<Sig<Out>> = Sig::vec(lanes, 6, true),
        begin: Slot = Slot::new(lanes, false),
        middle: Slot = Slot::new(lanes, true),
        end: Slot = Slot::new(lanes, false),
        spare: Tag<Local> = Tag::new(),
    }
}

impl Logic for Lines {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        wire::join_all(&mut self.in_[0], &mut self.begin.in_);
        wire::join_all(&mut self.begin.out, &mut self.middle.in_);
        wire::join_all(&mut self.middle.out, &mut self.end.in_);
        wire::join_all(&mut self.end.out, &mut self.out[0]);
        wire::join_all(&mut self.in_[1], &mut self.out[1]);
        wire::join_all(&mut self.end.out.data, &mut self.copy);
        wire::join_all(&mut self.begin.out.tag, &mut self.spare);
        wire::join_all(&mut self.spare, &mut self.seen);
    }
}

#[test]
fn joined_lines_agree_with_their_verilog() {
    for lanes in [1, 3] {
        let (mut u, mut r, mut t) = (Lines::new(lanes), Random::new(lanes as u64), Trace::new());
        let (mut sent, mut received) = (vec![], vec![]);
        for _ in 0..200 {
            for line in 0..2 {
                u.in_[line].valid.next = r.bit();
                u.in_[line].tag.first.next = r.bit();
                u.in_[line].data.iter_mut().for_each(|d| d.set(r.wide()));
                u.out[line].ready.next = r.bit();
                u.out[line].level.set(r.wide());
            }
            assert!(simulate(&mut u, 100));
            let word = |data: Vec<i128>, first: bool| (data, first);
            if u.in_[0].valid.val() && u.in_[0].ready.val() {
                let data = u.in_[0].data.iter().map(|d| d.val().get()).collect();
                sent.push(word(data, u.in_[0].tag.first.val()));
            }
            if u.out[0].valid.val() && u.out[0].ready.val() {
                let data = u.out[0].data.iter().map(|d| d.val().get()).collect();
                received.push(word(data, u.out[0].tag.first.val()));
            }
            assert_eq!(u.in_[1].ready.val(), u.out[1].ready.val());
            assert_eq!(u.in_[1].level.val().get(), u.out[1].level.val().get());
            t.cycle(&mut u, |u, c| u.clock.next = c.into());
        }
        assert!(received.len() > 50 && sent.starts_with(&received), "{sent:?} {received:?}");
        let v = confirm(&mut u, &t);
        assert!(v.contains("input wire in_0_valid,") && v.contains("output wire in_0_ready,"), "{v}");
    }
}

unit! {
    struct Uneven() {
        pub in_: Words<In> = Words::new(2, 6),
        pub out: Words<Out> = Words::new(3, 6),
    }
}

impl Logic for Uneven {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        wire::join_all(&mut self.in_, &mut self.out);
    }
}

#[test]
fn bundles_that_differ_are_not_joined() {
    let error = verilog("top", &mut Uneven::new()).unwrap_err();
    assert!(matches!(error, ElabError::Unsupported { .. }), "{error}");
    assert!(error.to_string().contains("a join of `in_` and `out`, which differ"), "{error}");
}

unit! {
    struct Forgotten() {
        clock,
        pub x: Sig<In> = Sig::unsigned(4),
        pub y: Sig<Out> = Sig::unsigned(4),
        never: Reg = Reg::unsigned(4),
    }
}

impl Logic for Forgotten {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.y.next = self.never.q.val() + self.x.val();
    }
}

#[test]
fn a_register_that_is_never_assigned_is_an_error() {
    let error = verilog("top", &mut Forgotten::new()).unwrap_err();
    assert!(matches!(error, ElabError::Undriven { .. }), "{error}");
}
