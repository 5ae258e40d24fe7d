//! What can be wrong with a unit.
use thiserror::Error;

/// Why a unit has no Verilog. `path` is the instance (`top.row[3].pe[0]`), signals are fields of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ElabError {
    /// The name of the top module is not a Verilog identifier.
    #[error("`{name}` cannot be a module's name: letters, digits and `_`, no keyword")]
    ModuleName {
        /// The name asked for.
        name: String,
    },
    /// Nothing assigns a signal that should be driven. Also the symptom of a kernel without
    /// `#[hdl_gen]`.
    #[error("{path}: nothing drives `{signal}` (is `#[hdl_gen]` missing?)")]
    Undriven {
        /// Instance.
        path: String,
        /// Signal.
        signal: String,
    },
    /// A kernel assigns one of its own inputs, an output of a child, or a constant.
    #[error("{path}: the kernel assigns `{signal}`, which is driven elsewhere")]
    DrivenTwice {
        /// Instance.
        path: String,
        /// Signal.
        signal: String,
    },
    /// Some path through the kernel leaves a signal without a value.
    #[error("{path}: `{signal}` is not assigned on every path, which makes a latch: give it a default first")]
    Latch {
        /// Instance.
        path: String,
        /// Signal.
        signal: String,
    },
    /// A local or an output is read at a point where it need not have been assigned yet.
    #[error("{path}: `{signal}` is read before it is assigned")]
    ReadBeforeWrite {
        /// Instance.
        path: String,
        /// Signal.
        signal: String,
    },
    /// Signals depend on each other without a register between them.
    #[error("{path}: combinational loop through {}", .signals.join(", "))]
    CombinationalLoop {
        /// Instance.
        path: String,
        /// The signals of the loop.
        signals: Vec<String>,
    },
    /// A kernel mentions something that is neither a signal, a constant, an enum value nor a loop
    /// variable; for example a plain `_field` where its value has to be printed.
    #[error(
        "{path}: `{name}` is not a signal, constant or loop variable (configuration that is printed must be a Dim, Flag or Const)"
    )]
    UnknownName {
        /// Instance.
        path: String,
        /// The name.
        name: String,
    },
    /// An index that cannot be computed at elaboration.
    #[error("{path}: cannot evaluate the index of `{name}`: {reason}")]
    Index {
        /// Instance.
        path: String,
        /// The indexed expression.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A native rust_hdl number, whose arithmetic wraps where ours is exact.
    #[error("{path}: `{signal}` is a {kind}: use Sig (Bit, Clock and enums may stay)")]
    NativeType {
        /// Instance.
        path: String,
        /// Signal.
        signal: String,
        /// Its type.
        kind: String,
    },
    /// A construct without a translation.
    #[error("{path}: {what} cannot be translated")]
    Unsupported {
        /// Instance.
        path: String,
        /// The construct.
        what: String,
    },
}
