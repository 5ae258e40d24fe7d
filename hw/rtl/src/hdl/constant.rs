//! Run-time constants that a kernel can name: [`Const`], [`Dim`] and [`Flag`].
//!
//! Kernels see configuration through fields, whose values are known at elaboration.
//!
//! | type | `val()` | use |
//! |---|---|---|
//! | `Const` | `Word` | a number of fixed width, becomes a named `localparam` |
//! | `Dim` | `usize` | loop bounds, index arithmetic, shift amounts, comparisons; becomes a literal |
//! | `Flag` | `bool` | `if self.has_x.val() { … }`: the branch not taken is not emitted |
use super::number_format::NumberFormat;
use super::sig::{descriptor, vcd};
use super::word::Word;
use rust_hdl::core::{constraint::PinConstraint, signal::get_signal_id};
use rust_hdl::prelude::*;

/// Type name of constants that are printed by name.
pub(crate) const CONST_TYPE: &str = "Const";
/// Type name of constants that are printed as their value.
pub(crate) const DIM_TYPE: &str = "Dim";

/// A `localparam` with a width and a sign chosen at run time.
#[derive(Clone, Debug)]
pub struct Const {
    val: Word,
    id: usize,
}

impl Const {
    /// The constant `v mod 2^bits`.
    ///
    /// # Panics
    /// Unless `1 ≤ bits ≤ 127`.
    pub fn new(v: i128, bits: usize, signed: bool) -> Self {
        Const { val: Word::new(v, bits, signed), id: get_signal_id() }
    }

    /// An unsigned constant.
    pub fn unsigned(v: i128, bits: usize) -> Self {
        Const::new(v, bits, false)
    }

    /// A two's complement constant.
    pub fn signed(v: i128, bits: usize) -> Self {
        Const::new(v, bits, true)
    }

    /// The value.
    pub fn val(&self) -> Word {
        self.val
    }

    fn word(&self) -> Word {
        self.val
    }
}

/// A size: usable as loop bound, in index arithmetic, in comparisons and as a shift amount.
#[derive(Clone, Debug)]
pub struct Dim {
    val: usize,
    id: usize,
}

impl Dim {
    /// The size `val`.
    pub fn new(val: usize) -> Self {
        Dim { val, id: get_signal_id() }
    }

    /// The value.
    pub fn val(&self) -> usize {
        self.val
    }

    fn word(&self) -> Word {
        self.val.into()
    }
}

/// A yes/no choice of the configuration.
#[derive(Clone, Debug)]
pub struct Flag {
    val: bool,
    id: usize,
}

impl Flag {
    /// The choice `val`.
    pub fn new(val: bool) -> Self {
        Flag { val, id: get_signal_id() }
    }

    /// The value.
    pub fn val(&self) -> bool {
        self.val
    }

    fn word(&self) -> Word {
        self.val.into()
    }
}

macro_rules! constant_block {
    ($t:ty, $name:expr) => {
        impl Atom for $t {
            fn bits(&self) -> usize {
                self.word().bits()
            }
            fn connected(&self) -> bool {
                true
            }
            fn changed(&self) -> bool {
                false
            }
            fn kind(&self) -> AtomKind {
                AtomKind::Constant
            }
            fn descriptor(&self) -> TypeDescriptor {
                let format: NumberFormat = self.word().format();
                descriptor($name, format)
            }
            fn vcd(&self) -> VCDValue {
                vcd(self.word())
            }
            fn id(&self) -> usize {
                self.id
            }
            fn verilog(&self) -> VerilogLiteral {
                self.word().pattern().into()
            }
            fn constraints(&self) -> Vec<PinConstraint> {
                vec![]
            }
        }
        impl Logic for $t {
            fn update(&mut self) {}
        }
        impl Block for $t {
            fn connect_all(&mut self) {}
            fn update_all(&mut self) {}
            fn has_changed(&self) -> bool {
                false
            }
            fn accept(&self, name: &str, probe: &mut dyn Probe) {
                probe.visit_atom(name, self);
            }
        }
    };
}
constant_block!(Const, CONST_TYPE);
constant_block!(Dim, DIM_TYPE);
constant_block!(Flag, DIM_TYPE);
