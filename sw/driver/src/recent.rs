//! A map of bounded size: what has not been asked for the longest makes room.

use std::collections::HashMap;
use std::hash::Hash;

/// The entries asked for last.
#[derive(Debug)]
pub(crate) struct Recent<K, V> {
    most: usize,
    /// Counts what was asked for.
    now: u64,
    entries: HashMap<K, (u64, V)>,
}

impl<K: Copy + Eq + Hash, V: Clone> Recent<K, V> {
    /// An empty map for `most` ≥ 1 entries.
    pub(crate) fn new(most: usize) -> Self {
        Recent { most: most.max(1), now: 0, entries: HashMap::new() }
    }

    /// Entries that are there.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// The value of `key`, which is now the one asked for last.
    pub(crate) fn get(&mut self, key: &K) -> Option<V> {
        self.now += 1;
        let (asked, value) = self.entries.get_mut(key)?;
        *asked = self.now;
        Some(value.clone())
    }

    /// Adds an entry, and forgets the oldest one if that is one too many.
    pub(crate) fn insert(&mut self, key: K, value: V) {
        self.now += 1;
        self.entries.insert(key, (self.now, value));
        if self.entries.len() > self.most {
            // rare and short beside making an entry: no order is kept for it
            let oldest = self.entries.iter().min_by_key(|(_, (asked, _))| *asked).map(|(key, _)| *key);
            oldest.and_then(|key| self.entries.remove(&key));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_asked_for_makes_room() {
        let mut map = Recent::new(3);
        for key in 0..3 {
            map.insert(key, key * 10);
        }
        assert_eq!((map.get(&0), map.get(&7)), (Some(0), None));
        map.insert(3, 30);
        assert_eq!((map.get(&0), map.get(&1), map.get(&2), map.get(&3)), (Some(0), None, Some(20), Some(30)));
        map.insert(3, 31);
        assert_eq!((map.len(), map.get(&3)), (3, Some(31)));
        (100..200).for_each(|key| map.insert(key, key));
        assert_eq!((map.len(), map.get(&199), map.get(&0)), (3, Some(199), None));
    }
}
