//! One axis of a walk: which inputs meet which taps of the kernel for which outputs.
//!
//! ```text
//! forward          output i          = Σ_u input[i·stride + u − padding] · kernel[u]
//! input gradient   output s·i + r    = Σ_u input[i + u + lead]           · kernel[ρ + s·(T − 1 − u)]    for r < s
//!                  ρ = (r + padding) mod s, T = ⌈(kernel − ρ)/s⌉, lead = (r + padding − ρ)/s − T + 1
//! ```
//! So both are the same walk: a *phase* is outputs at equal distances that meet the same taps, of which the first is
//! at input i·stride + lead. A forward product has one phase, an input gradient one for each residue of the stride.

use super::window::Window;
use std::ops::Range;

/// Outputs at equal distances that meet the same taps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Phase {
    /// First output.
    pub first: usize,
    /// Distance of outputs.
    pub step: usize,
    /// Number of outputs.
    pub count: usize,
    /// Inputs from output to output.
    pub stride: usize,
    /// Input that the first tap meets at the first output; negative in the padding.
    pub lead: isize,
    /// Position in the kernel of each tap.
    pub taps: Vec<usize>,
}

/// Outputs of a phase and the taps that they need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub outputs: Range<usize>,
    pub taps: Range<usize>,
}

/// One axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Axis {
    /// Inputs.
    pub inputs: usize,
    pub phases: Vec<Phase>,
}

impl Axis {
    /// Positions of the forward product along an axis of a window.
    pub fn forward(window: &Window, axis: usize) -> Self {
        let phase = Phase {
            first: 0,
            step: 1,
            count: window.along(axis).expect("a window that fits"),
            stride: window.stride,
            lead: -(window.padding as isize),
            taps: (0..window.kernel[axis]).collect(),
        };
        Axis { inputs: window.image[axis], phases: vec![phase] }
    }

    /// Pixels of the input gradient along an axis of a window.
    pub fn input_gradient(window: &Window, axis: usize) -> Self {
        let &Window { stride, padding, .. } = window;
        let (pixels, kernel) = (window.image[axis], window.kernel[axis]);
        let phase = |first: usize| {
            let rest = (first + padding) % stride;
            let taps = kernel.saturating_sub(rest).div_ceil(stride);
            Phase {
                first,
                step: stride,
                count: pixels.saturating_sub(first).div_ceil(stride),
                stride: 1,
                lead: ((first + padding) / stride) as isize - taps as isize + 1,
                taps: (0..taps).rev().map(|t| rest + stride * t).collect(),
            }
        };
        Axis {
            inputs: window.along(axis).expect("a window that fits"),
            phases: (0..stride).map(phase).collect(),
        }
    }

    /// Most outputs of a phase.
    pub fn outputs(&self) -> usize {
        self.phases.iter().map(|p| p.count).max().unwrap_or(0)
    }

    /// Distance of the first taps of one tap step after the other: 1 unless all outputs skip the same inputs.
    pub fn grain(&self, tap_step: usize, clip: bool) -> usize {
        match &self.phases[..] {
            [phase] if !clip && phase.taps.len() <= tap_step => phase.stride,
            [phase] if !clip => gcd(phase.stride, tap_step),
            _ => 1,
        }
    }
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Phase {
    /// Its outputs within `outputs`, and the taps that they need: all of them, or with `clip` those inside the image,
    /// for outputs that need the same ones.
    pub fn spans(&self, inputs: usize, clip: bool, outputs: &Range<usize>) -> Vec<Span> {
        let outputs = outputs.start..outputs.end.min(self.count);
        if outputs.is_empty() || self.taps.is_empty() {
            return vec![];
        }
        if !clip {
            return vec![Span { outputs, taps: 0..self.taps.len() }];
        }
        let mut spans: Vec<Span> = vec![];
        for i in outputs {
            let first = (i * self.stride) as isize + self.lead;
            let inside = |u: &usize| (0..inputs as isize).contains(&(first + *u as isize));
            let taps = (0..self.taps.len()).filter(inside);
            let (Some(lo), Some(hi)) = (taps.clone().min(), taps.max()) else { continue };
            match spans.last_mut() {
                Some(last) if last.taps == (lo..hi + 1) && last.outputs.end == i => last.outputs.end = i + 1,
                _ => spans.push(Span { outputs: i..i + 1, taps: lo..hi + 1 }),
            }
        }
        spans
    }

    /// Input that tap `tap` meets at output `output`.
    pub fn input(&self, output: usize, tap: usize) -> isize {
        (output * self.stride + tap) as isize + self.lead
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(n: usize, kernel: usize, stride: usize, padding: usize) -> Window {
        Window { image: [n, n], channels: 1, kernel: [kernel, kernel], stride, padding }
    }

    proptest! {
        /// Along one axis the walks are the convolution and its transpose.
        #[test]
        fn walks_are_the_sums_of_their_definition(
            (n, kernel, stride, padding) in (1usize..12, 1usize..6, 1usize..4, 0usize..5), clip: bool,
        ) {
            let window = window(n, kernel, stride, padding);
            prop_assume!(padding < kernel && window.along(0).is_some());
            let out = window.along(0).unwrap();
            let mut expected = vec![];
            for o in 0..out {
                for k in 0..kernel {
                    let Some(i) = (o * stride + k).checked_sub(padding).filter(|i| *i < n) else { continue };
                    expected.push((o, i, k));
                }
            }
            for gradient in [false, true] {
                let axis = if gradient { Axis::input_gradient(&window, 0) } else { Axis::forward(&window, 0) };
                let mut found = vec![];
                for phase in &axis.phases {
                    for span in phase.spans(axis.inputs, clip, &(0..axis.outputs())) {
                        for i in span.outputs {
                            for u in span.taps.clone() {
                                let input = phase.input(i, u);
                                if !(0..axis.inputs as isize).contains(&input) {
                                    prop_assert!(!clip);
                                    continue;
                                }
                                let output = phase.first + phase.step * i;
                                let (o, i) = (input as usize, output);
                                found.push(if gradient { (o, i, phase.taps[u]) } else { (i, o, phase.taps[u]) });
                            }
                        }
                    }
                }
                found.sort_unstable();
                expected.sort_unstable();
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
