//! `Sig<D>`: the run-time-width counterpart of rust_hdl's `Signal<D, T>`.
//!
//! `Signal` takes its width from the associated constant `T::BITS`. Elaboration, however, looks at
//! signals only through the object-safe trait `Atom`, whose `bits()` is a *method*. So a signal
//! type that keeps its width in a field is a full citizen of `#[derive(LogicBlock)]`, `#[hdl_gen]`,
//! `simulate` and of our Verilog back end.
use super::number_format::NumberFormat;
use super::word::Word;
use rust_hdl::core::{constraint::PinConstraint, signal::get_signal_id};
use rust_hdl::prelude::*;
use std::marker::PhantomData;

/// Type name that [`Sig`] reports; the back end refuses native `Bits<N>` and `Signed<N>` signals.
pub(crate) const SIG_TYPE: &str = "Sig";

/// A signal of `1 ≤ bits ≤ 127` bits, signed or not, direction `D` (`In`, `Out` or `Local`).
///
/// # Numeric
/// Assigning an exact [`Word`] to `next` keeps its low bits and reads them with the signal's sign.
#[derive(Clone, Debug)]
pub struct Sig<D: Direction> {
    /// What a kernel assigns.
    pub next: Word,
    val: Word,
    format: NumberFormat,
    changed: bool,
    claimed: bool,
    id: usize,
    dir: PhantomData<D>,
}

impl<D: Direction> Sig<D> {
    /// A signal of `bits` bits, in two's complement if `signed`.
    ///
    /// # Panics
    /// Unless `1 ≤ bits ≤ 127`.
    pub fn new(bits: usize, signed: bool) -> Self {
        let zero = Word::new(0, bits, signed);
        Sig {
            next: zero,
            val: zero,
            format: zero.format(),
            changed: false,
            claimed: false,
            id: get_signal_id(),
            dir: PhantomData,
        }
    }

    /// An unsigned signal.
    pub fn unsigned(bits: usize) -> Self {
        Sig::new(bits, false)
    }

    /// A two's complement signal.
    pub fn signed(bits: usize) -> Self {
        Sig::new(bits, true)
    }

    /// `n` signals of the same format.
    pub fn vec(n: usize, bits: usize, signed: bool) -> Vec<Self> {
        (0..n).map(|_| Sig::new(bits, signed)).collect()
    }

    /// Bits and sign.
    pub fn format(&self) -> NumberFormat {
        self.format
    }

    /// Assigns an integer from outside a kernel (test benches, cell models).
    pub fn set(&mut self, v: i128) {
        self.next = Word::in_format(v, self.format);
    }

    fn driven(&self) -> Word {
        Word::in_format(self.next.get(), self.format)
    }
}

impl Sig<In> {
    /// The settled value.
    pub fn val(&self) -> Word {
        self.val
    }
}

impl Sig<Out> {
    /// What has been assigned so far.
    pub fn val(&self) -> Word {
        self.driven()
    }
}

impl Sig<Local> {
    /// What has been assigned so far.
    pub fn val(&self) -> Word {
        self.driven()
    }
}

impl<D: Direction> Atom for Sig<D> {
    fn bits(&self) -> usize {
        self.format.bits as usize
    }
    fn connected(&self) -> bool {
        self.claimed
    }
    fn changed(&self) -> bool {
        self.changed
    }
    fn kind(&self) -> AtomKind {
        D::KIND
    }
    fn descriptor(&self) -> TypeDescriptor {
        descriptor(SIG_TYPE, self.format)
    }
    fn vcd(&self) -> VCDValue {
        vcd(self.val)
    }
    fn id(&self) -> usize {
        self.id
    }
    fn verilog(&self) -> VerilogLiteral {
        self.val.pattern().into()
    }
    fn constraints(&self) -> Vec<PinConstraint> {
        vec![]
    }
}

impl<D: Direction> Logic for Sig<D> {
    fn update(&mut self) {}
    fn connect(&mut self) {
        self.claimed = true;
    }
}

impl<D: Direction> Block for Sig<D> {
    fn connect_all(&mut self) {}
    fn update_all(&mut self) {
        let next = self.driven();
        self.changed = next != self.val;
        self.val = next;
    }
    fn has_changed(&self) -> bool {
        self.changed
    }
    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        probe.visit_atom(name, self);
    }
}

pub(super) fn descriptor(name: &str, format: NumberFormat) -> TypeDescriptor {
    let bits = format.bits as usize;
    let kind = if format.signed { TypeKind::Signed(bits) } else { TypeKind::Bits(bits) };
    TypeDescriptor { name: name.into(), kind }
}

pub(super) fn vcd(w: Word) -> VCDValue {
    VCDValue::Vector((0..w.bits()).rev().map(|i| w.get_bit(i).into()).collect())
}
