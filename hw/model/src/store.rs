//! STORE: results into a packet, narrowed.
//!
//! ```text
//! y = clamp(round(v / 2^shift), −2^(b−1), 2^(b−1) − 1)      round: half to even
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
    let results = &memories.result[from..from + count];
    let bytes = s.format.bits() / 8;
    let mut data = Vec::with_capacity((results.len() * bytes).next_multiple_of(config.link_bytes()));
    let (mut magnitudes, mut clamped) = (0u32, 0u32);
    let most = (1i64 << (s.format.bits() - 1)) - 1;
    for v in results {
        magnitudes |= v.unsigned_abs();
        let y = round(*v, s.shift.into());
        let narrow = y.clamp(-most - 1, most);
        clamped += u32::from(narrow != y);
        data.extend_from_slice(&(narrow as i32).to_le_bytes()[..bytes]);
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
