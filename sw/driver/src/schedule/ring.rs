//! Space in a memory, given out round and round.
//!
//! A new region takes the space after the last one, from the start again where it would not fit, and
//! drives out whatever it covers. Its space is free once the last user of those is done. Space comes
//! in quarters of the longest region, so that regions of about the same length cover one old region,
//! not two.

/// Something that lies in a memory.
#[derive(Clone, Debug)]
pub(crate) struct Region<K> {
    /// What it is.
    pub key: K,
    /// First address.
    pub start: usize,
    len: usize,
    /// Number of users (of the engine that frees the space) that must be done before it is overwritten.
    pub used_until: usize,
    /// Number of users that must be done before it may be written at all.
    pub free_after: usize,
    /// How much of it is filled, in units of its owner.
    pub filled: usize,
    /// How much was filled after so many loads.
    pub arrivals: Vec<(usize, usize)>,
}

impl<K> Region<K> {
    /// Number of loads that must be done before the first `filled` units may be read.
    pub fn ready_after(&self, filled: usize) -> usize {
        self.arrivals.iter().find(|a| a.0 >= filled).or(self.arrivals.last()).map_or(0, |a| a.1)
    }
}

/// A memory and what lies in it.
#[derive(Debug)]
pub(crate) struct Ring<K> {
    capacity: usize,
    quantum: usize,
    next: usize,
    regions: Vec<Region<K>>,
}

impl<K: PartialEq + Clone> Ring<K> {
    /// A memory of `capacity` addresses for regions of at most `longest`.
    pub fn new(capacity: usize, longest: usize) -> Self {
        Ring { capacity, quantum: longest.div_ceil(4).max(1), next: 0, regions: vec![] }
    }

    /// A memory whose regions all take the space of the longest.
    pub fn slots(capacity: usize, longest: usize) -> Self {
        Ring { quantum: longest.max(1), ..Ring::new(capacity, longest) }
    }

    /// Whether two of the longest regions fit.
    pub fn has_room_for_two(&self) -> bool {
        2 * self.quantum <= self.capacity
    }

    /// The region of `key`, allocated with `len` addresses unless it is there.
    ///
    /// # Panics
    /// If `len` exceeds the capacity.
    pub fn region(&mut self, key: &K, len: usize) -> &mut Region<K> {
        if let Some(i) = self.regions.iter().position(|r| r.key == *key) {
            return &mut self.regions[i];
        }
        let len = len.next_multiple_of(self.quantum);
        assert!(len <= self.capacity, "a region of {len} addresses in a memory of {}", self.capacity);
        let start = if self.next + len <= self.capacity { self.next } else { 0 };
        self.next = start + len;
        let covered = |r: &Region<K>| r.start < start + len && start < r.start + r.len;
        // What was driven out earlier may have had users that are still at work: space inherits them.
        let free_after = self.regions.iter().filter(|r| covered(r));
        let free_after = free_after.map(|r| r.used_until.max(r.free_after)).max().unwrap_or(0);
        self.regions.retain(|r| !covered(r));
        let key = key.clone();
        self.regions.push(Region { key, start, len, used_until: 0, free_after, filled: 0, arrivals: vec![] });
        self.regions.last_mut().expect("just pushed")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_reused_after_its_last_user() {
        let mut ring = Ring::new(12, 12);
        for (key, len, user) in [("a", 4, 1), ("b", 5, 2)] {
            ring.region(&key, len).used_until = user;
        }
        assert_eq!(ring.region(&"a", 4).start, 0, "found again");
        let c = ring.region(&"c", 6);
        assert_eq!((c.start, c.free_after), (0, 1), "does not fit the rest: back to the start, over a");
        let d = ring.region(&"d", 3);
        assert_eq!((d.start, d.free_after), (6, 2), "over b");
        let a = ring.region(&"a", 12);
        assert_eq!((a.start, a.free_after), (0, 2), "inherited from what c and d drove out");
    }
}
