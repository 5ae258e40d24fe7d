//! Weights as codes of a table: the same integers as their levels, at the codes' price on the link and in memory.

mod common;

use common::{Case, Random, shipped};
use ndarray::Array2;
use tandem_driver::conv::{Window, candidates, mismatches as conv_mismatches};
use tandem_driver::gemm::search;
use tandem_driver::{
    Codebook, ConvProduct, ConvRequest, Device, Exact, Format, GemmProblem, GemmRequest, Offload, Operand,
    Pattern, Plan, Planner, RequestKind, ResultFormat, Sparsity, mismatches,
};
use tandem_model::{CycleModel, Twin};
use tandem_spec::{Config, Instruction, Memory};

/// Accelerators with codebooks: all kinds of digits, links, banks and words of codes.
const CONFIGS: &[&str] = &[
    "[array]\nrows=2\ncols=3\nlanes=2\nrow_digit=2\ncol_digit=2\nacc_bits=18\n[memory]\nrow_depth=16\ncol_depth=8\nresult_depth=4\n\
     [link]\nbits=16\n[codebook]\ncode_bits=3\nlevel_bits=4\ndepth=4\n",
    "[array]\nrows=5\ncols=4\nlanes=1\nrow_digit=4\ncol_digit=2\nselect=8\ndrain=2\n[memory]\nrow_depth=16\ncol_depth=64\nresult_depth=64\n\
     [link]\nbits=64\n[codebook]\ncode_bits=2\nlevel_bits=8\ndepth=8\n",
    "[array]\nrows=4\ncols=6\nlanes=16\nrow_digit=4\ncol_digit=1\nhop=2\n[memory]\nrow_depth=32\ncol_depth=64\nresult_depth=32\n\
     [codebook]\ncode_bits=4\nlevel_bits=8\ndepth=32\n",
    "[array]\nrows=3\ncols=2\nlanes=32\nrow_digit=8\ncol_digit=8\nselect=2\npipeline=9\n[memory]\nrow_depth=32\ncol_depth=16\nresult_depth=16\n\
     [link]\nbits=8\n[codebook]\ncode_bits=1\ndepth=16\n[control]\npack=true\n",
];

fn configs() -> Vec<Config> {
    let own = CONFIGS.iter().enumerate().map(|(i, text)| {
        let c = Config::from_toml(&format!("own-{i}"), text).expect("a valid configuration");
        Config { name: format!("own-{i}"), ..c }
    });
    own.chain([shipped("codebook")]).collect()
}

/// A random table with level 0, of codes and levels that an accelerator takes.
fn table(random: &mut Random, config: &Config) -> Codebook {
    let book = config.codebook.as_ref().expect("an accelerator with codebooks");
    let format = Format { bits: random.up_to(book.level_bits) as u8, signed: random.percent(70) };
    let (lo, hi) = format.range();
    let most = (1 << book.code_bits).min((hi - lo + 1) as usize);
    let mut levels = vec![0];
    for _ in 1..random.up_to(most) {
        levels.push(lo + random.below((hi - lo + 1) as usize) as i32);
    }
    levels.sort_unstable();
    levels.dedup();
    Codebook::new(levels, format).expect("a table")
}

/// A matrix whose values stand for levels, 0 for 0.
fn levels(w: &Array2<i32>, book: &Codebook) -> Array2<i32> {
    let others: Vec<i32> = book.levels().iter().copied().filter(|level| *level != 0).collect();
    w.mapv(|v| if v == 0 || others.is_empty() { 0 } else { others[v.unsigned_abs() as usize % others.len()] })
}

fn coded<'a>(operand: Operand<'a>, book: &'a Codebook) -> Operand<'a> {
    Operand { format: book.format(), codebook: Some(book), ..operand }
}

/// What is right of a product, whatever its plan: integers, hazards, cycles.
fn agrees(config: &Config, request: &GemmRequest<'_>, problem: &GemmProblem) -> bool {
    let planned = search(config, &CycleModel, problem).expect("a plan");
    let is_coded = planned.plan.codes().is_some();
    let name = format!("{}: {} of {problem:?}", config.name, planned.plan.describe().plan);
    let mut device = Offload::new(Twin::checked(config), CycleModel).strict();
    device.planner().adopt(problem, planned);
    let ran = device.run((*request).into()).unwrap_or_else(|e| panic!("{name}: {e}")).into_gemm();
    assert_eq!(device.engine().hazards(), [], "{name}");
    assert_eq!(mismatches(request, &ran.y), 0, "{name}");
    assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles, "{name}");
    let fast = Exact::new(config.clone(), CycleModel).run((*request).into()).unwrap().into_gemm();
    assert_eq!(fast.y, ran.y, "{name}");
    is_coded
}

#[test]
fn random_products() {
    let mut as_codes = 0;
    for config in configs() {
        for seed in 0..40 {
            let mut random = Random(seed);
            let shape = (random.up_to(20), random.up_to(90), random.up_to(20));
            let formats =
                [Format { bits: random.up_to(8) as u8, signed: random.percent(50) }, Format::signed(4)];
            let mut case = match config.array.select {
                1 => Case::new(&mut random, shape, formats),
                most => Case::sparse(&mut random, shape, formats, most),
            };
            let book = table(&mut random, &config);
            case.w = levels(&case.w, &book);
            let request = case.request();
            let request = GemmRequest { w: coded(request.w, &book), ..request };
            as_codes += usize::from(agrees(&config, &request, &request.problem().expect("a problem")));
        }
    }
    assert!(as_codes > 100, "{as_codes} of 200 as codes");
}

#[test]
fn random_convolutions() {
    let mut as_codes = 0;
    let products = [ConvProduct::Forward, ConvProduct::InputGradient];
    for config in configs() {
        for seed in 0..6 {
            let mut random = Random(100 + seed);
            let product = products[seed as usize % 2];
            let kernel = [random.up_to(3), random.up_to(4)];
            let window = Window {
                image: [kernel[0] + random.below(5), kernel[1] + random.below(5)],
                channels: random.up_to(9),
                kernel,
                stride: [random.up_to(2), random.up_to(2)],
                padding: kernel.map(|kernel| random.below(kernel)),
            };
            let (images, outputs) = (random.up_to(7), random.up_to(9));
            let features = match product {
                ConvProduct::Forward => window.features(),
                _ => window.places() * outputs,
            };
            let format = Format::signed(random.up_to(8) as u8);
            let x = random.matrix((images, features), format.range());
            let book = table(&mut random, &config);
            let mut w = levels(&random.matrix((window.volume(), outputs), (-9, 9)), &book);
            let m = if seed % 3 == 2 { config.array.select } else { 1 };
            let pattern = (m > 1).then(|| {
                let along_outputs = product == ConvProduct::InputGradient;
                let run = if along_outputs { outputs } else { window.channels * kernel[1] };
                let pattern = Pattern { n: 1, m, run };
                if along_outputs {
                    let mut turned = w.t().as_standard_layout().into_owned();
                    pattern.project(&mut turned);
                    w = turned.t().as_standard_layout().into_owned();
                } else {
                    pattern.project(&mut w);
                }
                pattern
            });
            let request = ConvRequest {
                product,
                window,
                x: Operand::new(x.view(), format),
                w: coded(Operand::new(w.view(), format), &book),
                result: ResultFormat::Full,
                sparsity: Sparsity::new(pattern, None),
            };
            let problem = request.problem().expect("a problem");
            for planned in candidates(&config, &CycleModel, &problem, &[[2, 3], [99, 99]]) {
                let name = format!("{}: {} of {problem:?}", config.name, planned.plan.describe().plan);
                as_codes += usize::from(planned.plan.coded());
                let mut device = Offload::new(Twin::checked(&config), CycleModel).strict();
                device.planner().adopt(&problem, planned);
                let ran = device.run(request.into()).unwrap_or_else(|e| panic!("{name}: {e}")).into_conv();
                assert_eq!(device.engine().hazards(), [], "{name}");
                assert_eq!(conv_mismatches(&request, &ran.y), 0, "{name}");
                assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles, "{name}");
            }
        }
    }
    assert!(as_codes > 100, "{as_codes} walks with codes");
}

/// 3 bits a weight on the link and in memory, one digit pass.
#[test]
fn codes_of_three_bits_cost_three_bits() {
    let config = shipped("codebook");
    let mut random = Random(1);
    // few rows: weights are most of what crosses the link
    let (m, k, n) = (8, 512, 256);
    let case = Case::new(&mut random, (m, k, n), [Format::unsigned(4), Format::signed(4)]);
    let book = Codebook::new(vec![-7, -4, -2, -1, 0, 2, 4, 7], Format::signed(4)).unwrap();
    let w = levels(&case.w, &book);
    let request = GemmRequest { w: coded(Operand::new(w.view(), book.format()), &book), ..case.request() };
    let problem = request.problem().unwrap();
    let planned = search(&config, &CycleModel, &problem).expect("a plan");
    assert!(planned.plan.codes().is_some(), "{:?}", planned.plan.describe());
    let mut planner = Planner::new(config.clone(), std::sync::Arc::new(CycleModel));
    planner.adopt(&problem, planned.clone());
    let lowered = planner.lower(&request).unwrap();
    let loads = lowered.program.instructions.iter().filter_map(|i| match i {
        Instruction::Load(l) if l.memory == Memory::Code => Some((l.count, l.words)),
        _ => None,
    });
    let (addresses, words) = loads.fold((0, 0), |(addresses, words), (count, each)| {
        (addresses + usize::from(count), words + usize::from(count) * usize::from(each))
    });
    assert_eq!(words * 128, k * n * 3, "3 bits a weight on the link");
    assert_eq!(addresses * config.array.cols * 2 * config.array.lanes, k * n, "2 words of codes an address");
    // one digit pass: as many steps as 8 × 8 elements of 8 lanes take
    let ran = Offload::new(Twin::new(&config), CycleModel).run(request.into()).unwrap().into_gemm();
    assert_eq!(ran.cost.compute_busy, (m * k * n / 512) as u64);
    let plain = GemmRequest { w: Operand::new(w.view(), Format::signed(4)), ..request };
    let levels = Offload::new(Twin::new(&config), CycleModel).run(plain.into()).unwrap().into_gemm();
    assert_eq!(levels.cost.compute_busy, ran.cost.compute_busy);
    assert!(ran.cost.link_words < levels.cost.link_words);
    assert!(ran.cost.cycles * 10 < levels.cost.cycles * 9, "{} of {}", ran.cost.cycles, levels.cost.cycles);
}

/// A weight that is no level is refused by every device alike, and levels that the accelerator has no room for go as they are.
#[test]
fn what_codes_cannot_do() {
    let config = shipped("codebook");
    let book = Codebook::new(vec![-3, 0, 5], Format::signed(4)).unwrap();
    let (x, w) = (Array2::from_elem((2, 3), 1), Array2::from_elem((3, 4), 2));
    let request = GemmRequest {
        x: Operand::new(x.view(), Format::unsigned(4)),
        w: Operand { codebook: Some(&book), ..Operand::new(w.view(), Format::signed(4)) },
        result: ResultFormat::Full,
        sparsity: Sparsity::Dense,
    };
    let mut devices: Vec<Box<dyn Device>> = vec![
        Box::new(Exact::new(config.clone(), CycleModel)),
        Box::new(Offload::new(Twin::new(&config), CycleModel)),
        Box::new(Exact::new(shipped("default"), CycleModel)),
    ];
    for device in &mut devices {
        let error = device.run(request.into()).unwrap_err().to_string();
        assert_eq!(error, "W[0, 0] = 2: expected a level, one of [-3, 0, 5]");
    }
    let w = Array2::from_elem((3, 4), 5);
    for name in ["default", "codebook"] {
        let request = GemmRequest {
            w: Operand { codebook: Some(&book), ..Operand::new(w.view(), Format::signed(4)) },
            ..request
        };
        let device = &mut Offload::new(Twin::new(&shipped(name)), CycleModel);
        let y = device.run(request.into()).unwrap().into_gemm().y;
        assert!(y.to_long().iter().all(|y| *y == 15));
    }
}
