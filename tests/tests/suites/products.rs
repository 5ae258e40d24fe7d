//! Products on the simulated accelerator against plain integers: every result right, every cycle as
//! predicted; under link stalls the same results, and the twin's counters.

use crate::common::{Case, Random, config};
use tandem_driver::{Device, Exact, Format, Offload, Pattern, Planner, ResultFormat, reference};
use tandem_model::{CycleModel, Twin};
use tandem_sim::{Sim, SimOptions};
use tandem_spec::{Engine, RunOptions, Stall, Status};

struct Bench {
    sim: Offload<Sim>,
    exact: Exact,
    name: &'static str,
    cases: usize,
}

fn simulator(name: &str) -> Sim {
    Sim::new(&config(name), &SimOptions::default()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

impl Bench {
    fn new(name: &'static str) -> Self {
        let sim = Offload::new(simulator(name), CycleModel).strict();
        Bench { sim, exact: Exact::new(config(name), CycleModel), name, cases: 0 }
    }

    /// Simulator = integers = host, and all counters (strict) as predicted.
    fn check(&mut self, case: &Case) {
        let at = format!("{}: {}", self.name, case.name());
        let ran = self.sim.run(case.request().into()).unwrap_or_else(|e| panic!("{at}: {e}")).into_gemm();
        assert_eq!(ran.y, reference(&case.request()), "{at}");
        assert_eq!(ran.cost.cycles, ran.cost.predicted_cycles, "{at}");
        let host = self.exact.run(case.request().into()).unwrap_or_else(|e| panic!("{at}: {e}")).into_gemm();
        assert_eq!(host.y, ran.y, "{at}");
        assert_eq!((host.magnitude_or, host.saturated), (ran.magnitude_or, ran.saturated), "{at}");
        assert_eq!(host.cost, ran.cost, "{at}");
        self.cases += 1;
    }

    /// Cycles of the compute engine, waits for the drain included, by the accelerator's own counters.
    fn compute_cycles(&mut self, case: &Case) -> u64 {
        self.check(case);
        let cost = self.sim.run(case.request().into()).expect("it ran before").into_gemm().cost;
        cost.compute_busy + cost.wait_drain
    }
}

const FULL: ResultFormat = ResultFormat::Full;

/// The three widths of results, in turn.
fn result(i: usize, random: &mut Random) -> ResultFormat {
    let shift = random.below(32).min(random.below(32)) as u8;
    [FULL, ResultFormat::Narrow { bits: 16, shift }, ResultFormat::Narrow { bits: 8, shift }][i % 3]
}

/// All pairs of these widths with all pairs of signs (`every` = 1; else one in `every`, in turn).
fn widths(name: &'static str, every: usize) {
    const BITS: [u8; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 12, 16];
    const SHAPES: [(usize, usize, usize); 7] =
        [(1, 1, 1), (2, 3, 5), (3, 7, 2), (5, 1, 4), (1, 11, 3), (7, 5, 3), (4, 4, 7)];
    let mut random = Random(every as u64);
    let mut bench = Bench::new(name);
    let pairs = BITS.iter().flat_map(|x| BITS.map(|w| (*x, w)));
    for (i, (x, w)) in pairs.enumerate() {
        for signs in (0..4).filter(|s| (s + i) % every == 0) {
            let formats =
                [Format { bits: x, signed: signs & 1 == 1 }, Format { bits: w, signed: signs & 2 == 2 }];
            let result = result(bench.cases, &mut random);
            bench.check(&Case::new(&mut random, SHAPES[bench.cases % SHAPES.len()], formats, result));
        }
    }
    assert_eq!(bench.cases, 400 / every, "{name}");
}

/// Shapes that fit nothing: single elements, primes, sides below and beyond the array, K beyond the memories.
fn shapes(name: &'static str, long: usize) {
    let mut random = Random(long as u64);
    let mut bench = Bench::new(name);
    let all = [
        (1, 1, 1),
        (1, 300, 1),
        (7, 11, 13),
        (31, 2, 5),
        (2, 5, 31),
        (17, 64, 16),
        (1, 1, 40),
        (40, 1, 1),
        (19, 23, 29),
        (3, long, 2),
    ];
    let formats = [
        [Format::signed(4), Format::signed(4)],
        [Format::unsigned(4), Format::signed(8)],
        [Format::unsigned(8), Format::unsigned(8)],
    ];
    for (i, shape) in all.into_iter().enumerate() {
        for (j, formats) in formats.into_iter().enumerate() {
            let result = result(i + j, &mut random);
            bench.check(&Case::new(&mut random, shape, formats, result));
        }
    }
}

/// Patterns of W and of the results: all M that the accelerator selects, runs that end within a group.
fn patterns(name: &'static str, cases: usize) {
    let mut random = Random(cases as u64);
    let mut bench = Bench::new(name);
    let most = config(name).array.select.trailing_zeros() as usize;
    assert!(most > 0, "{name} selects");
    for i in 0..cases {
        let m = 2 << (i % most);
        let pattern = |along: usize, random: &mut Random| {
            let divisors: Vec<_> = (1..=along).filter(|d| along.is_multiple_of(*d)).collect();
            let run = divisors[random.below(divisors.len())];
            Pattern { n: 1 + random.below(m - 1), m, run }
        };
        let shape = (1 + random.below(40), 1 + random.below(90), 1 + random.below(30));
        let format = |r: &mut Random| Format { bits: 1 + r.below(8) as u8, signed: r.below(2) == 1 };
        let formats = [format(&mut random), format(&mut random)];
        if i % 2 == 0 {
            let (result, pattern) = (result(i / 2, &mut random), pattern(shape.1, &mut random));
            bench.check(&Case::new(&mut random, shape, formats, result).prune_weights(pattern));
        } else {
            let pattern = pattern(shape.0, &mut random);
            bench.check(&Case::new(&mut random, shape, formats, FULL).keep_results(&mut random, pattern));
        }
    }
}

/// Stalled links: results stay, and the twin given the same stalls has every counter.
fn stalls(name: &'static str) {
    let mut random = Random(7);
    let (mut sim, mut twin) = (simulator(name), Twin::new(&config(name)));
    let mut planner = Planner::new(config(name), std::sync::Arc::new(CycleModel));
    let (mut cycles, mut predicted) = (0, 0);
    for i in 0..12u64 {
        let shape = (1 + random.below(20), 1 + random.below(60), 1 + random.below(20));
        let format = |r: &mut Random| Format { bits: 1 + r.below(8) as u8, signed: r.below(2) == 1 };
        let formats = [format(&mut random), format(&mut random)];
        let result = result(i as usize, &mut random);
        let case = Case::new(&mut random, shape, formats, result);
        let percent = [10, 40, 80][i as usize % 3];
        let options = RunOptions {
            stall_in: Stall::random(2 * i, percent),
            stall_out: Stall::random(2 * i + 1, 90 - percent),
            ..RunOptions::default()
        };
        let at = format!("{name}, stalls {i}: {}", case.name());
        let stream = planner.lower(&case.request()).unwrap().stream;
        let (a, b) = (sim.run(&stream, &options).unwrap(), twin.run(&stream, &options).unwrap());
        assert_eq!(a.status, Status::Idle, "{at}");
        assert_eq!(a.packets.last().unwrap().counters(), b.packets.last().unwrap().counters(), "{at}");
        assert_eq!(a, b, "{at}");
        let mut device = Offload::new(sim, CycleModel).with_options(options);
        let ran = device.run(case.request().into()).unwrap_or_else(|e| panic!("{at}: {e}")).into_gemm();
        assert_eq!(ran.y, reference(&case.request()), "{at}");
        assert!(ran.cost.cycles >= ran.cost.predicted_cycles, "{at}");
        (cycles, predicted) = (cycles + ran.cost.cycles, predicted + ran.cost.predicted_cycles);
        (sim, twin) = (simulator(name), Twin::new(&config(name)));
    }
    assert!(cycles > predicted, "{name}: nothing was stalled");
}

#[test]
fn unit_1x1x1_one_bit_digits() {
    widths("unit", 1);
    shapes("unit", 150);
    stalls("unit");
}

#[test]
fn tiny_2x3x2_digits_of_2_and_4_bits() {
    widths("tiny", 1);
    shapes("tiny", 700);
    stalls("tiny");
}

#[test]
fn narrow_acc_3x2x4_byte_digits_16_bit_accumulators() {
    widths("narrow-acc", 1);
    shapes("narrow-acc", 700);
    stalls("narrow-acc");
}

#[test]
fn select_5x4x1_banks_and_two_results_a_word() {
    widths("select", 1);
    shapes("select", 700);
    patterns("select", 120);
    stalls("select");
}

#[test]
fn few_bits_4x6x16_wider_operands_in_parts() {
    widths("few-bits", 1);
    shapes("few-bits", 1500);
    stalls("few-bits");
}

#[test]
fn packed_3x6x4_results_of_any_width() {
    widths("packed", 1);
    shapes("packed", 1500);
    patterns("packed", 120);
    stalls("packed");
}

#[test]
fn default_8x8x8() {
    widths("default", 1);
    shapes("default", 40_000);
    patterns("default", 60);
    stalls("default");
}

#[test]
fn wide_16x16x16_byte_digits() {
    widths("wide", 4);
    shapes("wide", 3000);
    stalls("wide");
}

/// Forward product and input gradient (W pruned) and weight gradient (kept results): N:M takes N/M of the
/// dense cycles.
#[test]
fn sparse_8x8x4_pruning_pays() {
    patterns("sparse-8x8x4", 60);
    let mut random = Random(16);
    let mut bench = Bench::new("sparse-8x8x4");
    let formats = [Format::unsigned(4), Format::signed(4)];
    let shape = (256, 2048, 256);
    let case = |random: &mut Random| Case::new(random, shape, formats, FULL);
    let dense = bench.compute_cycles(&case(&mut random)) as f64;
    for m in [2, 4, 8, 16] {
        let forward = bench.compute_cycles(&case(&mut random).prune_weights(Pattern::whole(1, m, 2048)));
        let product = case(&mut random);
        let gradient = bench.compute_cycles(&product.keep_results(&mut random, Pattern::whole(1, m, 256)));
        for (name, cycles) in [("forward", forward), ("weight gradient", gradient)] {
            let share = cycles as f64 / dense * m as f64;
            assert!((0.9..=1.1).contains(&share), "{name}, 1:{m}: {cycles} of {dense} cycles");
        }
    }
}
