//! Every order gives every entry a place of its own.

use super::*;
use proptest::prelude::*;
use std::collections::HashSet;
use tandem_spec::{Config, Memory};

/// Entries of tile 0, each as (at, line, column).
fn entries(layout: &Layout) -> Vec<(usize, usize, usize)> {
    let mut list = vec![];
    layout.entries(0, layout.elements(0), |at, line, column| list.push((at, line, column)));
    list
}

#[test]
fn compressed_operands_meet_word_by_word() {
    let text = "[array]\nrows=4\ncols=4\nlanes=2\nrow_digit=4\ncol_digit=4\nselect=4\n\
                [memory]\nrow_depth=64\ncol_depth=64\nresult_depth=64\n";
    let config = Config::from_toml("t", text).unwrap();
    let p = Pattern { n: 2, m: 4, run: 6 };
    let lines = Lines { count: 1, width: 4 };
    let slice = Slice::whole(Format::signed(4));
    let layout = |memory: Memory, order| {
        let pad = Scratchpad::new(&config, memory);
        Layout::new(pad, order, lines, 0..1, (1..4, config.array.lanes), slice)
    };
    // groups 1 to 3 of 12 terms: {4, 5}, {6 … 9}, {10, 11}; two lanes a word
    let members = entries(&layout(Memory::Row, Order::Members(p)));
    let at = [(0, 4), (2, 5), (1, 6), (3, 7), (5, 8), (7, 9), (8, 10), (10, 11)];
    assert_eq!(members, at.map(|(at, k)| (at, 0, k)));
    let kept = entries(&layout(Memory::Col, Order::Kept(2)));
    assert_eq!(kept, [(0, 2), (2, 3), (1, 4), (3, 5), (4, 6), (6, 7)].map(|(at, entry)| (at, 0, entry)));
}

proptest! {
    #[test]
    fn every_entry_has_a_place_of_its_own(
        which in 0..6usize, (n, log_m, runs, run) in (1usize..5, 0u32..4, 1usize..4, 1usize..9),
        (count, width, terms, lanes) in (1usize..20, 1usize..9, 1usize..30, 0u32..4),
    ) {
        let text = format!(
            "[array]\nrows=8\ncols=8\nlanes={}\nrow_digit=4\ncol_digit=4\nselect=8\n[memory]\nrow_depth=64\n\
             col_depth=64\nresult_depth=64\n[fft]\npoints=64\nsamples=4\ndepth=64\n", 1 << lanes);
        let config = Config::from_toml("t", &text).unwrap();
        let p = Pattern { n: n.min(1 << log_m), m: 1 << log_m, run };
        let groups = p.groups(run * runs);
        let all = Lines { count, width };
        let height = Lines { count: terms, width: 8 };
        let held = Order::Held { n, rows: 0..height.tiles(), height, cols: 0..all.tiles() };
        let sample = Lines { count, width: 4 };
        let (memory, order, lines, terms) = [
            (Memory::Row, Order::Dense, all, 0..terms),
            (Memory::Row, Order::Members(p), all, 0..groups),
            (Memory::Index, Order::Kept(n), all, 0..groups),
            (Memory::Row, Order::Groups(p), Lines { count: groups, width }, 0..terms),
            (Memory::Index, held, all, 0..8),
            (Memory::Sample, Order::Samples(2), sample, 0..terms),
        ][which].clone();
        let mut pad = Scratchpad::new(&config, memory);
        if order == Order::Samples(2) {
            pad = pad.with_words(2 * sample.width, 16);
        }
        let per_word = match order {
            Order::Samples(_) => 1,
            Order::Held { .. } => pad.lanes,
            _ => config.array.lanes,
        };
        let tiles = 0..if which == 4 { height.tiles() * all.tiles() } else { lines.tiles() };
        let slice = Slice::whole(Format::signed(4));
        let layout = Layout::new(pad, order.clone(), lines, tiles.clone(), (terms.clone(), per_word), slice);
        let (mut places, mut sources) = (HashSet::new(), HashSet::new());
        for tile in tiles {
            layout.entries(tile, layout.elements(tile), |at, line, column| {
                assert!(at < layout.elements(tile) * layout.digits(), "within the tile");
                assert!(places.insert((tile, at)), "one entry a place");
                assert!(sources.insert((line, column)), "one place an entry");
            });
        }
        let members = run * runs;
        let entries = match order {
            Order::Dense => count * terms.len(),
            Order::Members(_) => count * members,
            Order::Kept(n) => count * groups * n,
            Order::Groups(_) => members * terms.len(),
            Order::Held { n, .. } => count * height.count * n,
            Order::Samples(parts) => count * terms.len() * parts,
            Order::Gathered(_) => unreachable!("tables may repeat entries"),
        };
        prop_assert_eq!(sources.len(), entries, "every entry has a place");
    }
}
