//! One axis of a walk: which inputs meet which taps of the kernel for which outputs.
//!
//! ```text
//! forward          output i          = Σ_u input[i·stride + u − padding] · kernel[u]
//! input gradient   output s·i + r    = Σ_u input[i + u + lead]           · kernel[ρ + s·(T − 1 − u)]    for r < s
//!                  ρ = (r + padding) mod s, T = ⌈(kernel − ρ)/s⌉, lead = (r + padding − ρ)/s − T + 1
//! ```
//! So both are the same walk: a *phase* is outputs at equal distances that meet the same taps, of which the first is
//! at input i·stride + lead. A forward product has one phase, an input gradient one for each residue of the stride.
//!
//! Of one phase, β outputs side by side are again a phase: they meet T + (β − 1)·stride taps together, output j those
//! from j·stride on.

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
            stride: window.stride[axis],
            lead: -(window.padding[axis] as isize),
            taps: (0..window.kernel[axis]).collect(),
        };
        Axis { inputs: window.image[axis], phases: vec![phase] }
    }

    /// Pixels of the input gradient along an axis of a window.
    pub fn input_gradient(window: &Window, axis: usize) -> Self {
        let (stride, padding) = (window.stride[axis], window.padding[axis]);
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

    /// The same walk with `beside` outputs as one, which meets all their taps; `None` if it has several phases.
    pub fn beside(self, beside: usize) -> Option<Self> {
        if beside == 1 {
            return Some(self);
        }
        let [phase] = &self.phases[..] else { return None };
        let phase = Phase {
            first: phase.first,
            step: phase.step * beside,
            count: phase.count.div_ceil(beside),
            stride: phase.stride * beside,
            lead: phase.lead,
            taps: (0..phase.taps.len() + (beside - 1) * phase.stride).collect(),
        };
        Some(Axis { phases: vec![phase], ..self })
    }

    /// Most outputs of a phase.
    pub fn outputs(&self) -> usize {
        self.phases.iter().map(|p| p.count).max().unwrap_or(0)
    }

    /// Spans of all outputs of each phase.
    fn spans(&self, clip: bool) -> impl Iterator<Item = (&Phase, Span)> {
        let of = move |phase| Phase::spans(phase, self.inputs, clip, &(0..phase.count));
        self.phases.iter().flat_map(move |phase| of(phase).into_iter().map(move |span| (phase, span)))
    }

    /// Inputs from one to the next, where steps of `tap_step` taps begin at each: all between that any output needs.
    pub fn grain(&self, tap_step: usize, clip: bool) -> usize {
        let mut first = None;
        let grain = self.spans(clip).fold(0, |grain, (phase, span)| {
            let at = phase.input(span.outputs.start, span.taps.start);
            let apart = at.abs_diff(*first.get_or_insert(at));
            let step = if span.taps.len() > tap_step { tap_step } else { 0 };
            [phase.stride, apart, step].into_iter().fold(grain, gcd)
        });
        grain.max(1)
    }

    /// Taps from one to the next where spans begin, if steps of `tap_step` taps are to begin at each: a divisor of it.
    pub fn tap_grain(&self, tap_step: usize, clip: bool) -> usize {
        self.spans(clip).fold(tap_step, |grain, (_, span)| gcd(grain, span.taps.start))
    }
}

/// Greatest common divisor.
pub(crate) fn gcd(a: usize, b: usize) -> usize {
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
        Window {
            image: [n, n],
            channels: 1,
            kernel: [kernel, kernel],
            stride: [stride; 2],
            padding: [padding; 2],
        }
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
