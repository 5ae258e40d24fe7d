//! `tandem synth` and `tandem board table`, from end to end.

use crate::common::command::{Scratch, succeeds};

const ACCELERATOR: &str = "name = \"unit\"\n[array]\nrows = 1\ncols = 1\nlanes = 1\nrow_digit = 2\ncol_digit = 2\nrow_bits = 4\n\
                           col_bits = 4\nacc_bits = 16\n[memory]\nrow_depth = 64\ncol_depth = 32\nresult_depth = 16\n\
                           [link]\nbits = 8\n[control]\nqueue = 2\n";

#[test]
fn a_small_accelerator_becomes_a_bitstream_and_a_line_of_the_table() {
    let s = Scratch::new();
    let accelerator = s.write("unit.toml", ACCELERATOR);
    let out = s.path("out");
    let placed = succeeds(&["synth", "-c", &accelerator, "--board", "ulx3s", "-o", &out]);
    let bitstream = std::fs::read(placed["bitstream"].as_str().unwrap()).unwrap();
    // the preamble of an ECP5 bitstream, after its comment
    assert!(bitstream.windows(4).any(|w| w == [0xff, 0xff, 0xbd, 0xb3]));
    let fmax = placed["fmax_mhz"].as_f64().unwrap();
    assert!(fmax > 25.0, "slower than the board's clock: {fmax} MHz");

    let list = format!("gemm = [8, 8, 8]\n[[pair]]\naccelerator = \"{accelerator}\"\nboard = \"ulx3s\"\n");
    let (list, page) =
        (s.write("list.toml", list), s.write("page.md", "# P\n<!-- board table -->\n<!-- end -->\nEnd.\n"));
    let table = succeeds(&["board", "table", &list, "--into", &page]);
    let line = &table["lines"][0];
    for key in ["lut", "ff", "dsp", "ram", "fmax_mhz"] {
        assert_eq!(line[key], placed[key], "{key}");
    }
    // 8·8·8 products of 2 × 2 digits
    let rate = line["products_per_cycle"].as_f64().unwrap();
    let gemm = ["gemm", "-c", &accelerator, "--random", "8", "8", "8"];
    let cycles = succeeds(&gemm)["cycles"].as_f64().unwrap();
    assert_eq!(rate, 4.0 * 512.0 / cycles);
    let text = std::fs::read_to_string(page).unwrap();
    assert!(
        text.starts_with("# P\n<!-- board table -->\n| accelerator |")
            && text.ends_with("|\n<!-- end -->\nEnd.\n")
    );
    assert!(text.contains(&format!("| unit | ulx3s | {} (", placed["lut"])), "{text}");
}

#[test]
fn mistakes_in_the_list_are_found_before_anything_is_synthesised() {
    let s = Scratch::new();
    let pair = "[[pair]]\naccelerator = \"minimal\"\nboard = \"ulx3s\"\n";
    let list = |head: &str, pair: &str| s.write("list.toml", format!("{head}\n{pair}"));
    let refuses = |says: &[&str], list: &str| s.refuses(says, &["board", "table", list]);
    refuses(&["list.toml", "gemm = [8, 0, 8]"], &list("gemm = [8, 0, 8]", pair));
    refuses(&["list.toml", "seeds = 0"], &list("gemm = [8, 8, 8]\nseeds = 0", pair));
    refuses(&["list.toml", "boards"], &list("gemm = [8, 8, 8]", &pair.replace("board", "boards")));
    refuses(&["nonesuch"], &list("gemm = [8, 8, 8]", &pair.replace("ulx3s", "nonesuch")));
    let (list, page) = (list("gemm = [8, 8, 8]", pair), s.write("page.md", "no place\n"));
    s.refuses(&["page.md", "<!-- board table -->"], &["board", "table", &list, "--into", &page]);
}
