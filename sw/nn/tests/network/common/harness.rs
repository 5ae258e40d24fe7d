//! One layer on its own, and the derivative of L = Σ c·y by its inputs and parameters.

use ndarray::Array2;
use tandem_nn::backend::ledger::Ledger;
use tandem_nn::backend::{Backend, Mode, Pass};
use tandem_nn::config::{Document, Experiment};
use tandem_nn::layers::{Layer, Site, Tape};
use tandem_nn::layers::{Range, Signal};
use tandem_nn::tensor::{Shape, Slot};

/// A layer with its inputs and the weights c of its outputs.
pub struct Bench {
    pub layer: Box<dyn Layer>,
    pub inputs: Vec<Array2<f32>>,
    pub c: Array2<f32>,
}

/// Numbers that look random: multiples of 1/8 in (−2, 2), from an integer hash.
pub fn eighths(salt: u32) -> impl FnMut((usize, usize)) -> f32 {
    move |(i, j)| {
        let hash = (i as u32 * 7919 + j as u32 * 104_729 + salt).wrapping_mul(2_654_435_761);
        (hash >> 16) as f32 % 32.0 / 8.0 - 2.0
    }
}

impl Bench {
    /// The only layer of the given table, for `batch` examples of this shape.
    pub fn new(table: &str, shape: Shape, batch: usize, bits: u8) -> Self {
        Self::with_inputs(table, &[shape, shape], batch, bits)
    }

    /// The same with inputs of as many of these shapes as it takes.
    pub fn with_inputs(table: &str, shapes: &[Shape], batch: usize, bits: u8) -> Self {
        let text = format!(
            r#"
            name = "bench"
            data = {{ set = "none", batch = 1 }}
            train = {{ epochs = 1, optimizer = "sgd", lr = 1.0, schedule = "constant" }}
            bits = {{ weights = {bits}, activations = {bits}, gradients = {bits}, activation_clip = "max-abs" }}
            [[layer]]
            {table}
            "#
        );
        let experiment = Experiment::parse(Document::new("bench.toml", text)).expect("valid");
        let entry = &experiment.layers[0];
        let count = if entry.spec.second_input().is_some() { 2 } else { 1 };
        let signal = |shape: &Shape| Signal { shape: *shape, range: Range::Real };
        let inputs: Vec<_> = shapes.iter().take(count).map(signal).collect();
        let output = entry.spec.infer(&inputs).expect("shapes that suit the layer");
        let layer = entry.spec.build(&Site { index: 0, inputs: &inputs, output, bits: &entry.bits, seed: 1 });
        let input = |i: u32| Array2::from_shape_fn((batch, inputs[i as usize].shape.features()), eighths(i));
        let mut bench = Bench {
            layer,
            inputs: (0..inputs.len() as u32).map(input).collect(),
            c: Array2::from_shape_fn((batch, output.shape.features()), eighths(9)),
        };
        for (i, parameter) in bench.parameters().into_iter().enumerate() {
            *parameter = Array2::from_shape_fn(parameter.dim(), eighths(20 + i as u32));
        }
        bench
    }

    /// The values of all parameters.
    pub fn parameters(&mut self) -> Vec<&mut Array2<f32>> {
        let slots = self.layer.slots().into_iter();
        slots
            .filter_map(|slot| if let Slot::Parameter(p) = slot { Some(&mut p.value) } else { None })
            .collect()
    }

    /// The gradients of all parameters.
    pub fn gradients(&mut self) -> Vec<Array2<f32>> {
        let slots = self.layer.slots().into_iter();
        slots
            .filter_map(|slot| if let Slot::Parameter(p) = slot { Some(p.gradient.clone()) } else { None })
            .collect()
    }

    /// The output.
    pub fn forward(&mut self, backend: &mut Backend) -> Array2<f32> {
        let mut ledger = Ledger::new(["bench"]);
        let mut pass = Pass::new(Mode::Train, 1, 0, backend, &mut ledger);
        let mut y = Array2::zeros(self.c.dim());
        let inputs: Vec<_> = self.inputs.iter().collect();
        self.layer.forward(&inputs, &mut y, &mut pass).expect("a forward pass");
        y
    }

    /// ∂L/∂input for each input; the layer's gradients are set.
    pub fn backward(&mut self, backend: &mut Backend) -> Vec<Array2<f32>> {
        let y = self.forward(backend);
        let mut ledger = Ledger::new(["bench"]);
        let mut pass = Pass::new(Mode::Train, 1, 0, backend, &mut ledger);
        // Whatever is in the buffers is overwritten.
        let mut dx: Vec<_> = self.inputs.iter().map(|x| x.mapv(|_| 77.0)).collect();
        let mut targets: Vec<_> = dx.iter_mut().map(Some).collect();
        let inputs: Vec<_> = self.inputs.iter().collect();
        let tape = Tape { inputs: &inputs, output: &y, dy: &self.c };
        self.layer.backward(tape, &mut targets, &mut pass).expect("a backward pass");
        dx
    }

    /// L of the float reference, summed in f64.
    pub fn loss(&mut self) -> f64 {
        let y = self.forward(&mut Backend::Float);
        y.iter().zip(&self.c).map(|(&y, &c)| f64::from(y) * f64::from(c)).sum()
    }

    /// (L(v + h) − L(v − h)) / 2h for one value, which is left as it was.
    pub fn difference(&mut self, place: Place, h: f32) -> f64 {
        let old = *self.value(place);
        *self.value(place) = old + h;
        let up = self.loss();
        *self.value(place) = old - h;
        let down = self.loss();
        *self.value(place) = old;
        (up - down) / (2.0 * f64::from(h))
    }

    fn value(&mut self, place: Place) -> &mut f32 {
        match place {
            Place::Input(i, at) => &mut self.inputs[i][at],
            Place::Parameter(i, at) => &mut self.parameters().swap_remove(i)[at],
        }
    }

    /// Every input and parameter element with its derivative by the float reference.
    pub fn derivatives(&mut self) -> Vec<(Place, f32)> {
        let dx = self.backward(&mut Backend::Float);
        let dw = self.gradients();
        let list = |arrays: Vec<Array2<f32>>, place: fn(usize, (usize, usize)) -> Place| {
            let mut all = Vec::new();
            for (i, array) in arrays.iter().enumerate() {
                all.extend(array.indexed_iter().map(|(at, &g)| (place(i, at), g)));
            }
            all
        };
        let mut all = list(dx, Place::Input);
        all.extend(list(dw, Place::Parameter));
        all
    }
}

/// An element of an input or a parameter.
#[derive(Clone, Copy, Debug)]
pub enum Place {
    Input(usize, (usize, usize)),
    Parameter(usize, (usize, usize)),
}
