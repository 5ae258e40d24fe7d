//! The half of a spectrum that decides the other: `X[−f] = conj(X[f])` for real signals.

use tandem_driver::Points;

/// A frequency bin, and its mirror image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Its index among the points of the transform.
    pub index: usize,
    /// The index of −f.
    pub mirror: usize,
    /// Its distance from frequency 0, rounded to the nearest integer.
    pub ring: usize,
}

impl Bin {
    /// Whether it is its own mirror image, and therefore real.
    pub const fn is_real(&self) -> bool {
        self.index == self.mirror
    }

    /// Real numbers in it: 1 or 2.
    pub const fn parts(&self) -> usize {
        if self.is_real() { 1 } else { 2 }
    }
}

/// Half of the bins of a transform: one of every pair f, −f.
///
/// # Shape    N/2 + 1 bins of a line of N points, F²/2 + 2 of a tile of F × F, in the order of their indices
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bins {
    points: Points,
    bins: Vec<Bin>,
    starts: Vec<usize>,
}

impl Bins {
    /// Those of a transform.
    pub fn new(points: Points) -> Self {
        let count = points.count();
        let negative = |f: usize, n: usize| (n - f) % n;
        let folded = |f: usize, n: usize| f.min(n - f);
        let bin = |index: usize| match points {
            Points::Line(n) => Bin { index, mirror: negative(index, n), ring: folded(index, n) },
            Points::Tile(side) => {
                let (v, u) = (index / side, index % side);
                let (a, b) = (folded(v, side), folded(u, side));
                let ring = ((a * a + b * b) as f64).sqrt().round() as usize;
                Bin { index, mirror: negative(v, side) * side + negative(u, side), ring }
            }
        };
        let bins: Vec<_> = (0..count).map(bin).filter(|bin| bin.index <= bin.mirror).collect();
        let starts = bins.iter().scan(0, |next, bin| {
            let start = *next;
            *next += bin.parts();
            Some(start)
        });
        Bins { points, starts: starts.collect(), bins }
    }

    /// The transform.
    pub fn points(&self) -> Points {
        self.points
    }

    /// The bins.
    pub fn iter(&self) -> std::slice::Iter<'_, Bin> {
        self.bins.iter()
    }

    /// Number of bins.
    pub fn len(&self) -> usize {
        self.bins.len()
    }

    /// Whether there are none: never.
    pub fn is_empty(&self) -> bool {
        self.bins.is_empty()
    }

    /// Place of a bin's first real number among all real numbers, of which there are as many as points.
    pub fn start(&self, bin: usize) -> usize {
        self.starts[bin]
    }

    /// Number of rings.
    pub fn rings(&self) -> usize {
        self.bins.iter().map(|bin| bin.ring).max().unwrap_or(0) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_bins_has_all_real_numbers() {
        for points in [4, 8, 16].map(Points::Tile).into_iter().chain([4, 16, 64].map(Points::Line)) {
            let bins = Bins::new(points);
            let n = points.count();
            let expected = if matches!(points, Points::Line(_)) { n / 2 + 1 } else { n / 2 + 2 };
            assert_eq!(bins.len(), expected, "{points:?}");
            assert_eq!(bins.iter().map(Bin::parts).sum::<usize>(), n);
            let mut seen = vec![0; n];
            for bin in bins.iter() {
                seen[bin.index] += 1;
                seen[bin.mirror] += usize::from(!bin.is_real());
            }
            assert_eq!(seen, vec![1; n]);
        }
    }

    #[test]
    fn rings_are_distances() {
        let bins = Bins::new(Points::Tile(8));
        let ring = |index: usize| bins.iter().find(|b| b.index == index).map(|b| b.ring);
        assert_eq!((ring(0), ring(1), ring(9), ring(4 * 8 + 4)), (Some(0), Some(1), Some(1), Some(6)));
        assert_eq!(bins.rings(), 7);
        assert_eq!(Bins::new(Points::Line(16)).rings(), 9);
    }
}
