//! Proofs of the generated Verilog by k-induction, and the mutants that they must catch.

mod claim;
mod equivalence;

use claim::{Claim, tools, verilog, with};
use tandem_rtl::compute::pe::Widths;
use tandem_spec::Config;
use tandem_spec::check::{CRC16_POLY, CRC32_POLY};
use tandem_synth::modules;

const ELEMENT: &str = include_str!("formal/processing_element.sv");
const QUEUE: &str = include_str!("formal/fifo.sv");
const ADDS: &str = "-DTANDEM_SHIFT_ADD=0";

/// `processing_element` of M = `select`: its lane multiplexers, and its sums of whatever its products are; what they are
/// is the claim of [`product`].
fn element(select: usize) -> Claim {
    let (c, v) = verilog(select, 32);
    let mut v = v;
    for l in 0..c.array.lanes {
        let name = format!("product_s5_s5_{l}");
        let any = format!(
            "module {name} (\n  input wire signed [4:0] a,\n  input wire signed [4:0] b,\n  output wire signed [9:0] y\n);\n\
             \x20 (* anyseq *) wire signed [9:0] any;\n  assign y = any;\nendmodule\n"
        );
        let real = modules::module(&v, &name).unwrap().to_owned();
        v = v.replace(&real, &any);
    }
    Claim::new(&v, "processing_element", &format!("{}{ELEMENT}", plain_sum(&c)))
}

/// A digit product of rank 0.
fn product() -> Claim {
    let (_, v) = verilog(1, 32);
    Claim::new(
        &v,
        "product_s5_s5_0",
        "wire signed [9:0] f_plain = a * b;\nalways @* assert (y == f_plain);\n",
    )
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

/// A queue of two entries.
fn queue() -> Claim {
    let (_, v) = verilog(1, 32);
    let name = modules::names(&v).into_iter().find(|n| n.starts_with("fifo_2x96")).unwrap();
    let fields: Vec<usize> = (0..5).rev().collect();
    let all = |what: &dyn Fn(usize) -> String| {
        format!("{{{}}}", fields.iter().map(|i| what(*i)).collect::<Vec<_>>().join(", "))
    };
    let wires = format!(
        "localparam F_BITS = 96, F_DEPTH = 2, F_PTR = 1;\nwire [95:0] f_d = {};\nwire [95:0] f_head = {};\n\
         wire [95:0] f_stored = {};\n",
        all(&|i| format!("d_{i}")),
        all(&|i| format!("head_{i}")),
        all(&|i| format!("mem_{i}[f_at]")),
    );
    // names are declared before they are used
    let (head, rest) = QUEUE.split_once("wire [F_PTR-1:0] f_ahead").unwrap();
    let (parameters, wires) = wires.split_once('\n').unwrap();
    Claim::new(&v, name, &format!("{parameters}\n{head}{wires}wire [F_PTR-1:0] f_ahead{rest}"))
}

/// The CRC step of `bits` bits over a link word of 32 bits against the shift register, bit by bit. Both are sums over
/// GF(2) of input bits, so that inputs with one bit set are enough (and a solver is lost in longer sums).
fn crc(bits: usize, poly: u32) -> Claim {
    let (_, v) = verilog(1, 32);
    let name = format!("xor_reduce_{bits}");
    let last = bits - 1;
    let property = format!(
        "reg [{last}:0] f_state; integer f_i;\nalways @* begin\n  f_state = x_0;\n  for (f_i = 0; f_i < 32; f_i = f_i + 1)\n\
         \x20   f_state = (f_state >> 1) ^ ((f_state[0] ^ x_1[f_i]) ? {bits}'h{poly:x} : {bits}'h0);\n\
         \x20 assert (y == f_state);\nend\nwire [{}:0] f_in = {{x_1, x_0}};\nalways @* assume ((f_in & (f_in - 1)) == 0);\n",
        bits + 31
    );
    Claim::new(&v, &name, &property)
}

/// Two 4-bit operands as digits of 2 bits, four shifted products: the whole product, signed or not.
fn digits() -> Claim {
    let v = with(1, 32, 2, 4).1;
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
fn the_element_is_a_multiply_add() {
    let tools = tools();
    for select in [1, 4] {
        element(select).prove(&tools).unwrap();
    }
    for define in ["", ADDS, "-DTANDEM_SHIFT_ADD=1"] {
        product().define(define).prove(&tools).unwrap();
    }
}

#[test]
fn digit_products_shift_and_add_to_the_whole_product() {
    let tools = tools();
    digits().prove(&tools).unwrap();
}

#[test]
fn the_queue_keeps_order_and_content() {
    queue().prove(&tools()).unwrap();
}

#[test]
fn crc_steps_are_the_shift_register() {
    let tools = tools();
    crc(16, CRC16_POLY.into()).prove(&tools).unwrap();
    crc(32, CRC32_POLY).prove(&tools).unwrap();
}

/// What is broken, and the text that becomes another one.
const PRODUCTS: [(&str, &str, &str); 2] = [
    ("a partial product is lost", "a & {5{b[2]}}", "a & {5{1'b0}}"),
    ("the sign digit is added", "s0_4 - (p4", "s0_4 + (p4"),
];

/// The same for elements.
const ELEMENTS: [(&str, &str, &str); 3] = [
    ("a sum is subtracted", "assign total = base + weigh_y", "assign total = base - weigh_y"),
    ("a sum is not cleared", "base = 24'd0", "base = acc_q"),
    ("a lane takes the wrong bank", "chosen_0 = window_2;", "chosen_0 = window_4;"),
];

#[test]
fn broken_elements_are_caught() {
    let tools = tools();
    for (what, from, to) in ELEMENTS {
        assert!(element(4).mutant(from, to).prove(&tools).is_err(), "{what}");
    }
    for (what, from, to) in PRODUCTS {
        assert!(product().define(ADDS).mutant(from, to).prove(&tools).is_err(), "{what}");
    }
}

#[test]
fn broken_queues_are_caught() {
    let tools = tools();
    for (what, from, to) in [
        ("a full queue takes an entry", "do_push = push & ~full", "do_push = push"),
        ("an empty queue gives one", "do_pop = pop & ~empty", "do_pop = pop"),
        ("a field is not written", "if (do_push) mem_3[wptr] <= d_3", "if (do_push) mem_3[wptr] <= d_2"),
        ("the head stays", "if (do_pop) rptr <= rptr + 1'd1", "if (do_pop) rptr <= rptr"),
    ] {
        assert!(queue().mutant(from, to).prove(&tools).is_err(), "{what}");
    }
}

#[test]
fn broken_crcs_are_caught() {
    let tools = tools();
    for (bits, poly) in [(16, u32::from(CRC16_POLY)), (32, CRC32_POLY)] {
        let claim = crc(bits, poly);
        // one tap of one bit is lost
        let row = claim.verilog.lines().find(|l| l.contains("assign y[5] =")).unwrap().to_owned();
        let broken =
            row.replacen("x_0 & ", "(x_0 >> 1 << 1) & ", 1).replacen("x_1 & ", "(x_1 >> 7 << 7) & ", 1);
        assert!(claim.mutant(&row, &broken).prove(&tools).is_err(), "CRC-{bits}");
    }
}
