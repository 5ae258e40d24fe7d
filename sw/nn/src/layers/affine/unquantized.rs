//! The contraction in f64: Y = im2col(X)·W + b, block by block; a linear layer is a window of one pixel.

use super::{Affine, blocks};
use crate::layers::bias::{self, WideBias};
use crate::layers::cosine::Cosine;
use crate::layers::unquantized::{Form, Gradients, Pullback, Unquantized};
use crate::tensor::gemm64::{product, transposed_product};
use crate::tensor::{slice, slice_mut};
use ndarray::{Array2, s};
use tandem_driver::Window;

#[derive(Debug)]
struct UnquantizedAffine {
    /// That of a block.
    window: Window,
    blocks: usize,
    bias: WideBias,
    cosine: Option<Cosine>,
}

impl Affine {
    /// The contraction of the windows' rows in f64.
    pub fn unquantized(&self, window: Window) -> Box<dyn Unquantized> {
        let bias = bias::wide(self.bias.as_ref());
        Box::new(UnquantizedAffine { window, blocks: self.groups.blocks, bias, cosine: self.cosine.clone() })
    }
}

/// The columns of a block.
fn part(matrix: &Array2<f64>, count: usize, block: usize) -> Array2<f64> {
    matrix.slice(s![.., blocks::columns(matrix.ncols(), count, block)]).as_standard_layout().into_owned()
}

impl Unquantized for UnquantizedAffine {
    fn forward(
        &self,
        inputs: &[&Array2<f64>],
        weight: Option<&Array2<f64>>,
        form: Form,
    ) -> (Array2<f64>, Pullback<'_>) {
        let weight = weight.expect("an affine layer has weights");
        let weight = match &self.cosine {
            Some(cosine) => cosine.inverse(weight),
            None => weight.clone(),
        };
        let (x, count) = (inputs[0], self.blocks);
        let (places, channels, outputs) =
            (self.window.places(), self.window.channels, weight.ncols() / count);
        let weights: Vec<_> = (0..count).map(|block| part(&weight, count, block)).collect();
        let stacked = blocks::split(slice(x), x.nrows(), count, channels);
        let rows: Vec<_> = stacked
            .chunks(stacked.len() / count)
            .map(|images| {
                let mut rows = Array2::zeros((x.nrows() * places, self.window.volume()));
                self.window.im2col(images, slice_mut(&mut rows));
                rows
            })
            .collect();
        let stacked = rows.iter().zip(&weights).flat_map(|(rows, weight)| product(rows, weight));
        let stacked: Vec<f64> = stacked.collect();
        let mut y = Array2::zeros((x.nrows() * places, weight.ncols()));
        blocks::merge(&stacked, count, outputs, slice_mut(&mut y));
        self.bias.add(&mut y, form);
        let shape = (x.nrows(), places * weight.ncols());
        let y = y.into_shape_with_order(shape).expect("positions·channels outputs");
        let dim = x.dim();
        let pullback = move |dy: &Array2<f64>, want_dx: bool| {
            let shape = (dim.0 * places, weight.ncols());
            let dy = dy.to_shape(shape).expect("positions·channels outputs").into_owned();
            let dys: Vec<_> = (0..count).map(|block| part(&dy, count, block)).collect();
            let mut dw = Array2::zeros(weight.dim());
            for (block, (rows, dy)) in rows.iter().zip(&dys).enumerate() {
                let columns = blocks::columns(weight.ncols(), count, block);
                dw.slice_mut(s![.., columns]).assign(&transposed_product(rows, dy));
            }
            let dx = want_dx.then(|| {
                let mut stacked = vec![0.0; dim.0 * dim.1];
                let size = stacked.len() / count;
                for ((dx, dy), weight) in stacked.chunks_mut(size).zip(&dys).zip(&weights) {
                    let transposed = weight.t().as_standard_layout().into_owned();
                    self.window.col2im(slice(&product(dy, &transposed)), dx, |sum| sum);
                }
                let mut dx = Array2::zeros(dim);
                blocks::merge(&stacked, count, channels, slice_mut(&mut dx));
                dx
            });
            let dw = match &self.cosine {
                Some(cosine) => cosine.forward(&dw),
                None => dw,
            };
            Gradients { inputs: dx.into_iter().collect(), weight: Some(dw) }
        };
        (y, Box::new(pullback))
    }

    /// Coefficients of a cosine transform have signs.
    fn has_positive_form(&self) -> bool {
        self.cosine.is_none()
    }
}
