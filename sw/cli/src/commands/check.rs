//! `tandem check`: random programs, simulation = twin = integers, cycles exact.

use super::gemm::draw;
use crate::Report;
use crate::engines;
use crate::failure::{check, usage};
use anyhow::Result;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tandem_driver::{Device, Format, GemmRequest, Offload, Operand, ResultFormat, Sparsity, mismatches};
use tandem_model::{CycleModel, Twin};
use tandem_nn::philox::Philox4x32;
use tandem_sim::Sim;
use tandem_spec::{Config, Engine, RunOptions, Stall};
use tandem_tests::programs::random_program;

/// Arguments of `check`.
#[derive(clap::Args)]
pub struct Args {
    /// Accelerator: a TOML file, or a name in configs/accelerators/.
    #[arg(short, long, value_name = "ACCEL", default_value = "default")]
    config: String,
    /// Go on for so long.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seed of the first case; case n has seed + n.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write a JUnit report.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
}

/// Alternates random programs and random products until the time is over or a case fails.
pub fn run(args: &Args) -> Result<Report> {
    if args.seconds == 0 {
        return Err(usage("--seconds 0: expected at least 1"));
    }
    let config = engines::accelerator(&args.config)?;
    let mut programs = engines::simulator(&config, None)?;
    let mut twin = Twin::new(&config);
    let mut products = Offload::new(engines::simulator(&config, None)?, CycleModel).strict();
    let end = Instant::now() + Duration::from_secs(args.seconds);
    let start = Instant::now();
    let (mut cases, mut failure) = (0u64, None);
    while Instant::now() < end && failure.is_none() {
        let seed = args.seed + cases;
        let result = if cases % 2 == 0 {
            program(&config, &mut programs, &mut twin, seed)
        } else {
            product(&mut products, seed)
        };
        failure = result.err().map(|e| (seed, format!("{e:#}")));
        cases += 1;
    }
    if let Some(path) = &args.junit {
        super::write(path, junit(&config.name, cases, failure.as_ref(), start.elapsed()).as_bytes())?;
    }
    if let Some((seed, what)) = failure {
        // an odd place in the sequence is a product: keep the parity when reproducing
        let first = if cases % 2 == 0 { seed - 1 } else { seed };
        let command = format!("tandem check -c {} --seed {first} --seconds 10", args.config);
        return Err(check(format!("case with seed {seed}: {what}\nreproduce: {command}")));
    }
    let text = format!("{}: {cases} random cases, simulation = twin = integers, cycles exact", config.name);
    Ok(Report::new(text, serde_json::json!({ "cases": cases, "failures": 0, "seed": args.seed })))
}

fn program(config: &Config, sim: &mut Sim, twin: &mut Twin, seed: u64) -> Result<()> {
    let stream = random_program(config, seed, 1 + (seed % 23) as usize);
    let stall = |k| if seed % 4 < 2 { Stall::default() } else { Stall::random(seed * 2 + k, 20) };
    let options = RunOptions {
        max_cycles: 100_000_000,
        stall_in: stall(0),
        stall_out: stall(1),
        ..RunOptions::default()
    };
    let (a, b) = (sim.run(&stream, &options)?, twin.run(&stream, &options)?);
    if let Some((i, (p, q))) = a.packets.iter().zip(&b.packets).enumerate().find(|(_, (p, q))| p != q) {
        let counters = format!("{:?} and {:?}", p.counters(), q.counters());
        return Err(check(format!(
            "packet {i} of instruction {}: simulation and twin differ: {counters}",
            p.instruction
        )));
    }
    if a != b {
        return Err(check(format!("simulation ends {:?}, twin {:?}", a.status, b.status)));
    }
    Ok(())
}

fn product(device: &mut dyn Device, seed: u64) -> Result<()> {
    let philox = Philox4x32::new(seed);
    let r = philox.block([0, 0, 0, 7]);
    let r2 = philox.block([0, 0, 0, 8]);
    let size = |v: u32| 1 + (v % 47) as usize;
    let format = |v: u32| Format { bits: 1 + (v % 16) as u8, signed: v & 0x1_0000 == 0 };
    let (x_format, w_format) = (format(r[3]), format(r2[0]));
    let (m, k, n) = (size(r[0]), size(r[1]), size(r[2]));
    let (x, w) = (draw(seed, 0, (m, k), x_format), draw(seed, 1, (k, n), w_format));
    let narrow = x_format.bits + w_format.bits <= 20 && r2[1].is_multiple_of(3);
    let result = match (narrow, r2[2] % 2) {
        (false, _) => ResultFormat::Full,
        (true, b) => ResultFormat::Narrow { bits: if b == 0 { 8 } else { 16 }, shift: (r2[3] % 12) as u8 },
    };
    let request = GemmRequest {
        x: Operand { values: x.view(), format: x_format },
        w: Operand { values: w.view(), format: w_format },
        result,
        sparsity: Sparsity::Dense,
    };
    let answer = device.gemm(&request)?;
    let wrong = mismatches(&request, answer.y.view());
    if wrong > 0 || answer.cost.cycles != answer.cost.predicted_cycles {
        return Err(check(format!(
            "{m}×{k}×{n}, X {x_format:?}, W {w_format:?}, {result:?}: {wrong} mismatches, {} cycles, {} predicted",
            answer.cost.cycles, answer.cost.predicted_cycles
        )));
    }
    Ok(())
}

fn junit(name: &str, cases: u64, failure: Option<&(u64, String)>, wall: Duration) -> String {
    let escape =
        |s: &str| s.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let mut s = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let failures = u8::from(failure.is_some());
    let _ = writeln!(
        s,
        "<testsuite name=\"tandem check {}\" tests=\"{cases}\" failures=\"{failures}\" time=\"{:.3}\">",
        escape(name),
        wall.as_secs_f64()
    );
    let _ = writeln!(s, "  <testcase name=\"random cases\" classname=\"{}\">", escape(name));
    if let Some((seed, what)) = failure {
        let _ = writeln!(s, "    <failure message=\"seed {seed}\">{}</failure>", escape(what));
    }
    s.push_str("  </testcase>\n</testsuite>\n");
    s
}
