//! What is printed of a unit, and what is not.

mod common;

use common::{Random, confirm};
use rust_hdl::prelude::*;
use tandem_rtl::hdl::prelude::*;
use tandem_rtl::hdl::trace::Trace;
use tandem_rtl::hdl::{Style, styled, verilog};
use tandem_rtl::named;

/// A register that holds its value, one that counts, and an output that few look at.
#[derive(LogicBlock)]
struct Half {
    pub clock: Signal<In, Clock>,
    pub en: Signal<In, Bit>,
    pub x: Sig<In>,
    pub other: Sig<In>,
    pub y: Sig<Out>,
    pub spare: Sig<Out>,
    held: Reg,
    count: Reg,
}

impl Default for Half {
    fn default() -> Self {
        Half {
            clock: Default::default(),
            en: Default::default(),
            x: Sig::unsigned(4),
            other: Sig::unsigned(4),
            y: Sig::unsigned(4),
            spare: Sig::unsigned(4),
            held: Reg::with_reset(4, false, 9),
            count: Reg::unsigned(4),
        }
    }
}

impl Logic for Half {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, held, count);
        if self.en.val() {
            self.held.d.next = self.x.val();
            if self.x.val() == 3 {
                self.held.d.next = self.held.q.val() + 1;
            }
            self.count.d.next = self.count.q.val() + self.other.val();
        }
        self.y.next = self.held.q.val();
        self.spare.next = self.count.q.val();
    }
    named!();
}

/// Halves of which only the first may show what it has to spare.
#[derive(LogicBlock)]
struct Whole {
    pub clock: Signal<In, Clock>,
    pub en: Signal<In, Bit>,
    pub x: Sig<In>,
    pub y: Vec<Sig<Out>>,
    pub spare: Vec<Sig<Out>>,
    half: Vec<Half>,
    dead: Half,
}

impl Whole {
    fn new(spares: usize) -> Self {
        Whole {
            clock: Default::default(),
            en: Default::default(),
            x: Sig::unsigned(6),
            y: Sig::vec(2, 3, false),
            spare: Sig::vec(spares, 4, false),
            half: vec![Half::default(), Half::default()],
            dead: Half::default(),
        }
    }
}

impl Logic for Whole {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..2 {
            self.half[i].clock.next = self.clock.val();
            self.half[i].en.next = self.en.val();
            self.half[i].x.next = bits_of(self.x.val(), 4);
            self.half[i].other.next = bits_of(self.x.val() >> 1, 4);
            self.y[i].next = self.half[i].y.val();
        }
        self.dead.clock.next = self.clock.val();
        self.dead.en.next = self.en.val();
        self.dead.x.next = bits_of(self.x.val(), 4);
        self.dead.other.next = bits_of(self.x.val(), 4);
        for i in 0..self.spare.len() {
            self.spare[i].next = self.half[i].spare.val();
        }
    }
    named!();
}

#[test]
fn what_no_instance_needs_is_not_there() {
    let design = verilog("top", &mut Whole::new(0)).unwrap();
    let half = design.module("half").unwrap();
    let ports: Vec<&str> = half.ports.iter().map(|p| p.name.as_str()).collect();
    assert_eq!((ports, half.instances), (vec!["clock", "en", "x", "y"], 2));
    assert!(!half.body.contains("count") && !design.top().body.contains("dead"));
    insta::assert_snapshot!(design.text());
}

#[test]
fn what_one_instance_needs_is_there_and_the_other_says_that_it_does_not() {
    let design = verilog("top", &mut Whole::new(1)).unwrap();
    assert!(design.module("half").unwrap().body.contains("count_q"));
    let unused = design.top().body.lines().find(|l| l.contains("wire unused_bits")).unwrap();
    assert!(unused.contains("half_1_spare"), "{unused}");
}

#[test]
fn a_reset_reaches_every_register() {
    let style = Style { prefix: "my_", reset: true };
    let design = styled(style, "top", &mut Whole::new(0)).unwrap();
    insta::assert_snapshot!(design.module("my_half").unwrap());
}

#[test]
fn it_does_what_the_unit_does() {
    for spares in [0, 1] {
        let mut whole = Whole::new(spares);
        let (mut random, mut trace) = (Random::new(7), Trace::new());
        for _ in 0..200 {
            whole.en.next = random.bit();
            whole.x.set(random.wide());
            trace.cycle(&mut whole, |w, level| w.clock.next = level.into());
        }
        confirm(&mut whole, &trace);
    }
}
