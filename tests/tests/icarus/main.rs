//! The whole accelerator under Icarus Verilog, a simulator of its own with four states: random programs give the
//! twin's packets, counters included, and nothing that counts is ever X.
//!
//! ```text
//! accelerators × { as generated, memories that start as X } × random programs, with and without link stalls
//! ```
//! As generated, memories start as zeros, which programs may read. Without that, and with output registers of
//! memories that start as X (as those of block RAM do), a prologue writes every word first.

#[path = "../common/mod.rs"]
mod common;

mod bench;
mod prologue;
mod reset;

use bench::{Run, simulate};
use tandem_model::Twin;
use tandem_spec::{Config, Engine, RunOptions, Stall, Status, Stream};
use tandem_stimuli::random_program;

/// `array | memory | link and the rest`: every kind of unit, small, since this simulator is slow.
const ACCELERATORS: [(&str, &str); 5] = [
    (
        "dense",
        "rows=2\ncols=3\nlanes=2\nrow_digit=2\ncol_digit=4\nacc_bits=18\nhop=1\n|row_depth=16\ncol_depth=8\n\
         result_depth=8\n|[link]\nbits=32\n[control]\nqueue=2\n",
    ),
    (
        "select",
        "rows=3\ncols=2\nlanes=2\nrow_digit=4\ncol_digit=4\nselect=4\npipeline=9\ndrain=1\n|row_depth=8\n\
         col_depth=16\nindex_depth=8\nresult_depth=32\n|[link]\nbits=64\n",
    ),
    (
        "reduced",
        "rows=1\ncols=2\nlanes=1\nrow_digit=1\ncol_digit=8\n|row_depth=16\ncol_depth=8\nresult_depth=8\n|[link]\n\
         bits=16\n[control]\naddress_bits=5\ncounters=\"total\"\nnarrow=false\nqueue=1\n",
    ),
    (
        "fft",
        "rows=1\ncols=4\nlanes=1\nrow_digit=4\ncol_digit=4\ndrain=4\n|row_depth=8\ncol_depth=8\nresult_depth=64\n|\
         [link]\nbits=128\n[fft]\npoints=16\nsamples=2\ndepth=32\n",
    ),
    (
        "gaussian",
        "rows=1\ncols=4\nlanes=1\nrow_digit=4\ncol_digit=4\ndrain=4\n|row_depth=8\ncol_depth=8\nresult_depth=64\n|\
         [link]\nbits=64\n[gaussian]\npixels=2\nradius=9\ndepth=32\n",
    ),
];

fn accelerator(name: &str) -> Config {
    let (_, text) = ACCELERATORS.iter().find(|a| a.0 == name).expect("one of them");
    let parts: Vec<&str> = text.split('|').collect();
    let text = format!("name = \"{name}\"\n[array]\n{}[memory]\n{}{}", parts[0], parts[1], parts[2]);
    Config::from_toml(name, &text).expect("valid")
}

/// Programs with their stalls, from these seeds.
fn programs(config: &Config, seeds: std::ops::Range<u64>) -> Vec<(Stream, RunOptions)> {
    seeds
        .map(|seed| {
            let stall = |k: u64| match seed % 3 {
                0 => Stall::default(),
                n => Stall::random(2 * seed + k, 15 * n),
            };
            let stream = random_program(config, seed, 1 + (seed * 7 % 23) as usize);
            (stream, RunOptions { stall_in: stall(0), stall_out: stall(1), ..RunOptions::default() })
        })
        .collect()
}

/// Runs programs on both and compares statuses, packets and the cycles in their registers.
fn compare(config: &Config, list: &[(Stream, RunOptions)], memories_start_as_x: bool) {
    let found = simulate(config, list, memories_start_as_x);
    agree(config, list, found, memories_start_as_x);
}

/// Compares what a simulation gave with the twin.
fn agree(config: &Config, list: &[(Stream, RunOptions)], found: Vec<Run>, memories_start_as_x: bool) {
    let mut twin = Twin::checked(config);
    assert_eq!(found.len(), list.len());
    for (i, ((stream, options), Run { packets, at_rest })) in list.iter().zip(found).enumerate() {
        let expected = twin.run(stream, options).unwrap();
        let name = format!("{}, X {memories_start_as_x}, program {i}", config.name);
        assert_eq!(twin.hazards(), [], "{name}");
        assert_eq!((expected.status, at_rest), (Status::Idle, true), "{name}");
        for (n, (a, b)) in packets.iter().zip(&expected.packets).enumerate() {
            assert_eq!(a.counters(), b.counters(), "registers in packet {n}, {name}");
            assert_eq!(a, b, "packet {n}, {name}");
        }
        assert_eq!(packets.len(), expected.packets.len(), "{name}");
    }
}

fn both(name: &str, count: u64) {
    let config = accelerator(name);
    compare(&config, &programs(&config, 0..count), false);
    let mut list = vec![(prologue::stream(&config), RunOptions::default())];
    list.extend(programs(&config, 100..100 + count));
    compare(&config, &list, true);
}

#[test]
fn dense() {
    both("dense", 20);
}

#[test]
fn selecting_with_the_long_pipeline() {
    both("select", 20);
}

#[test]
fn reduced_to_the_least() {
    both("reduced", 20);
}

#[test]
fn with_an_fft_unit() {
    both("fft", 20);
}

#[test]
fn with_a_gaussian_unit() {
    both("gaussian", 20);
}

/// The bench sees an X, and names where.
#[test]
#[should_panic(expected = "X in run 0")]
fn a_result_that_was_never_written_is_seen() {
    let config = accelerator("dense");
    let mut stream = Stream::new(&config);
    let store = tandem_spec::Store::default();
    stream.push(&tandem_spec::Instruction::Store(store));
    compare(&config, &[(stream, RunOptions::default())], true);
}
