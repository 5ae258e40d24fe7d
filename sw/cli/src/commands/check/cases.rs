//! The cases: one of each suite a seed.

use crate::failure::check;
use crate::operands::draw;
use anyhow::Result;
use tandem_driver::{Device, Format, GemmRequest, Offload, Operand, ResultFormat, Sparsity, mismatches};
use tandem_model::Twin;
use tandem_nn::random::philox::Philox4x32;
use tandem_sim::Sim;
use tandem_spec::{Config, Engine, RunOptions, Stall};
use tandem_stimuli::random_program;

/// A random program on simulation and twin: the same packets, counters included, and no hazards.
pub(super) fn program(config: &Config, sim: &mut Sim, twin: &mut Twin, seed: u64) -> Result<()> {
    let stream = random_program(config, seed, 1 + (seed % 23) as usize);
    let stall = |k| {
        if seed % 4 < 2 { Stall::default() } else { Stall::random(seed.wrapping_mul(2).wrapping_add(k), 20) }
    };
    let options = RunOptions {
        max_cycles: 100_000_000,
        stall_in: stall(0),
        stall_out: stall(1),
        ..RunOptions::default()
    };
    let b = twin.run(&stream, &options)?;
    if let Some(hazard) = twin.hazards().first() {
        return Err(check(hazard));
    }
    let a = sim.run(&stream, &options)?;
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

/// A random product: plain integers, cycles as predicted, and a program without hazards.
pub(super) fn product(device: &mut Offload<Sim>, twin: &mut Twin, seed: u64) -> Result<()> {
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
        x: Operand::new(x.view(), x_format),
        w: Operand::new(w.view(), w_format),
        result,
        sparsity: Sparsity::Dense,
    };
    let program = device.planner().lower(&request)?.stream;
    twin.run(&program, &RunOptions::default())?;
    if let Some(hazard) = twin.hazards().first() {
        return Err(check(format!("{m}×{k}×{n}: {hazard}")));
    }
    let answer = device.run(request.into())?.into_gemm();
    let wrong = mismatches(&request, &answer.y);
    if wrong > 0 || answer.cost.cycles != answer.cost.predicted_cycles {
        return Err(check(format!(
            "{m}×{k}×{n}, X {x_format:?}, W {w_format:?}, {result:?}: {wrong} mismatches, {} cycles, {} predicted",
            answer.cost.cycles, answer.cost.predicted_cycles
        )));
    }
    Ok(())
}
