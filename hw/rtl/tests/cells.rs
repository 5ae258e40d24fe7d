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
