//! Convolutions on the simulated accelerator against their plain sums, in every way that a plan may take: every result
//! right, all counters as predicted; and `tandem conv` from files and from a seed.

use crate::common::command::{Scratch, object, run, succeeds};
use crate::common::{Random, config};
use ndarray::{Array2, Array4};
use ndarray_npy::{read_npy, write_npy};
use tandem_driver::conv::{Lowering, Window, candidates, mismatches};
use tandem_driver::{
    ConvProduct, ConvRequest, Device, Format, Offload, Operand, Pattern, RequestKind, ResultFormat, Sparsity,
};
use tandem_model::CycleModel;
use tandem_sim::{Sim, SimOptions};

const PRODUCTS: [ConvProduct; 3] =
    [ConvProduct::Forward, ConvProduct::InputGradient, ConvProduct::WeightGradient];

/// Random products in every form on one accelerator; how many forms were walks.
fn forms(name: &str, rounds: usize, seed: u64) -> usize {
    let config = config(name);
    let mut random = Random(seed);
    let sim = Sim::new(&config, &SimOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let mut device = Offload::new(sim, CycleModel).strict();
    let mut walks = 0;
    for round in 0..rounds {
        let product = PRODUCTS[round % 3];
        let kernel = [random.up_to(3), random.up_to(4)];
        let window = Window {
            image: [kernel[0] + random.below(5), kernel[1] + random.below(5)],
            channels: random.up_to(9),
            kernel,
            stride: [random.up_to(2), random.up_to(2)],
            padding: kernel.map(|kernel| random.below(kernel)),
        };
        let (images, outputs, places) = (random.up_to(10), random.up_to(9), window.places());
        let (x, w) = match product {
            ConvProduct::Forward => ((images, window.features()), (window.volume(), outputs)),
            ConvProduct::InputGradient => ((images, places * outputs), (window.volume(), outputs)),
            ConvProduct::WeightGradient => ((images, window.features()), (images * places, outputs)),
        };
        let formats = [Format::signed(random.up_to(8) as u8), Format::unsigned(random.up_to(7) as u8)];
        let (x, mut w) = (random.matrix(x, formats[0].range()), random.matrix(w, formats[1].range()));
        let m = 1 << random.below(config.array.select.trailing_zeros() as usize + 1);
        let mut kept: Option<Array2<bool>> = None;
        let pattern = (m > 1).then(|| match product {
            ConvProduct::InputGradient => {
                let p = Pattern { n: 1, m, run: outputs };
                let mut turned = w.t().as_standard_layout().into_owned();
                p.project(&mut turned);
                w = turned.t().as_standard_layout().into_owned();
                p
            }
            _ => {
                let divides = window.channels.is_multiple_of(m);
                let run = if divides { window.channels } else { window.channels * kernel[1] };
                let p = Pattern { n: 1, m, run };
                if product == ConvProduct::Forward {
                    p.project(&mut w);
                } else {
                    kept = Some(p.project(&mut random.matrix((window.volume(), outputs), (-99, 99))));
                }
                p
            }
        });
        let operand = |values, format| Operand::new(values, format);
        let request = ConvRequest {
            product,
            window,
            x: operand(x.view(), formats[0]),
            w: operand(w.view(), formats[1]),
            result: ResultFormat::Full,
            sparsity: Sparsity::new(pattern, kept.as_ref()),
        };
        let problem = request.problem().expect("a sound request");
        for planned in candidates(&config, &CycleModel, &problem, &[[2, 3], [99, 99]]) {
            let at = format!("{name}: {:?} of {problem:?}", planned.plan.lowering);
            walks += usize::from(!matches!(planned.plan.lowering, Lowering::Rows(..)));
            device.planner().adopt(&problem, planned);
            let ran = device.run(request.into()).unwrap_or_else(|e| panic!("{at}: {e}")).into_conv();
            assert_eq!(mismatches(&request, &ran.y), 0, "{at}");
            assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles, "{at}");
        }
    }
    walks
}

#[test]
fn every_form_on_the_default_accelerator() {
    assert!(forms("default", 60, 3) > 300);
}

#[test]
fn every_form_where_a_sixteenth_is_selected() {
    assert!(forms("sparse-8x8x4", 30, 4) > 100);
}

#[test]
fn every_form_on_the_smallest_accelerator() {
    assert!(forms("minimal", 30, 5) > 60);
}

fn array(shape: (usize, usize, usize, usize), most: i32) -> Array4<i32> {
    let (_, b, c, d) = shape;
    Array4::from_shape_fn(shape, |(i, j, k, l)| ((((i * b + j) * c + k) * d + l) as i32 * 7919) % (most + 1))
}

/// Y, dX and dW from npy files are the sums of their definition.
#[test]
fn files_of_operands() {
    let s = Scratch::new();
    let (x, w, dy) = (array((3, 5, 6, 2), 7), array((3, 2, 2, 4), 7), array((3, 3, 4, 4), 100));
    for (name, a) in [("x", &x), ("w", &w), ("dy", &dy)] {
        write_npy(s.path(&format!("{name}.npy")), a).expect("written");
    }
    let file = |name: &str| s.path(&format!("{name}.npy"));
    let call = |product: &str, operands: &[&str]| {
        let out = s.path(&format!("{product}.npy"));
        let mut all = vec!["conv", "--product", product, "--stride", "2", "--padding", "1", "-o", &out];
        all.extend(operands);
        let report = succeeds(&all);
        assert_eq!(report["mismatches"], 0);
        assert_eq!(report["cycles"], report["predicted_cycles"]);
        read_npy::<_, Array4<i32>>(&out).expect("int32 of four dimensions")
    };
    let (fx, fw, fdy) = (file("x"), file("w"), file("dy"));
    let y = call("forward", &["--x", &fx, "--w", &fw]);
    let dx = call("input-gradient", &["--dy", &fdy, "--w", &fw, "--image", "5", "6"]);
    let dw = call("weight-gradient", &["--x", &fx, "--dy", &fdy, "--kernel", "3", "2"]);
    assert_eq!((y.dim(), dx.dim(), dw.dim()), ((3, 3, 4, 4), x.dim(), w.dim()));
    let [mut y2, mut dx2, mut dw2] = [y.dim(), dx.dim(), dw.dim()].map(Array4::<i32>::zeros);
    for ((b, oy, ox, o), g) in dy.indexed_iter() {
        for ((ky, kx, c, _), _) in w.indexed_iter().filter(|(at, _)| at.3 == o) {
            let (Some(iy), Some(ix)) = ((2 * oy + ky).checked_sub(1), (2 * ox + kx).checked_sub(1)) else {
                continue;
            };
            if iy < 5 && ix < 6 {
                y2[[b, oy, ox, o]] += x[[b, iy, ix, c]] * w[[ky, kx, c, o]];
                dx2[[b, iy, ix, c]] += g * w[[ky, kx, c, o]];
                dw2[[ky, kx, c, o]] += x[[b, iy, ix, c]] * g;
            }
        }
    }
    assert_eq!((y, dx, dw), (y2, dx2, dw2));
}

#[test]
fn what_does_not_fit_together_is_named() {
    let s = Scratch::new();
    write_npy(s.path("x.npy"), &array((2, 4, 4, 3), 7)).expect("written");
    write_npy(s.path("w.npy"), &array((3, 3, 2, 5), 7)).expect("written");
    let (x, w) = (s.path("x.npy"), s.path("w.npy"));
    s.refuses(&["channels differ, 3 and 2"], &["conv", "--x", &x, "--w", &w]);
    s.refuses(&["--w", "needs it"], &["conv", "--x", &x]);
    s.refuses(&["--dy", "takes --x and --w"], &["conv", "--x", &x, "--w", &w, "--dy", &x]);
    s.refuses(&["--kernel"], &["conv", "--product", "weight-gradient", "--x", &x, "--dy", &x]);
    s.refuses(
        &["no place for a kernel of 5 × 5"],
        &["conv", "--random", "1", "3", "3", "1", "1", "--kernel", "5"],
    );
    s.refuses(
        &["--padding 3", "less than the kernel"],
        &["conv", "--random", "1", "3", "3", "1", "1", "--padding", "3"],
    );
    s.refuses(&["--stride 0"], &["conv", "--random", "1", "3", "3", "1", "1", "--stride", "0"]);
    s.refuses(&["every size must be at least 1"], &["conv", "--random", "1", "3", "3", "0", "1"]);
    let most = u64::MAX.to_string();
    s.refuses(&["--random"], &["conv", "--random", &most, &most, &most, "1", "1"]);
}

/// A plan says what it is; where no walk is possible it says why.
#[test]
fn plans_explain_themselves() {
    let walk =
        succeeds(&["conv", "--random", "16", "14", "14", "6", "16", "--kernel", "5", "--pattern", "1:4"]);
    assert!(walk["plan"].as_str().unwrap().starts_with("walk over bands"), "{walk}");
    assert!(walk["why"].is_null());
    let wide = object(&run(
        &["--json"],
        &["conv", "--random", "2", "4", "4", "2", "3", "--x-bits", "16", "--w-bits", "16"],
        &[],
    ));
    assert!(wide["plan"].as_str().unwrap().starts_with("matrix product"), "{wide}");
    assert!(!wide["why"].as_str().unwrap().is_empty());
}
