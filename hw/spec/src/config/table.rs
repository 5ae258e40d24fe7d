//! The table of keys. A row is all that a key costs, beside the units that use it.
//!
//! A bound looks only at keys that are read before: those above it in its table, and the tables before it in [`READ`].

use super::key::{Allowed, Field, Key, PLAIN_KEY, Table, keys};
use super::{Counting, DEEP, MAX_LOOPS, MAX_SIDE, PLAIN};

/// The tables in the order in which they are read and checked.
pub(super) const READ: [&str; 7] = ["array", "link", "fft", "gaussian", "codebook", "memory", "control"];

/// Deepest memory: addresses are signed.
const DEEPEST: usize = 32768;

keys! {
    own {
        /// The MAC array.
        array "array" Array {
            /// Rows of processing elements.
            rows "rows": usize { allowed: |_| Allowed::Range(1, MAX_SIDE), }
            /// Columns of processing elements.
            cols "cols": usize { allowed: |_| Allowed::Range(1, MAX_SIDE), }
            /// Digit products an element and cycle.
            lanes "lanes": usize { allowed: |_| Allowed::Power(1, 32), }
            /// Bits of a digit of row operands.
            row_digit "row_digit": usize { allowed: |_| Allowed::Power(1, 8), }
            /// Bits of a digit of column operands.
            col_digit "col_digit": usize { allowed: |_| Allowed::Power(1, 8), }
            /// Bits of the widest row operand.
            row_bits "row_bits": usize {
                allowed: |c| Allowed::Range(c.array.row_digit, 16), bounds: "`row_digit` to 16", default: Some(|_| 16),
            }
            /// Bits of the widest column operand.
            col_bits "col_bits": usize {
                allowed: |c| Allowed::Range(c.array.col_digit, 16), bounds: "`col_digit` to 16", default: Some(|_| 16),
            }
            /// Bits of an accumulator.
            acc_bits "acc_bits": usize { allowed: |_| Allowed::Range(16, 32), default: Some(|_| 32), }
            /// Largest M of N:M selection, and the number of row banks; 1: dense only.
            select "select": usize { allowed: |_| Allowed::Power(1, 16), default: Some(|_| 1), }
            /// Elements between two registers of an operand.
            hop "hop": usize {
                allowed: |c| hops(c.array.rows, c.array.cols), default: Some(|_| MAX_SIDE),
                bounds: "1 to 32, (rows − 1) / hop ≤ (cols − 1) / hop + 6",
            }
            /// Results drained a cycle.
            drain "drain": usize {
                allowed: |c| Allowed::Power(1, c.array.cols.next_power_of_two()), bounds: "a power of two up to the next one of `cols`",
                default: Some(|c| c.array.cols.next_power_of_two()), usual: "that",
            }
            /// Cycles from a step in the sequencer to its sum in the accumulator: 9 with registers behind memory, selection, product and shift.
            pipeline "pipeline": usize {
                allowed: |_| Allowed::List(vec![PLAIN, DEEP], format!("{PLAIN} or {DEEP}")), default: Some(|_| PLAIN), reduction: true,
            }
        }
        /// The scratchpads, in words.
        memory "memory" MemoryDepths {
            /// Windows of `select` · `lanes` digits, a row.
            row "row_depth": usize { allowed: |c| Allowed::Power(2, DEEPEST / c.array.select), bounds: "a power of two from 2 to 32768 / `select`", }
            /// Words of `lanes` digits, a column.
            col "col_depth": usize { allowed: |_| Allowed::Power(2, DEEPEST), }
            /// Words of indices, a column; only with selection.
            index "index_depth": usize {
                allowed: |_| Allowed::Power(2, DEEPEST), default: Some(|c| c.memory.col), usual: "`col_depth`", when: |c| c.array.select > 1,
            }
            /// Words of `drain` 32-bit results; the largest transform's spectrum fits, with its status word.
            result "result_depth": usize {
                allowed: |c| Allowed::Power(least_results(c), DEEPEST), bounds: "a power of two from 2 to 32768",
            }
        }
    }
    flat {
        /// The link to the host.
        "link" {
            /// Bits of a word.
            link_bits "bits": usize { allowed: |_| Allowed::Power(8, 128), default: Some(|_| 128), }
        }
        /// Instructions and their control.
        "control" {
            /// Loop levels of a COMPUTE.
            loops "loops": usize { allowed: |_| Allowed::Range(5, MAX_LOOPS), default: Some(|_| 5), }
            /// Instructions that the compute and the store queue hold each.
            queue "queue": usize { allowed: |_| Allowed::Power(1, 64), default: Some(|_| 4), }
            /// Bits of operand and index addresses, which wrap, and of loop counts.
            address_bits "address_bits": usize {
                allowed: |c| Allowed::Range(least_address_bits(c), 16), bounds: "log2 of the deepest memory and one more, to 16",
                default: Some(|_| 16), reduction: true,
            }
            /// Which counters are generated; the others read as zero.
            counters "counters": Counting { allowed: |_| Allowed::Words(&["all", "total"], None), default: Some(|_| 0), reduction: true, }
            /// Whether a STORE can narrow results to 16 and 8 bits.
            narrow "narrow": bool { default: Some(|_| 1), reduction: true, }
            /// Whether a STORE can send results of any multiple of 4 bits, and of some of a word's columns only.
            pack "pack": bool {
                allowed: |c| if c.narrow { Allowed::Switch } else { Allowed::Off("false if `narrow` is") },
                bounds: "true or false; false if `narrow` is", default: Some(|_| 0), reduction: true,
            }
            /// Whether the Verilog has an input `reset` (docs/accelerator.md).
            reset "reset": bool { default: Some(|_| 0), reduction: true, }
        }
    }
    optional {
        /// The FFT unit (docs/fft.md); without the table there is none.
        fft "fft" Fft {
            /// Points of the largest transform.
            points "points": usize { allowed: |_| Allowed::Power(4, 16384), }
            /// Complex samples a clock, as many as transforms run in lockstep.
            samples "samples": usize {
                allowed: |c| Allowed::Power(1, c.array.drain.min(8)), bounds: "a power of two to 8, at most `drain`", default: Some(|_| 1),
            }
            /// Bits of a sample's real and of its imaginary part.
            bits "bits": usize { allowed: |_| Allowed::Range(8, 16), default: Some(|_| 16), }
            /// Words of the sample memory; a batch of the largest transform fits.
            depth "depth": usize { allowed: |c| Allowed::Power(least_samples(c), DEEPEST), bounds: "a power of two to 32768", }
            /// Whether block floating point is generated.
            block "block": bool { default: Some(|_| 1), }
            /// Whether square tiles are generated.
            tiles "tiles": bool {
                allowed: |c| if unit(c).points < 16 { Allowed::Off("false if points is below 16") } else { Allowed::Switch },
                bounds: "true or false; false below 16 points",
                default: Some(|c| usize::from(unit(c).points >= 16)), usual: "true from 16 points",
            }
            /// Whether transforms of fewer points are generated.
            any_size "sizes": bool {
                allowed: |c| sizes(unit(c)), bounds: "\"any\" or \"largest\"", default: Some(|_| 1),
            }
        }
        /// The Gaussian unit (docs/gaussian.md); without the table there is none.
        gaussian "gaussian" Gaussian {
            /// Pixels a clock; a batch has four times as many lines.
            pixels "pixels": usize {
                allowed: |c| Allowed::Power(1, c.array.drain.min(8)), bounds: "a power of two to 8, at most `drain`", default: Some(|_| 1),
            }
            /// Largest radius of a window.
            radius "radius": usize { allowed: |_| Allowed::Range(1, 255), }
            /// Cosines of a window.
            terms "terms": usize { allowed: |_| Allowed::Range(2, 4), default: Some(|_| 3), }
            /// Words of the pixel memory.
            depth "depth": usize { allowed: |_| Allowed::Power(2, DEEPEST), }
        }
        /// Codebooks: columns may be codes of few bits, each of which stands for a level; without the table there are none.
        codebook "codebook" Codebook {
            /// Bits of a code, at most.
            code_bits "code_bits": usize { allowed: |_| Allowed::Range(1, 4), }
            /// Bits of a level, one digit or several.
            level_bits "level_bits": usize {
                allowed: |c| Allowed::List(levels(c), format!("{:?}", levels(c))), bounds: "1, 2, 4 … times `col_digit`, up to `col_bits`",
                default: Some(|c| c.array.col_digit), usual: "`col_digit`",
            }
            /// Addresses of the code memory, a column; docs/accelerator.md says how many words each holds.
            depth "depth": usize { allowed: |c| Allowed::Power(2, DEEPEST / c.code_words()), bounds: "a power of two from 2 to 32768 / words an address", }
        }
    }
}

/// Registers that an operand passes on its way along `side` elements.
fn skew(side: usize, hop: usize) -> usize {
    (side - 1) / hop
}

/// Rows further down read their last operand before a token without drain lets it be overwritten.
fn hops(rows: usize, cols: usize) -> Allowed {
    let fits = |hop: &usize| skew(rows, *hop) <= skew(cols, *hop) + 6;
    let fitting: Vec<usize> = (1..=MAX_SIDE).filter(fits).collect();
    if fitting.len() == MAX_SIDE {
        return Allowed::Range(1, MAX_SIDE);
    }
    Allowed::List(
        fitting,
        format!("a hop for which (rows − 1) / hop ≤ (cols − 1) / hop + 6 ({rows} × {cols})"),
    )
}

/// Result words for the largest transform's spectrum, and one with its status, as a power of two.
fn least_results(c: &Config) -> usize {
    c.fft.as_ref().map_or(2, |f| (f.points.div_ceil(c.array.drain / f.samples) + 1).next_power_of_two())
}

/// Words of the sample memory for a batch of the largest transforms.
fn least_samples(c: &Config) -> usize {
    (unit(c).points / unit(c).groups(c.link_bits)).max(2)
}

/// Bits that address the deepest memory, and a sign.
fn least_address_bits(c: &Config) -> usize {
    let codes = c.codebook.as_ref().map_or(0, |book| c.code_words() * book.depth);
    (c.array.select * c.memory.row).max(c.memory.col).max(c.memory.index).max(codes).ilog2() as usize + 1
}

/// Bits that levels may have: a power of two of digits.
fn levels(c: &Config) -> Vec<usize> {
    let a = &c.array;
    (0..5).map(|log| a.col_digit << log).take_while(|bits| *bits <= a.col_bits).collect()
}

fn unit(c: &Config) -> &Fft {
    c.fft.as_ref().expect("keys of a table are read when it is there")
}

/// A tile's points are those of one transform.
fn sizes(f: &Fft) -> Allowed {
    let only = "\"any\", unless tiles is false or points 16, 64 or 256";
    let largest = !f.tiles || [16, 64, 256].contains(&f.points);
    Allowed::Words(&["largest", "any"], (!largest).then_some((1, only)))
}
