//! What an accelerator sends to the host.
//!
//! ```text
//! header 128 bits │ data, whole link words │ summary 128 bits │ CRC-32
//! ```
//! The checksum covers everything before it; running it over the whole packet leaves zero.

use crate::check::crc32;
use crate::isa::Field;
use crate::registers::{Counters, REGISTERS};

/// Kinds of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Results of a `STORE`. Summary: OR of magnitudes, number of saturated results.
    Result = 1,
    /// Registers, from a `READ`.
    Registers = 2,
    /// The program failed. Summary: engine (0 load, 1 compute, 2 store).
    Error = 3,
    /// Answer to `RESET`. Summary: `config_lo`, `config_hi`, `identity`.
    Ready = 4,
}

/// Fields of the header.
pub mod header {
    use super::Field;

    /// See [`super::Kind`].
    pub const KIND: Field = Field::new("kind", 0, 8, "1 result, 2 registers, 3 error, 4 ready");
    /// See [`super::Reason`].
    pub const REASON: Field = Field::new("reason", 8, 8, "of an error, else 0");
    /// Number of the instruction.
    pub const INSTRUCTION: Field = Field::new("instruction", 16, 32, "number since reset, from 0");
    /// Link words of data.
    pub const WORDS: Field = Field::new("words", 48, 32, "link words of data");
    /// Marks a header.
    pub const MARK: Field = Field::new("mark", 112, 16, "0x7a9d");
    /// All of them.
    pub const FIELDS: &[Field] = &[KIND, REASON, INSTRUCTION, WORDS, MARK];
    /// Value of [`MARK`].
    pub const MARK_VALUE: u16 = 0x7a9d;
}

macro_rules! reasons {
    ($($name:ident = $code:literal $doc:literal;)*) => {
        /// Why a program failed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason { $(#[doc = $doc] $name = $code,)* }

        impl Reason {
            /// All of them with their meaning.
            pub const ALL: &[(Reason, &'static str)] = &[$((Reason::$name, $doc)),*];
        }
    };
}

reasons! {
    Stray = 1 "a payload word where an instruction should start";
    Opcode = 2 "unknown opcode";
    Truncated = 3 "an instruction starts inside an instruction or a payload";
    InstructionCheck = 4 "the CRC-16 of the instruction is wrong";
    Field = 5 "a field is out of range, or a reserved bit is set";
    PayloadCheck = 6 "the CRC-32 of the payload is wrong";
    Deadlock = 7 "no engine can move and nothing that arrives can free one";
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (_, doc) = Self::ALL.iter().find(|r| r.0 == *self).expect("in the list");
        f.write_str(doc)
    }
}

/// A packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Kind.
    pub kind: Kind,
    /// Reason, if an error.
    pub reason: Option<Reason>,
    /// Instruction number since reset.
    pub instruction: u32,
    /// Data, whole link words.
    pub data: Vec<u8>,
    /// Four words of summary.
    pub summary: [u32; 4],
}

/// Why bytes are not packets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// No header where one should be.
    #[error("byte {at}: not a packet header")]
    Header {
        /// Offset.
        at: usize,
    },
    /// The bytes end inside a packet.
    #[error("byte {at}: packet of {expected} bytes is cut after {found}")]
    Cut {
        /// Offset of the packet.
        at: usize,
        /// Its length.
        expected: usize,
        /// What is there.
        found: usize,
    },
    /// The checksum is wrong.
    #[error("byte {at}: the CRC-32 of the packet is wrong")]
    Check {
        /// Offset of the packet.
        at: usize,
    },
}

impl Packet {
    /// The packet's bytes on a link of `link_bytes`.
    pub fn encode(&self, link_bytes: usize) -> Vec<u8> {
        let mut h = crate::isa::Bits512::default();
        h.set(header::KIND, self.kind as u32);
        h.set(header::REASON, self.reason.map_or(0, |r| r as u32));
        h.set(header::INSTRUCTION, self.instruction);
        h.set(header::WORDS, (self.data.len() / link_bytes) as u32);
        h.set(header::MARK, header::MARK_VALUE.into());
        let mut b = h.0[..16].to_vec();
        b.extend(&self.data);
        for s in self.summary {
            b.extend(s.to_le_bytes());
        }
        b.extend(crc32(&b).to_le_bytes());
        b.resize(b.len().next_multiple_of(link_bytes), 0);
        b
    }

    /// Splits the output of an accelerator into packets.
    ///
    /// # Errors
    /// [`PacketError`] at the first byte that is not a whole, checked packet.
    pub fn parse_all(bytes: &[u8], link_bytes: usize) -> Result<Vec<Packet>, PacketError> {
        let mut packets = vec![];
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes[at..];
            let mut h = crate::isa::Bits512::default();
            let n = rest.len().min(16);
            h.0[..n].copy_from_slice(&rest[..n]);
            if n < 16 {
                return Err(PacketError::Cut { at, expected: 16, found: n });
            }
            let kind = match h.field(header::KIND) {
                1 => Kind::Result,
                2 => Kind::Registers,
                3 => Kind::Error,
                4 => Kind::Ready,
                _ => return Err(PacketError::Header { at }),
            };
            let code = h.field(header::REASON);
            let reason = Reason::ALL.iter().map(|r| r.0).find(|r| *r as u32 == code);
            if h.field(header::MARK) != header::MARK_VALUE.into() || (kind == Kind::Error) != reason.is_some()
            {
                return Err(PacketError::Header { at });
            }
            let data = h.field(header::WORDS) as usize * link_bytes;
            let len = 16 + data + 16 + 4usize.next_multiple_of(link_bytes);
            if rest.len() < len {
                return Err(PacketError::Cut { at, expected: len, found: rest.len() });
            }
            if crc32(&rest[..len]) != 0 {
                return Err(PacketError::Check { at });
            }
            let summary = std::array::from_fn(|i| {
                let o = 16 + data + 4 * i;
                u32::from_le_bytes(rest[o..o + 4].try_into().expect("four bytes"))
            });
            packets.push(Packet {
                kind,
                reason,
                instruction: h.field(header::INSTRUCTION),
                data: rest[16..16 + data].to_vec(),
                summary,
            });
            at += len;
        }
        Ok(packets)
    }

    /// The registers in a [`Kind::Registers`] packet.
    pub fn counters(&self) -> Option<Counters> {
        let words: Vec<u32> = self
            .data
            .chunks_exact(4)
            .take(REGISTERS.len())
            .map(|b| u32::from_le_bytes(b.try_into().expect("four bytes")))
            .collect();
        (self.kind == Kind::Registers).then(|| Counters::from_words(&words)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_round_trip_and_every_flipped_bit_is_seen() {
        for link in [1, 4, 16] {
            let p = Packet {
                kind: Kind::Result,
                reason: None,
                instruction: 70_000,
                data: vec![0x5a; 32],
                summary: [1, 2, 0, 0],
            };
            let mut bytes = p.encode(link);
            bytes.extend(p.encode(link));
            assert_eq!(Packet::parse_all(&bytes, link).unwrap(), [p.clone(), p]);
            for bit in 0..bytes.len() * 8 {
                let mut bad = bytes.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(Packet::parse_all(&bad, link).is_err(), "bit {bit}");
            }
        }
    }
}
