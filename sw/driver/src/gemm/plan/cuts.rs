//! Cuts of a range into chunks that grow at its start and shrink at its end.
//!
//! ```text
//! size 8, head 2, tail 1:   2 4 8 8 … 8 4
//! ```
//! Small chunks at the start let the first results come early; small ones at the end leave little to
//! do when the last operand has arrived.

use std::ops::Range;

/// Chunks of at most `size` that cover `0 … total`, after `head` doublings and before `tail` halvings.
///
/// # Panics
/// If `size` is zero.
pub fn ramp(total: usize, size: usize, head: u8, tail: u8) -> Vec<Range<usize>> {
    assert!(size > 0, "chunks of nothing");
    let size = size.min(total);
    let steps = |n: u8| (1..=n).map(|i| size >> i).filter(|s| *s > 0).collect::<Vec<_>>();
    let (mut up, mut down) = (steps(head), steps(tail));
    let sum = |v: &[usize]| v.iter().sum::<usize>();
    while sum(&up) + sum(&down) > total {
        let longer = if up.len() > down.len() { &mut up } else { &mut down };
        longer.remove(0);
    }
    let body = total - sum(&up) - sum(&down);
    let count = body.div_ceil(size.max(1));
    let even = (0..count).map(|i| body * (i + 1) / count - body * i / count);
    let sizes = up.iter().rev().copied().chain(even).chain(down.iter().copied());
    let mut at = 0;
    sizes
        .map(|s| {
            at += s;
            at - s..at
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn chunks_grow_and_shrink() {
        let sizes = |t, s, h, d| ramp(t, s, h, d).iter().map(Range::len).collect::<Vec<_>>();
        assert_eq!(sizes(34, 8, 2, 1), [2, 4, 8, 8, 8, 4]);
        assert_eq!(sizes(4, 4, 2, 0), [1, 2, 1]);
        assert_eq!(sizes(10, 4, 0, 0), [3, 3, 4]);
        assert_eq!(sizes(1, 4, 3, 3), [1]);
        assert_eq!(sizes(0, 4, 1, 1), []);
    }

    proptest! {
        #[test]
        fn chunks_cover_everything_once(total in 0usize..500, size in 1usize..200, head in 0u8..5, tail in 0u8..5) {
            let mut at = 0;
            for c in ramp(total, size, head, tail) {
                prop_assert!(c.start == at && !c.is_empty() && c.len() <= size);
                at = c.end;
            }
            prop_assert_eq!(at, total);
        }
    }
}
