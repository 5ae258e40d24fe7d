//! Scores: how much each weight matters.
//!
//! A new score is one file here, one `mod` line and one line in [`SCORES`]:
//!
//! ```
//! use ndarray::Array2;
//! use tandem_nn::prune::probe::ProbeError;
//! use tandem_nn::prune::scores::{Score, ScoreContext, ScoreKind};
//!
//! /// This score under its name.
//! pub const KIND: ScoreKind = ScoreKind { name: "taylor", score: &Taylor, rounds: 1 };
//!
//! /// (w·∂L/∂w)², the squared change of the loss to first order.
//! struct Taylor;
//!
//! impl Score for Taylor {
//!     fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError> {
//!         let gradient = context.gradient()?;
//!         let pairs = context.weights().iter().zip(&gradient);
//!         Ok(pairs.map(|(w, g)| (w * g).mapv(|x| x * x)).collect())
//!     }
//! }
//! # use tandem_nn::{config::{Document, Experiment}, network::Network, tensor::Shape};
//! # let text = "name = \"t\"\ndata = { set = \"digits\", batch = 2 }\n\
//! #     train = { epochs = 1, optimizer = \"sgd\", lr = 0.1, schedule = \"constant\" }\n\
//! #     bits = { weights = 4, activations = 4, gradients = 8 }\nlayer = [{ type = \"linear\", outputs = 2 }]";
//! # let plan = Experiment::parse(Document::new("t.toml", text))?.plan(Shape::flat(3), 2)?;
//! # let mut network = Network::new(plan, 1);
//!
//! let batch = (Array2::ones((2, 3)), vec![0, 1]);
//! let mut batches = || vec![batch.clone()];
//! let mut context = ScoreContext::new(&mut network, &mut batches, 1, 0);
//! let scores = KIND.score.score(&mut context)?;
//! assert!(scores[0].iter().all(|s| *s >= 0.0));
//! assert_eq!(context.passes().batches.backward, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod bands;
mod context;
pub mod energy;
pub mod force;
pub mod grasp;
pub mod lamp;
pub mod magnitude;
pub mod random;
pub mod snip;
mod source;
pub mod synflow;
pub mod wanda;

pub(crate) use context::uniform;
pub use context::{Batch, Correlation, Passes, ScoreContext, ScoringPasses};
pub use source::{Source, Work};

use super::probe::ProbeError;
use ndarray::Array2;

/// All scores.
pub const SCORES: &[ScoreKind] = &[
    random::KIND,
    magnitude::KIND,
    lamp::KIND,
    snip::KIND,
    grasp::KIND,
    synflow::KIND,
    force::KIND,
    bands::KIND,
    energy::KIND,
    wanda::KIND,
];

/// How much each weight matters: the largest are kept.
pub trait Score: Sync {
    /// A score for each weight of each prunable tensor.
    ///
    /// # Shape    as [`ScoreContext::weights`]
    /// # Errors   a layer that cannot be probed
    fn score(&self, context: &mut ScoreContext<'_>) -> Result<Vec<Array2<f64>>, ProbeError>;

    /// Whether it only tells frequencies apart, and so scores no weights in space.
    fn needs_frequencies(&self) -> bool {
        false
    }
}

/// A score under its name.
#[derive(Clone, Copy)]
pub struct ScoreKind {
    /// The value of `initial_score` and `score`.
    pub name: &'static str,
    /// The score.
    pub score: &'static dyn Score,
    /// Rounds of scoring and pruning at initialisation, the density falling as d^(k/rounds).
    pub rounds: usize,
}

impl std::fmt::Debug for ScoreKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for ScoreKind {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
