//! What is not a damaged byte: noise, whatever is sent, and a line that sticks.

use super::faults::Item;
use std::time::Duration;

/// Noise: so many bytes every so often, on both lines.
///
/// Time is that of the line: simulated while anything moves, real while the board is idle. A board that is simulated slower than it
/// would run has so much less noise a second, and as much a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Noise {
    /// Bytes of a burst.
    pub bytes: u32,
    /// From one burst to the next.
    pub every: Duration,
}

/// A level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// A break, as of a short circuit.
    Low,
    /// An idle line, as of an open circuit.
    High,
}

/// Both lines stick once; what is sent meanwhile is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stick {
    /// When so many bytes have come from the host.
    pub after: u64,
    /// The level.
    pub level: Level,
    /// For so long, by a real clock.
    pub lasts: Duration,
}

/// When the next burst is due.
#[derive(Clone, Debug)]
pub(super) struct NoiseClock {
    noise: Option<Noise>,
    since: Duration,
}

impl NoiseClock {
    pub fn new(noise: Option<Noise>) -> Self {
        NoiseClock { noise, since: Duration::ZERO }
    }

    /// Lets time pass; bytes of noise that are due. However long it was: one burst.
    pub fn pass(&mut self, time: Duration) -> u32 {
        let Some(noise) = self.noise else { return 0 };
        self.since += time;
        if self.since < noise.every {
            return 0;
        }
        self.since = if self.since < 2 * noise.every { self.since - noise.every } else { Duration::ZERO };
        noise.bytes
    }
}

impl Level {
    /// As a sample.
    pub(super) fn bit(self) -> u8 {
        u8::from(self == Level::High)
    }

    /// What most serial adapters give for it.
    pub(super) fn seen(self) -> Option<Item> {
        (self == Level::Low).then_some(Item::Byte(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_come_every_so_often() {
        let noise = Noise { bytes: 20, every: Duration::from_millis(50) };
        let mut clock = NoiseClock::new(Some(noise));
        let due: Vec<u32> = (0..20).map(|_| clock.pass(Duration::from_millis(15))).collect();
        // at 60, 105, 150, 210, 255 and 300 ms
        let at: Vec<usize> = (0..20).filter(|i| due[*i] > 0).map(|i| 15 * (i + 1)).collect();
        assert_eq!(at, [60, 105, 150, 210, 255, 300]);
        assert_eq!(due.iter().sum::<u32>(), 120);
        assert_eq!(clock.pass(Duration::from_secs(60)), 20, "a long time is one burst");
        assert_eq!(clock.pass(Duration::from_millis(49)), 0);
        assert_eq!(NoiseClock::new(None).pass(Duration::from_secs(60)), 0);
    }
}
