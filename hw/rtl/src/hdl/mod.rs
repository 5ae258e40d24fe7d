//! The layer on which units are written: rust_hdl with widths and sizes chosen at run time.
//!
//! rust_hdl 0.46 supplies `#[derive(LogicBlock)]`, `#[hdl_gen]`, elaboration and a simulator. This
//! module supplies what it lacks: signals whose width is a field ([`sig`]), exact arithmetic on them
//! ([`word`]), run-time constants ([`constant`]), leaf cells ([`cells`]), units whose fields are declared once
//! ([`mod@unit`]), interfaces that are one type ([`wire`]), a Verilog back end ([`mod@verilog`]) and a check of
//! one against the other ([`trace`]). rust_hdl is frozen upstream;
//! nothing outside this module depends on its printer or its checks.
//!
//! # An example with everything
//! ```
//! use rust_hdl::prelude::*; // mandatory: the macros name its modules
//! use tandem_rtl::hdl::prelude::*; // inside this crate: `crate::hdl::prelude::*`
//!
//! bundle! {
//!     /// Two operands and what to do with them.
//!     struct Operands<D>(digit: usize) {
//!         /// Take them.
//!         en: Signal<D, Bit>,
//!         /// They start a sum.
//!         first: Signal<D, Bit>,
//!         /// One.
//!         w: Sig<D> = Sig::signed(digit),
//!         /// The other.
//!         x: Sig<D> = Sig::signed(digit),
//!     }
//! }
//!
//! unit! {
//!     /// acc ← acc + w·x while enabled; cleared by `first`.
//!     struct Mac(digit: usize) {
//!         clock, // reaches the registers by itself
//!         pub operands: Operands<In> = Operands::new(digit),
//!         pub acc: Sig<Out> = Sig::signed(32),
//!         sum: RegEn = RegEn::signed(32),
//!     }
//! }
//!
//! impl Logic for Mac {
//!     #[hdl_gen]
//!     fn update(&mut self) {
//!         self.sum.en.next = self.operands.en.val();
//!         self.sum.d.next = self.sum.q.val() + self.operands.w.val() * self.operands.x.val();
//!         if self.operands.first.val() {
//!             self.sum.d.next = self.operands.w.val() * self.operands.x.val();
//!         }
//!         self.acc.next = self.sum.q.val();
//!     }
//!     named!(); // the module is called `mac`
//! }
//!
//! #[derive(Copy, Clone, PartialEq, Debug, LogicState)]
//! enum State {
//!     Idle,
//!     Run,
//!     Done,
//! }
//!
//! unit! {
//!     /// `rows × cols` macs that take `steps` products.
//!     struct Grid(rows: usize, cols: usize, digit: usize, saturate: bool) {
//!         let macs = rows * cols;
//!
//!         clock,
//!         pub start: Signal<In, Bit>,
//!         pub steps: Sig<In> = Sig::unsigned(8),
//!         pub x: Vec<Sig<In>> = Sig::vec(rows, digit, true),
//!         pub w: Vec<Sig<In>> = Sig::vec(cols, digit, true),
//!         pub sel: Sig<In> = Sig::unsigned(index_bits(macs)),
//!         pub acc: Sig<Out> = Sig::signed(32),
//!         pub busy: Signal<Out, Bit>,
//!         pub zeros: Sig<Out> = Sig::unsigned(bits_for(rows)),
//!         operands: Vec<Operands<Local>> = (0..macs).map(|_| Operands::new(digit)).collect(),
//!         mac: Vec<Mac> = (0..macs).map(|_| Mac::new(digit)).collect(),
//!         state: DFF<State>,                 // an enum in a register
//!         fresh: DFF<Bit>,                   // a Bit in a register
//!         left: Reg = Reg::unsigned(8),      // a number in a register
//!         idle: Vec<Signal<Local, Bit>> = wire::bits(rows),
//!         idle_rows: Sig<Local> = Sig::unsigned(bits_for(rows)),
//!         longest: Const = Const::unsigned(100, 8), // a localparam
//!         rows: Dim = Dim::new(rows),        // a size
//!         cols: Dim = Dim::new(cols),
//!         saturate: Flag = Flag::new(saturate), // a choice: the other branch is not emitted
//!     }
//! }
//!
//! impl Logic for Grid {
//!     #[hdl_gen]
//!     fn update(&mut self) {
//!         self.busy.next = self.state.q.val() != State::Idle;
//!         self.fresh.d.next = false;
//!         match self.state.q.val() {
//!             State::Idle => {
//!                 if self.start.val() && self.steps.val() != 0 {
//!                     self.state.d.next = State::Run;
//!                     self.fresh.d.next = true;
//!                     self.left.d.next = self.steps.val();
//!                     if self.saturate.val() {
//!                         if self.steps.val() > self.longest.val() {
//!                             self.left.d.next = self.longest.val();
//!                         }
//!                     }
//!                 }
//!             }
//!             State::Run => {
//!                 self.left.d.next = self.left.q.val() - 1;
//!                 if self.left.q.val() == 1 {
//!                     self.state.d.next = State::Done;
//!                 }
//!             }
//!             State::Done => {
//!                 self.state.d.next = State::Idle;
//!             }
//!         }
//!         self.idle_rows.next = 0.into(); // a default, then a sum in a loop
//!         for i in 0..self.rows.val() {
//!             self.idle[i].next = !self.x[i].val().any();
//!             self.idle_rows.next = self.idle_rows.val() + self.idle[i].val();
//!         }
//!         self.zeros.next = self.idle_rows.val();
//!         self.acc.next = 0.into(); // a multiplexer: default, then the chosen one
//!         for i in 0..self.rows.val() {
//!             for j in 0..self.cols.val() {
//!                 self.operands[i * self.cols.val() + j].en.next =
//!                     (self.state.q.val() == State::Run) & !self.idle[i].val();
//!                 self.operands[i * self.cols.val() + j].first.next = self.fresh.q.val();
//!                 self.operands[i * self.cols.val() + j].x.next = self.x[i].val();
//!                 self.operands[i * self.cols.val() + j].w.next = self.w[j].val();
//!                 wire::join_all(
//!                     &mut self.operands[i * self.cols.val() + j],
//!                     &mut self.mac[i * self.cols.val() + j].operands,
//!                 );
//!                 if self.sel.val() == i * self.cols.val() + j {
//!                     self.acc.next = self.mac[i * self.cols.val() + j].acc.val();
//!                 }
//!             }
//!         }
//!     }
//!     named!();
//! }
//!
//! let mut grid = Grid::new(2, 3, 4, true);
//! let design = tandem_rtl::hdl::verilog("grid", &mut grid).unwrap();
//! assert_eq!(design.module("mac").unwrap().instances, 6);
//!
//! // the simulator and Icarus agree
//! let mut trace = tandem_rtl::hdl::trace::Trace::new();
//! for t in 0..40i128 {
//!     grid.start.next = t % 9 == 0;
//!     grid.steps.set(t % 7);
//!     grid.x.iter_mut().chain(&mut grid.w).for_each(|s| s.set(t * 5 % 16));
//!     grid.sel.set(t % 6);
//!     trace.cycle(&mut grid, |g, level| g.clock.next = level.into());
//! }
//! let dir = tempfile::tempdir().unwrap();
//! trace.check("grid", &design.text(), dir.path()).unwrap();
//! ```
//!
//! # What a kernel may say
//! A kernel is the body of `update` under `#[hdl_gen]`. It is compiled twice: by rustc, and by a
//! macro that sees only its text. Hence the restrictions.
//!
//! **Statements**
//!
//! | write | notes |
//! |---|---|
//! | `self.y.next = …;` `self.y[i].next = …;` `self.child[i].x[j].next = …;` | the only assignment; no `+=` |
//! | `if c { } else if d { } else { }` | as a statement; there is no `if` expression |
//! | `match self.state.q.val() { State::A => { } _ => { } }` | on enums only; `State::A` written just so, one path segment |
//! | `for i in 0..n { }` | `n` a literal, `self.dim.val()`, `self.v.len()`; not another loop's variable (write `if j < i { }` inside) |
//! | `wire::join_all(&mut self.a, &mut self.child.b);` | all wires of a bundle, a signal, or a `Vec` of either: from where values come to where they go; `back` wires run the other way. Not for two elements of one `Vec` |
//!
//! Neither `let` nor closures, blocks, functions of your own or comparisons chained by iterators.
//! **Defaults first**: later assignments override earlier ones, and a signal must have a value on every
//! path (else `ElabError::Latch`); a [`Reg`](cells::Reg) or `DFF` without one keeps what it has. A `Local`
//! or an `Out` may be read after it has been assigned, as a variable; reading a child's input gives its
//! final value.
//!
//! **Numbers** are exact integers ([`word`]): nothing wraps before it reaches a signal, signed and
//! unsigned mix, comparisons mean what they say.
//!
//! | write | gives |
//! |---|---|
//! | `self.x.val()` | the number in a `Sig` |
//! | `3`, `i`, `self.dim.val()` beside a number | the same, as a constant; a negative or wide one is a `Const` |
//! | `0.into()`, `i.into()`, `self.bit.val().into()` | on the right of `next` of a `Sig`, where no number stands beside it |
//! | `a + b` `a - b` `a * b` `-a` | exact; also `a + bit` |
//! | `a & b` `a \| b` `a ^ b` | two's complement, sign or zero extended |
//! | `!a` | of a number: its own bits inverted |
//! | `a << 2` `a >> 2` | times and floor-divided by 4; the amount a literal, loop variable or `Dim` |
//! | `a >> b` | floor-divided by `2^b`, `b` an unsigned number |
//! | `bits_of(a, w)` | the low `w` bits, unsigned; `w` may use `self` but neither loop variables nor may `a` |
//! | `signed_cast_of(a)` `unsigned_cast_of(a)` | the same bits, other sign; `a` best a plain `val()` |
//! | `a.any()` `a.all()` `a.xor()` | OR, AND, XOR of the bits, a `bool` |
//! | `a.get_bit(3)` `a.get_bit(i)` | a bit, a `bool`; constant positions only (else `(a >> b).get_bit(0)`) |
//! | `a == b` `!=` `<` `<=` `>` `>=` | a `bool` |
//! | a field of a word | assign `a >> lo` to a signal of the field's width |
//! | `hi * 256 + lo`, `(hi << 8) \| lo` | a concatenation; or [`Concat`](cells::Concat) |
//!
//! **Truth values** are `bool`: `Signal<_, Bit>`, comparisons, `any()`. Combine them with `&`, `|`, `^`, `!`,
//! `&&`, `||`, `==`.
//!
//! | want | write |
//! |---|---|
//! | a `Bit` with a 1-bit `Sig` | `self.bit.val() & self.sig.val().any()` |
//! | a `Bit` from a 1-bit `Sig` | `self.bit.next = self.sig.val().any();` |
//! | a `Sig` from a `Bit` | `self.sig.next = self.bit.val().into();` |
//! | count a `Bit` | `self.n.d.next = self.n.q.val() + self.bit.val();` |
//! | a `Bit` in a register | `DFF<Bit>`; with enable: a 1-bit `RegEn` |
//! | a constant of run-time width | a `Const` field |
//! | a choice without `?:` | `self.y.next = a; if c { self.y.next = b; }`, or [`Mux`](cells::Mux) |
//! | an element by run-time index | a loop with `if self.sel.val() == i { … }`, or [`Mux`](cells::Mux) |
//! | a neighbour in a chain | `if i > 0 { … self.pe[i - 1] … }`: conditions on constants are decided at elaboration |
//! | one of two designs | `if self.flag.val() { … }`, likewise |
//!
//! In an `if` that is decided at elaboration, the branch not taken may mention elements that do not exist,
//! except on the left of an assignment.
//!
//! **Indices** in `[…]` may use `+ - * / %`, parentheses, literals, loop variables and `self.dim.val()`.
//!
//! # Units and bundles
//! [`unit!`](crate::unit) declares a unit's fields with their initial values. What it declares with `clock,` clocks its
//! children by itself.
//! [`bundle!`](crate::bundle) declares an interface: what two neighbours say to each other, each wire with one name. A
//! unit holds it as `Words<In>` or `Words<Out>`, or as `Words<Local>`, which is a group of variables: its wires have values
//! once they are assigned, so that it has no use for `back` wires that depend on the others.
//!
//! # Fields
//! - `Sig<In | Out | Local>`, `Signal<_, Bit>`, enums with `LogicState`, bundles, children, `Const`, `Dim`, `Flag`, and
//!   `Vec`s of all these. Native `Bits<N>` and `Signed<N>` are refused.
//! - Not usable as names: `reg wire config module edge disable input output`, `reset` (the back end adds an input of that
//!   name where a [`Style`] asks for it) and Rust's keywords. Other Verilog keywords are renamed (`end` → `end_2`). `in_` is a bundle whose wires are `in_valid`, `in_data` …
//! - `pe[3].acc` is `pe_3_acc` in Verilog, a port `data[0]` is `data_0`.
//! - A unit's module is named by [`named!`](crate::named) after its type, or with
//!   `named!(self => "fft_{}", self.n.val())` as it says.
//! - A cell that is written by hand derives `LogicBlock` and implements [`Field`](unit::Field).
//!
//! # What goes wrong, and how it shows
//! | mistake | symptom |
//! |---|---|
//! | no `#[hdl_gen]`, a forgotten input of a child | `ElabError::Undriven` |
//! | `let`, `+=`, `as`, an unknown method or macro | a compile error with a dump of syntax and "missing: update" |
//! | no `use rust_hdl::prelude::*` | a compile error about `ast`, `logic` or `block` |
//! | a loop variable in a bound or in `bits_of(…)` | "cannot find value `i`" |
//! | two bundles that differ in a join | a compile error, or `ElabError::Unsupported` if their `Vec`s do |
//! | a cycle without a register | `ElabError::CombinationalLoop`; in simulation "does not settle" |
//! | an exact result beyond 127 bits | a panic in simulation |
pub mod cells;
pub mod constant;
pub mod design;
pub mod docs;
pub mod names;
pub mod number_format;
pub mod sig;
pub mod trace;
pub mod unit;
pub mod verilog;
pub mod wire;
pub mod word;

pub use constant::{Const, Dim, Flag};
pub use design::{Design, Module};
pub use verilog::{ElabError, Style, styled, verilog};

/// Everything a unit's file needs, beside `rust_hdl::prelude::*`.
pub mod prelude {
    pub use super::cells::{
        Accumulate, Asr, Concat, Fifo, Mux, Product, Ram, Reg, RegEn, RegFile, Rom, ShiftLanes, ShiftLeft,
        SignExtend, Slice, Stage, Unpack, XorReduce,
    };
    pub use super::constant::{Const, Dim, Flag};
    pub use super::number_format::{NumberFormat, bits_for, index_bits};
    pub use super::sig::Sig;
    pub use super::wire::{self, Side};
    pub use super::word::{Word, bits_of, signed_cast_of, unsigned_cast_of};
    pub use crate::{bundle, named, unit};
}
