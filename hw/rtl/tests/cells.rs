//! Every leaf cell: its Rust model against its Verilog.
mod common;
use common::{Random, confirm};
use rust_hdl::prelude::*;
use tandem_rtl::hdl::prelude::*;
use tandem_rtl::hdl::trace::Trace;
use tandem_rtl::named;

#[derive(LogicBlock)]
struct Registers {
    pub clock: Signal<In, Clock>,
    pub en: Signal<In, Bit>,
    pub x: Sig<In>,
    pub a: Sig<Out>,
    pub b: Sig<Out>,
    pub c: Signal<Out, Bit>,
    always: Reg,
    enabled: RegEn,
    flag: DFF<Bit>,
}

impl Registers {
    fn new(bits: usize, signed: bool) -> Self {
        Registers {
            clock: Default::default(),
            en: Default::default(),
            x: Sig::new(bits, signed),
            a: Sig::new(bits, signed),
            b: Sig::new(bits, signed),
            c: Default::default(),
            always: Reg::with_reset(bits, signed, 3),
            enabled: RegEn::with_reset(bits, signed, -2),
            flag: Default::default(),
        }
    }
}

impl Logic for Registers {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, always, enabled, flag);
        self.always.d.next = self.x.val();
        self.enabled.en.next = self.en.val();
        self.enabled.d.next = self.x.val() + 1;
        self.flag.d.next = self.en.val();
        self.a.next = self.always.q.val();
        self.b.next = self.enabled.q.val();
        self.c.next = self.flag.q.val();
    }
    named!();
}

#[test]
fn registers() {
    for (bits, signed) in [(1, false), (5, true), (64, false), (100, true)] {
        let (mut u, mut r, mut t) = (Registers::new(bits, signed), Random::new(1), Trace::new());
        for _ in 0..50 {
            u.x.set(r.wide());
            u.en.next = r.bit();
            t.cycle(&mut u, |u, c| u.clock.next = c.into());
        }
        println!("{}", confirm(&mut u, &t));
    }
}

/// Two products that share a factor, and a stage, in both depths.
#[derive(LogicBlock)]
struct Products {
    pub clock: Signal<In, Clock>,
    pub a: Vec<Sig<In>>,
    pub b: Sig<In>,
    pub y: Vec<Sig<Out>>,
    pub b_late: Sig<Out>,
    product: Vec<Product>,
    stage: Vec<Stage>,
}

impl Products {
    fn new(deep: bool) -> Self {
        Products {
            clock: Default::default(),
            a: Sig::vec(2, 5, true),
            b: Sig::signed(4),
            y: Sig::vec(2, 9, true),
            b_late: Sig::signed(4),
            product: vec![Product::new(2, 5, 4, 0, deep)],
            stage: vec![Stage::new(deep, 4, true)],
        }
    }
}

impl Logic for Products {
    #[hdl_gen]
    fn update(&mut self) {
        self.product[0].clock.next = self.clock.val();
        self.stage[0].clock.next = self.clock.val();
        self.product[0].b.next = self.b.val();
        self.stage[0].d.next = self.b.val();
        self.b_late.next = self.stage[0].q.val();
        for i in 0..2 {
            self.product[0].a[i].next = self.a[i].val();
            self.y[i].next = self.product[0].y[i].val();
        }
    }
    named!();
}

#[test]
fn products_and_stages() {
    for deep in [false, true] {
        let (mut u, mut r, mut t) = (Products::new(deep), Random::new(2), Trace::new());
        let mut before = [0; 2];
        for _ in 0..200 {
            u.a.iter_mut().chain([&mut u.b]).for_each(|x| x.set(r.wide()));
            t.cycle(&mut u, |u, c| u.clock.next = c.into());
            let (b, now) = (u.b.val().get(), [0, 1].map(|i| u.a[i].val().get() * u.b.val().get()));
            // a deep cell has taken the operands with this edge and shows the product of those before
            let expected = if deep { before } else { now };
            assert_eq!([0, 1].map(|i| u.y[i].val().get()), expected);
            assert_eq!(u.b_late.val().get(), b);
            before = now;
        }
        println!("{}", confirm(&mut u, &t));
    }
}

/// Lanes moved up.
#[derive(LogicBlock)]
struct Moved {
    pub clock: Signal<In, Clock>,
    pub sel: Sig<In>,
    pub x: Vec<Sig<In>>,
    pub y: Vec<Sig<Out>>,
    shift: ShiftLanes,
    lanes: Dim,
}

impl Moved {
    fn new(lanes: usize, bits: usize, choices: usize) -> Self {
        let shift = ShiftLanes::new(lanes, bits, choices);
        Moved {
            clock: Default::default(),
            sel: Sig::unsigned(shift.sel.bits()),
            x: Sig::vec(lanes, bits, false),
            y: Sig::vec(shift.y.len(), bits, false),
            shift,
            lanes: Dim::new(lanes),
        }
    }
}

impl Logic for Moved {
    #[hdl_gen]
    fn update(&mut self) {
        self.shift.sel.next = self.sel.val();
        for i in 0..self.lanes.val() {
            self.shift.x[i].next = self.x[i].val();
        }
        for i in 0..self.y.len() {
            self.y[i].next = self.shift.y[i].val();
        }
    }
    named!();
}

#[test]
fn lanes_move_up() {
    for (lanes, bits, choices) in [(1, 1, 1), (5, 4, 2), (8, 4, 8), (3, 7, 16), (40, 4, 32)] {
        let (mut u, mut r, mut t) = (Moved::new(lanes, bits, choices), Random::new(3), Trace::new());
        for _ in 0..60 {
            u.x.iter_mut().for_each(|x| x.set(r.wide()));
            let by = r.below(choices);
            u.sel.set(by as i128);
            t.cycle(&mut u, |u, c| u.clock.next = c.into());
            for (i, y) in u.y.iter().enumerate() {
                let from = i.checked_sub(by).and_then(|i| u.x.get(i));
                assert_eq!(y.val().get(), from.map_or(0, |x| x.val().get()));
            }
        }
        println!("{}", confirm(&mut u, &t));
    }
}
