//! Optimisers: from gradients to new values.
//!
//! ```text
//! g ← g + weight_decay·w                   weights only: not biases, scales, γ, β
//! sgd    v ← momentum·v + g                w ← w − lr·v
//! adam   m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²
//!        w ← w − lr·(m/(1−β₁ᵗ)) / (√(v/(1−β₂ᵗ)) + ε)          t counts from 1
//! ```
//!
//! All in f32, coefficients rounded from f64. A parameter with a floor stays at or above it.
//!
//! # Source   Kingma & Ba 2015, algorithm 1 (adam)

pub mod schedule;

use crate::tensor::blocks::{BLOCK, for_block_pairs};
use crate::tensor::{Parameter, slice, slice_mut};
use ndarray::Array2;

/// An optimiser and its settings. Its state lives with the parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimizer {
    /// Stochastic gradient descent with momentum.
    Sgd {
        /// Share of the velocity that stays.
        momentum: f64,
        /// Pull of weights towards 0.
        weight_decay: f64,
    },
    /// Adam.
    Adam {
        /// Share of the first moment that stays.
        beta1: f64,
        /// Share of the second moment that stays.
        beta2: f64,
        /// Keeps the denominator from 0.
        eps: f64,
        /// Pull of weights towards 0.
        weight_decay: f64,
    },
}

impl Optimizer {
    /// Names of the moments of each parameter.
    pub const fn moments(&self) -> &'static [&'static str] {
        match self {
            Optimizer::Sgd { .. } => &["velocity"],
            Optimizer::Adam { .. } => &["first_moment", "second_moment"],
        }
    }

    /// Gives a parameter moments of zero.
    pub fn prepare(&self, parameter: &mut Parameter) {
        let zeros = || Array2::zeros(parameter.value.dim());
        parameter.moments = self.moments().iter().map(|_| zeros()).collect();
    }

    /// Moves a parameter, `steps` ≥ 1 counting this step.
    ///
    /// # Panics   if the parameter was not prepared by this optimiser
    pub fn update(&self, parameter: &mut Parameter, lr: f64, steps: u64) {
        let decays = parameter.decay;
        let decay = |weight_decay: f64| if decays { weight_decay as f32 } else { 0.0 };
        match *self {
            Optimizer::Sgd { momentum, weight_decay } => {
                sgd(parameter, lr as f32, momentum as f32, decay(weight_decay))
            }
            Optimizer::Adam { beta1, beta2, eps, weight_decay } => {
                let correct = |beta: f64| 1.0 - libm::pow(beta, steps as f64);
                let rule = Adam {
                    beta: [beta1 as f32, beta2 as f32],
                    rest: [(1.0 - beta1) as f32, (1.0 - beta2) as f32],
                    lr: (lr / correct(beta1)) as f32,
                    shrink: (1.0 / correct(beta2)) as f32,
                    eps: eps as f32,
                    decay: decay(weight_decay),
                };
                rule.update(parameter);
            }
        }
        if let Some(floor) = parameter.floor {
            parameter.value.mapv_inplace(|v| if v > floor { v } else { floor });
        }
    }
}

fn sgd(parameter: &mut Parameter, lr: f32, momentum: f32, decay: f32) {
    let gradient = slice(&parameter.gradient);
    let value = slice_mut(&mut parameter.value);
    let velocity = slice_mut(&mut parameter.moments[0]);
    for_block_pairs((value, BLOCK), (velocity, BLOCK), move |i, value, velocity| {
        let gradient = &gradient[i * BLOCK..];
        for ((w, v), g) in value.iter_mut().zip(velocity).zip(gradient) {
            *v = momentum * *v + (g + decay * *w);
            *w -= lr * *v;
        }
    });
}

struct Adam {
    beta: [f32; 2],
    rest: [f32; 2],
    lr: f32,
    shrink: f32,
    eps: f32,
    decay: f32,
}

impl Adam {
    fn update(&self, parameter: &mut Parameter) {
        let [first, second] = &mut parameter.moments[..] else {
            panic!("two moments of `{}`", parameter.name);
        };
        let state = first.iter_mut().zip(second.iter_mut());
        let gradient = parameter.gradient.iter();
        for ((w, g), (m, v)) in parameter.value.iter_mut().zip(gradient).zip(state) {
            let g = g + self.decay * *w;
            *m = self.beta[0] * *m + self.rest[0] * g;
            *v = self.beta[1] * *v + self.rest[1] * (g * g);
            *w -= self.lr * *m / ((*v * self.shrink).sqrt() + self.eps);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn parameter(optimizer: Optimizer, decay: bool) -> Parameter {
        let mut parameter = Parameter::new("w", array![[1.0, -2.0]]);
        parameter.decay = decay;
        parameter.gradient = array![[0.5, 0.25]];
        optimizer.prepare(&mut parameter);
        parameter
    }

    /// Powers of two throughout: every value is exact.
    #[test]
    fn sgd_by_hand() {
        let optimizer = Optimizer::Sgd { momentum: 0.5, weight_decay: 0.25 };
        let mut p = parameter(optimizer, true);
        optimizer.update(&mut p, 0.5, 1);
        // v = g + w/4 = [0.75, -0.25]; w − v/2
        assert_eq!(p.value, array![[0.625, -1.875]]);
        optimizer.update(&mut p, 0.5, 2);
        // v = v/2 + g + w/4 = [1.03125, -0.34375]
        assert_eq!(p.moments[0], array![[1.03125, -0.34375]]);
        assert_eq!(p.value, array![[0.109375, -1.703125]]);

        let mut bias = parameter(optimizer, false);
        optimizer.update(&mut bias, 0.5, 1);
        assert_eq!(bias.value, array![[0.75, -2.125]], "no decay");
    }

    /// In the first step m/(1−β₁) = g and v/(1−β₂) = g², so that each value moves by lr·sign(g).
    #[test]
    fn adam_starts_with_the_sign_of_the_gradient() {
        let optimizer = Optimizer::Adam { beta1: 0.9, beta2: 0.999, eps: 1e-12, weight_decay: 0.0 };
        let mut p = parameter(optimizer, true);
        optimizer.update(&mut p, 0.125, 1);
        // A handful of roundings of half an ulp each, relative to the step and to the value.
        let bound = 8.0 * f32::EPSILON;
        assert!((p.value[[0, 0]] - 0.875).abs() < bound, "{}", p.value);
        assert!((p.value[[0, 1]] + 2.125).abs() < 2.0 * bound, "{}", p.value);
    }

    #[test]
    fn a_floor_holds() {
        let optimizer = Optimizer::Sgd { momentum: 0.0, weight_decay: 0.0 };
        let mut p = parameter(optimizer, false);
        p.floor = Some(0.5);
        optimizer.update(&mut p, 10.0, 1);
        assert_eq!(p.value, array![[0.5, 0.5]]);
    }
}
