//! Convolutions through every way that a plan may take: twin, host and the plain sums agree, cycles are as predicted,
//! no program has a hazard.

mod common;

use common::{CONFIGS, Random, config, shipped};
use ndarray::Array2;
use tandem_driver::conv::{Window, candidates, mismatches};
use tandem_driver::{
    ConvProduct, ConvRequest, Device, Exact, Format, Offload, Operand, Pattern, ResultFormat, Sparsity,
};
use tandem_kernels::Level;
use tandem_model::{CycleModel, Twin};
use tandem_spec::Config;

/// One product and its operands.
#[derive(Debug)]
struct Case {
    product: ConvProduct,
    window: Window,
    x: Array2<i32>,
    w: Array2<i32>,
    formats: [Format; 2],
    result: ResultFormat,
    pattern: Option<Pattern>,
    kept: Option<Array2<bool>>,
}

const PRODUCTS: [ConvProduct; 3] =
    [ConvProduct::Forward, ConvProduct::InputGradient, ConvProduct::WeightGradient];

impl Case {
    /// Random operands; `m` of 1:m, or 1.
    fn new(
        random: &mut Random,
        product: ConvProduct,
        window: Window,
        images: usize,
        outputs: usize,
        formats: [Format; 2],
        nm: (usize, usize),
    ) -> Case {
        let places = window.places();
        let (x, w) = match product {
            ConvProduct::Forward => ((images, window.features()), (window.volume(), outputs)),
            ConvProduct::InputGradient => ((images, places * outputs), (window.volume(), outputs)),
            ConvProduct::WeightGradient => ((images, window.features()), (images * places, outputs)),
        };
        let x = random.matrix(x, formats[0].range());
        let w = random.matrix(w, formats[1].range());
        let mut case =
            Case { product, window, x, w, formats, result: ResultFormat::Full, pattern: None, kept: None };
        let (n, m) = nm;
        if n == m {
            return case;
        }
        let run = match product {
            ConvProduct::InputGradient => outputs,
            _ if window.channels.is_multiple_of(m) || random.percent(30) => window.channels,
            _ => window.channels * window.kernel[1],
        };
        let pattern = Pattern { n, m, run };
        case.pattern = Some(pattern);
        match product {
            ConvProduct::Forward => drop(pattern.project(&mut case.w)),
            ConvProduct::InputGradient => {
                let mut t = case.w.t().as_standard_layout().into_owned();
                pattern.project(&mut t);
                case.w = t.t().as_standard_layout().into_owned();
            }
            ConvProduct::WeightGradient => {
                let mut scores = random.matrix((window.volume(), outputs), (-128, 127));
                let mut kept = pattern.project(&mut scores);
                kept.iter_mut().for_each(|kept| *kept &= random.below(8) > 0);
                case.kept = Some(kept);
            }
        }
        case
    }

    fn request(&self) -> ConvRequest<'_> {
        ConvRequest {
            product: self.product,
            window: self.window,
            x: Operand::new(self.x.view(), self.formats[0]),
            w: Operand::new(self.w.view(), self.formats[1]),
            result: self.result,
            sparsity: Sparsity::new(self.pattern, self.kept.as_ref()),
        }
    }
}

/// Runs a case in every way that there is; how many ways were walks.
fn check(config: &Config, case: &Case, bands: &[[usize; 2]]) -> usize {
    use tandem_driver::conv::Lowering;
    let request = case.request();
    let mut exact = Exact::new(config.clone(), CycleModel);
    let fast =
        exact.run(request.into()).unwrap_or_else(|e| panic!("{}: {case:?}: {e}", config.name)).into_conv();
    for level in Level::all() {
        let same = exact.run_at(level, request.into()).expect("it ran before").into_conv();
        assert_eq!(mismatches(&request, &same.y), 0, "host, {}: {case:?}", level.name());
        assert_eq!((same.magnitude_or, same.saturated), (fast.magnitude_or, fast.saturated), "{case:?}");
    }
    let problem = tandem_driver::RequestKind::problem(&request).unwrap();
    let mut walks = 0;
    for planned in candidates(config, &CycleModel, &problem, bands) {
        let name = format!(
            "{}: {} of {:?}",
            config.name,
            tandem_driver::Plan::describe(&planned.plan).plan,
            problem
        );
        walks += usize::from(!matches!(planned.plan.lowering, Lowering::Rows(..)));
        let mut device = Offload::new(Twin::checked(config), CycleModel).strict();
        device.planner().adopt(&problem, planned);
        let ran = device.run(request.into()).unwrap_or_else(|e| panic!("{name}: {e}")).into_conv();
        assert_eq!(device.engine().hazards(), [], "{name}");
        assert_eq!(mismatches(&request, &ran.y), 0, "{name}");
        assert_eq!((ran.magnitude_or, ran.saturated), (fast.magnitude_or, fast.saturated), "{name}");
        assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles, "{name}");
    }
    walks
}

fn window(image: [usize; 2], channels: usize, kernel: [usize; 2], stride: usize, padding: usize) -> Window {
    Window { image, channels, kernel, stride: [stride; 2], padding: [padding; 2] }
}

#[test]
fn shapes_that_people_know() {
    let config = shipped("default");
    let mut random = Random(7);
    let cases = [
        (window([28, 28], 1, [5, 5], 1, 2), 6, 1),
        (window([14, 14], 6, [5, 5], 1, 0), 16, 4),
        (window([8, 8], 16, [3, 3], 1, 1), 16, 4),
        (window([8, 8], 16, [3, 3], 2, 1), 32, 4),
        (window([8, 8], 16, [1, 1], 2, 0), 24, 4),
        (window([6, 6], 64, [3, 3], 1, 1), 20, 2),
    ];
    for (window, outputs, most) in cases {
        for product in PRODUCTS {
            for m in [1, most] {
                let formats = if product == ConvProduct::InputGradient {
                    [Format::signed(8), Format::signed(4)]
                } else if product == ConvProduct::Forward {
                    [Format::unsigned(4), Format::signed(4)]
                } else {
                    [Format::unsigned(4), Format::signed(8)]
                };
                let case = Case::new(&mut random, product, window, 10, outputs, formats, (1, m));
                let walks = check(&config, &case, &[[3, 99], [99, 99]]);
                assert!(walks > 0, "{product:?} {window:?} 1:{m}");
            }
        }
    }
}

/// Random accelerators, windows, batches, widths and patterns.
#[test]
fn anything_drawn() {
    let mut random = Random(11);
    let rounds = std::env::var("TANDEM_CONV_CASES").map_or(300, |n| n.parse().unwrap());
    let mut walks = 0;
    for round in 0..rounds {
        let (name, _) = CONFIGS[random.below(CONFIGS.len())];
        let config = config(name);
        let kernel = [random.up_to(4), random.up_to(4)];
        let padding = kernel.map(|kernel| random.below(kernel));
        let image = kernel.map(|kernel| kernel + random.below(7));
        let stride = [random.up_to(3), random.up_to(3)];
        let window = Window { image, channels: random.up_to(9), kernel, stride, padding };
        let product = PRODUCTS[random.below(3)];
        let format = |random: &mut Random| Format { bits: random.up_to(8) as u8, signed: random.percent(50) };
        let formats = [format(&mut random), format(&mut random)];
        let most = config.array.select.trailing_zeros() as usize;
        let m = 1 << random.below(most + 1);
        let n = random.up_to(m);
        let (images, outputs) = (random.up_to(2 * config.array.rows + 1), random.up_to(9));
        let mut case = Case::new(&mut random, product, window, images, outputs, formats, (n, m));
        if case.kept.is_none() && random.percent(25) {
            case.result = ResultFormat::Narrow { bits: 8, shift: random.below(8) as u8 };
        }
        let bands = [[random.up_to(4), random.up_to(4)], [99, 99]];
        println!("{round}: {name}");
        walks += check(&config, &case, &bands);
    }
    assert!(walks > rounds, "{walks} walks in {rounds} cases");
}

/// Enough rows that the host passes over zeros of weights, and entries of dW that are not wanted: the plain sums at every level, and
/// narrowed as they say.
#[test]
fn what_does_not_count_is_passed_over() {
    let mut random = Random(11);
    let config = shipped("sparse-8x16x4");
    let mut exact = Exact::new(config, CycleModel);
    let windows = [
        window([12, 12], 16, [3, 3], 1, 1),
        window([26, 26], 80, [1, 1], 2, 0),
        window([13, 13], 6, [5, 5], 1, 0),
        window([15, 9], 5, [4, 3], 3, 2),
    ];
    for (window, nm) in
        windows.into_iter().flat_map(|w| [(1, 4), (2, 4), (1, 8), (1, 16), (1, 1)].map(|nm| (w, nm)))
    {
        for product in PRODUCTS {
            let formats = match product {
                ConvProduct::Forward => [Format::unsigned(4), Format::signed(4)],
                ConvProduct::InputGradient => [Format::signed(8), Format::signed(8)],
                ConvProduct::WeightGradient if nm.0 == 1 => [Format::unsigned(7), Format::signed(8)],
                ConvProduct::WeightGradient => [Format::signed(4), Format::signed(8)],
            };
            // gradients of several images, and a last few, are summed together
            let images = if product == ConvProduct::WeightGradient { 29 } else { 7 };
            let (run, outputs) = (window.channels, 48);
            let nm = if product != ConvProduct::InputGradient && run % nm.1 != 0 { (1, 1) } else { nm };
            let mut case = Case::new(&mut random, product, window, images, outputs, formats, nm);
            let whole = exact.run(case.request().into()).expect("a product").into_conv().y.into_long();
            let bytes = [&case.x, &case.w].map(|values| values.mapv(|v| v as i8));
            for level in Level::all() {
                let [x, w] = [0, 1].map(|i| Operand::new(bytes[i].view(), formats[i]));
                let ran =
                    exact.run_at(level, ConvRequest { x, w, ..case.request() }.into()).expect("a product");
                assert_eq!(
                    ran.into_conv().y.into_long(),
                    whole,
                    "{}, {nm:?}, bytes, {product:?} of {window:?}",
                    level.name()
                );
            }
            for result in [(32, 0), (16, 0), (8, 0), (16, 3), (8, 5)] {
                let (bits, shift) = result;
                if bits < 32 && case.kept.is_some() {
                    // selected results leave whole
                    continue;
                }
                case.result =
                    if bits == 32 { ResultFormat::Full } else { ResultFormat::Narrow { bits, shift } };
                let saturated = match case.result {
                    ResultFormat::Full => 0,
                    ResultFormat::Narrow { .. } => {
                        let limit = f64::from(1u32 << (bits - 1));
                        let rounded = |v: &i64| (*v as f64 / f64::from(1u32 << shift)).round_ties_even();
                        whole.iter().filter(|v| !(-limit..limit).contains(&rounded(v))).count()
                    }
                };
                for level in Level::all() {
                    let name = format!("{}, {nm:?}, {product:?} of {window:?}, {result:?}", level.name());
                    let request = case.request();
                    let ran = exact.run_at(level, request.into()).expect("a product").into_conv();
                    assert_eq!(mismatches(&request, &ran.y), 0, "{name}");
                    assert_eq!(ran.saturated, saturated as u64, "{name}");
                }
            }
        }
    }
}

/// X is stored without sign, so that sums on the way are twice what they come to: beyond 32 bits, which wrap and come back.
#[test]
fn entries_that_are_wanted_may_wrap_on_the_way() {
    let window = window([300, 300], 8, [1, 1], 1, 0);
    let formats = [Format::signed(8), Format::signed(8)];
    let mut case = Case::new(&mut Random(1), ConvProduct::WeightGradient, window, 1, 64, formats, (1, 8));
    case.x.fill(127);
    case.w.fill(-128);
    let mut exact = Exact::new(shipped("sparse-8x16x4"), CycleModel);
    for level in Level::all() {
        let ran = exact.run_at(level, case.request().into()).expect("a product").into_conv();
        let kept = case.kept.as_ref().expect("a weight gradient");
        let expected = kept.mapv(|kept| if kept { -127 * 128 * 90_000 } else { 0 });
        assert_eq!(ran.y.into_long(), expected, "{}", level.name());
    }
}
