//! rust_hdl units → Verilog.
//!
//! ```text
//! Block ──Probe──▶ elab   one Open a unit: signals, children, kernel AST
//!                   │lower    loops unrolled, indices evaluated, names resolved     → ir
//!                   │groups   latches and loops found, kernel split into processes
//!                   │expr     every expression printed with explicit widths
//!                   ▼print    ports, declarations, processes, instances
//!                 one module for all units that print alike
//!                   │live     what reaches an output of the top module
//!                   ▼prune    the rest is dropped, ports of modules too, and what stays printed ─▶ Design
//! ```
//! The front end (`#[hdl_gen]`, elaboration, simulation) is rust_hdl's. Its own printer is not used:
//! it gives every instance a module, prints operators without parentheses, lets Verilog's implicit
//! widening decide, expands only the first index of `row[i].w[j]`, and puts a whole kernel into one
//! process.
//!
//! The output is Verilog-2005, the same for the same unit, clean under `verilator -Wall`, Icarus and
//! Yosys. Bits that a module has and does not read are listed in its wire `unused_bits`.
mod elab;
mod error;
mod expr;
mod fold;
mod groups;
mod ir;
mod live;
mod lower;
mod plan;
mod print;
mod process;
mod prune;
mod text;

pub use error::ElabError;
pub(super) use lower::literal_value;

use super::design::Design;
use rust_hdl::prelude::Block;

/// What a design has beyond what its units say.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style<'a> {
    /// What the names of all modules begin with, so that two designs can be compiled into one.
    pub prefix: &'a str,
    /// Whether there is an input `reset` that sets registers to their initial values.
    pub reset: bool,
}

/// Checks a unit and describes it in Verilog; the top module is called `name`.
///
/// # Errors
/// The first [`ElabError`] found, children before parents.
///
/// # Panics
/// If rust_hdl's AST breaks its own rules, or an exact constant leaves the range of `i128`.
pub fn verilog<U: Block>(name: &str, top: &mut U) -> Result<Design, ElabError> {
    styled(Style::default(), name, top)
}

/// The same in a certain style; the top module is called `prefix` and `name`.
///
/// # Errors
/// As [`verilog`]; also a prefix with which no identifier can begin, or a signal called `reset` beside the one that `style` asks for.
///
/// # Panics
/// As [`verilog`].
pub fn styled<U: Block>(style: Style, name: &str, top: &mut U) -> Result<Design, ElabError> {
    let mut elab = elab::Elab::new(style, name)?;
    top.connect_all();
    top.accept(name, &mut elab);
    elab.design()
}
