//! Numbers of the serial link: frame kinds, payload layouts, rates. See `docs/link.md`.

use crc::{CRC_32_ISO_HDLC, Crc};

/// Version of the link's protocol, in CONNECT and HELLO.
pub const VERSION: u8 = 1;
/// Most payload bytes of a frame.
pub const MAX_PAYLOAD: usize = 240;
/// Bytes of kind, session and seq.
pub const HEADER: usize = 3;
/// Bytes of the CRC-32.
pub const CHECK: usize = 4;
/// Value of the CRC register, before inversion, after a frame with its CRC.
pub const CRC_RESIDUE: u32 = 0xdebb_20e3;
/// Most words of a record.
pub const MAX_RECORD: usize = 127;
/// Bit of a record's first byte: its first word starts an instruction.
pub const RECORD_FIRST: u8 = 0x80;
/// The record that asks for a status.
pub const RECORD_MARK: u8 = 0;
/// Fractional bits of a divider.
pub const DIVIDER_FRACTION: u32 = 4;
/// Smallest divider: 4 clocks a bit.
pub const MIN_DIVIDER: u32 = 4 << DIVIDER_FRACTION;
/// Rates that a host asks for, fastest first.
pub const RATES: [u32; 8] = [3_000_000, 2_000_000, 1_500_000, 1_000_000, 921_600, 500_000, 460_800, 230_400];
/// The usual initial rate.
pub const INITIAL_BAUD: u32 = 115_200;

/// CRC-32 of a frame's header and payload.
pub fn frame_crc(bytes: &[u8]) -> u32 {
    const C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);
    C.checksum(bytes)
}

macro_rules! kinds {
    ($($name:ident = $code:literal $doc:literal;)*) => {
        /// What a frame is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Kind { $(#[doc = $doc] $name = $code),* }

        impl Kind {
            /// All kinds.
            pub const ALL: &[Kind] = &[$(Kind::$name),*];
        }
    };
}

kinds! {
    Connect = 0x01 "host: opens a session.";
    Data = 0x02 "host: records.";
    Ack = 0x03 "host: what it has received, what it wants again.";
    Speed = 0x04 "host: asks for a divider.";
    Hello = 0x81 "board: who it is.";
    Words = 0x82 "board: link words.";
    Status = 0x83 "board: where the accelerator stands.";
    State = 0x84 "board: what it has received, what it has sent.";
    Rate = 0x85 "board: answer to SPEED.";
}

/// Bits of STATUS flags.
pub mod status {
    /// The front end is not inside an instruction or a payload.
    pub const BOUNDARY: u8 = 1;
    /// Words are dropped until a RESET.
    pub const FAILED: u8 = 2;
    /// The compute queue has a head.
    pub const COMPUTE_PENDING: u8 = 4;
    /// The store queue has a head.
    pub const STORE_PENDING: u8 = 8;
    /// Payload bytes.
    pub const BYTES: usize = 13;
}

/// Payload bytes of HELLO.
pub const HELLO_BYTES: usize = 24;
/// Payload bytes of STATE.
pub const STATE_BYTES: usize = 8;
/// Payload bytes of ACK.
pub const ACK_BYTES: usize = 3;
/// Payload bytes of SPEED and RATE.
pub const RATE_BYTES: usize = 2;
/// Bit of HELLO's flags: the accelerator still moves.
pub const HELLO_BUSY: u8 = 1;

/// The board's side of the link, as it is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BoardLink {
    /// Clock in Hz.
    pub clock_hz: u32,
    /// Initial rate.
    pub baud: u32,
    /// Frames that the board keeps in each direction (R and T): 2, 4, 8 or 16.
    pub slots: usize,
}

/// Why a [`BoardLink`] cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoardLinkError {
    /// Too fast or too slow for the clock.
    #[error("board.baud = {baud}: expected {low} to {high} at a clock of {clock_hz} Hz")]
    Baud {
        /// The rate.
        baud: u32,
        /// The clock.
        clock_hz: u32,
        /// Slowest rate.
        low: u32,
        /// Fastest rate.
        high: u32,
    },
    /// Not a window size.
    #[error("board.slots = {0}: expected 2, 4, 8 or 16")]
    Slots(usize),
}

impl BoardLink {
    /// A link at 115,200 baud with 8 slots.
    pub fn new(clock_hz: u32) -> Self {
        BoardLink { clock_hz, baud: INITIAL_BAUD, slots: 8 }
    }

    /// # Errors
    /// [`BoardLinkError`] if the initial divider is not in 64 … 65,535, or `slots` is not a window size.
    pub fn check(&self) -> Result<(), BoardLinkError> {
        let BoardLink { clock_hz, baud, slots } = *self;
        if ![2, 4, 8, 16].contains(&slots) {
            return Err(BoardLinkError::Slots(slots));
        }
        if baud == 0 || divider(clock_hz, baud).is_none() {
            let (low, high) = (clock_hz / 4095 + 1, clock_hz / 4);
            return Err(BoardLinkError::Baud { baud, clock_hz, low, high });
        }
        Ok(())
    }

    /// The initial divider.
    ///
    /// # Panics
    /// If [`BoardLink::check`] fails.
    pub fn divider(&self) -> u16 {
        divider(self.clock_hz, self.baud).expect("a checked link")
    }
}

/// Sixteenths of a clock period a bit, rounded; `None` if that is not in 64 … 65,535.
pub fn divider(clock_hz: u32, baud: u32) -> Option<u16> {
    let sixteenths = (u64::from(clock_hz) << DIVIDER_FRACTION) + u64::from(baud) / 2;
    let d = sixteenths.checked_div(u64::from(baud))?;
    u16::try_from(d).ok().filter(|d| u32::from(*d) >= MIN_DIVIDER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_unique() {
        let codes: std::collections::HashSet<u8> = Kind::ALL.iter().map(|k| *k as u8).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
    }

    #[test]
    fn dividers() {
        assert_eq!(divider(12_000_000, 115_200), Some(1667));
        assert_eq!(divider(12_000_000, 3_000_000), Some(64));
        assert_eq!(divider(12_000_000, 3_200_000), None);
        assert_eq!(divider(100_000_000, 9600), None);
        assert_eq!(divider(1, 0), None);
        let link = BoardLink { clock_hz: 12_000_000, baud: 300, slots: 8 };
        let said = link.check().unwrap_err().to_string();
        assert_eq!(said, "board.baud = 300: expected 2931 to 3000000 at a clock of 12000000 Hz");
        assert!(BoardLink { slots: 3, ..BoardLink::new(25_000_000) }.check().is_err());
        assert_eq!(BoardLink::new(25_000_000).check(), Ok(()));
    }

    #[test]
    fn zeros_after_a_frame_are_seen() {
        let c = Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);
        let mut frame = b"frame".to_vec();
        frame.extend(frame_crc(b"frame").to_le_bytes());
        assert_eq!(c.checksum(&frame), !CRC_RESIDUE);
        frame.push(0);
        assert_ne!(c.checksum(&frame), !CRC_RESIDUE);
    }
}
