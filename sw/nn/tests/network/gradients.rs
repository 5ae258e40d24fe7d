//! Gradients against finite differences, and quantized products against float ones.

use crate::common::PlainDevice;
use crate::common::data::{ALL_LAYERS, experiment, quarters};
use crate::common::harness::{Bench, eighths};
use ndarray::Array2;
use tandem_nn::backend::ledger::Ledger;
use tandem_nn::backend::{Backend, Mode, Pass};
use tandem_nn::network::Network;
use tandem_nn::network::loss::cross_entropy;
use tandem_nn::tensor::{Shape, Slot};

const IMAGE: Shape = Shape { h: 5, w: 4, c: 3 };

/// Layers that are linear around the point, on values that are multiples of 1/8: all sums are exact in
/// f32, so that the central difference *is* the derivative.
#[test]
fn piecewise_linear_layers_have_exact_gradients() {
    let cases = [
        ("type = \"linear\"\noutputs = 5", Shape::flat(7)),
        ("type = \"linear\"\noutputs = 5\nbias = false", Shape::flat(1)),
        ("type = \"conv2d\"\nchannels = 4\nkernel = 3", IMAGE),
        ("type = \"conv2d\"\nchannels = 2\nkernel = 3\npadding = 1\nstride = 2", IMAGE),
        ("type = \"conv2d\"\nchannels = 9\nkernel = 1\nbias = false", IMAGE),
        ("type = \"relu\"", IMAGE),
        ("type = \"flatten\"", IMAGE),
        ("type = \"residual\"\nfrom = \"input\"", IMAGE),
        ("type = \"max_pool\"\nsize = 2", IMAGE),
        ("type = \"max_pool\"\nsize = 3\nstride = 1", IMAGE),
        ("type = \"max_pool\"\nsize = [2, 3]\nstride = [2, 1]", IMAGE),
        ("type = \"conv2d\"\nchannels = 6\nkernel = 3\npadding = 1\nstride = 2\ngroups = 3", IMAGE),
        ("type = \"conv2d\"\nchannels = 4\nkernel = [3, 1]\nstride = [2, 1]\npadding = [1, 0]", IMAGE),
        ("type = \"avg_pool\"\nsize = 2", IMAGE),
        ("type = \"avg_pool\"\nsize = [4, 2]\nstride = 1", IMAGE),
        ("type = \"global_avg_pool\"", Shape { h: 4, w: 2, c: 3 }),
        ("type = \"dropout\"\nrate = 0.5", IMAGE),
        ("type = \"residual\"\nfrom = \"input\"\nstride = 2\nshortcut = \"zero-pad\"", IMAGE),
    ];
    for (table, shape) in cases {
        // What is added to has fewer positions and more channels.
        let first = if table.contains("zero-pad") { Shape { h: 3, w: 2, c: 5 } } else { shape };
        let mut bench = Bench::with_inputs(table, &[first, shape], 3, 8);
        if table.contains("relu") || table.contains("max_pool") {
            // Distinct and not 0: no maximum changes within 1/64.
            let n = bench.inputs[0].len();
            for (i, x) in bench.inputs[0].iter_mut().enumerate() {
                *x = ((i * 37) % n) as f32 / 8.0 - n as f32 / 16.0 + 1.0 / 16.0 + 1.0 / 32.0;
            }
        }
        let derivatives = bench.derivatives();
        assert!(derivatives.iter().any(|(_, g)| *g != 0.0), "{table}");
        for (place, derivative) in derivatives {
            let numeric = bench.difference(place, 1.0 / 64.0);
            assert_eq!(f64::from(derivative), numeric, "{table}\n{place:?}");
        }
    }
}

/// Central differences at h and h/2 differ by 3/4·h²/6·|L‴| + O(h⁴): the truncation at h/2 is a third of
/// that, the whole difference a bound. Rounding: y has the error of four f32 operations on values below
/// 8 (x, x − μ, times the slope, plus β), Σ|c| of which reach L, over h.
#[test]
fn batch_norm_has_the_gradient_of_its_differences() {
    for shape in [IMAGE, Shape::flat(4)] {
        let mut bench = Bench::new("type = \"batch_norm\"", shape, 6, 8);
        let h = 1.0 / 32.0;
        let weight: f64 = bench.c.iter().map(|&c| f64::from(c.abs())).sum();
        let rounding = 4.0 * 8.0 * f64::from(f32::EPSILON) / 2.0 * weight / f64::from(h / 2.0);
        let derivatives = bench.derivatives();
        let largest = derivatives.iter().map(|(_, g)| g.abs()).fold(0.0, f32::max);
        for (place, derivative) in derivatives {
            let (wide, narrow) = (bench.difference(place, h), bench.difference(place, h / 2.0));
            let bound = (wide - narrow).abs() + rounding;
            assert!(bound < 0.05 * f64::from(largest), "the bound is worth something: {bound}");
            let error = (f64::from(derivative) - narrow).abs();
            assert!(error <= bound, "{place:?}: {derivative}, {narrow} ± {bound}");
        }
    }
}

/// The mean loss of a batch on the float engine.
fn loss(network: &mut Network, labels: &[u8], backward: bool) -> f64 {
    let (mut backend, mut ledger) = (Backend::Float, Ledger::new(ALL_LAYERS.split("[[layer]]")));
    let mut pass = Pass::new(Mode::Train, 1, 0, &mut backend, &mut ledger);
    network.forward(&mut pass).expect("a forward pass");
    let (logits, gradient) = network.logits_and_gradient();
    let loss = cross_entropy(logits, labels, gradient).loss / labels.len() as f64;
    if backward {
        network.backward(&mut pass).expect("a backward pass");
    }
    loss
}

fn parameters(network: &mut Network) -> Vec<(String, &mut Array2<f32>, Array2<f32>)> {
    let slots = network.slots().into_iter();
    slots
        .filter_map(|(name, slot)| match slot {
            Slot::Parameter(p) => Some((name, &mut p.value, p.gradient.clone())),
            _ => None,
        })
        .collect()
}

/// The derivative along a direction of each parameter, on a network with every kind of layer.
///
/// Bound as for batch normalization; a rectifier or maximum that changes within h adds a term of the
/// order of h, which the difference between h and h/2 shows half of: three times the difference.
/// Rounding: the loss is a mean of f64 terms of logits with an error of some 2⁻²⁰.
#[test]
fn a_whole_network_has_the_gradient_of_its_differences() {
    let data = quarters(16, 4);
    let experiment =
        experiment("epochs = 1\noptimizer = \"sgd\"\nlr = 1.0\nschedule = \"constant\"", ALL_LAYERS);
    let plan = experiment.plan(Shape { h: 6, w: 6, c: 1 }, 4).expect("it suits the data");
    let mut network = Network::new(plan, 3);
    let pixels = data.train.images.array().unwrap().mapv(|byte| f32::from(byte) / 255.0);
    network.input_mut(16).assign(&pixels);
    let labels = &data.train.labels;
    loss(&mut network, labels, true);

    let gradients: Vec<_> = parameters(&mut network).into_iter().map(|(name, _, g)| (name, g)).collect();
    let mut checked = 0;
    for (i, (name, gradient)) in gradients.iter().enumerate() {
        let direction = Array2::from_shape_fn(gradient.dim(), eighths(i as u32)) / 2.0;
        let products = gradient.iter().zip(&direction);
        let analytic: f64 = products.map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
        let mut difference = |h: f32| {
            let mut at = |h: f32| {
                let old = parameters(&mut network)[i].1.clone();
                parameters(&mut network)[i].1.scaled_add(h, &direction);
                let loss = loss(&mut network, labels, false);
                parameters(&mut network)[i].1.assign(&old);
                loss
            };
            (at(h) - at(-h)) / (2.0 * f64::from(h))
        };
        let h = 1.0 / 512.0;
        let (wide, narrow) = (difference(h), difference(h / 2.0));
        let rounding = f64::from(2f32.powi(-20)) / f64::from(h / 2.0);
        let bound = 3.0 * (wide - narrow).abs() + rounding;
        let error = (analytic - narrow).abs();
        assert!(error <= bound, "{name}: {analytic}, {narrow} ± {bound}");
        checked += usize::from(bound < 0.1 * analytic.abs());
    }
    // Scales have no gradient in float, and a bias before batch normalization none at all.
    assert!(checked >= 8, "{checked} of {} bounds are worth something", gradients.len());
}

/// At 16 bits a quantized layer is the float one up to its steps: |v − v̂| ≤ s/2 for inputs and weights, s
/// for the stochastically rounded dY. Each of at most `terms` products errs by |a|·δb + |b|·δa + δa·δb.
#[test]
fn quantized_products_are_the_float_ones_up_to_their_steps() {
    let cases = [
        ("type = \"linear\"\noutputs = 5", Shape::flat(7)),
        ("type = \"conv2d\"\nchannels = 4\nkernel = 3\npadding = 1", IMAGE),
        ("type = \"conv2d\"\nchannels = 2\nkernel = 3\nstride = 2", IMAGE),
        ("type = \"conv2d\"\nchannels = 3\nkernel = 3\npadding = 1\ngroups = 3", IMAGE),
        ("type = \"conv2d\"\nchannels = 4\nkernel = [3, 1]\nstride = [2, 1]\npadding = [1, 0]", IMAGE),
    ];
    let forms = [
        "",
        "weight_scale = \"channel\"",
        "gradient_quantizer = \"per-axis\"",
        "weight_scale = \"channel\", gradient_quantizer = \"per-axis\"",
        "weight_scale = \"channel\", weight_clip = \"percentile\", percentile = 100",
    ];
    for ((table, shape), form) in cases.into_iter().flat_map(|case| forms.map(|form| (case, form))) {
        let mut float = Bench::new(table, shape, 3, 16);
        let mut quantized = Bench::new(&format!("{table}\nbits = {{ {form} }}"), shape, 3, 16);
        // dW of a channel is divided by its scale: dY·s has the largest one's step
        let weights = float.parameters()[0].clone();
        let largest = |column: usize| weights.column(column).iter().fold(0.0f32, |m, w| m.max(w.abs()));
        let maxima: Vec<f32> = (0..weights.ncols()).map(largest).collect();
        let spread =
            maxima.iter().fold(0.0f32, |m, x| m.max(*x)) / maxima.iter().fold(9.0f32, |m, x| m.min(*x));
        let spread = if form.contains("channel") { f64::from(spread) } else { 1.0 };
        let mut device = Backend::Device(Box::new(PlainDevice));
        // Everything lies in −2 … 2, and the scales are 2/32767 at most.
        let (size, step) = (2.0f64, 2.0 / 32_767.0);
        let error = |terms: usize, a: f64, b: f64| terms as f64 * (size * (a + b) + a * b);
        // And f32: products, sums and the scale, each a relative half ulp of at most terms·4.
        let rounding = |terms: usize| (terms * terms + 3) as f64 * 4.0 * f64::from(f32::EPSILON);
        let compare = |what: &str, a: &Array2<f32>, b: &Array2<f32>, bound: f64| {
            assert!(bound < 0.1, "{table}: the bound is worth something: {bound}");
            let apart = a.iter().zip(b).map(|(a, b)| f64::from((a - b).abs())).fold(0.0, f64::max);
            assert!(apart <= bound, "{table}, {what}: {apart} > {bound}");
            assert!(a != b, "{table}, {what}: quantization leaves a trace");
        };

        let k = shape.features().min(27);
        let (y, yq) = (float.forward(&mut Backend::Float), quantized.forward(&mut device));
        compare("Y", &y, &yq, error(k, step / 2.0, step / 2.0) + rounding(k));

        let (dx, dxq) = (float.backward(&mut Backend::Float), quantized.backward(&mut device));
        let outputs = 4 * 9;
        compare("dX", &dx[0], &dxq[0], error(outputs, step, step / 2.0) + rounding(outputs));
        let rows = 3 * shape.positions();
        let (dw, dwq) = (float.gradients(), quantized.gradients());
        compare("dW", &dw[0], &dwq[0], error(rows, step / 2.0, spread * step) + rounding(rows));
        assert_eq!(dw[1], dwq[1], "{table}: the bias gradient is the host's");
    }
}

/// A channel of zeros has no scale, and yet its gradient: that of the float layer, up to steps.
#[test]
fn a_channel_of_zeros_has_a_gradient() {
    for form in [
        "",
        ", gradient_quantizer = \"per-axis\"",
        ", weight_clip = \"octav\"",
        ", weight_clip = \"learned\"",
    ] {
        let table = "type = \"linear\"\noutputs = 5";
        let bits = format!("bits = {{ weight_scale = \"channel\"{form} }}");
        let mut float = Bench::new(table, Shape::flat(7), 3, 16);
        let mut quantized = Bench::new(&format!("{table}\n{bits}"), Shape::flat(7), 3, 16);
        for bench in [&mut float, &mut quantized] {
            bench.parameters()[0].column_mut(2).fill(0.0);
        }
        float.backward(&mut Backend::Float);
        quantized.backward(&mut Backend::Device(Box::new(PlainDevice)));
        let (dw, dwq) = (float.gradients(), quantized.gradients());
        let largest = dw[0].column(2).iter().fold(0.0f32, |m, g| m.max(g.abs()));
        assert!(largest > 0.1, "{largest}");
        for (g, gq) in dw[0].column(2).iter().zip(dwq[0].column(2)) {
            assert!((g - gq).abs() < 0.01, "{form}: {g} {gq}");
        }
        assert!(dwq.iter().all(|g| g.iter().all(|g| g.is_finite())), "{form}");
    }
}

/// Scales of 1/4 at 3 bits clip what is not inside −3/4 … 3/4, most of −2 … 2.
#[test]
fn clipped_values_have_no_gradient_and_their_scale_has_one() {
    let bits = "bits = { weight_clip = \"learned\", activation_clip = \"learned\" }";
    for (table, shape) in [
        ("type = \"linear\"\noutputs = 5", Shape::flat(7)),
        ("type = \"conv2d\"\nchannels = 4\nkernel = 3\npadding = 1", IMAGE),
    ] {
        let mut bench = Bench::new(&format!("{table}\n{bits}"), shape, 3, 3);
        for scale in bench.parameters().into_iter().skip(2) {
            scale.fill(0.25);
        }
        let dx = bench.backward(&mut Backend::Device(Box::new(PlainDevice)));
        let gradients = bench.gradients();
        assert_eq!(gradients.len(), 4, "weight, bias and two scales");
        assert!(gradients[2][[0, 0]] != 0.0 && gradients[3][[0, 0]] != 0.0, "{table}");
        let check = |what: &str, v: &Array2<f32>, g: &Array2<f32>| {
            let clipped = |v: f32| v.abs() >= 0.75;
            let pairs = || v.iter().zip(g);
            assert!(pairs().all(|(&v, &g)| !clipped(v) || g == 0.0), "{table}: clipped {what}");
            assert!(pairs().any(|(&v, _)| clipped(v)), "{table}: some {what} are clipped");
            assert!(pairs().any(|(_, &g)| g != 0.0), "{table}: some {what} are not");
        };
        let inputs = bench.inputs[0].clone();
        check("inputs", &inputs, &dx[0]);
        let weights = bench.parameters()[0].clone();
        check("weights", &weights, &gradients[0]);
    }
}
