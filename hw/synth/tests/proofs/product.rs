//! Products of digits, and of operands cut into digits.

use crate::claim::{Claim, Mutant, Proofs, accelerator, caught, with};
use tandem_rtl::hdl::Module;
use tandem_rtl::hdl::design::{Direction, Port};
use tandem_spec::config::DEEP;

/// All products shift and add.
const ADDS: &str = "-DTANDEM_SHIFT_ADD=0";
/// All products in an ECP5's carry chains.
const CHAINS: &str = "-DTANDEM_SHIFT_ADD=0 -DTANDEM_ECP5";
/// All products in its multipliers.
const PACKED: &str = "-DTANDEM_SHIFT_ADD=9 -DTANDEM_ECP5";
/// Its cells, as the product asks for them.
const CELLS: &str = concat!(include_str!("formal/mult18x18d.v"), "\n", include_str!("formal/ccu2c.v"));

const PRODUCTS: [Mutant; 2] = [
    ("a partial product is lost", "f0 & {5{g[2]}}", "f0 & {5{1'b0}}"),
    ("the sign digit is added", "s0_0_4 - (p0_4", "s0_0_4 + (p0_4"),
];
const DIGITS: [Mutant; 2] = [
    ("a digit product is not shifted", ", x, 2'h0}", ", 2'h0, x}"),
    ("the sign of a digit is added", "s0_0_2 - (p0_2", "s0_0_2 + (p0_2"),
];
const PAIR: [Mutant; 5] = [
    ("the upper product is not mended", "p_both[19:10] + p_both[9]", "p_both[19:10]"),
    ("the operands are packed without a sign", "(a_1 <<< 10) + a_0", "{a_1, 5'd0, a_0}"),
    ("the products are packed too closely", "(a_1 <<< 10)", "(a_1 <<< 9)"),
    ("a bit of a factor is lost", ".B13(b[0])", ".B13(1'b0)"),
    ("the multiplier has no register behind", ".REG_OUTPUT_CLK(\"CLK0\")", ".REG_OUTPUT_CLK(\"NONE\")"),
];

const IN_CHAINS: [Mutant; 4] = [
    ("a chain has no carry in", ".A0(g[4])", ".A0(1'b0)"),
    ("two partial products do not carry", "16'h7888", "16'h7880"),
    ("a carry is lost", ".CIN(row0_2_carry[0])", ".CIN(1'b0)"),
    ("the sign digit is added", "16'h956a", "16'h6a6a"),
];

/// A digit product of rank 0 and `digit` bits.
fn product_of(digit: usize) -> Claim {
    let (_, v) = with(1, digit, 8);
    let (b, y) = (digit + 1, 2 * digit + 2);
    Claim::new(
        &v,
        &format!("product_1xs{b}_s{b}_0"),
        &format!(
            "wire signed [{}:0] f_plain = a_0 * b;\nalways @* assume (b[{digit}] <= b[{}]);\n\
             always @* assert (y_0 == f_plain);\n",
            y - 1,
            digit - 1
        ),
    )
    .beside(CELLS)
}

/// The same of 4 bits.
fn product() -> Claim {
    product_of(4)
}

/// Two digit products that share a factor, with registers before and behind.
fn pair() -> Claim {
    let (_, v) = accelerator(1, 4, 8, DEEP);
    Claim::new(
        &v,
        "deep_product_2xs5_s5_0",
        "always @* assume (b[4] <= b[3]);\nreg [1:0] f_age = 0;\nreg signed [9:0] f_0, f_1, f_00, f_11;\n\
         always @(posedge clock) begin\n  if (!f_age[1]) f_age <= f_age + 1;\n\
         \x20 f_0 <= a_0 * b;\n  f_1 <= a_1 * b;\n  f_00 <= f_0;\n  f_11 <= f_1;\nend\n\
         always @* if (f_age[1]) begin\n  assert (y_0 == f_00);\n  assert (y_1 == f_11);\nend\n",
    )
    .beside(CELLS)
}

/// Two 4-bit operands as digits of 2 bits, four shifted products: the whole product, signed or not.
fn digits() -> Claim {
    let mut v = with(1, 2, 4).1;
    let named = |prefix: &str| v.modules.iter().map(|m| &m.name).find(|n| n.starts_with(prefix)).unwrap();
    let (product, shift) = (named("product_").clone(), named("shift_left_").clone());
    let mut h = String::new();
    for (x, s) in [("a", "a_signed"), ("b", "b_signed")] {
        h += &format!("  wire signed [2:0] {x}0 = {{1'b0, {x}[1:0]}}, {x}1 = {{{s} & {x}[3], {x}[3:2]}};\n");
        h += &format!("  wire signed [4:0] {x}_whole = {{{s} & {x}[3], {x}}};\n");
    }
    for (p, q) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
        let n = format!("{p}{q}");
        h += &format!("  wire signed [5:0] y{n};\n  wire signed [23:0] z{n};\n");
        h += &format!("  {product} product{n}(.a_0(a{p}), .b(b{q}), .y_0(y{n}));\n");
        h += &format!("  {shift} weigh{n}(.x({{y{n}[5], y{n}}}), .sel(2'd{}), .y(z{n}));\n", p + q);
    }
    h +=
        "  wire signed [23:0] sum = z00 + z01 + z10 + z11;\n  wire signed [9:0] whole = a_whole * b_whole;\n";
    let input = |(name, bits): (&str, _)| Port {
        name: name.into(),
        doc: String::new(),
        direction: Direction::Input,
        bits,
        signed: false,
        variable: false,
    };
    let digits = Module {
        name: "digits".into(),
        doc: String::new(),
        ports: [("a", 4), ("b", 4), ("a_signed", 1), ("b_signed", 1)].map(input).into(),
        body: h,
        children: vec![product, shift],
        first: "digits".into(),
        instances: 1,
    };
    v.modules.insert(0, digits);
    Claim::new(&v, "digits", "always @* assert (sum == whole);\n").define(ADDS)
}

#[test]
fn a_digit_product_is_a_product_in_every_form() {
    let proofs = Proofs::new();
    for define in ["", ADDS, CHAINS, "-DTANDEM_SHIFT_ADD=1"] {
        proofs.prove(&product().define(define)).unwrap();
        proofs.prove(&pair().define(define)).unwrap();
    }
    proofs.prove(&pair().define(PACKED)).unwrap();
}

#[test]
fn carry_chains_multiply_narrow_digits() {
    let proofs = Proofs::new();
    for digit in [1, 2] {
        proofs.prove(&product_of(digit).define(CHAINS)).unwrap();
    }
}

#[test]
fn digit_products_shift_and_add_to_the_whole_product() {
    Proofs::new().prove(&digits()).unwrap();
}

#[test]
fn broken_products_are_caught() {
    caught(&product().define(ADDS), &PRODUCTS);
    caught(&product().define(CHAINS), &IN_CHAINS);
    caught(&digits(), &DIGITS);
    caught(&pair().define(PACKED), &PAIR);
}
