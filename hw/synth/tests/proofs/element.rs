//! The processing element: its lane multiplexers, its sum, its accumulator.

use crate::claim::{Claim, Mutant, Proofs, caught, verilog};
use tandem_rtl::compute::pe::Widths;
use tandem_spec::Config;
use tandem_synth::modules;

const PROPERTIES: &str = include_str!("formal/processing_element.sv");

/// What is broken, the text, what becomes of it.
const MUTANTS: [Mutant; 4] = [
    ("a sum is subtracted", "assign total = base + weigh_y", "assign total = base - weigh_y"),
    ("a sum is not cleared", "base = 24'd0", "base = acc_q"),
    ("a lane takes the wrong bank", "chosen_0 = window_2;", "chosen_0 = window_4;"),
    ("a lane is added twice", "product_1_y}", "product_0_y}"),
];

/// `processing_element` of M = `select`: its lane multiplexers, and its sums of whatever its products are; what they are
/// is the claim of `product`.
fn element(select: usize) -> Claim {
    let (c, mut v) = verilog(select);
    for l in 0..c.array.lanes {
        let name = format!("product_s5_s5_{l}");
        let any = format!(
            "module {name} (\n  input wire signed [4:0] a,\n  input wire signed [4:0] b,\n  output wire signed [9:0] y\n);\n\
             \x20 (* anyseq *) wire signed [9:0] any;\n  assign y = any;\nendmodule\n"
        );
        let real = modules::module(&v, &name).unwrap().to_owned();
        v = v.replace(&real, &any);
    }
    Claim::new(&v, "processing_element", &format!("{}{PROPERTIES}", plain_sum(&c)))
}

fn plain_sum(c: &Config) -> String {
    let (a, w) = (&c.array, Widths::new(c));
    let dot = w.row + w.col + a.lanes.trailing_zeros() as usize;
    let mut s = format!(
        "localparam F_ACC = {}, F_DOT = {dot}, F_UNIT = {}, F_SHIFTS = {}, F_SEL = {};\n",
        a.acc_bits, w.unit, w.shifts, w.shift
    );
    for l in 0..a.lanes {
        let mut pick = format!("window_{l}");
        for b in 1..a.select {
            pick = format!("(bank_0 | index_{l}) == {b} ? window_{} : {pick}", b * a.lanes + l);
        }
        s += &format!("wire signed [{}:0] f_pick_{l} = {pick};\n", w.row - 1);
        s += &format!("always @* assert (chosen_{l} == f_pick_{l});\n");
    }
    let products: Vec<String> = (0..a.lanes).map(|l| format!("product_{l}_y")).collect();
    s + &format!("wire signed [F_DOT-1:0] f_plain = {};\n", products.join(" + "))
}

#[test]
fn the_element_is_a_multiply_add() {
    let proofs = Proofs::new();
    for select in [1, 4] {
        proofs.prove(&element(select)).unwrap();
    }
}

#[test]
fn broken_elements_are_caught() {
    caught(&element(4), &MUTANTS);
}
