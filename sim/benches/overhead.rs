//! What a build costs, and what the harness costs a cycle against a bare loop around the same model.
//!
//! ```text
//! cargo bench -p tandem-sim --bench overhead
//! ```
//! On the stand-in accelerator of the tests, alone and with 512 multipliers beside it; one word a cycle
//! in each direction, which is the most that a harness can have to do.

#[path = "../tests/fixture/mod.rs"]
mod fixture;

use fixture::{config, design_with, echo, packet};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tandem_sim::{Design, Sim, SimOptions};
use tandem_spec::{Engine, Packet, RunOptions, Stream};

const LINK: usize = 128;
/// The machine may be shared: the best of so many rounds counts.
const ROUNDS: usize = 7;

fn main() {
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    for (name, extra, words) in
        [("alone", "", 1_000_000), ("with 512 multipliers", "`define LOAD\n", 100_000)]
    {
        let design = design_with(LINK, extra);
        let start = Instant::now();
        let steps = Arc::new(Mutex::new(vec![]));
        let seen = steps.clone();
        let progress = Arc::new(move |step| seen.lock().expect("no panic").push((step, Instant::now())));
        let options =
            SimOptions { cache: Some(dir.path().into()), progress: Some(progress), ..SimOptions::default() };
        drop(build(&design, &options));
        println!("{name}: built in {:.2?}", start.elapsed());
        for (step, at) in steps.lock().expect("no panic").iter() {
            println!("    {:6.2} s {step}", (*at - start).as_secs_f64());
        }
        let start = Instant::now();
        drop(build(&design, &options));
        println!("    found again in {:.2?}", start.elapsed());
        measure(&design, &options, words);
    }
}

fn build(design: &Design, options: &SimOptions) -> Sim {
    Sim::of_design(&config(LINK), design, options).unwrap_or_else(|e| panic!("{e}"))
}

/// Cycles a second of the harness, of the loop with the same traffic, and of clock and eval alone.
fn measure(design: &Design, options: &SimOptions, words: usize) {
    let stream = echo(LINK, &[packet(LINK, words, 1)]);
    let idle = Stream::new(&config(LINK));
    let mut best = [f64::INFINITY; 3];
    let mut cycles = 0;
    for _ in 0..ROUNDS {
        let mut sims = [0; 3].map(|_| build(design, options));
        let start = Instant::now();
        sims[0].run(&stream, &RunOptions::default()).expect("packets");
        best[0] = best[0].min(start.elapsed().as_secs_f64());
        cycles = sims[0].cycles();
        for (i, traffic) in [(1, &stream), (2, &idle)] {
            let start = Instant::now();
            sims[i].raw_cycles(traffic, cycles).expect("same link");
            best[i] = best[i].min(start.elapsed().as_secs_f64());
        }
    }
    let rate = best.map(|seconds| cycles as f64 / seconds);
    println!(
        "    harness {:.0}, same traffic {:.0}, clock and eval {:.0} cycles/s",
        rate[0], rate[1], rate[2]
    );
    let [run, same, _] = best.map(|seconds| seconds / cycles as f64 * 1e9);
    let parsing = parsing(words) / cycles as f64 * 1e9;
    println!(
        "    {:.1} ns a cycle over the same traffic ({:.1} %), of which {parsing:.1} ns check and split the packets",
        run - same,
        (run / same - 1.0) * 100.0
    );
}

/// Seconds that the packets of the stream take by themselves.
fn parsing(words: usize) -> f64 {
    let bytes = packet(LINK, words, 1).encode(LINK / 8);
    let seconds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        std::hint::black_box(Packet::parse_all(&bytes, LINK / 8).expect("a packet"));
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}
