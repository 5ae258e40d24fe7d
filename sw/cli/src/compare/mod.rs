//! Comparisons: one experiment in many variants, with several seeds.
//!
//! ```text
//! table (TOML) ─► cells: experiment + what differs ─► variants, trained once each ─► means ─► text, chart
//! ```
//!
//! ```toml
//! name = "pruning"
//! experiment = "../experiments/mnist-lenet5-dense.toml"   # relative to the table
//! seeds = [1, 2, 3]
//! against = "random"                                      # the row that the others are compared with
//!
//! [set]                                                   # differs from the experiment everywhere
//! train.epochs = 2
//!
//! [[column]]
//! name = "75 %"
//! set.pruning.pattern = "transposable 1:4"
//!
//! [[row]]
//! name = "random"
//! set.pruning.method = "random"
//!
//! [[row]]
//! name = "gmp"
//! set.pruning.method = "gmp"
//! at."75 %".pruning.end = 0.4                             # in one column only
//! ```
//!
//! A cell is a row in a column with a seed; the experiment itself is one more, the `reference` ("dense"), that
//! cycles are measured by. Later settings win: experiment, `[set]`, column, row, `at`, command line. The reference
//! takes those of `[set]` and the command line, but no table that the experiment lacks, such as `[pruning]`.

mod chart;
mod means;
mod table;
mod text;

pub use chart::chart;
pub use means::{Line, Means};
pub use table::{Cell, Comparison};
pub use text::{markdown, text};
