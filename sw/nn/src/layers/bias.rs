//! The bias of layers with weights, in f32 on the host.
//!
//! ```text
//! y[.., o] = value[.., o]·s[o] + b[o]          db[o] = Σ dY[.., o]
//! ```

use super::unquantized::Form;
use crate::tensor::blocks::{column_sums, for_blocks, tile};
use crate::tensor::{Parameter, slice_mut};
use ndarray::Array2;

/// y = value·scale + b, with one scale or one for each output; without a bias y = value·scale + 0.
pub fn add_bias<T: Copy + Sync>(
    bias: Option<&Parameter>,
    y: &mut [f32],
    (values, scales): (&[T], &[f32]),
    real: impl Fn(T, f32) -> f32 + Sync,
) {
    let bias = bias.map_or(&[0.0][..], |bias| bias.values());
    let outputs = bias.len().max(scales.len());
    let wide = |all: &[f32]| if all.len() == outputs { tile(all) } else { tile(&vec![all[0]; outputs]) };
    let (bias, scales) = (wide(bias), wide(scales));
    let width = bias.len();
    for_blocks(
        y,
        width * 16,
        #[inline(always)]
        move |start, y| {
            for (y, values) in y.chunks_mut(width).zip(values[start..].chunks(width)) {
                let columns = scales.iter().zip(&bias);
                for ((y, &value), (&scale, &b)) in y.iter_mut().zip(values).zip(columns) {
                    *y = real(value, scale) + b;
                }
            }
        },
    );
}

/// Sets the gradient of a bias.
///
/// # Shape    `[rows·outputs]`
pub fn bias_gradient(bias: Option<&mut Parameter>, dy: &[f32]) {
    let Some(bias) = bias else { return };
    let n = bias.value.len();
    let sums = column_sums(
        dy.len() / n,
        n,
        #[inline(always)]
        |range, sums| {
            for row in dy[range.start * n..range.end * n].chunks_exact(n) {
                sums.iter_mut().zip(row).for_each(|(s, &d)| *s += f64::from(d));
            }
        },
    );
    bias.gradients_mut().iter_mut().zip(sums).for_each(|(g, s)| *g = s as f32);
}

/// A bias in f64, maybe none.
#[derive(Clone, Debug)]
pub struct WideBias(Option<Vec<f64>>);

/// The values of a bias now.
pub fn wide(bias: Option<&Parameter>) -> WideBias {
    WideBias(bias.map(|bias| bias.values().iter().map(|&b| f64::from(b)).collect()))
}

impl WideBias {
    /// y ← y + b, or |b| in the positive form.
    ///
    /// # Shape    `[.., outputs]`
    pub fn add(&self, y: &mut Array2<f64>, form: Form) {
        let Some(bias) = &self.0 else { return };
        for row in slice_mut(y).chunks_mut(bias.len()) {
            for (y, b) in row.iter_mut().zip(bias) {
                *y += if form == Form::Positive { b.abs() } else { *b };
            }
        }
    }
}
