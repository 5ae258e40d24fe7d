//! What plans must reach, by the exact cycle model.

mod common;

use common::{Random, any_format, shipped};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tandem_driver::gemm::{GemmPlan, ResultWidth, Shape, schedule, search};
use tandem_driver::{Format, GemmProblem, Planned, Planner, Selection};
use tandem_model::CycleModel;
use tandem_spec::engine::Predict;
use tandem_spec::{Config, Counters, Instruction, StoreWidth};

fn full(m: usize, k: usize, n: usize, x: Format, w: Format) -> GemmProblem {
    GemmProblem {
        shape: Shape { m, k, n },
        x,
        w,
        result: ResultWidth::Full,
        selection: Selection::Dense,
        codes: None,
    }
}

/// Digit products / (rows · cols · lanes · cycles from the first to the last one).
fn utilisation(config: &Config, p: &Planned<GemmPlan>) -> f64 {
    let a = &config.array;
    p.cost.products as f64 / (a.rows * a.cols * a.lanes) as f64 / p.cost.span as f64
}

/// The products of LeNet-5 at batch 64, W4 A4 G8.
fn lenet() -> Vec<GemmProblem> {
    let (a, w, g) = (Format::unsigned(4), Format::signed(4), Format::signed(8));
    let layers = [(50176, 25, 6), (6400, 150, 16), (64, 400, 120), (64, 120, 84), (64, 84, 10)];
    layers
        .iter()
        .flat_map(|&(m, k, n)| [full(m, k, n, a, w), full(m, n, k, g, w), full(k, m, n, a, g)])
        .collect()
}

#[test]
fn square_products_on_the_peer_shape() {
    let config = shipped("peer-8x8");
    let s4 = Format::signed(4);
    for (size, least, most) in [(32, 0.90, 800), (128, 0.97, 34_500)] {
        let p = search(&config, &CycleModel, &full(size, size, size, s4, s4)).unwrap();
        assert!(utilisation(&config, &p) >= least, "{size}: {}", utilisation(&config, &p));
        assert!(p.cost.cycles <= most, "{size}: {} cycles", p.cost.cycles);
    }
}

#[test]
fn instructions_take_under_two_percent_of_every_large_lenet_product() {
    let config = shipped("default");
    for problem in lenet() {
        let p = search(&config, &CycleModel, &problem).unwrap();
        let share = p.traffic.instruction_share();
        // Small products, with results at their own width, take fewer cycles with more instructions.
        assert!(share < 0.02 || p.cost.cycles < 10_000, "{problem:?}: {share}");
        assert_eq!(
            (p.cost.instruction_words, p.cost.link_words),
            (p.traffic.instructions, p.traffic.total())
        );
    }
}

#[test]
fn large_products_run_at_the_speed_of_their_bottleneck() {
    let config = shipped("default");
    for problem in lenet() {
        let p = search(&config, &CycleModel, &problem).unwrap();
        let bottleneck = p.cost.compute_busy.max(p.cost.load_busy).max(p.cost.store_busy);
        if bottleneck > 10_000 {
            let ratio = p.cost.cycles as f64 / bottleneck as f64;
            assert!(ratio < 1.07, "{problem:?}: {ratio} times the busiest engine");
        }
    }
}

#[test]
fn every_structure_is_chosen_where_it_pays() {
    let config = shipped("default");
    let (u4, s4, s8, u16) = (Format::unsigned(4), Format::signed(4), Format::signed(8), Format::unsigned(16));
    let plan = |m, k, n, x, w| search(&config, &CycleModel, &full(m, k, n, x, w)).unwrap().plan;
    let holds = |p: &GemmPlan| p.blocks.iter().any(|b| b.hold);

    let one_tile = plan(8, 20_000, 8, u4, s8);
    assert!(holds(&one_tile) && !one_tile.host_adds(), "one tile's sum stays in the accumulators");
    let few_tiles = plan(25, 50_176, 6, u4, s8);
    assert!(few_tiles.host_adds(), "adding few partial sums beats loading an operand again");
    assert!(few_tiles.transposed, "6 results a tile and column instead of 8 rows with 2 idle columns");
    let tall = plan(6400, 150, 16, u4, s4);
    assert!(tall.row.resident != tall.col.resident && tall.parts.len() == 1, "the small operand stays");
    assert_eq!(tall.transport, StoreWidth::S16, "no sum exceeds 18,000");
    let large = plan(1024, 1024, 1024, s4, s4);
    assert!(large.blocks.len() > 100 && large.transport == StoreWidth::S20);
    let overflowing = plan(9, 9, 9, u16, u16);
    assert!(overflowing.row.slices.len() * overflowing.col.slices.len() > 1);

    // 25 rows are three whole tiles and one row: the last tile comes with shorter words.
    let edge = plan(25, 4096, 64, u4, s4);
    let program = schedule(&config, &edge);
    let mut words: Vec<_> = program.fills.iter().map(|f| (f.layout.pad.memory as u8, f.elements)).collect();
    words.sort();
    words.dedup();
    assert!(words.len() > 2, "{words:?}");
}

/// Counts the instructions that a search predicts.
#[derive(Default)]
struct Counting(AtomicUsize);

impl Predict for Counting {
    fn predict(&self, config: &Config, program: &[Instruction]) -> Counters {
        self.0.fetch_add(program.len(), Ordering::Relaxed);
        CycleModel.predict(config, program)
    }
}

#[test]
fn a_search_is_bounded_and_repeats_itself() {
    let config = shipped("default");
    let mut random = Random(11);
    let some = (0..10).map(|_| {
        let size = |random: &mut Random| {
            let most = 1 << random.below(12);
            1 + random.below(most)
        };
        full(
            size(&mut random),
            size(&mut random),
            size(&mut random),
            any_format(&mut random),
            any_format(&mut random),
        )
    });
    for problem in lenet().into_iter().chain(some.collect::<Vec<_>>()) {
        let counting = Counting::default();
        let p = search(&config, &counting, &problem).unwrap();
        let longest = p.plan.blocks.len() * 5;
        let predicted = counting.0.into_inner();
        assert!(predicted < 60_000 + 32 * longest, "{problem:?}: {predicted} instructions predicted");
        assert_eq!(search(&config, &CycleModel, &problem).unwrap().plan, p.plan, "{problem:?}");
    }
}

#[test]
fn plans_are_searched_for_once() {
    let counting = Arc::new(Counting::default());
    let mut planner = Planner::new(shipped("default"), counting.clone());
    let problem = full(64, 84, 10, Format::unsigned(4), Format::signed(4));
    let first = planner.plan(&problem).unwrap();
    let predicted = counting.0.load(Ordering::Relaxed);
    assert!(Arc::ptr_eq(&first, &planner.plan(&problem).unwrap()));
    assert_eq!(counting.0.load(Ordering::Relaxed), predicted);
}

#[test]
fn a_product_far_too_large_is_refused() {
    let config = common::config("1x1x1-d1");
    let s8 = Format::signed(8);
    let refused = search(&config, &CycleModel, &full(4096, 4096, 4096, s8, s8)).unwrap_err();
    assert!(refused.to_string().starts_with("4096×4096×4096 takes about "), "{refused}");
}

/// Sums that need 17 bits take 20 on the link instead of 32, and of a tile with 3 columns only these are sent.
#[test]
fn packed_results_cross_at_their_width() {
    let packs = shipped("default");
    let plain = Config { pack: false, ..packs.clone() };
    let (s4, s8) = (Format::signed(4), Format::signed(8));
    let of = |c: &Config, m, k, n| search(c, &CycleModel, &full(m, k, n, s8, s4)).unwrap();
    let (wide, packed) = (of(&plain, 4096, 32, 288), of(&packs, 4096, 32, 288));
    assert_eq!((wide.plan.transport, packed.plan.transport), (StoreWidth::S32, StoreWidth::S20));
    assert!(
        packed.cost.cycles * 32 < wide.cost.cycles * 21,
        "{} of {}",
        packed.cost.cycles,
        wide.cost.cycles
    );
    let few = of(&packs, 3, 40, 3).plan;
    assert!(few.blocks.iter().all(|b| few.lanes(&packs, b) == 3 && few.lanes(&plain, b) == 0));
}
