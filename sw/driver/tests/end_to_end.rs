//! Products through plan, pack, twin and unpack: every integer right, every counter as predicted, no hazards.

mod common;

use common::{CONFIGS, Case, Random, any_format, config};
use proptest::prelude::*;
use tandem_driver::{Device, Exact, Format, Offload, ResultFormat, mismatches};
use tandem_kernels::Level;
use tandem_model::{CycleModel, Twin};
use tandem_spec::Config;

struct Pair {
    offload: Offload<Twin>,
    exact: Exact,
}

impl Pair {
    fn new(config: &Config) -> Self {
        Pair {
            offload: Offload::new(Twin::checked(config), CycleModel).strict(),
            exact: Exact::new(config.clone(), CycleModel),
        }
    }

    /// Runs the case on both devices and compares everything that they return.
    fn check(&mut self, case: &Case) {
        let request = case.request();
        let name = format!(
            "{:?} × {:?}, {:?}, {:?}, {:?}",
            case.x.dim(),
            case.w.dim(),
            case.formats,
            case.result,
            case.pattern
        );
        let ran = self.offload.run(request.into()).unwrap_or_else(|e| panic!("{name}: {e}")).into_gemm();
        assert_eq!(self.offload.engine().hazards(), [], "{name}");
        assert_eq!(mismatches(&request, &ran.y), 0, "{name}");
        assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles, "{name}");
        for level in Level::all() {
            let fast = self.exact.run_at(level, request.into()).unwrap().into_gemm();
            assert_eq!(fast.y, ran.y, "{}: {name}", level.name());
            assert_eq!(fast.magnitude_or, ran.magnitude_or, "{}: {name}", level.name());
        }
        let fast = self.exact.run(request.into()).unwrap().into_gemm();
        assert_eq!(fast.y, ran.y, "{name}");
        assert_eq!((fast.magnitude_or, fast.saturated), (ran.magnitude_or, ran.saturated), "{name}");
        assert_eq!(fast.cost, ran.cost, "{name}");
    }
}

#[test]
fn all_widths_and_signs_on_every_accelerator() {
    let mut random = Random(1);
    for (name, _) in CONFIGS {
        let mut pair = Pair::new(&config(name));
        for xb in 1..=16 {
            for wb in 1..=16 {
                let signs = random.below(4);
                let formats = [
                    Format { bits: xb, signed: signs & 1 == 1 },
                    Format { bits: wb, signed: signs & 2 == 2 },
                ];
                let shape = (1 + random.below(9), 1 + random.below(9), 1 + random.below(9));
                pair.check(&Case::new(&mut random, shape, formats));
            }
        }
    }
}

#[test]
fn awkward_shapes() {
    let mut random = Random(2);
    for (name, _) in CONFIGS {
        let mut pair = Pair::new(&config(name));
        for shape in [
            (1, 1, 1),
            (1, 300, 1),
            (7, 11, 13),
            (31, 2, 5),
            (2, 5, 31),
            (17, 64, 16),
            (1, 1, 40),
            (40, 1, 1),
            (3, 700, 2),
            (33, 97, 41),
        ] {
            for formats in [
                [Format::signed(4), Format::signed(4)],
                [Format::unsigned(4), Format::signed(8)],
                [Format::unsigned(8), Format::unsigned(8)],
            ] {
                pair.check(&Case::new(&mut random, shape, formats));
            }
        }
    }
}

#[test]
fn narrow_results_on_every_accelerator() {
    let mut random = Random(3);
    for (name, _) in CONFIGS {
        let mut pair = Pair::new(&config(name));
        for i in 0..28 {
            let shape = (1 + random.below(20), 1 + random.below(60), 1 + random.below(20));
            let formats = [any_format(&mut random), any_format(&mut random)];
            let (bits, shift) = ([8, 16][i % 2], random.below(32).min(random.below(32)) as u8);
            let result = ResultFormat::Narrow { bits, shift };
            pair.check(&Case { result, ..Case::new(&mut random, shape, formats) });
        }
    }
}

#[test]
fn sums_beyond_every_memory() {
    let mut random = Random(4);
    for (name, shape, formats) in [
        ("default", (20, 40_000, 12), [Format::unsigned(4), Format::signed(8)]),
        ("default", (9, 20_000, 9), [Format::unsigned(16), Format::unsigned(16)]),
        ("peer", (60, 5_000, 20), [Format::signed(12), Format::signed(3)]),
        ("tiny", (10, 700, 10), [Format::signed(5), Format::unsigned(7)]),
        ("narrow-acc", (10, 700, 10), [Format::unsigned(8), Format::unsigned(8)]),
        ("wide", (200, 3_000, 100), [Format::signed(8), Format::signed(8)]),
    ] {
        Pair::new(&config(name)).check(&Case::new(&mut random, shape, formats));
    }
}

#[test]
fn patterns_on_every_accelerator_that_selects() {
    let mut random = Random(6);
    for (name, _) in CONFIGS {
        let config = config(name);
        if config.array.select == 1 {
            continue;
        }
        let mut pair = Pair::new(&config);
        for _ in 0..40 {
            let shape = (1 + random.below(40), 1 + random.below(80), 1 + random.below(40));
            let formats = [any_format(&mut random), any_format(&mut random)];
            pair.check(&Case::sparse(&mut random, shape, formats, config.array.select));
        }
        for _ in 0..20 {
            let shape = (1 + random.below(200), 1 + random.below(900), 1 + random.below(60));
            let formats = [Format::unsigned(4), Format::signed(8)];
            pair.check(&Case::sparse(&mut random, shape, formats, config.array.select));
        }
    }
}

#[test]
fn one_device_runs_many_products() {
    let mut random = Random(5);
    let mut pair = Pair::new(&config("select"));
    let formats = [Format::signed(6), Format::signed(6)];
    let cases: Vec<_> = (1..12).map(|i| Case::new(&mut random, (i, 3 * i, 2 * i + 1), formats)).collect();
    for case in cases.iter().chain(cases.iter().rev()) {
        pair.check(case);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn random_products_on_random_accelerators(
        (rows, cols, lanes, digits) in (1usize..=16, 1usize..=16, 0u32..=5, (0u32..4, 0u32..4)),
        (select, link, drain, hop) in (0u32..=4, 3u32..=7, 0u32..=4, 1usize..=16),
        depths in (1u32..=8, 1u32..=8, 1u32..=8),
        (acc, queue) in (16usize..=32, 1u32..3),
        (m, k, n) in (1usize..60, 1usize..200, 1usize..60),
        seed: u64,
    ) {
        let drain = (1usize << drain).min(cols.next_power_of_two());
        // tall arrays with a small hop are refused
        let hop = (hop..).find(|h| (rows - 1) / h <= (cols - 1) / h + 6).expect("a hop of 16 always fits");
        let text = format!(
            "[array]\nrows={rows}\ncols={cols}\nlanes={}\nrow_digit={}\ncol_digit={}\nacc_bits={acc}\n\
             select={}\nhop={hop}\ndrain={drain}\n[memory]\nrow_depth={}\ncol_depth={}\nresult_depth={}\n\
             [link]\nbits={}\n[control]\nqueue={}\n",
            1 << lanes, 1 << digits.0, 1 << digits.1, 1 << select,
            1 << depths.0, 1 << depths.1, 1 << depths.2, 1 << link, 1 << queue,
        );
        let config = Config::from_toml("random", &text).unwrap();
        let mut random = Random(seed);
        let formats = [any_format(&mut random), any_format(&mut random)];
        let mut pair = Pair::new(&config);
        pair.check(&Case::new(&mut random, (m, k, n), formats));
        if select > 0 {
            pair.check(&Case::sparse(&mut random, (m, k, n), formats, 1 << select));
        }
    }
}
