//! Which frames are where: decisions only, no time and no line.

use std::collections::VecDeque;
use tandem_spec::link::Kind;

/// Bit of a number in a set of slots.
fn bit(seq: u8, slots: u8) -> u16 {
    1 << (seq % slots)
}

/// A DATA frame that may have to be sent again.
#[derive(Clone, Debug)]
struct Sent {
    line: Vec<u8>,
    seq: u8,
    /// Place in the order of everything sent, of the first and of the last time.
    first: u64,
    last: u64,
    received: bool,
}

/// DATA frames from the first one that the board has not consumed.
#[derive(Clone, Debug)]
pub struct Outgoing {
    slots: u8,
    next: u8,
    frames: VecDeque<Sent>,
    /// Everything that was sent before this has arrived or is lost.
    settled: u64,
}

/// What a STATE meant for [`Outgoing`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Frames that the board has consumed.
    pub consumed: usize,
    /// Frames that are lost, by number.
    pub lost: Vec<u8>,
}

impl Outgoing {
    /// An empty window of the board's `slots`.
    pub fn new(slots: u8) -> Self {
        Outgoing { slots, next: 0, frames: VecDeque::new(), settled: 0 }
    }

    /// Whether another frame may be sent.
    pub fn has_room(&self) -> bool {
        self.frames.len() < usize::from(self.slots)
    }

    /// Frames that the board has not consumed.
    pub fn outstanding(&self) -> usize {
        self.frames.len()
    }

    /// Number of the next frame.
    pub fn next(&self) -> u8 {
        self.next
    }

    /// Notes that the next frame was sent as number `order` of everything sent.
    pub fn push(&mut self, line: Vec<u8>, order: u64) {
        self.frames.push_back(Sent { line, seq: self.next, first: order, last: order, received: false });
        self.next = self.next.wrapping_add(1);
    }

    /// A frame's bytes, to be sent again as number `order`.
    pub fn resend(&mut self, seq: u8, order: u64) -> Option<&[u8]> {
        let frame = self.frames.iter_mut().find(|f| f.seq == seq)?;
        frame.last = order;
        Some(&frame.line)
    }

    /// Notes that everything was consumed.
    pub fn finish(&mut self) {
        self.frames.clear();
    }

    /// Takes the board's view; `polled`: everything sent before this had its chance. `None` if the base is impossible.
    pub fn state(&mut self, base: u8, received: u16, polled: u64) -> Option<News> {
        let oldest = self.next.wrapping_sub(self.frames.len() as u8);
        let consumed = usize::from(base.wrapping_sub(oldest));
        if consumed > self.frames.len() {
            return None;
        }
        self.settled = self.settled.max(polled);
        for frame in self.frames.drain(..consumed) {
            self.settled = self.settled.max(frame.first);
        }
        for frame in &mut self.frames {
            frame.received |= received & bit(frame.seq, self.slots) != 0;
            if frame.received {
                self.settled = self.settled.max(frame.first);
            }
        }
        let lost = self.frames.iter().filter(|f| !f.received && f.last < self.settled).map(|f| f.seq);
        Some(News { consumed, lost: lost.collect() })
    }
}

/// WORDS and STATUS frames, put in order.
#[derive(Clone, Debug)]
pub struct Incoming {
    slots: u8,
    base: u8,
    early: Vec<Option<(Kind, Vec<u8>)>>,
    /// Number of the poll that went with the last request for a slot's frame.
    asked: Vec<u64>,
}

impl Incoming {
    /// An empty window of the board's `slots`.
    pub fn new(slots: u8) -> Self {
        let n = usize::from(slots);
        Incoming { slots, base: 0, early: vec![None; n], asked: vec![0; n] }
    }

    /// First number not received.
    pub fn base(&self) -> u8 {
        self.base
    }

    /// Takes a frame; false if it is not wanted.
    pub fn push(&mut self, seq: u8, kind: Kind, payload: Vec<u8>) -> bool {
        let slot = usize::from(seq % self.slots);
        if seq.wrapping_sub(self.base) >= self.slots || self.early[slot].is_some() {
            return false;
        }
        self.early[slot] = Some((kind, payload));
        true
    }

    /// The next frame in order.
    pub fn pop(&mut self) -> Option<(Kind, Vec<u8>)> {
        let slot = usize::from(self.base % self.slots);
        let frame = self.early[slot].take()?;
        self.asked[slot] = 0;
        self.base = self.base.wrapping_add(1);
        Some(frame)
    }

    /// The set to ask for, given a STATE that answers poll `answered`; `poll` is the one that will go with the request.
    /// `None` if `sent` is impossible.
    pub fn missing(&mut self, sent: u8, pending: u16, answered: u64, poll: u64) -> Option<u16> {
        let made = sent.wrapping_sub(self.base);
        if made > self.slots {
            return None;
        }
        let mut set = 0;
        for seq in (0..made).map(|i| self.base.wrapping_add(i)) {
            let slot = usize::from(seq % self.slots);
            let here = self.early[slot].is_some() || pending & bit(seq, self.slots) != 0;
            if !here && self.asked[slot] <= answered {
                self.asked[slot] = poll;
                set |= bit(seq, self.slots);
            }
        }
        Some(set)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_lost_only_if_something_later_came() {
        let mut w = Outgoing::new(4);
        (1..=4).for_each(|order| w.push(vec![order as u8], order));
        assert!(!w.has_room());
        // 2 is here, 1 is not, 3 and 4 may be on their way
        assert_eq!(w.state(0, 0b0010, 0), Some(News { consumed: 0, lost: vec![0] }));
        assert_eq!(w.resend(0, 5), Some(&[1][..]));
        assert_eq!(w.state(0, 0b0010, 0), Some(News::default()), "sent again after what came");
        // a poll that was sent as number 6 shows the rest
        assert_eq!(w.state(0, 0b0010, 6), Some(News { consumed: 0, lost: vec![0, 2, 3] }));
        assert_eq!(w.state(2, 0, 6).map(|n| n.consumed), Some(2));
        assert_eq!(w.state(1, 0, 6), None, "a base that is behind");
        assert_eq!(w.state(5, 0, 6), None, "a base that is ahead");
    }

    #[test]
    fn an_answer_to_an_old_copy_proves_nothing_about_the_new_one() {
        let mut w = Outgoing::new(4);
        w.push(vec![0], 1);
        w.push(vec![1], 2);
        w.resend(0, 3);
        w.push(vec![2], 4);
        // 0 came, by its first or second copy: 1 was sent after the first, 2 after both
        assert_eq!(w.state(1, 0, 0), Some(News { consumed: 1, lost: vec![] }));
    }

    #[test]
    fn requests_wait_for_their_answer() {
        let mut w = Incoming::new(4);
        assert!(w.push(1, Kind::Words, vec![1]));
        assert!(!w.push(1, Kind::Words, vec![1]), "twice");
        assert!(!w.push(4, Kind::Words, vec![4]), "too far ahead");
        assert_eq!(w.pop(), None);
        assert_eq!(w.missing(3, 0b100, 0, 1), Some(0b001), "2 is pending");
        assert_eq!(w.missing(3, 0, 0, 2), Some(0b100), "0 is asked for, with poll 1");
        assert_eq!(w.missing(3, 0, 1, 3), Some(0b001), "poll 1 answered, 0 not here");
        assert!(w.push(0, Kind::Words, vec![0]));
        assert_eq!(w.pop(), Some((Kind::Words, vec![0])));
        assert_eq!(w.pop(), Some((Kind::Words, vec![1])));
        assert_eq!(w.base(), 2);
        assert_eq!(w.missing(9, 0, 9, 9), None, "more than the window");
    }
}
