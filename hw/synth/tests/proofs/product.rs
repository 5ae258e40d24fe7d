//! Products of digits, and of operands cut into digits.

use crate::claim::{Claim, Mutant, Proofs, caught, verilog, with};
use tandem_synth::modules;

/// All products shift and add.
const ADDS: &str = "-DTANDEM_SHIFT_ADD=0";

const PRODUCTS: [Mutant; 2] = [
    ("a partial product is lost", "a & {5{b[2]}}", "a & {5{1'b0}}"),
    ("the sign digit is added", "s0_4 - (p4", "s0_4 + (p4"),
];
const DIGITS: [Mutant; 2] = [
    ("a digit product is not shifted", ", x, 2'h0}", ", 2'h0, x}"),
    ("the sign of a digit is added", "s0_2 - (p2", "s0_2 + (p2"),
];

/// A digit product of rank 0.
fn product() -> Claim {
    let (_, v) = verilog(1);
    Claim::new(
        &v,
        "product_s5_s5_0",
        "wire signed [9:0] f_plain = a * b;\nalways @* assert (y == f_plain);\n",
    )
}

/// Two 4-bit operands as digits of 2 bits, four shifted products: the whole product, signed or not.
fn digits() -> Claim {
    let v = with(1, 2, 4).1;
    let named = |prefix: &str| modules::names(&v).into_iter().find(|n| n.starts_with(prefix)).unwrap();
    let (product, shift) = (named("product_"), named("shift_left_"));
    let mut h = String::from(
        "module digits (\n  input wire [3:0] a,\n  input wire [3:0] b,\n  input wire a_signed,\n  input wire b_signed\n);\n",
    );
    for (x, s) in [("a", "a_signed"), ("b", "b_signed")] {
        h += &format!("  wire signed [2:0] {x}0 = {{1'b0, {x}[1:0]}}, {x}1 = {{{s} & {x}[3], {x}[3:2]}};\n");
        h += &format!("  wire signed [4:0] {x}_whole = {{{s} & {x}[3], {x}}};\n");
    }
    for (p, q) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let n = format!("{p}{q}");
        h += &format!("  wire signed [5:0] y{n};\n  wire signed [23:0] z{n};\n");
        h += &format!("  {product} product{n}(.a(a{p}), .b(b{q}), .y(y{n}));\n");
        h += &format!("  {shift} weigh{n}(.x({{y{n}[5], y{n}}}), .sel(2'd{}), .y(z{n}));\n", p + q);
    }
    h += "  wire signed [23:0] sum = z00 + z01 + z10 + z11;\n  wire signed [9:0] whole = a_whole * b_whole;\nendmodule\n";
    Claim::new(&format!("{h}{v}"), "digits", "always @* assert (sum == whole);\n").define(ADDS)
}

#[test]
fn a_digit_product_is_a_product_in_both_forms() {
    let proofs = Proofs::new();
    for define in ["", ADDS, "-DTANDEM_SHIFT_ADD=1"] {
        proofs.prove(&product().define(define)).unwrap();
    }
}

#[test]
fn digit_products_shift_and_add_to_the_whole_product() {
    Proofs::new().prove(&digits()).unwrap();
}

#[test]
fn broken_products_are_caught() {
    caught(&product().define(ADDS), &PRODUCTS);
    caught(&digits(), &DIGITS);
}
