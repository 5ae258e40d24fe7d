//! Random accelerators, deterministic from a seed.

use crate::random::Random;
use tandem_spec::Config;

/// A legal configuration: at most 5 × 5 elements of 8 lanes and small memories, so that a simulator of
/// it builds quickly; everything else over its whole range. Almost half have an FFT unit of up to 256 points.
pub fn random_config(seed: u64) -> Config {
    let mut r = Random(seed ^ 0xc0f1);
    let digit = [1, 2, 4, 8];
    let (rows, cols, lanes) = (r.up_to(5), r.up_to(5), r.pick(&[1, 2, 2, 4, 4, 8, 8]));
    let (row_digit, col_digit) = (r.pick(&digit), r.pick(&digit));
    let bits = |r: &mut Random, digit: i64| r.within(digit..17);
    let (row_bits, col_bits) = (bits(&mut r, row_digit), bits(&mut r, col_digit));
    let (acc, select, hop) = (r.within(16..33), r.pick(&[1, 1, 2, 4, 8, 16]), r.up_to(6));
    let drain = 1 << r.within(0..1 + i64::from(cols.next_power_of_two().trailing_zeros()));
    let depth = |r: &mut Random, from: i64, to: i64| 1 << r.within(from..to);
    let (row, col) = (depth(&mut r, 2, 6), depth(&mut r, 2, 7));
    let (index_depth, result) = (depth(&mut r, 1, 6), depth(&mut r, 2, 9));
    let index = if select == 1 { String::new() } else { format!("index_depth = {index_depth}\n") };
    let (link, loops, queue) = (8 << r.within(0..5), r.within(5..8), r.pick(&[1, 2, 2, 4, 4, 8, 8]));
    let deepest: i64 = (row * select).max(col).max(if select == 1 { 1 } else { index_depth });
    let (counters, narrow) = (r.pick(&["all", "all", "total"]), r.pick(&[true, true, false]));
    let reach = r.pick(&[16, 16, i64::from(deepest.ilog2()) + 1]);
    // of its own, so that all other draws stay what they were
    let pipeline = Random(seed ^ 0xdee9).pick(&[5, 9]);
    let (unit, least) = random_unit(&mut r, drain, link);
    let result = result.max(least as i64);
    let toml = format!(
        "name = \"random-{seed}\"\n[array]\nrows = {rows}\ncols = {cols}\nlanes = {lanes}\n\
         row_digit = {row_digit}\ncol_digit = {col_digit}\nrow_bits = {row_bits}\ncol_bits = {col_bits}\n\
         acc_bits = {acc}\nselect = {select}\nhop = {hop}\npipeline = {pipeline}\ndrain = {drain}\n\
         [memory]\nrow_depth = {row}\ncol_depth = {col}\n{index}result_depth = {result}\n\
         [link]\nbits = {link}\n[control]\nloops = {loops}\nqueue = {queue}\n\
         address_bits = {reach}\ncounters = \"{counters}\"\nnarrow = {narrow}\n{unit}"
    );
    Config::from_toml("random", &toml).expect("a legal configuration")
}

/// A table `[fft]`, or nothing: at most 256 points, so that a program of many transforms stays short. With it the words that its
/// results need.
fn random_unit(r: &mut Random, drain: usize, link_bits: usize) -> (String, usize) {
    if r.percent(55) {
        return (String::new(), 2);
    }
    let points = 1 << r.pick(&[2, 3, 4, 4, 5, 6, 6, 7, 8]);
    let samples = r.pick(&[1, 2, 4, 8]).min(drain);
    let groups = (link_bits / (32 * samples)).max(1);
    let depth = (points / groups).max(2) << r.within(0..3);
    let (bits, block) = (r.pick(&[8, 10, 12, 15, 16, 16]), r.percent(70));
    let any = !r.percent(25);
    let tiles = points >= 16 && (any || [16, 64, 256].contains(&points)) && r.percent(80);
    let sizes = if any { "any" } else { "largest" };
    let least = (points / (drain / samples)).max(1) + 1;
    let table = format!(
        "[fft]\npoints = {points}\nsamples = {samples}\nbits = {bits}\ndepth = {depth}\nblock = {block}\n\
         tiles = {tiles}\nsizes = \"{sizes}\"\n"
    );
    (table, least.next_power_of_two())
}
