//! CRC steps.

use crate::claim::{Claim, Proofs, caught, design};
use tandem_spec::check::{CRC16_POLY, CRC32_POLY};

const POLYNOMIALS: [(usize, u32); 2] = [(16, CRC16_POLY as u32), (32, CRC32_POLY)];

/// The CRC step of `bits` bits over a link word of 32 bits against the shift register, bit by bit, for inputs with at most two
/// bits set: single bits show every tap, pairs that taps are added over GF(2). A solver is lost in longer sums.
fn crc(bits: usize, poly: u32) -> Claim {
    let (_, v) = design(1);
    let name = format!("xor_reduce_{bits}");
    let last = bits - 1;
    let property = format!(
        "reg [{last}:0] f_state; integer f_i;\nalways @* begin\n  f_state = x_0;\n  for (f_i = 0; f_i < 32; f_i = f_i + 1)\n\
         \x20   f_state = (f_state >> 1) ^ ((f_state[0] ^ x_1[f_i]) ? {bits}'h{poly:x} : {bits}'h0);\n\
         \x20 assert (y == f_state);\nend\nwire [{0}:0] f_in = {{x_1, x_0}}, f_rest = f_in & (f_in - 1);\n\
         always @* assume ((f_rest & (f_rest - 1)) == 0);\n",
        bits + 31
    );
    Claim::new(&v, &name, &property)
}

#[test]
fn crc_steps_are_the_shift_register() {
    let proofs = Proofs::new();
    for (bits, poly) in POLYNOMIALS {
        proofs.prove(&crc(bits, poly)).unwrap();
    }
}

#[test]
fn broken_crcs_are_caught() {
    for (bits, poly) in POLYNOMIALS {
        let claim = crc(bits, poly);
        let row = claim.verilog.lines().find(|l| l.contains("assign y[5] =")).expect("bit 5");
        // masks of the taps: the lowest bits of each are lost
        let lost = row.replace("x_0 & ", "(x_0 >> 1 << 1) & ").replace("x_1 & ", "(x_1 >> 7 << 7) & ");
        let joined = row.replace("(^(", "(|(");
        caught(&claim, &[("taps of a bit are lost", row, &lost), ("taps are not added", row, &joined)]);
    }
}
