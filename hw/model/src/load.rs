//! LOAD: link words into slots of an operand memory.
//!
//! ```text
//! unit   = a bank of the row memory, else a word           S = unit / chunk chunks of a unit
//! chunk  = min(unit, link) bits                            C = link / chunk slots of a link word
//! slot   = (element · banks + bank) · S + chunk            link word j: slots j·C … j·C + C − 1
//!          (bank · elements + element) · S + chunk         codes
//! ```
//! Payload word w belongs to address ⌊w / words⌋ and j = w mod words.

use crate::memory::{Memories, Pad};
use tandem_spec::Load;

/// Writes the link words in `bytes`; the first is number `first` of the payload.
///
/// # Panics
/// Never for a valid `load`.
pub(crate) fn write(memories: &mut Memories, load: &Load, first: usize, bytes: &[u8], link_bytes: usize) {
    let pad = &mut memories[load.memory];
    let link = 8 * link_bytes;
    let chunk = (pad.lanes * pad.digit).min(link);
    let slots = Slots {
        chunk_digits: chunk / pad.digit,
        chunks: pad.lanes * pad.digit / chunk,
        per_word: link / chunk,
        load,
    };
    let words = usize::from(load.words);
    let mut address = usize::from(load.address) + first / words;
    let mut j = first % words;
    for word in bytes.chunks_exact(link_bytes) {
        slots.write_word(pad, address, j, word);
        j += 1;
        if j == words {
            (address, j) = (address + 1, 0);
        }
    }
}

struct Slots<'a> {
    /// Digits of a chunk.
    chunk_digits: usize,
    /// S.
    chunks: usize,
    /// C.
    per_word: usize,
    load: &'a Load,
}

impl Slots<'_> {
    fn write_word(&self, pad: &mut Pad, address: usize, j: usize, word: &[u8]) {
        for i in 0..self.per_word {
            let slot = j * self.per_word + i;
            let (unit, chunk) = (slot / self.chunks, slot % self.chunks);
            let (element, bank) = match (pad.planar, self.load.broadcast) {
                (false, _) => (unit / pad.banks, unit % pad.banks),
                (true, false) => (unit % pad.elements, unit / pad.elements),
                (true, true) => (unit / pad.banks, unit),
            };
            if bank >= pad.banks {
                return;
            }
            let targets = match (self.load.broadcast, element) {
                (true, 0) => 0..pad.elements,
                (false, e) if e < pad.elements => e..e + 1,
                _ => return,
            };
            let lane = chunk * self.chunk_digits;
            for e in targets.filter(|e| self.load.mask >> e & 1 == 1) {
                let at = (e * pad.addresses + address * pad.banks + bank) * pad.lanes + lane;
                unpack(&mut pad.digits[at..][..self.chunk_digits], word, i * self.chunk_digits, pad.digit);
            }
        }
    }
}

/// Digits of `bits` bits from number `first` of `word` on. A digit never crosses a byte.
fn unpack(digits: &mut [u8], word: &[u8], first: usize, bits: usize) {
    let per_byte = 8 / bits;
    let mask = (0xff >> (8 - bits)) as u8;
    for (d, i) in digits.iter_mut().zip(first..) {
        *d = word[i / per_byte] >> (i % per_byte * bits) & mask;
    }
}
