//! The contraction in f64: Y = im2col(X)·W + b; a linear layer is a window of one pixel.

use super::Affine;
use crate::layers::bias::{self, WideBias};
use crate::layers::cosine::Cosine;
use crate::layers::unquantized::{Form, Gradients, Pullback, Unquantized};
use crate::tensor::gemm64::{product, transposed_product};
use crate::tensor::{slice, slice_mut};
use ndarray::Array2;
use tandem_driver::Window;

#[derive(Debug)]
struct UnquantizedAffine {
    window: Window,
    bias: WideBias,
    cosine: Option<Cosine>,
}

impl Affine {
    /// The contraction of the windows' rows in f64.
    pub fn unquantized(&self, window: Window) -> Box<dyn Unquantized> {
        let bias = bias::wide(self.bias.as_ref());
        Box::new(UnquantizedAffine { window, bias, cosine: self.cosine.clone() })
    }
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
        let x = inputs[0];
        let (height, width) = self.window.positions().expect("a window that fits");
        let mut rows = Array2::zeros((x.nrows() * height * width, self.window.volume()));
        self.window.im2col(slice(x), slice_mut(&mut rows));
        let mut y = product(&rows, &weight);
        self.bias.add(&mut y, form);
        let shape = (x.nrows(), height * width * weight.ncols());
        let y = y.into_shape_with_order(shape).expect("positions·channels outputs");
        let dim = x.dim();
        let pullback = move |dy: &Array2<f64>, want_dx: bool| {
            let shape = (rows.nrows(), weight.ncols());
            let dy = dy.to_shape(shape).expect("positions·channels outputs").into_owned();
            let dw = transposed_product(&rows, &dy);
            let dx = want_dx.then(|| {
                let transposed = weight.t().as_standard_layout().into_owned();
                let mut dx = Array2::zeros(dim);
                self.window.col2im(slice(&product(&dy, &transposed)), slice_mut(&mut dx), |sum| sum);
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
