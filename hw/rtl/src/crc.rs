//! One step of a reflected CRC over a whole link word, as a matrix over GF(2).

use crate::hdl::prelude::*;

/// The cell that computes the next state of a CRC of `width` bits from the state (input 0) and the
/// link word's lanes (inputs 1 …), least significant bit first.
///
/// Columns of the matrix come from running the shift register bit by bit over each unit vector.
pub fn crc_step(poly: u64, width: usize, lane_bits: usize, lanes: usize) -> XorReduce {
    let shift = |state: u64, bit: bool| {
        let feedback = (state & 1 == 1) != bit;
        (state >> 1) ^ if feedback { poly } else { 0 }
    };
    let data_bits = lane_bits * lanes;
    let mut masks = vec![vec![0u64; 1 + lanes]; width];
    let mut column = |input: usize, bit: usize, response: u64| {
        for (i, row) in masks.iter_mut().enumerate() {
            row[input] |= (response >> i & 1) << bit;
        }
    };
    for b in 0..width {
        column(0, b, (0..data_bits).fold(1 << b, |s, _| shift(s, false)));
    }
    for d in 0..data_bits {
        let response = (0..data_bits).fold(0, |s, i| shift(s, i == d));
        column(1 + d / lane_bits, d % lane_bits, response);
    }
    let mut bits = vec![lane_bits; 1 + lanes];
    bits[0] = width;
    XorReduce::new(&bits, masks)
}
