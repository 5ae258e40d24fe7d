//! STORE: results into a packet, narrowed and packed.
//!
//! ```text
//! y = clamp(round(v / 2^shift), −2^(b−1), 2^(b−1) − 1)      round: half to even
//!
//! data = Σ y_i mod 2^b · 2^(b·i)                            i over the lanes that are sent, then over words
//! ```

use crate::memory::Memories;
use tandem_spec::packet::Kind;
use tandem_spec::{Config, Packet, Store};

/// v / 2^shift, half to even.
fn round(v: i32, shift: u32) -> i64 {
    let v = i64::from(v);
    let floor = v >> shift;
    let rest = v - (floor << shift);
    let half = (1i64 << shift) >> 1;
    let up = shift > 0 && (rest > half || rest == half && floor & 1 == 1);
    floor + i64::from(up)
}

/// The packet of instruction `number`.
pub(crate) fn packet(config: &Config, memories: &Memories, number: u32, s: &Store) -> Packet {
    let drain = config.array.drain;
    let (from, count) = (usize::from(s.address) * drain, usize::from(s.count) * drain);
    let words = memories.result[from..from + count].chunks_exact(drain);
    let lanes = if s.lanes == 0 { drain } else { s.lanes.into() };
    let bits = s.format.bits();
    let mut data = Vec::with_capacity((count * bits).div_ceil(8) + config.link_bytes());
    let (mut magnitudes, mut clamped) = (0u32, 0u32);
    let most = (1i64 << (bits - 1)) - 1;
    // bits that do not fill a byte yet
    let (mut rest, mut held) = (0u64, 0);
    for v in words.flat_map(|word| &word[..lanes]) {
        magnitudes |= v.unsigned_abs();
        let y = round(*v, s.shift.into());
        let narrow = y.clamp(-most - 1, most);
        clamped += u32::from(narrow != y);
        rest |= (narrow as u64 & ((1 << bits) - 1)) << held;
        held += bits;
        while held >= 8 {
            data.push(rest as u8);
            (rest, held) = (rest >> 8, held - 8);
        }
    }
    if held > 0 {
        data.push(rest as u8);
    }
    data.resize(data.len().next_multiple_of(config.link_bytes()), 0);
    Packet {
        kind: Kind::Result,
        reason: None,
        instruction: number,
        data,
        summary: [magnitudes, clamped, 0, 0],
    }
}
