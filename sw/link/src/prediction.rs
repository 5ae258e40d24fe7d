//! How long a line takes.

use tandem_spec::link::MAX_PAYLOAD;

/// Bytes of the line for a full frame: header, CRC-32, COBS, the zero.
const FRAME: usize = 249;
/// Bits of the line for a byte: start, 8 data, stop.
const BITS: f64 = 10.0;

/// Seconds that `bytes` of link words take at `baud`, one direction after the other, in full frames; answers, zeros after
/// silence, windows that run empty and the accelerator's own time come on top.
///
/// ```text
/// t = bytes · 249 / 240 · 10 / baud
/// ```
pub fn seconds(bytes: u64, baud: u32) -> f64 {
    bytes as f64 * (FRAME as f64 / MAX_PAYLOAD as f64) * BITS / f64::from(baud)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frame;
    use tandem_spec::link::Kind;

    #[test]
    fn a_full_frame_is_as_long_as_it_is_here() {
        for byte in [0, 1, 255] {
            let frame = Frame { kind: Kind::Data, session: 1, seq: 0, payload: vec![byte; MAX_PAYLOAD] };
            assert_eq!(frame.encode().len(), FRAME);
        }
        assert!((seconds(240 * 100, 115_200) - 24_900.0 / 11_520.0).abs() < 1e-12);
    }
}
