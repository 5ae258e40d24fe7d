//! Random programs: the simulated RTL and the twin give the same packets, counters included, bit for
//! bit and cycle for cycle, with and without link stalls.

use tandem_model::Twin;
use tandem_sim::{Sim, SimOptions};
use tandem_spec::{Config, Engine, RunOptions, Stall};
use tandem_stimuli::{random_config, random_program};

/// Runs one random program on both engines.
fn compare(config: &Config, sim: &mut Sim, twin: &mut Twin, seed: u64, size: usize) {
    let stream = random_program(config, seed, size);
    let stall = |k: u64| match seed % 3 {
        0 => Stall::default(),
        n => Stall::random(seed.wrapping_mul(2).wrapping_add(k), 15 * n),
    };
    let options = RunOptions {
        max_cycles: 50_000_000,
        stall_in: stall(0),
        stall_out: stall(1),
        ..RunOptions::default()
    };
    let at = format!("program seed {seed}, size {size} on\n{}", config.to_toml());
    let s = sim.run(&stream, &options).unwrap_or_else(|e| panic!("sim: {e}; {at}"));
    let m = twin.run(&stream, &options).unwrap_or_else(|e| panic!("twin: {e}; {at}"));
    assert_eq!(s.status, m.status, "{at}");
    assert_eq!(s.packets.len(), m.packets.len(), "{at}");
    for (i, (a, b)) in s.packets.iter().zip(&m.packets).enumerate() {
        if let (Some(a), Some(b)) = (a.counters(), b.counters()) {
            assert_eq!(a, b, "registers in packet {i}, {at}");
        }
        assert_eq!(a, b, "packet {i}, {at}");
    }
}

fn programs(config: &Config, seeds: std::ops::Range<u64>) {
    let mut sim = Sim::new(config, &SimOptions::default()).expect("simulator");
    let mut twin = Twin::new(config);
    for seed in seeds {
        compare(config, &mut sim, &mut twin, seed, 1 + (seed % 23) as usize);
    }
}

#[test]
fn default_accelerator() {
    let toml = include_str!("../../../configs/accelerators/default.toml");
    programs(&Config::from_toml("default.toml", toml).unwrap(), 0..60);
}

#[test]
fn minimal_accelerator() {
    let toml = include_str!("../../../configs/accelerators/minimal.toml");
    programs(&Config::from_toml("minimal.toml", toml).unwrap(), 0..60);
}

/// Results of any width and of some lanes: words shorter and longer than the link's, both pipelines, an FFT unit beside.
#[test]
fn packed_results() {
    let packed = |array: &str, result: usize, rest: &str| {
        let toml = format!(
            "name = \"packed\"\n[array]\nrows = 2\n{array}\nlanes = 2\nrow_digit = 4\ncol_digit = 4\n\
             [memory]\nrow_depth = 16\ncol_depth = 16\nresult_depth = {result}\n[control]\npack = true\n{rest}"
        );
        Config::from_toml("packed.toml", &toml).unwrap()
    };
    let accelerators = [
        packed("cols = 8", 64, "[link]\nbits = 128\n"),
        packed("cols = 5\nhop = 2\npipeline = 9", 64, "[link]\nbits = 64\n"),
        packed("cols = 4\ndrain = 2", 32, "[link]\nbits = 32\n"),
        packed("cols = 3\ndrain = 1\nacc_bits = 20", 32, "[link]\nbits = 16\n"),
        packed("cols = 2", 16, "[link]\nbits = 8\n[fft]\npoints = 8\nsamples = 2\ndepth = 128\n"),
    ];
    for (config, first) in accelerators.iter().zip((0..).step_by(1000)) {
        programs(config, first..first + 50);
    }
}

/// The Gaussian unit: words of one step and of several, pieces of a byte, results of several words a group, beside an FFT unit.
#[test]
fn with_a_gaussian_unit() {
    let with = |array: &str, rest: &str| {
        let toml = format!(
            "name = \"gaussian\"\n[array]\nrows = 2\n{array}\nlanes = 2\nrow_digit = 4\ncol_digit = 4\n\
             [memory]\nrow_depth = 16\ncol_depth = 16\nresult_depth = 64\n{rest}"
        );
        Config::from_toml("gaussian.toml", &toml).unwrap()
    };
    let accelerators = [
        with("cols = 8", "[link]\nbits = 128\n[gaussian]\nradius = 5\ndepth = 64\n"),
        with(
            "cols = 5\npipeline = 9",
            "[link]\nbits = 64\n[gaussian]\npixels = 8\nterms = 4\nradius = 255\ndepth = 32\n",
        ),
        with(
            "cols = 3\ndrain = 4\nacc_bits = 20",
            "[link]\nbits = 8\n[gaussian]\npixels = 2\nterms = 2\nradius = 12\ndepth = 64\n",
        ),
        with(
            "cols = 4",
            "[link]\nbits = 32\n[gaussian]\nradius = 1\ndepth = 64\n[fft]\npoints = 8\ndepth = 128\n",
        ),
    ];
    for (config, first) in accelerators.iter().zip((5000..).step_by(1000)) {
        programs(config, first..first + 30);
    }
}

#[test]
fn random_configurations() {
    let count = std::env::var("TANDEM_CONFIGS").map_or(6, |n| n.parse().expect("a number"));
    for seed in 0..count {
        programs(&random_config(seed), 1000 * seed..1000 * seed + 60);
    }
}
