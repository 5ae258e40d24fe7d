//! Successive halving: all points are trained a little, the better ones longer.
//!
//! Accuracy and cycles count both: points are ranked by fronts. The first front is that of all, the second one that of the rest, and so on; whole fronts
//! go on as long as there is room, then the most accurate of the next one. Each rung trains anew, because what a run does in its first epochs depends on
//! how many there are.
//!
//! # Source   Jamieson, Talwalkar 2016 (successive halving); Deb et al. 2002 (non-dominated sorting); both together: Schmucker et al. 2021

use super::front::front;
use serde::Deserialize;

/// `[halving]`, as written.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Halving {
    /// Epochs of each rung before the last, which has those of the experiment.
    pub epochs: Vec<u32>,
    /// The share that goes on from each.
    #[serde(default = "half")]
    pub keep: f64,
}

fn half() -> f64 {
    0.5
}

impl Halving {
    /// Whether its values make sense.
    ///
    /// # Errors   the key below `halving` that is wrong, and why
    pub fn check(&self) -> Result<(), (&'static str, &'static str)> {
        let grow = self.epochs.windows(2).all(|pair| pair[0] < pair[1]);
        if self.epochs.first().is_none_or(|first| *first == 0) || !grow {
            return Err(("epochs", "expected numbers of epochs from 1 on that grow, at least one"));
        }
        if !(self.keep > 0.0 && self.keep < 1.0) {
            return Err(("keep", "expected a share between 0 and 1"));
        }
        Ok(())
    }

    /// How many of so many points go on.
    pub fn room(&self, points: usize) -> usize {
        ((points as f64 * self.keep).ceil() as usize).min(points)
    }

    /// Places of those of `points` (cost, accuracy) that go on, in their order.
    pub fn survivors(&self, points: &[(f64, f64)]) -> Vec<usize> {
        let room = self.room(points.len());
        let mut left: Vec<usize> = (0..points.len()).collect();
        let mut kept = vec![];
        while kept.len() < room {
            let of: Vec<_> = left.iter().map(|i| points[*i]).collect();
            let mut next: Vec<usize> = front(&of).into_iter().map(|i| left[i]).collect();
            if next.is_empty() {
                break;
            }
            // the most accurate of a front that does not fit whole
            next.sort_by(|a, b| points[*b].1.total_cmp(&points[*a].1).then(a.cmp(b)));
            next.truncate(room - kept.len());
            left.retain(|i| !next.contains(i));
            kept.extend(next);
        }
        kept.sort_unstable();
        kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fronts_go_on_one_after_the_other() {
        // the front is 0, 2, 4; behind it 1, 3; 5 is behind both
        let points = [(1.0, 0.5), (2.0, 0.4), (2.0, 0.7), (3.0, 0.6), (4.0, 0.9), (4.0, 0.3)];
        let kept = |keep| Halving { epochs: vec![1], keep }.survivors(&points);
        assert_eq!(kept(0.5), [0, 2, 4]);
        assert_eq!(kept(0.6), [0, 2, 3, 4], "0.6 of 6 are 4: of the second front the more accurate one");
        assert_eq!(kept(0.1), [4], "one goes on in any case: the most accurate");
        assert_eq!(kept(0.99), [0, 1, 2, 3, 4, 5]);
        let nan = Halving { epochs: vec![1], keep: 0.9 }.survivors(&[(1.0, f64::NAN), (1.0, 0.5)]);
        assert_eq!(nan, [1], "what is no number does not go on");
        assert!(Halving { epochs: vec![1], keep: 0.5 }.survivors(&[]).is_empty());
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let wrong = |epochs: &[u32], keep| {
            Halving { epochs: epochs.to_vec(), keep }.check().err().map(|(key, _)| key)
        };
        assert_eq!(wrong(&[1, 3], 0.5), None);
        for epochs in [&[][..], &[0], &[2, 2], &[3, 1]] {
            assert_eq!(wrong(epochs, 0.5), Some("epochs"), "{epochs:?}");
        }
        for keep in [0.0, 1.0, -0.5, 2.0, f64::NAN] {
            assert_eq!(wrong(&[1], keep), Some("keep"), "{keep}");
        }
    }
}
