//! Bytes to levels and back: the host's UART, a sample a clock of the board.

use super::faults::Item;
use std::collections::VecDeque;

/// Sixteenths of a clock.
const ONE: u64 = 16;

/// Sixteenths of a clock a bit at this rate, at least one clock.
fn bit_time(clock_hz: u32, baud: u32) -> u64 {
    (u64::from(clock_hz) * ONE / u64::from(baud.max(1))).max(ONE)
}

/// The host's transmitter.
#[derive(Debug)]
pub struct LineOut {
    clock_hz: u32,
    /// What is still to be sent.
    pub queue: VecDeque<Item>,
    /// Bits of the running byte, least significant first, below a leading one.
    bits: u32,
    /// The line is low without a byte.
    low: bool,
    /// Sixteenths until the running bit, pause or low level ends.
    left: u64,
    bit: u64,
}

impl LineOut {
    /// A transmitter to a board with this clock.
    pub fn new(clock_hz: u32) -> Self {
        LineOut { clock_hz, queue: VecDeque::new(), bits: 1, low: false, left: 0, bit: ONE }
    }

    /// Whether nothing is being sent.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.bits == 1 && self.left == 0 && !self.low
    }

    /// The level in the next clock.
    pub fn level(&mut self, baud: u32) -> u8 {
        if self.left < ONE {
            if self.bits > 1 {
                // the next bit of the byte; what is left of the clock belongs to it
                self.bits >>= 1;
                self.left += if self.bits > 1 { self.bit } else { 0 };
            }
            if std::mem::take(&mut self.low) {
                // high for a bit, so that a start bit can be seen
                self.left += self.bit;
            } else if self.bits == 1 && self.left < ONE {
                self.start(baud);
            }
        }
        self.left = self.left.saturating_sub(ONE);
        match self.bits {
            _ if self.low => 0,
            1 => 1,
            bits => (bits & 1) as u8,
        }
    }

    fn start(&mut self, baud: u32) {
        self.bit = bit_time(self.clock_hz, baud);
        match self.queue.pop_front() {
            Some(Item::Byte(b)) => {
                // start bit, data, stop bit, and the mark that ends it
                self.bits = u32::from(b) << 1 | 1 << 9 | 1 << 10;
                self.left += self.bit;
            }
            Some(Item::Pause(bytes)) => self.left += self.bit * 10 * u64::from(bytes),
            Some(Item::Low(bytes)) => {
                self.low = true;
                self.left += self.bit * 10 * u64::from(bytes);
            }
            None => self.left = 0,
        }
    }
}

/// The host's receiver.
#[derive(Debug)]
pub struct LineIn {
    clock_hz: u32,
    /// Sixteenths to the next sample; `None` while the line is idle.
    next: Option<u64>,
    index: u32,
    byte: u8,
    /// The level was low at a stop bit: nothing starts before it is high.
    held: bool,
}

impl LineIn {
    /// A receiver from a board with this clock.
    pub fn new(clock_hz: u32) -> Self {
        LineIn { clock_hz, next: None, index: 0, byte: 0, held: false }
    }

    /// Whether no byte is coming.
    pub fn is_idle(&self) -> bool {
        self.next.is_none()
    }

    /// Takes the level of a clock; the byte that ends with it. A byte with a wrong stop bit counts, too, as in most
    /// serial adapters.
    pub fn level(&mut self, level: u8, baud: u32) -> Option<u8> {
        let high = level & 1 == 1;
        let Some(left) = self.next else {
            self.held &= !high;
            if !high && !self.held {
                (self.next, self.index) = (Some(bit_time(self.clock_hz, baud) / 2), 0);
            }
            return None;
        };
        if left > ONE {
            self.next = Some(left - ONE);
            return None;
        }
        self.next = Some(left + bit_time(self.clock_hz, baud) - ONE);
        self.index += 1;
        match self.index {
            1 if high => self.next = None,
            1 => {}
            2..=9 => self.byte = self.byte >> 1 | u8::from(high) << 7,
            _ => {
                self.next = None;
                self.held = !high;
                return Some(self.byte);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(clock_hz: u32, baud_out: u32, baud_in: u32, items: &[Item]) -> (Vec<u8>, u64) {
        let (mut out, mut receiver) = (LineOut::new(clock_hz), LineIn::new(clock_hz));
        out.queue.extend(items);
        let (mut got, mut clocks) = (vec![], 0);
        while !out.is_idle() || !receiver.is_idle() {
            got.extend(receiver.level(out.level(baud_out), baud_in));
            clocks += 1;
        }
        (got, clocks)
    }

    #[test]
    fn every_byte_at_every_rate() {
        let bytes: Vec<u8> = (0..=255).collect();
        let items: Vec<Item> = bytes.iter().map(|b| Item::Byte(*b)).collect();
        for baud in [9600, 115_200, 921_600, 2_000_000, 3_000_000] {
            let (got, clocks) = through(12_000_000, baud, baud, &items);
            assert_eq!(got, bytes, "{baud}");
            let expected = 256 * 10 * 12_000_000 / u64::from(baud);
            assert!(
                clocks.abs_diff(expected) <= expected / 500 + 10,
                "{baud}: {clocks}, expected {expected}"
            );
        }
    }

    #[test]
    fn pauses_and_low_levels_take_their_time_and_a_wrong_rate_gives_other_bytes() {
        let (got, clocks) = through(12_000_000, 3_000_000, 3_000_000, &[Item::Pause(50), Item::Byte(9)]);
        assert_eq!(got, [9]);
        assert!((50 * 40..52 * 40).contains(&clocks), "{clocks}");
        // most adapters give a 0 for a low line; what follows is understood
        let (got, clocks) = through(12_000_000, 3_000_000, 3_000_000, &[Item::Low(3), Item::Byte(9)]);
        assert_eq!(got, [0, 9]);
        assert!((41 * 4..43 * 4).contains(&clocks), "{clocks}");
        let items: Vec<Item> = (1..100).map(Item::Byte).collect();
        let (wrong, _) = through(12_000_000, 115_200, 57_600, &items);
        assert_ne!(wrong, (1..100).collect::<Vec<u8>>());
    }
}
