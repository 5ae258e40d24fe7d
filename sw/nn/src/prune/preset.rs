//! The special cases of the united schedule, by name.

use super::budget::Budget;
use super::schedule::{Course, Initial, Shape};
use super::scores::{ScoreKind, bands, energy, force, grasp, lamp, magnitude, random, snip, synflow, wanda};

/// A method: settings of the united schedule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Preset {
    /// The value of `method`.
    pub name: &'static str,
    /// The score before the first step; none if the run starts dense.
    pub initial_score: Option<ScoreKind>,
    /// The score of later changes.
    pub score: ScoreKind,
    /// Density, λ and regrowth over time.
    pub course: Course,
    /// The share of the run before the first and the last change.
    pub span: (f64, f64),
    /// How the budget is shared, unless the pattern fixes N.
    pub budget: Budget,
    /// Whether weights are scaled so that those that are kept stay as large as those before.
    pub rescale: bool,
    /// Whether weights that are dropped are 0 from then on, without momentum.
    pub forget: bool,
}

/// All methods.
pub const PRESETS: &[Preset] = &[
    at_initialisation("random", random::KIND, Budget::Uniform),
    at_initialisation("snip", snip::KIND, Budget::Global),
    at_initialisation("grasp", grasp::KIND, Budget::Global),
    at_initialisation("synflow", synflow::KIND, Budget::Global),
    at_initialisation("force", force::KIND, Budget::Global),
    at_initialisation("bands", bands::KIND, Budget::Uniform),
    after_training("magnitude", magnitude::KIND, Budget::Uniform),
    after_training("lamp", lamp::KIND, Budget::Global),
    after_training("wanda", wanda::KIND, Budget::Uniform),
    after_training("energy", energy::KIND, Budget::Uniform),
    Preset {
        name: "gmp",
        initial_score: None,
        score: magnitude::KIND,
        course: Course { initial: Initial::Dense, shape: Shape::Cubic, lambda: (1.0, 1.0), regrow: 0.0 },
        span: (0.0, 0.25),
        budget: Budget::Uniform,
        rescale: false,
        forget: false,
    },
    Preset {
        name: "rigl",
        initial_score: Some(random::KIND),
        score: magnitude::KIND,
        course: Course { initial: Initial::Final, shape: Shape::Cubic, lambda: (1.0, 1.0), regrow: 0.3 },
        span: (0.0, 0.75),
        budget: Budget::Erk,
        rescale: false,
        forget: false,
    },
    Preset {
        name: "united",
        initial_score: Some(snip::KIND),
        score: magnitude::KIND,
        course: Course { initial: Initial::Root, shape: Shape::Cubic, lambda: (0.0, 1.0), regrow: 0.0 },
        span: (0.0, 0.25),
        budget: Budget::Global,
        rescale: true,
        forget: true,
    },
];

/// The mask of the first step stays.
const fn at_initialisation(name: &'static str, score: ScoreKind, budget: Budget) -> Preset {
    Preset {
        name,
        initial_score: Some(score),
        score: magnitude::KIND,
        course: Course { initial: Initial::Final, shape: Shape::Cubic, lambda: (0.0, 0.0), regrow: 0.0 },
        span: (0.0, 0.0),
        budget,
        rescale: false,
        forget: false,
    }
}

/// Dense for half of the run, then pruned at once and trained on.
const fn after_training(name: &'static str, score: ScoreKind, budget: Budget) -> Preset {
    Preset {
        name,
        initial_score: None,
        score,
        course: Course { initial: Initial::Dense, shape: Shape::Step, lambda: (1.0, 1.0), regrow: 0.0 },
        span: (0.5, 0.5),
        budget,
        rescale: false,
        forget: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_dense_starts_need_no_score() {
        for (i, preset) in PRESETS.iter().enumerate() {
            assert!(PRESETS[..i].iter().all(|other| other.name != preset.name));
            assert_eq!(preset.initial_score.is_none(), preset.course.initial == Initial::Dense);
        }
    }
}
