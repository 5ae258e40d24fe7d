//! What a build costs, and what the harness costs a cycle against a bare loop around the same model.
//!
//! ```text
//! cargo bench -p tandem-sim --bench overhead
//! ```
//! On the default accelerator with a program of loads, computes and stores; and on the stand-in of the
//! tests, alone and with 512 multipliers beside it: one word a cycle in each direction, which is the most
//! that a harness can have to do.

#[path = "../tests/fixture/mod.rs"]
mod fixture;
#[path = "../tests/fixture/program.rs"]
mod program;

use fixture::{config, design_with, echo, packet};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tandem_sim::{Sim, SimOptions};
use tandem_spec::{Engine, Packet, RunOptions, Stream};

const LINK: usize = 128;
/// The machine may be shared: the best of so many rounds counts.
const ROUNDS: usize = 7;

fn main() {
    let default = program::default_config();
    let new = || Sim::new(&default, &SimOptions::default()).unwrap_or_else(|e| panic!("{e}"));
    println!("default accelerator");
    measure(new, &program::program(&default, 20));

    let dir = tempfile::TempDir::new().expect("a temporary folder");
    for (name, extra, words) in
        [("stand-in", "", 1_000_000), ("stand-in with 512 multipliers", "`define LOAD\n", 100_000)]
    {
        let design = design_with(LINK, extra);
        let start = Instant::now();
        let steps = Arc::new(Mutex::new(vec![]));
        let seen = steps.clone();
        let progress = Arc::new(move |step| seen.lock().expect("no panic").push((step, Instant::now())));
        let options =
            SimOptions { cache: Some(dir.path().into()), progress: Some(progress), ..SimOptions::default() };
        let new = || Sim::of_design(&config(LINK), &design, &options).unwrap_or_else(|e| panic!("{e}"));
        drop(new());
        println!("{name}: built in {:.2?}", start.elapsed());
        for (step, at) in steps.lock().expect("no panic").iter() {
            println!("    {:6.2} s {step}", (*at - start).as_secs_f64());
        }
        let start = Instant::now();
        drop(new());
        println!("    found again in {:.2?}", start.elapsed());
        measure(new, &echo(LINK, &[packet(LINK, words, 1)]));
    }
}

/// Cycles a second of the harness, of the loop with the same traffic, and of clock and eval alone.
fn measure(new: impl Fn() -> Sim, stream: &Stream) {
    let mut best = [f64::INFINITY; 3];
    let (mut cycles, mut packets) = (0, vec![]);
    for _ in 0..ROUNDS {
        let mut sims = [0; 3].map(|_| new());
        let idle = Stream::new(sims[0].config());
        let start = Instant::now();
        packets = sims[0].run(stream, &RunOptions::default()).expect("packets").packets;
        best[0] = best[0].min(start.elapsed().as_secs_f64());
        cycles = sims[0].cycles();
        for (i, traffic) in [(1, stream), (2, &idle)] {
            let start = Instant::now();
            sims[i].raw_cycles(traffic, cycles).expect("same link");
            best[i] = best[i].min(start.elapsed().as_secs_f64());
        }
    }
    let rate = best.map(|seconds| cycles as f64 / seconds);
    println!("    {cycles} cycles, {} packets", packets.len());
    println!(
        "    harness {:.0}, same traffic {:.0}, clock and eval {:.0} cycles/s",
        rate[0], rate[1], rate[2]
    );
    let [run, same, _] = best.map(|seconds| seconds / cycles as f64 * 1e9);
    println!(
        "    {:.1} ns a cycle over the same traffic ({:.1} %), of which {:.1} ns check and split the packets",
        run - same,
        (run / same - 1.0) * 100.0,
        parsing(&packets, stream.link_bytes) / cycles as f64 * 1e9
    );
}

/// Seconds that checking and splitting the packets takes by itself.
fn parsing(packets: &[Packet], link_bytes: usize) -> f64 {
    let bytes: Vec<u8> = packets.iter().flat_map(|p| p.encode(link_bytes)).collect();
    let seconds = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        std::hint::black_box(Packet::parse_all(&bytes, link_bytes).expect("packets"));
        start.elapsed().as_secs_f64()
    });
    seconds.fold(f64::INFINITY, f64::min)
}
