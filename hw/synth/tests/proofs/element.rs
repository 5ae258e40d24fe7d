//! The processing element: its lane multiplexers, its sum, its accumulator.

use crate::claim::{Claim, Mutant, Proofs, accelerator, caught};
use tandem_rtl::units::gemm::pe::{Widths, height};
use tandem_spec::Config;
use tandem_spec::config::DEEP;

/// The cell of an ECP5 that adds up.
const CARRY: &str = include_str!("formal/ccu2c.v");
/// Sums in an ECP5's carry chains.
const CHAINS: &str = "-DTANDEM_ECP5";
const PROPERTIES: &str = include_str!("formal/processing_element.sv");

/// What is broken, the text, what becomes of it.
const MUTANTS: [Mutant; 4] = [
    ("a sum is subtracted", "assign y = x + kept", "assign y = x - kept"),
    ("a sum is not cleared", "kept = sum & {24{keep}}", "kept = sum"),
    ("a lane takes the wrong bank", "chosen_0 = window_0_digit_2;", "chosen_0 = window_0_digit_4;"),
    ("a lane is added twice", "= product_1_y_0;", "= product_0_y_0;"),
];
/// The same of an ECP5's carry chains.
const CHAIN_MUTANTS: [Mutant; 2] = [
    ("a sum is not cleared", ".C0(keep)", ".C0(1'b1)"),
    ("a carry is lost", ".CIN(add_carry[2])", ".CIN(1'b0)"),
];
/// The same of the second row and of the registers of a deep element.
const DEEP_MUTANTS: [Mutant; 4] = [
    ("a sum is subtracted", "assign y = x + kept", "assign y = x - kept"),
    ("the second row takes the first one's bank", "pick_2 = window_1_bank_0", "pick_2 = window_0_bank_0"),
    ("the second row takes the first one's products", "= product_1_y_1;", "= product_1_y_0;"),
    ("the control comes too early", "first_at_q <= control_first", "first_at_q <= control_step"),
];

/// `processing_element` of M = `select`: its lane multiplexers, and the sums of its rows, of whatever its products are; what
/// they are is the claim of `product`.
fn elements(select: usize, pipeline: usize) -> Vec<Claim> {
    let (c, mut v) = accelerator(select, 4, 8, pipeline);
    let rows = height(&c);
    for l in 0..c.array.lanes {
        let name = match pipeline {
            DEEP => format!("deep_product_{rows}xs5_s5_{l}"),
            _ => format!("product_{rows}xs5_s5_{l}"),
        };
        let any = |r| format!("  (* anyseq *) wire signed [9:0] any_{r};\n  assign y_{r} = any_{r};\n");
        let product = v.module_mut(&name).unwrap_or_else(|| panic!("no module {name}"));
        product.body = (0..rows).map(any).collect();
        product.ports.iter_mut().for_each(|p| p.variable = false);
    }
    (0..rows)
        .map(|r| {
            let row = PROPERTIES.replace("_0", &format!("_{r}"));
            Claim::new(&v, "processing_element", &format!("{}{row}", plain_sum(&c, r))).beside(CARRY)
        })
        .collect()
}

fn plain_sum(c: &Config, r: usize) -> String {
    let (a, w) = (&c.array, Widths::new(c));
    let dot = w.row + w.col + a.lanes.trailing_zeros() as usize;
    let mut s = format!(
        "localparam F_ACC = {}, F_DOT = {dot}, F_UNIT = {}, F_SHIFTS = {};\n",
        a.acc_bits, w.unit, w.shifts
    );
    for l in 0..a.lanes {
        let lane = r * a.lanes + l;
        let window = |b: usize| format!("window_{r}_digit_{}", b * a.lanes + l);
        let pick = (1..a.select).fold(window(0), |other, b| {
            format!("(window_{r}_bank_0 | index_{lane}) == {b} ? {} : {other}", window(b))
        });
        s += &format!("wire signed [{}:0] f_pick_{l} = {pick};\n", w.row - 1);
        s += &format!("always @* assert (chosen_{lane} == f_pick_{l});\n");
    }
    let products: Vec<String> = (0..a.lanes).map(|l| format!("product_{l}_y_{r}")).collect();
    s += &format!("wire signed [F_DOT-1:0] f_plain = {};\n`define F_SUM f_plain\n", products.join(" + "));
    s + match a.pipeline {
        DEEP => {
            "`define F_DEEP\n`define F_ADDEND weighed_0_q\n`define F_STEP step_at_q\n`define F_FIRST first_at_q\n\
             `define F_LAST last_at_q\nreg f_late = 0;\nreg [2:0] f_control;\n\
             always @(posedge clock) begin\n  f_late <= 1;\n  f_control <= {control_step, control_first, control_last};\nend\n\
             always @* if (f_late) assert ({step_at_q, first_at_q, last_at_q} == f_control);\n"
        }
        _ => "`define F_ADDEND f_weighed\n`define F_STEP control_step\n`define F_FIRST control_first\n`define F_LAST control_last\n",
    }
    .replace("weighed_0", &format!("weighed_{r}"))
    .as_str()
}

#[test]
fn the_element_is_a_multiply_add() {
    let proofs = Proofs::new();
    for select in [1, 4] {
        for claim in elements(select, 5).iter().chain(&elements(select, DEEP)) {
            proofs.prove(claim).unwrap();
        }
    }
    for claim in elements(4, DEEP) {
        proofs.prove(&claim.define(CHAINS)).unwrap();
    }
}

#[test]
fn broken_elements_are_caught() {
    caught(&elements(4, 5)[0], &MUTANTS);
    // deep elements show what is wrong with a second sum some cycles later
    let deep = elements(4, DEEP)[1].clone().depth(8);
    caught(&deep, &DEEP_MUTANTS);
    caught(&deep.define(CHAINS), &CHAIN_MUTANTS);
}
