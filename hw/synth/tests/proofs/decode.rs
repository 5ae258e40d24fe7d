//! A column's codes: the level's digit of the code in its lane, bit and word, and zero outside the memory.

use crate::claim::{Claim, Mutant, Proofs, caught};
use tandem_rtl::hdl::Design;
use tandem_spec::Config;
use tandem_spec::config::{DEEP, PLAIN};

/// What is broken, the text, what becomes of it.
const MUTANTS: [Mutant; 6] = [
    ("a code of the next word", "word_2_0_q <= flat_q[2:0]", "word_2_0_q <= flat_q[2:0] + 3'd1"),
    ("the digit of the next step", "plane_2_0_q <= plane_1_0_q", "plane_2_0_q <= codes_plane_0"),
    ("codes outside the memory count", "if (inside_3_q)", "if (1'b1)"),
    ("a lane takes its neighbour's bit", ".x_0(cut_0_y_0)", ".x_0(cut_0_y_1)"),
    ("levels are taken without a write", "if (levels_in_we_0)", "if (1'b1)"),
    ("the upper half of the table is the lower", ".x_4(level_0_y_4)", ".x_4(level_0_y_0)"),
];

/// `code_port` of 2 lanes, codes of 2 bits and levels of `digits` digits of 4 bits.
fn port(digits: usize, pipeline: usize) -> Claim {
    let text = format!(
        "[array]\nrows = 2\ncols = 2\nlanes = 2\nrow_digit = 4\ncol_digit = 4\nacc_bits = 24\npipeline = {pipeline}\n\
         [codebook]\ncode_bits = 2\nlevel_bits = {}\ndepth = 4\n\
         [memory]\nrow_depth = 16\ncol_depth = 16\nresult_depth = 16\n[link]\nbits = 32\n",
        4 * digits
    );
    let config = Config::from_toml("proof.toml", &text).unwrap_or_else(|e| panic!("{e}"));
    let design: Design = tandem_rtl::emit(&config).unwrap();
    Claim::new(&design, "code_port", &properties(&config)).depth(6)
}

/// From the page: bit b of the code in lane l of word w is bit w · lanes + l of bank b, digit q of the level of code k is digit
/// q · 2^bits + k of the table.
fn properties(c: &Config) -> String {
    let (book, lanes, words) = (c.codebook.as_ref().expect("codebooks"), c.array.lanes, c.code_words());
    let late = if c.array.pipeline == DEEP { 3 } else { 2 };
    let plane = if c.level_digits() > 1 { "codes_plane_0" } else { "1'b0" };
    let table = c.level_digits() * book.code_bits * 2 * c.array.col_digit;
    let mut s = format!(
        "reg [{late}:0] f_past = 0;\nreg [15:0] f_address [0:{late}];\nreg f_plane [0:{late}];\nreg f_used [0:{late}];\n\
         reg f_we; reg [{0}:0] f_data, f_before;\ninteger f;\n\
         always @(posedge clock) begin\n  f_past <= {{f_past, 1'b1}};\n\
           f_address[1] <= code_address; f_plane[1] <= {plane}; f_used[1] <= codes_used;\n\
           for (f = 1; f < {late}; f = f + 1) begin\n    f_address[f+1] <= f_address[f]; f_plane[f+1] <= f_plane[f]; f_used[f+1] <= f_used[f];\n  end\n\
           f_we <= levels_in_we_0; f_data <= levels_in_data_0; f_before <= held_0_q;\nend\n\
         wire [15:0] f_at = f_address[{late}];\n\
         always @* if (f_past[0]) assert (held_0_q == (f_we ? f_data : f_before));\n\
         always @* if (f_past[{1}]) assert (decoded_used == f_used[{late}]);\n",
        table - 1,
        late - 1
    );
    for l in 0..lanes {
        let bit = |b: usize| format!("read_{b}_q[f_at % {words} * {lanes} + {l}]");
        s += &format!(
            "wire [1:0] f_code_{l} = {{{}, {}}};\n\
             wire [3:0] f_digit_{l} = held_0_q >> 4 * (f_plane[{late}] * 4 + f_code_{l});\n\
             always @* if (f_past[{}]) assert (decoded_digit_{l} == (f_at < {} ? f_digit_{l} : 4'd0));\n",
            bit(1),
            bit(0),
            late - 1,
            words * book.depth
        );
    }
    s
}

#[test]
fn codes_stand_for_their_levels() {
    let proofs = Proofs::new();
    for (digits, pipeline) in [(1, PLAIN), (2, PLAIN), (2, DEEP)] {
        proofs.prove(&port(digits, pipeline)).unwrap();
    }
}

#[test]
fn broken_code_ports_are_caught() {
    caught(&port(2, PLAIN), &MUTANTS);
}
