//! Parities: a product with a constant matrix over GF(2).
use super::literal;
use crate::hdl::names;
use crate::hdl::number_format::NumberFormat;
use crate::hdl::sig::Sig;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// `y[i] = ⊕_j parity(x_j & mask_ij)`, bit `i` of the output word: the next state of a CRC over a
/// whole word, for example.
///
/// # Numeric  input words of at most 64 bits, at most 127 output bits
/// # Timing   combinational: one XOR tree an output bit
#[derive(LogicBlock)]
pub struct XorReduce {
    /// The input words.
    pub x: Vec<Sig<In>>,
    /// The parities, row `i` of the matrix in bit `i`.
    pub y: Sig<Out>,
    _masks: Vec<Vec<u64>>,
}

impl XorReduce {
    /// Input words of the given widths; `masks[i][j]` selects the bits of word `j` that bit `i` sums.
    ///
    /// # Panics
    /// If a word is wider than 64 bits or a row of the matrix does not have one mask a word.
    pub fn new(bits: &[usize], masks: Vec<Vec<u64>>) -> Self {
        assert!(bits.iter().all(|b| *b <= 64), "words of at most 64 bits, got {bits:?}");
        assert!(masks.iter().all(|row| row.len() == bits.len()), "one mask for each of {} words", bits.len());
        let own = |row: Vec<u64>| {
            row.iter()
                .zip(bits)
                .map(|(m, b)| NumberFormat::unsigned(*b).wrap(i128::from(*m)) as u64)
                .collect()
        };
        XorReduce {
            x: bits.iter().map(|b| Sig::unsigned(*b)).collect(),
            y: Sig::unsigned(masks.len()),
            _masks: masks.into_iter().map(own).collect(),
        }
    }

    /// The expression of output bit `i`. Words of one width are summed before the one reduction.
    fn parity(&self, row: &[u64]) -> String {
        let mut terms: Vec<(usize, Vec<String>)> = vec![];
        for (j, (x, mask)) in self.x.iter().zip(row).enumerate().filter(|(_, (_, m))| **m != 0) {
            let term = format!("(x${j} & {})", literal(i128::from(*mask), x.format()));
            match terms.iter_mut().find(|(bits, _)| *bits == x.bits()) {
                Some((_, same)) => same.push(term),
                None => terms.push((x.bits(), vec![term])),
            }
        }
        let sums: Vec<String> = terms.iter().map(|(_, t)| format!("(^({}))", t.join(" ^ "))).collect();
        if sums.is_empty() { "1'b0".into() } else { sums.join(" ^ ") }
    }
}

impl Logic for XorReduce {
    fn update(&mut self) {
        let mut y = 0;
        for (i, row) in self._masks.iter().enumerate() {
            let ones: u32 =
                self.x.iter().zip(row).map(|(x, m)| (x.val().get() as u64 & m).count_ones()).sum();
            y |= i128::from(ones % 2) << i;
        }
        self.y.set(y);
    }
    fn connect(&mut self) {
        self.y.connect();
    }
    fn hdl(&self) -> Verilog {
        let mut v = String::new();
        for (i, row) in self._masks.iter().enumerate() {
            let bit = if self._masks.len() == 1 { String::new() } else { format!("[{i}]") };
            writeln!(v, "assign y{bit} = {};", self.parity(row)).expect("a string");
        }
        Verilog::Custom(v)
    }
    fn timing(&self) -> Vec<TimingInfo> {
        names::cell::<Self>(format!("xor_reduce_{}", self._masks.len()), &[], &[])
    }
}
