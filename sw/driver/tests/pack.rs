//! Payloads against the page: slots and chunks, bit by bit.

mod common;

use common::{CONFIGS, Case, Random, any_format, config};
use ndarray::ArrayView2;
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use tandem_driver::gemm::GemmPlan;
use tandem_driver::{Lowered, Planner, Scratchpad, Side};
use tandem_model::CycleModel;
use tandem_spec::{Config, Instruction, Load, Memory};

/// (element, flat word) → its digits, lane by lane, as a LOAD's payload fills them.
type Words = HashMap<(usize, usize), Vec<u32>>;

/// "Loading" of docs/accelerator.md, one bit at a time.
fn read_payload(config: &Config, load: &Load, side: Side, payload: &[u8]) -> Words {
    let pad = Scratchpad::new(config, side);
    let bit = |i: usize| u32::from(payload[i / 8] >> (i % 8) & 1);
    let unit = pad.lanes * pad.digit;
    let chunk = unit.min(config.link_bits);
    let (chunks, per_word) = (unit / chunk, config.link_bits / chunk);
    let mut units: HashMap<(usize, usize), Vec<u32>> = HashMap::new();
    for address in 0..usize::from(load.count) {
        for j in 0..usize::from(load.words) {
            for slot in j * per_word..(j + 1) * per_word {
                let (at, part) = (slot / chunks, slot % chunks);
                let (element, bank) = (at / pad.banks, at % pad.banks);
                if element >= pad.width || load.mask >> element & 1 == 0 {
                    continue;
                }
                let word = address * usize::from(load.words) + j;
                let first = word * config.link_bits + slot % per_word * chunk;
                let to = units.entry((element, address * pad.banks + bank)).or_insert_with(|| vec![0; unit]);
                (0..chunk).for_each(|b| to[part * chunk + b] = bit(first + b));
            }
        }
    }
    let digit = |bits: &[u32]| bits.iter().rev().fold(0, |v, b| v << 1 | b);
    units.into_iter().map(|(at, bits)| (at, bits.chunks(pad.digit).map(digit).collect())).collect()
}

/// The digit that belongs at flat word `flat` of the region, by the layout that `pack` documents.
/// The side of an operand memory.
fn side_of(memory: Memory) -> Side {
    if memory == Memory::Row { Side::Row } else { Side::Col }
}

fn expected(
    config: &Config,
    lowered: &Lowered<GemmPlan>,
    load: usize,
    element: usize,
    flat: usize,
    lane: usize,
    source: ArrayView2<'_, i32>,
) -> u32 {
    let (plan, fill) = (&lowered.planned.plan, &lowered.program.fills[load]);
    let side = side_of(fill.layout.pad.memory);
    let (pad, operand) = (Scratchpad::new(config, side), plan.side(side));
    let part = &plan.parts[plan.blocks[fill.block].part];
    let slice = operand.slices[part.slice(side)];
    let words = part.words(pad.lanes);
    let stride = words * pad.planes(slice.format.bits.into());
    let (tile, plane, word) = (flat / stride, flat % stride / words, flat % words);
    let (row, k) =
        ((fill.layout.tiles.start + tile) * operand.width + element, part.k.start + word * pad.lanes + lane);
    let inside =
        tile < fill.layout.tiles.len() && element < operand.width && row < operand.elements && k < part.k.end;
    if !inside {
        return 0;
    }
    // The value of the slice, then its digit, by division.
    let v = i64::from(source[[row, k]]).div_euclid(1 << slice.shift);
    let v = if slice.format.signed { v } else { v.rem_euclid(1 << slice.format.bits) };
    v.div_euclid(1 << (plane * pad.digit)).rem_euclid(1 << pad.digit) as u32
}

fn check(config: &Config, case: &Case) {
    let mut planner = Planner::new(config.clone(), Arc::new(CycleModel));
    let lowered = planner.lower(&case.request()).unwrap();
    let (list, end) = lowered.stream.instructions();
    assert_eq!(end, lowered.stream.words());
    assert_eq!(list.iter().map(|i| i.1).collect::<Vec<_>>(), lowered.program.instructions);
    let loads = list.iter().filter_map(|(at, i)| match i {
        Instruction::Load(l) => Some((*at, *l)),
        _ => None,
    });
    let transposed = lowered.planned.plan.transposed;
    for (index, (at, load)) in loads.enumerate() {
        let fill = &lowered.program.fills[index];
        let side = side_of(fill.layout.pad.memory);
        let source = match (side, transposed) {
            (Side::Row, false) | (Side::Col, true) => case.x.view(),
            _ => case.w.t(),
        };
        let bytes = config.link_bytes();
        let first = at * bytes + 16;
        let length = usize::from(load.count) * usize::from(load.words) * bytes;
        let words = read_payload(config, &load, side, &lowered.stream.bytes[first..first + length]);
        let pad = Scratchpad::new(config, side);
        assert_eq!(words.len(), fill.elements * fill.addresses.len() * pad.banks, "everything covered");
        for ((element, word), digits) in words {
            let flat = fill.addresses.start * pad.banks + word;
            for (lane, digit) in digits.into_iter().enumerate() {
                let wanted = expected(config, &lowered, index, element, flat, lane, source);
                assert_eq!(digit, wanted, "{}: load {index}, element {element}, word {word}", config.name);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn payloads_are_what_the_page_says(
        which in 0..CONFIGS.len(),
        (m, k, n) in (1usize..30, 1usize..80, 1usize..30),
        seed: u64,
    ) {
        let mut random = Random(seed);
        let formats = [any_format(&mut random), any_format(&mut random)];
        check(&config(CONFIGS[which].0), &Case::new(&mut random, (m, k, n), formats));
    }
}
