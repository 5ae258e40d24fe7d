//! `tandem check`: random programs, simulation = twin = integers, cycles exact, no hazards.

mod cases;
mod junit;

use super::{Force, SetAccelerator};
use crate::failure::{check, usage};
use crate::{Report, engines, failure};
use anyhow::Result;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tandem_driver::Offload;
use tandem_model::{CycleModel, Twin};
use tandem_spec::Config;

/// Most seconds: a year, which no clock fails to add.
const MOST_SECONDS: u64 = 365 * 24 * 3600;

/// Arguments of `check`.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Accelerators: TOML files, or names in configs/accelerators/; once for each.
    #[arg(short, long, value_name = "ACCEL", default_value = "default")]
    config: Vec<String>,
    #[command(flatten)]
    set: SetAccelerator,
    /// Go on for so long, all accelerators together.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Seed of an accelerator's first case; case n has seed + n.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Write a JUnit report: per accelerator a test case for random programs and one for random products.
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    force: Force,
}

/// What became of a suite's cases.
#[derive(Debug)]
enum End {
    /// All are right, or none was tried.
    Right,
    /// The case with this seed failed.
    Failed { seed: u64, what: String },
    /// The engines could not be had.
    Broken { what: String },
}

/// The cases of one kind on one accelerator.
#[derive(Debug)]
struct Suite {
    accelerator: String,
    name: &'static str,
    cases: u64,
    time: Duration,
    end: End,
}

impl Suite {
    fn new(config: &Config, name: &'static str) -> Self {
        Suite { accelerator: config.name.clone(), name, cases: 0, time: Duration::ZERO, end: End::Right }
    }
}

/// Alternates random programs and random products until the time is over or a case fails.
pub fn run(args: &Args) -> Result<Report> {
    if !(1..=MOST_SECONDS).contains(&args.seconds) {
        return Err(usage(format!("--seconds {}: expected 1 to {MOST_SECONDS}", args.seconds)));
    }
    let configs: Vec<Config> = args.config.iter().map(|name| args.set.read(name)).collect::<Result<_>>()?;
    let output = super::output(args.junit.as_ref(), args.force)?;
    let share = Duration::from_secs(args.seconds) / configs.len() as u32;
    let mut suites: Vec<[Suite; 2]> =
        configs.iter().map(|c| [Suite::new(c, "programs"), Suite::new(c, "products")]).collect();
    let mut outcome = Ok(());
    for ((config, name), suites) in configs.iter().zip(&args.config).zip(&mut suites) {
        outcome = one(config, name, share, args.seed, suites);
        if outcome.is_err() {
            break;
        }
    }
    if let Some(output) = output {
        output.write(junit::report(suites.as_flattened())?.as_bytes())?;
    }
    outcome?;
    let cases = |suites: &[Suite]| suites.iter().map(|s| s.cases).sum::<u64>();
    let lines: Vec<String> = suites
        .iter()
        .map(|s| {
            let (name, cases) = (&s[0].accelerator, cases(s));
            format!("{name}: {cases} random cases, simulation = twin = integers, cycles exact, no hazards")
        })
        .collect();
    let each: Vec<serde_json::Value> = suites
        .iter()
        .map(|[a, b]| serde_json::json!({ "name": a.accelerator, a.name: a.cases, b.name: b.cases }))
        .collect();
    let json = serde_json::json!({
        "cases": cases(suites.as_flattened()), "failures": 0, "seed": args.seed, "configurations": each,
    });
    Ok(Report::new(lines.join("\n"), json))
}

/// The cases of one accelerator, which is called `name` on the command line.
fn one(config: &Config, name: &str, share: Duration, seed: u64, suites: &mut [Suite; 2]) -> Result<()> {
    let engines = || Ok((engines::simulator(config, None)?, engines::simulator(config, None)?));
    let (mut sim, products) = engines().inspect_err(|e| {
        let what = failure::text(e);
        suites.iter_mut().for_each(|s| s.end = End::Broken { what: what.clone() });
    })?;
    let mut products = Offload::new(products, CycleModel).strict();
    // one for each suite: the row offsets that a program leaves are not those of a product
    let (mut twin, mut other) = (Twin::checked(config), Twin::checked(config));
    let start = Instant::now();
    let (mut case, mut seed) = (0usize, seed);
    while start.elapsed() < share {
        let begun = Instant::now();
        let suite = &mut suites[case % 2];
        let result = match case % 2 {
            0 => cases::program(config, &mut sim, &mut twin, seed),
            _ => cases::product(&mut products, &mut other, seed),
        };
        suite.cases += 1;
        suite.time += begun.elapsed();
        if let Err(e) = result {
            // programs and products alternate: an odd place is reached from the one before
            let first = seed.wrapping_sub((case % 2) as u64);
            let what = format!(
                "case with seed {seed}: {}\nreproduce: tandem check -c {name} --seed {first} --seconds 10",
                failure::text(&e)
            );
            suite.end = End::Failed { seed, what: what.clone() };
            return Err(check(what));
        }
        case += 1;
        seed = seed.wrapping_add(1);
    }
    Ok(())
}
