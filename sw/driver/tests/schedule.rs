//! Programs as data: valid, covering, balanced, and free of races by their tokens alone.

mod common;

use common::{CONFIGS, Random, any_format, config};
use proptest::prelude::*;
use std::ops::RangeInclusive;
use tandem_driver::gemm::{GemmPlan, ResultWidth, Shape, longest_sum, schedule, search};
use tandem_driver::{GemmProblem, Scratchpad, Selection, Side};
use tandem_model::CycleModel;
use tandem_spec::{Config, Instruction, Memory};

/// Every product of two slices of two operands' elements is summed in exactly one block.
fn covers(plan: &GemmPlan) {
    let shape = plan.problem.shape;
    let mut k = vec![0; shape.k];
    for part in &plan.parts {
        part.k.clone().for_each(|i| k[i] += 1);
    }
    let pairs = plan.row.slices.len() * plan.col.slices.len();
    assert!(k.iter().all(|c| *c == pairs), "k covered {k:?} times, {pairs} pairs of slices");
    let mut seen = vec![0; plan.parts.len() * plan.row.tiles * plan.col.tiles];
    for b in &plan.blocks {
        for r in b.rows.clone() {
            for c in b.cols.clone() {
                seen[(b.part * plan.row.tiles + r) * plan.col.tiles + c] += 1;
            }
        }
    }
    assert!(seen.iter().all(|c| *c == 1), "tiles covered {seen:?} times");
    for side in Side::BOTH {
        let s = plan.side(side);
        assert_eq!((0..s.tiles).map(|t| s.rows_of(t)).sum::<usize>(), s.elements);
    }
}

/// No sum can leave the accumulator, nor (unless it is to be saturated) the width it travels in.
fn holds_sums(config: &Config, plan: &GemmPlan) {
    let held = plan.blocks.iter().any(|b| b.hold);
    for part in &plan.parts {
        let (row, col) = (plan.row.slices[part.row_slice].format, plan.col.slices[part.col_slice].format);
        let length = if held { plan.problem.shape.k } else { part.k.len() };
        assert!(length <= longest_sum(row, col, config.array.acc_bits), "{part:?}");
        assert!(plan.chip_narrows() || length <= longest_sum(row, col, plan.transport.bits()), "{part:?}");
    }
}

fn stage(i: &Instruction) -> usize {
    i.opcode().engine as usize
}

/// What an instruction reads and writes: (memory 0 row, 1 column, 2 result; addresses).
struct Access {
    reads: Vec<(usize, RangeInclusive<i64>)>,
    writes: Vec<(usize, RangeInclusive<i64>)>,
}

fn access(config: &Config, instruction: &Instruction) -> Access {
    let mut a = Access { reads: vec![], writes: vec![] };
    let drain = config.array.drain;
    match instruction {
        Instruction::Load(l) => {
            let first = i64::from(l.address);
            let memory = if l.memory == Memory::Row { 0 } else { 1 };
            a.writes.push((memory, first..=first + i64::from(l.count) - 1));
        }
        Instruction::Compute(c) => {
            let last = |planes: u8, stride: i16, strides: &dyn Fn(usize) -> i16| {
                let turns = c.loops.iter().enumerate();
                let walk: i64 = turns.map(|(l, lp)| i64::from(lp.count - 1) * i64::from(strides(l))).sum();
                walk + i64::from(planes - 1) * i64::from(stride)
            };
            let (row, col) = (i64::from(c.row_base), i64::from(c.col_base));
            let row_last = row + last(c.row_planes, c.row_plane_stride, &|l| c.loops[l].row_stride);
            let col_last = col + last(c.col_planes, c.col_plane_stride, &|l| c.loops[l].col_stride);
            let banks = config.array.select as i64;
            a.reads.push((0, row / banks..=row_last / banks));
            a.reads.push((1, col..=col_last));
            if !c.hold {
                let edge = |count: u16, all: u8, last: u8, at: u8, f: &dyn Fn(u8) -> usize| {
                    let full = usize::from(count) - usize::from(at != 7);
                    full * f(all) + if at != 7 { f(last) } else { 0 }
                };
                let rows = edge(c.loops[0].count, c.rows, c.rows_last, c.row_edge, &|r| r.into());
                let groups = |c: u8| usize::from(c).div_ceil(drain);
                let words = rows * edge(c.loops[1].count, c.cols, c.cols_last, c.col_edge, &groups);
                let first = i64::from(c.result_base);
                assert!(first + words as i64 <= config.memory.result as i64, "results do not wrap");
                a.writes.push((2, first..=first + words as i64 - 1));
            }
        }
        Instruction::Store(s) => {
            let first = i64::from(s.address);
            a.reads.push((2, first..=first + i64::from(s.count) - 1));
        }
        _ => {}
    }
    a
}

fn overlap(a: &[(usize, RangeInclusive<i64>)], b: &[(usize, RangeInclusive<i64>)]) -> bool {
    let both = a.iter().flat_map(|x| b.iter().map(move |y| (x, y)));
    both.into_iter().any(|(x, y)| x.0 == y.0 && x.1.start() <= y.1.end() && y.1.start() <= x.1.end())
}

/// Follows tokens through the program. Whatever two engines touch, one of them writing, must be ordered
/// by tokens; and every wait must be for an instruction before the waiting one.
fn is_race_free(config: &Config, program: &[Instruction]) {
    // Per channel (from, to): numbers of the givers, and how many were taken.
    let mut given = vec![vec![]; 9];
    let mut taken = [0; 9];
    for (number, i) in program.iter().enumerate() {
        let (s, t) = (stage(i), i.tokens());
        for (on, to) in [(t.push_prev, s.wrapping_sub(1)), (t.push_next, s + 1)] {
            if on {
                given[3 * s + to].push(number);
            }
        }
    }
    // done[i][stage]: so many instructions of the stage are surely done when i starts.
    let mut places: [Vec<usize>; 3] = Default::default();
    let mut known: Vec<[usize; 3]> = vec![];
    let accesses: Vec<Access> = program.iter().map(|i| access(config, i)).collect();
    for (number, i) in program.iter().enumerate() {
        i.validate(config).unwrap_or_else(|e| panic!("{i}: {e}"));
        let (s, t) = (stage(i), i.tokens());
        let mut done = places[s].last().map_or([0; 3], |p: &usize| known[*p]);
        done[s] = places[s].len();
        for (on, from) in [(t.pop_prev, s.wrapping_sub(1)), (t.pop_next, s + 1)] {
            if !on {
                continue;
            }
            let channel = 3 * from + s;
            let giver = given[channel][taken[channel]];
            taken[channel] += 1;
            assert!(giver < number, "instruction {number} waits for {giver}");
            (0..3).for_each(|x| done[x] = done[x].max(known[giver][x]));
            let place = places[from].binary_search(&giver).unwrap();
            done[from] = done[from].max(place + 1);
        }
        // Loads and stores share no memory.
        for other in (0..3usize).filter(|o| o.abs_diff(s) == 1) {
            for earlier in places[other].iter().skip(done[other]) {
                let (a, b) = (&accesses[number], &accesses[*earlier]);
                let races = overlap(&a.writes, &b.reads) || overlap(&a.reads, &b.writes);
                assert!(
                    !races && !overlap(&a.writes, &b.writes),
                    "{number} {i} races {earlier} {}",
                    program[*earlier]
                );
            }
        }
        known.push(done);
        places[s].push(number);
    }
    let counts = given.iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(counts, taken, "every token given is taken");
}

/// Bit and address budgets of every part.
fn fits(config: &Config, plan: &GemmPlan) {
    for side in Side::BOTH {
        let pad = Scratchpad::new(config, side);
        for block in &plan.blocks {
            assert!(plan.planes(config, side, block.part) <= pad.max_planes);
            let operand = plan.side(side);
            let tiles = if operand.resident { 0..operand.tiles } else { block.tiles(side).clone() };
            let layout = plan.layout(config, side, block.part, tiles);
            assert!(layout.tiles.len() * layout.tile_words() <= pad.capacity());
            assert!(plan.result_words(config, block) <= config.memory.result);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn programs_are_sound(
        which in 0..CONFIGS.len(),
        (m, k, n) in (1usize..40, 1usize..200, 1usize..40),
        narrow in 0u8..3,
        seed: u64,
    ) {
        let config = config(CONFIGS[which].0);
        let mut random = Random(seed);
        let result = [ResultWidth::Full, ResultWidth::Narrow(8), ResultWidth::Narrow(16)][usize::from(narrow)];
        let problem = GemmProblem { shape: Shape { m, k, n }, x: any_format(&mut random), w: any_format(&mut random), result, selection: Selection::Dense, codes: None };
        let planned = search(&config, &CycleModel, &problem).unwrap();
        let plan = &planned.plan;
        covers(plan);
        holds_sums(&config, plan);
        fits(&config, plan);
        let program = schedule(&config, plan);
        let loads = program.instructions.iter().filter(|i| stage(i) == 0).count();
        prop_assert_eq!(loads, program.fills.len());
        let results = plan.blocks.iter().filter(|b| !b.hold).count();
        prop_assert_eq!(results, program.stores.len());
        prop_assert_eq!(plan.steps(&config) as u32, planned.predicted.compute_busy);
        prop_assert_eq!(plan.products(&config) as u32, planned.predicted.products);
        is_race_free(&config, &program.instructions);
    }
}
