//! Scores of pruning against computations that share nothing with them: scalar loops and differences.

use crate::common::data::{ALL_LAYERS, SHORT, experiment, quarters};
use ndarray::Array2;
use tandem_nn::backend::ledger::Ledger;
use tandem_nn::backend::{Backend, Mode, Pass};
use tandem_nn::network::Network;
use tandem_nn::network::loss::cross_entropy;
use tandem_nn::prune::mask::top_k;
use tandem_nn::prune::probe::Probe;
use tandem_nn::prune::scores::{Batch, SCORES, ScoreContext};
use tandem_nn::tensor::{Shape, Slot};

const EPSILON: f64 = 0.25;

/// 36 pixels, 3 hidden features with batch normalization, 4 classes.
const TINY: &str = r#"
    [[layer]]
    type = "flatten"
    [[layer]]
    type = "linear"
    name = "first"
    outputs = 3
    [[layer]]
    type = "batch_norm"
    epsilon = 0.25
    [[layer]]
    type = "relu"
    [[layer]]
    type = "linear"
    name = "second"
    outputs = 4
"#;

fn network(layers: &str) -> Network {
    let plan = experiment(SHORT, layers).plan(Shape { h: 6, w: 6, c: 1 }, 4).expect("it suits the data");
    let mut network = Network::new(plan, 5);
    // Values that none of the initial ones equals.
    let mut salt = 0;
    for (name, slot) in network.slots() {
        let array = match slot {
            Slot::Parameter(parameter) if !name.ends_with("weight") => &mut parameter.value,
            Slot::Statistic(buffer) | Slot::Buffer(buffer) => &mut buffer.value,
            _ => continue,
        };
        for v in array {
            salt += 1;
            *v += (salt * 37 % 17) as f32 / 40.0;
        }
    }
    network
}

fn batch() -> Batch {
    let data = quarters(8, 4);
    (data.train.images.array().unwrap().mapv(|byte| f64::from(byte) / 255.0), data.train.labels.clone())
}

/// The parameters of the tiny network, as scalars.
#[derive(Clone)]
struct Scalars {
    weights: [Vec<Vec<f64>>; 2],
    biases: [Vec<f64>; 2],
    gamma: Vec<f64>,
    beta: Vec<f64>,
    mean: Vec<f64>,
    variance: Vec<f64>,
}

impl Scalars {
    fn of(network: &mut Network) -> Self {
        let mut find = |wanted: &str| -> Array2<f64> {
            let slots = network.slots().into_iter();
            let mut found = slots.filter(|(name, _)| name == wanted).map(|(_, slot)| match slot {
                Slot::Parameter(parameter) => parameter.value.mapv(f64::from),
                Slot::Statistic(buffer) | Slot::Buffer(buffer) => buffer.value.mapv(f64::from),
                Slot::Mask { .. } => panic!("a mask"),
            });
            found.next().unwrap_or_else(|| panic!("no {wanted}"))
        };
        let rows = |array: Array2<f64>| array.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<_>>();
        Scalars {
            weights: ["first.weight", "second.weight"].map(|name| rows(find(name))),
            biases: ["first.bias", "second.bias"].map(|name| find(name).into_iter().collect()),
            gamma: find("batch_norm1.gamma").into_iter().collect(),
            beta: find("batch_norm1.beta").into_iter().collect(),
            mean: find("batch_norm1.running_mean").into_iter().collect(),
            variance: find("batch_norm1.running_variance").into_iter().collect(),
        }
    }

    fn affine(&self, layer: usize, x: &[f64]) -> Vec<f64> {
        let columns = self.biases[layer].len();
        let sum = |j: usize| x.iter().zip(&self.weights[layer]).map(|(x, row)| x * row[j]).sum::<f64>();
        (0..columns).map(|j| sum(j) + self.biases[layer][j]).collect()
    }

    fn outputs(&self, hidden: &[f64], mean: &[f64], variance: &[f64]) -> Vec<f64> {
        let normal = (0..3).map(|j| {
            let x = (hidden[j] - mean[j]) / (variance[j] + EPSILON).sqrt();
            (self.gamma[j] * x + self.beta[j]).max(0.0)
        });
        self.affine(1, &normal.collect::<Vec<_>>())
    }

    /// The mean loss, with the statistics of the batch.
    fn loss(&self, (images, labels): &Batch) -> f64 {
        let hidden: Vec<Vec<f64>> = images.rows().into_iter().map(|x| self.affine(0, &x.to_vec())).collect();
        let n = hidden.len() as f64;
        let mean: Vec<f64> = (0..3).map(|j| hidden.iter().map(|h| h[j]).sum::<f64>() / n).collect();
        let square = |j: usize| hidden.iter().map(|h| (h[j] - mean[j]).powi(2)).sum::<f64>() / n;
        let variance: Vec<f64> = (0..3).map(square).collect();
        let losses = hidden.iter().zip(labels).map(|(hidden, &label)| {
            let z = self.outputs(hidden, &mean, &variance);
            z.iter().map(|z| z.exp()).sum::<f64>().ln() - z[usize::from(label)]
        });
        losses.sum::<f64>() / n
    }

    /// The sum of outputs for an input of ones, every parameter positive, with the recorded statistics.
    fn flow(&self) -> f64 {
        let mut positive = self.clone();
        let lists = positive.biases.iter_mut().chain([&mut positive.gamma, &mut positive.beta]);
        lists.flatten().chain(positive.weights.iter_mut().flatten().flatten()).for_each(|v| *v = v.abs());
        let hidden = positive.affine(0, &[1.0; 36]);
        positive.outputs(&hidden, &self.mean, &self.variance).iter().sum()
    }

    fn moved(&self, by: f64, direction: &[Array2<f64>]) -> Scalars {
        let mut moved = self.clone();
        for (weights, direction) in moved.weights.iter_mut().zip(direction) {
            for (row, d) in weights.iter_mut().zip(direction.rows()) {
                row.iter_mut().zip(d).for_each(|(w, d)| *w += by * d);
            }
        }
        moved
    }
}

/// The unit vector of one weight.
fn unit(shapes: &[(usize, usize)], tensor: usize, at: (usize, usize)) -> Vec<Array2<f64>> {
    let mut vector: Vec<_> = shapes.iter().map(|&shape| Array2::zeros(shape)).collect();
    vector[tensor][at] = 1.0;
    vector
}

const SHAPES: [(usize, usize); 2] = [(36, 3), (3, 4)];

/// f of every weight: at h and h/2, and the bound of the error at h/2.
///
/// Central differences at h and h/2 differ by 3/4 of the truncation at h, which at h/2 is a third of that;
/// a rectifier that changes in between shows half of its jump: three times the difference. And `rounding`.
fn for_weights(rounding: f64, difference: impl Fn(&[Array2<f64>], f64) -> f64) -> Vec<Array2<(f64, f64)>> {
    let h = 1e-3;
    let value = |tensor: usize, at: (usize, usize)| {
        let direction = unit(&SHAPES, tensor, at);
        let (wide, narrow) = (difference(&direction, h), difference(&direction, h / 2.0));
        (narrow, 3.0 * (wide - narrow).abs() + rounding)
    };
    (0..2).map(|tensor| Array2::from_shape_fn(SHAPES[tensor], |at| value(tensor, at))).collect()
}

/// The scores of a kind, by its name.
fn scores(network: &mut Network, name: &str) -> Vec<Array2<f64>> {
    let kind = SCORES.iter().find(|kind| kind.name == name).expect("a score");
    let mut batches = || vec![batch()];
    let mut context = ScoreContext::new(network, &mut batches, 1, 0);
    kind.score.score(&mut context).expect("it can be probed")
}

fn assert_near(
    got: &[Array2<f64>],
    expected: &[Array2<(f64, f64)>],
    value: impl Fn(usize, (usize, usize), f64) -> f64,
) {
    let mut telling = 0;
    for (tensor, (got, expected)) in got.iter().zip(expected).enumerate() {
        for (at, &got) in got.indexed_iter() {
            let (number, bound) = expected[at];
            let (number, bound) = (value(tensor, at, number), value(tensor, at, bound).abs());
            assert!((got - number).abs() <= bound + 1e-12, "{tensor} {at:?}: {got}, {number} ± {bound}");
            telling += usize::from(bound < 0.01 * number.abs());
        }
    }
    assert!(telling > 60, "{telling} of 120 bounds are worth something");
}

/// Rounding of a difference of losses near 1 over 2h/2.
const ROUNDING: f64 = 1e-14 / 1e-3;

#[test]
fn snip_is_the_derivative_of_the_loss() {
    let mut network = network(TINY);
    let scalars = Scalars::of(&mut network);
    let batch = batch();
    let derivative = for_weights(ROUNDING, |d, h| {
        (scalars.moved(h, d).loss(&batch) - scalars.moved(-h, d).loss(&batch)) / (2.0 * h)
    });
    let weight = |t: usize, at: (usize, usize)| scalars.weights[t][at.0][at.1];
    for name in ["snip", "force"] {
        let got = scores(&mut network, name);
        assert_near(&got, &derivative, |t, at, d| (weight(t, at) * d).abs());
    }
}

#[test]
fn grasp_is_the_derivative_of_the_gradient_norm() {
    let mut network = network(TINY);
    let scalars = Scalars::of(&mut network);
    let batch = batch();
    let gradient = for_weights(ROUNDING, |d, h| {
        (scalars.moved(h, d).loss(&batch) - scalars.moved(-h, d).loss(&batch)) / (2.0 * h)
    });
    let gradient: Vec<_> = gradient.iter().map(|g| g.mapv(|(g, _)| g)).collect();
    // H·g by second differences: four losses over 4h², h² ≥ 2.5e-7.
    let product = for_weights(4e-15 / 1e-6, |d, h| {
        let loss = |a: f64, b: f64| scalars.moved(a, d).moved(b, &gradient).loss(&batch);
        (loss(h, h) - loss(h, -h) - loss(-h, h) + loss(-h, -h)) / (4.0 * h * h)
    });
    let weight = |t: usize, at: (usize, usize)| scalars.weights[t][at.0][at.1];
    let got = scores(&mut network, "grasp");
    assert_near(&got, &product, |t, at, hg| weight(t, at) * hg);

    // The kept set, where the scores on both sides of the cut differ by more than the bound.
    let expected = Array2::from_shape_fn(SHAPES[0], |at| weight(0, at) * product[0][at].0);
    let bound = Array2::from_shape_fn(SHAPES[0], |at| (weight(0, at) * product[0][at].1).abs());
    let mut sorted: Vec<f64> = expected.iter().copied().collect();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let worst = bound.iter().fold(0.0, |a: f64, &b| a.max(b));
    let cuts: Vec<_> = (1..108).filter(|&k| sorted[k - 1] - sorted[k] > 2.0 * worst).collect();
    assert!(cuts.len() > 30, "{} cuts are clear", cuts.len());
    for k in cuts {
        assert_eq!(top_k(&got[0], k), top_k(&expected, k), "{k} kept");
    }
}

/// R is linear in each magnitude, so that the difference is the derivative up to rounding.
#[test]
fn synflow_is_the_derivative_of_the_flow() {
    let mut network = network(TINY);
    let scalars = Scalars::of(&mut network);
    let sign = |d: &[Array2<f64>]| -> Vec<Array2<f64>> {
        let signs = d.iter().zip(&scalars.weights);
        signs.map(|(d, w)| Array2::from_shape_fn(d.dim(), |(i, j)| d[[i, j]] * w[i][j].signum())).collect()
    };
    let derivative = for_weights(1e-10, |d, h| {
        (scalars.moved(h, &sign(d)).flow() - scalars.moved(-h, &sign(d)).flow()) / (2.0 * h)
    });
    // Linear only if no weight changes its sign within h.
    let smallest = scalars.weights.iter().flatten().flatten().fold(1.0, |a: f64, w| a.min(w.abs()));
    assert!(smallest > 1e-3, "{smallest}");
    let weight = |t: usize, at: (usize, usize)| scalars.weights[t][at.0][at.1];
    let got = scores(&mut network, "synflow");
    assert_near(&got, &derivative, |t, at, d| (weight(t, at) * d).abs());
    // What flows in flows out, up to the bias terms: Σ of the last layer is R without its biases.
    let bias: f64 = scalars.biases[1].iter().map(|b| b.abs()).sum();
    assert!((got[1].sum() - (scalars.flow() - bias)).abs() < 1e-12 * scalars.flow());
}

/// Every operation: the loss is the float engine's, and the gradient the derivative of the loss.
#[test]
fn the_probe_is_the_network() {
    let mut network = network(ALL_LAYERS);
    let (images, labels) = batch();
    let probe = Probe::new(&mut network).expect("every layer can be probed");
    let (loss, gradient) = probe.loss(probe.weights(), &images, &labels);

    network.input_mut(8).assign(&images.mapv(|x| x as f32));
    let (mut backend, mut ledger) = (Backend::Float, Ledger::default());
    let mut pass = Pass::new(Mode::Train, 1, 0, &mut backend, &mut ledger);
    network.forward(&mut pass).expect("a forward pass");
    let (logits, dz) = network.logits_and_gradient();
    let float = cross_entropy(logits, &labels, dz).loss / 8.0;
    // Five layers of sums of at most 36 terms of size 1 in f32, the gradients of which are below 10.
    let bound = 5.0 * 36.0 * 10.0 * f64::from(f32::EPSILON);
    assert!((loss - float).abs() < bound, "{loss} {float}");
    network.backward(&mut pass).expect("a backward pass");

    for (tensor, gradient) in gradient.iter().enumerate() {
        let mut telling = 0;
        for (at, &analytic) in gradient.indexed_iter() {
            let difference = |h: f64| {
                let at = |h: f64| {
                    let mut weights = probe.weights().to_vec();
                    weights[tensor][at] += h;
                    probe.loss(&weights, &images, &labels).0
                };
                (at(h) - at(-h)) / (2.0 * h)
            };
            let (wide, narrow) = (difference(1e-4), difference(5e-5));
            let bound = 3.0 * (wide - narrow).abs() + 1e-14 / 1e-4;
            assert!((analytic - narrow).abs() <= bound, "{tensor} {at:?}: {analytic}, {narrow} ± {bound}");
            telling += usize::from(bound < 0.01 * analytic.abs());
        }
        assert!(2 * telling > gradient.len(), "{tensor}: {telling} bounds are worth something");
        let float = &network.prunables()[tensor].1.weight().gradient.mapv(f64::from);
        let apart = (gradient - float).mapv(f64::abs).into_iter().fold(0.0, f64::max);
        let size = gradient.iter().fold(0.0, |a: f64, g| a.max(g.abs()));
        // Half an ulp for each of 8·36 terms in five layers.
        assert!(
            apart < 5.0 * 288.0 / 2.0 * f64::from(f32::EPSILON) * size,
            "{tensor}: {apart} of {size} from the float engine"
        );
    }
}

/// A mask takes weights out of the network, but leaves their gradients.
#[test]
fn scores_see_the_masked_network() {
    let mut network = network(TINY);
    let chosen = Array2::from_shape_fn(SHAPES[0], |(i, j)| (i + j) % 3 != 0);
    let all = scores(&mut network, "snip");
    let weights = network.prunables()[0].1.weight().value.clone();
    network.prunables()[0].1.set_mask(Some(chosen.clone()), None);
    let masked = scores(&mut network, "snip");
    let flow = scores(&mut network, "synflow");
    // The same network with zeros instead of a mask.
    network.prunables()[0].1.set_mask(None, None);
    network.prunables()[0].1.weight_mut().value.zip_mut_with(&chosen, |w, &k| *w = if k { *w } else { 0.0 });
    let mut batches = || vec![batch()];
    let gradient = ScoreContext::new(&mut network, &mut batches, 1, 0).gradient().expect("probed");
    let expected = Array2::from_shape_fn(SHAPES[0], |at| (f64::from(weights[at]) * gradient[0][at]).abs());
    assert_eq!(masked[0], expected, "stored weights times the gradient of the masked network");
    assert_ne!(masked[0], all[0]);
    assert!(flow[0].iter().zip(&chosen).all(|(s, kept)| *kept || *s == 0.0), "nothing flows through a mask");
}
