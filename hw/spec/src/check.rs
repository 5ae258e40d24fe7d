//! Checksums of instructions, payloads and packets.
//!
//! Both are reflected CRCs without a final inversion, so that running one over a message and its own
//! little-endian checksum (and any zeros after it) leaves zero. Hardware only compares with zero.

use crc::{CRC_16_MCRF4XX, CRC_32_JAMCRC, Crc};

/// Polynomial of the instruction check, reflected (0x1021 bit-reversed).
pub const CRC16_POLY: u16 = 0x8408;
/// Start value of the instruction check.
pub const CRC16_INIT: u16 = 0xffff;
/// Polynomial of the payload check, reflected (0x04C11DB7 bit-reversed).
pub const CRC32_POLY: u32 = 0xedb8_8320;
/// Start value of the payload check.
pub const CRC32_INIT: u32 = 0xffff_ffff;

/// CRC-16/MCRF4XX of `bytes`.
pub fn crc16(bytes: &[u8]) -> u16 {
    const C: Crc<u16> = Crc::<u16>::new(&CRC_16_MCRF4XX);
    C.checksum(bytes)
}

/// CRC-32/JAMCRC of `bytes`.
pub fn crc32(bytes: &[u8]) -> u32 {
    const C: Crc<u32> = Crc::<u32>::new(&CRC_32_JAMCRC);
    C.checksum(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_with_its_checksum_leaves_zero() {
        let mut m: Vec<u8> = (0..37u8).map(|i| i.wrapping_mul(91)).collect();
        m.extend(crc32(&m).to_le_bytes());
        m.extend([0; 12]);
        assert_eq!(crc32(&m), 0);
        let mut m: Vec<u8> = (0..14u8).collect();
        m.extend(crc16(&m).to_le_bytes());
        assert_eq!(crc16(&m), 0);
    }

    #[test]
    fn catalogue_check_values() {
        assert_eq!(crc16(b"123456789"), 0x6f91);
        assert_eq!(crc32(b"123456789"), 0x340b_c6d9);
    }
}
