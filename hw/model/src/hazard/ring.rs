//! Sets of addresses that count modulo a power of two, one bit an address.
//!
//! ```text
//! S_1 = {base}      S_n+k = S_n ∪ (S_n + k·stride), k ≤ n      n turns of a loop in 2·log2 n steps
//! ```
//! So the addresses of nested loops cost no more for many turns than for few.

/// A set of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ring {
    words: Vec<u64>,
}

impl Ring {
    /// The set of one address, modulo 2^`bits`; `bits` below 6 count as 6, of which 2^`bits` is a divisor.
    pub(crate) fn new(bits: usize, address: i16) -> Self {
        let mut ring = Ring { words: vec![0; 1 << bits.max(6) >> 6] };
        let at = ring.place(address);
        ring.words[at / 64] |= 1 << (at % 64);
        ring
    }

    fn place(&self, address: i16) -> usize {
        usize::from(address as u16) & (self.words.len() * 64 - 1)
    }

    /// All addresses moved by `by`.
    pub(crate) fn moved(&self, by: i16) -> Ring {
        let (whole, part) = (self.place(by) / 64, self.place(by) % 64);
        let split = self.words.len() - whole;
        let mut words = Vec::with_capacity(self.words.len());
        words.extend_from_slice(&self.words[split..]);
        words.extend_from_slice(&self.words[..split]);
        if part > 0 {
            let mut below = words[words.len() - 1] >> (64 - part);
            for word in &mut words {
                let above = *word >> (64 - part);
                *word = *word << part | below;
                below = above;
            }
        }
        Ring { words }
    }

    /// The set's addresses with 0 … `count` − 1 times `stride` added.
    pub(crate) fn spread(&mut self, stride: i16, count: usize) {
        let mut done = 1;
        while done < count && stride != 0 {
            let step = done.min(count - done);
            let moved = self.moved(stride.wrapping_mul(step as i16));
            self.words.iter_mut().zip(&moved.words).for_each(|(a, b)| *a |= b);
            done += step;
        }
    }

    /// The addresses, modulo 2^`bits`, in ascending order of their words.
    pub(crate) fn addresses(&self, bits: usize) -> impl Iterator<Item = usize> + '_ {
        let mask = (1usize << bits) - 1;
        self.words.iter().enumerate().filter(|(_, w)| **w != 0).flat_map(move |(i, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros() as usize)?;
                left &= left - 1;
                Some((i * 64 + bit) & mask)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn nested_loops_give_what_their_turns_give(
            bits in 3usize..17,
            base in any::<i16>(),
            loops in prop::collection::vec((prop_oneof![-5i16..6, any::<i16>()], 1usize..12), 0..4),
            by in any::<i16>()
        ) {
            let mut ring = Ring::new(bits, base);
            let mut turns = vec![base];
            for (stride, count) in loops {
                ring.spread(stride, count);
                let add = |t: &i16, i: usize| t.wrapping_add(stride.wrapping_mul(i as i16));
                turns = turns.iter().flat_map(|t| (0..count).map(move |i| add(t, i))).collect();
            }
            let mask = (1 << bits) - 1;
            let expected: BTreeSet<usize> =
                turns.iter().map(|t| usize::from(t.wrapping_add(by) as u16) & mask).collect();
            prop_assert_eq!(ring.moved(by).addresses(bits).collect::<BTreeSet<_>>(), expected);
        }
    }
}
