//! The united schedule: density, weight of the two scores, and regrowth over time.
//!
//! ```text
//! progress  u = (t − start) / (end − start), 0 before, 1 after
//! density   cubic: df + (d0 − df)·(1 − u)³      step: d0 before end, then df
//! score     S = (1 − λ)·rank(initial score) + λ·rank(score)      λ from λ_start to λ_end in proportion to u
//! regrowth  g·(1 + cos πu)/2 of a layer's kept weights
//! ```
//!
//! t counts the steps taken; masks change after steps `start`, `start + interval`, … and `end`.
//!
//! # Source   cubic: Zhu & Gupta 2017, equation 1; regrowth: Evci et al. 2020, section 3

/// How the density falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Fast at first, then ever slower.
    Cubic,
    /// All at once, at the end.
    Step,
}

/// The density that a run starts with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// 1.
    Dense,
    /// The final one.
    Final,
    /// The square root of the final one: half of the way, as factors.
    Root,
    /// This one, if the final one is not larger.
    Share(f64),
}

impl Initial {
    /// d0 for a final density.
    pub fn density(self, last: f64) -> f64 {
        match self {
            Initial::Dense => 1.0,
            Initial::Final => last,
            Initial::Root => last.sqrt(),
            Initial::Share(share) => share.max(last),
        }
    }
}

/// When masks change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// Steps before the first change.
    pub start: u64,
    /// Steps before the last change.
    pub end: u64,
    /// Steps between two changes.
    pub interval: u64,
}

impl Timeline {
    /// Whether masks change after `steps` steps; what happens before the first step is no change.
    pub fn is_due(&self, steps: u64) -> bool {
        let inside =
            self.start <= steps && steps < self.end && (steps - self.start).is_multiple_of(self.interval);
        steps > 0 && (inside || steps == self.end)
    }

    /// u.
    pub fn progress(&self, steps: u64) -> f64 {
        if steps >= self.end {
            1.0
        } else {
            steps.saturating_sub(self.start) as f64 / (self.end - self.start) as f64
        }
    }
}

/// How the parameters move with the progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Course {
    /// The density at first.
    pub initial: Initial,
    /// How it falls.
    pub shape: Shape,
    /// λ at first and last.
    pub lambda: (f64, f64),
    /// g.
    pub regrow: f64,
}

impl Course {
    /// d(u) for a final density.
    pub fn density(&self, progress: f64, last: f64) -> f64 {
        let first = self.initial.density(last);
        let left = 1.0 - progress;
        match self.shape {
            // Exactly `last` at the end.
            _ if progress >= 1.0 => last,
            Shape::Cubic => last + (first - last) * (left * left * left),
            Shape::Step => first,
        }
    }

    /// λ(u).
    pub fn lambda(&self, progress: f64) -> f64 {
        let (first, last) = self.lambda;
        if progress >= 1.0 { last } else { first + (last - first) * progress }
    }

    /// The share of a layer's kept weights that is replaced.
    ///
    /// # Numeric  the cosine from libm
    pub fn regrowth(&self, progress: f64) -> f64 {
        self.regrow * (1.0 + libm::cos(std::f64::consts::PI * progress)) / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_due_from_start_to_end() {
        let due = |start, end, interval| {
            let timeline = Timeline { start, end, interval };
            (0..20).filter(|&t| timeline.is_due(t)).collect::<Vec<_>>()
        };
        assert_eq!(due(0, 10, 4), [4, 8, 10]);
        assert_eq!(due(3, 9, 3), [3, 6, 9]);
        assert_eq!(due(7, 7, 3), [7], "once, after training");
        assert_eq!(due(0, 0, 3), [0u64; 0], "at initialisation only");
    }

    #[test]
    fn parameters_follow_their_formulas() {
        let course = Course { initial: Initial::Dense, shape: Shape::Cubic, lambda: (0.0, 1.0), regrow: 0.5 };
        let timeline = Timeline { start: 10, end: 20, interval: 1 };
        assert_eq!([0, 10, 15, 20, 30].map(|t| timeline.progress(t)), [0.0, 0.0, 0.5, 1.0, 1.0]);
        assert_eq!([0.0, 0.5, 1.0].map(|u| course.density(u, 0.25)), [1.0, 0.34375, 0.25]);
        assert_eq!([0.0, 0.5, 1.0].map(|u| course.lambda(u)), [0.0, 0.5, 1.0]);
        assert_eq!(course.regrowth(0.0), 0.5);
        assert!((course.regrowth(0.5) - 0.25).abs() < 1e-16 && course.regrowth(1.0) == 0.0);
        let step = Course { shape: Shape::Step, initial: Initial::Root, ..course };
        assert_eq!([0.0, 0.5, 1.0].map(|u| step.density(u, 0.25)), [0.5, 0.5, 0.25]);
        assert_eq!(Initial::Share(0.3).density(0.5), 0.5);
    }
}
