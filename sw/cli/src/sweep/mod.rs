//! Sweeps: the points of several axes, their cycles first, then the training of those that can matter.
//!
//! ```text
//! sweep (TOML) ─► points: axes, sample, `require` ─ cycle model ─► costs ─ `[budget]`, dominated ─► what is trained, if anything
//!                                                                                                        │
//! results.csv, summary.json, front.svg, report.html ◄── fronts ◄── outcomes, a JSON file each (kept for what made them) ◄┘
//! ```
//!
//! ```toml
//! name = "digits"
//! experiment = "../experiments/digits-mlp.toml"   # relative to the sweep; or topology = "../topologies/resnet20.csv"
//! train = true                                    # or only cycles; a topology has no others
//! seeds = [1, 2]
//! float = true                                    # the float reference beside them
//! require = ["{weights} <= {activations}"]        # between axes with numbers; others are not points
//! sample = { points = 100, seed = 1 }             # of all points, drawn at random
//! check = { points = 2, steps = 3 }               # trained points whose first steps are simulated
//! halving = { epochs = [1, 3], keep = 0.5 }       # after one epoch half of the points go on, after three a quarter
//!
//! [set]                                           # differs from the experiment everywhere
//! train.epochs = 2
//!
//! [budget]                                        # what costs more is not trained
//! training_cycles = 2e8
//!
//! [[axis]]
//! name = "weights"
//! key = "bits.weights"                            # of the experiment, or accelerator.array.rows
//! values = [2, 3, 4, 8]                           # or range = { from = 2, to = 8, step = 2 }, or times = 2
//!
//! [[axis]]
//! name = "pruning"
//! choices = [{ name = "dense" }, { name = "1:4", set.pruning = { method = "random", pattern = "1:4" } }]
//! ```
//! Later settings win: experiment, `[set]`, axes in their order, command line. Points that come to the same experiment and
//! accelerator are one. A point's name (`ID`) is made from both, so it says which result belongs to it.

mod axis;
mod chart;
mod clock;
mod cost;
mod file;
mod front;
mod halving;
mod measure;
mod network;
mod point;
mod report;
mod require;
mod results;
mod silicon;
mod slurm;

pub use chart::chart;
pub use cost::{Cost, Images, Product, costs, prune};
pub use file::Sweep;
pub use halving::Halving;
pub use point::{Point, Skipped};
pub use report::{Detail, page};
pub use results::{Group, Line, Results};
pub use slurm::{Limits, Slurm};
