//! The learning rate over time.
//!
//! ```text
//! rate(t) = min(1, (t + 1)/warmup_steps) · decay(t)          t = step, T = steps of the whole run
//! constant  lr
//! cosine    last + (lr − last)·(1 + cos(πt/T))/2
//! linear    last + (lr − last)·(1 − t/T)
//! step      lr · factor^⌊epoch / epochs⌋
//! ```

/// A learning rate over time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// The largest learning rate.
    pub lr: f64,
    /// Steps in which the rate rises linearly from 0.
    pub warmup_steps: u64,
    /// How it falls.
    pub decay: Decay,
}

/// How a learning rate falls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Decay {
    /// It does not.
    Constant,
    /// Half a cosine.
    Cosine {
        /// Rate at the end.
        last: f64,
    },
    /// A straight line.
    Linear {
        /// Rate at the end.
        last: f64,
    },
    /// A factor from time to time.
    Step {
        /// Epochs between two factors.
        epochs: u64,
        /// The factor.
        factor: f64,
    },
}

impl Schedule {
    /// The learning rate of a step.
    ///
    /// # Numeric  f64; cosine and powers from libm
    pub fn rate(&self, step: u64, steps_per_epoch: u64, epochs: u64) -> f64 {
        let total = steps_per_epoch * epochs;
        let progress = (step as f64 / total.max(1) as f64).min(1.0);
        let rate = match self.decay {
            Decay::Constant => self.lr,
            Decay::Cosine { last } => {
                last + (self.lr - last) * (1.0 + libm::cos(std::f64::consts::PI * progress)) / 2.0
            }
            Decay::Linear { last } => last + (self.lr - last) * (1.0 - progress),
            Decay::Step { epochs, factor } => {
                let times = step / steps_per_epoch.max(1) / epochs;
                self.lr * libm::pow(factor, times as f64)
            }
        };
        if step < self.warmup_steps { rate * (step + 1) as f64 / self.warmup_steps as f64 } else { rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(decay: Decay, warmup_steps: u64) -> Vec<f64> {
        let schedule = Schedule { lr: 1.0, warmup_steps, decay };
        (0..8).map(|step| schedule.rate(step, 2, 4)).collect()
    }

    #[test]
    fn schedules_follow_their_formulas() {
        assert_eq!(rates(Decay::Constant, 4), [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 1.0, 1.0]);
        let linear = [1.0, 0.9375, 0.875, 0.8125, 0.75, 0.6875, 0.625, 0.5625];
        assert_eq!(rates(Decay::Linear { last: 0.5 }, 0), linear);
        let step = Decay::Step { epochs: 2, factor: 0.5 };
        assert_eq!(rates(step, 0), [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5]);
        let cosine = rates(Decay::Cosine { last: 0.0 }, 0);
        assert_eq!(cosine[0], 1.0);
        assert!((cosine[4] - 0.5).abs() < 1e-15, "cos(π/2) within an ulp of 0");
        assert!(cosine.windows(2).all(|w| w[0] > w[1]));
    }
}
