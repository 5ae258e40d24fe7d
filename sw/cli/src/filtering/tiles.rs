//! Pictures in planes, a channel each, with what lies around them; planes in tiles.

use super::whole::Plane;
use std::ops::Range;
use tandem_filter::{Border, Shape};

/// What stands at `-before .. n + after` along an axis of `n`; nothing where it is the constant.
pub fn around(border: Border, n: usize, before: usize, after: usize) -> Vec<Option<usize>> {
    let signed = |v: usize| isize::try_from(v).expect("a picture fits the memory");
    (-signed(before)..signed(n + after)).map(|i| border.index(i, n)).collect()
}

/// The rows and columns that a kernel looks at before its centre.
pub fn before(size: [usize; 2]) -> [usize; 2] {
    size.map(|n| n / 2)
}

/// A channel of a picture with what a kernel of `size` sees around it: size − 1 more rows and columns.
pub fn padded(
    samples: &[i32],
    shape: Shape,
    channel: usize,
    size: [usize; 2],
    border: Border,
    outside: i64,
) -> Plane<i64> {
    let [above, left] = before(size);
    let rows = around(border, shape.height, above, size[0] - 1 - above);
    let columns = around(border, shape.width, left, size[1] - 1 - left);
    let mut values = Vec::with_capacity(rows.len() * columns.len());
    for row in &rows {
        values.extend(columns.iter().map(|column| match (row, column) {
            (Some(y), Some(x)) => samples[(y * shape.width + x) * shape.channels + channel].into(),
            _ => outside,
        }));
    }
    Plane { values, columns: columns.len() }
}

/// Results of planes, cut into rectangles of one size; those at the lower and right edges reach beyond.
#[derive(Clone, Copy, Debug)]
pub struct Tiles {
    /// Planes.
    pub planes: usize,
    /// Rows and columns of results.
    pub results: [usize; 2],
    /// Rows and columns of a tile.
    pub tile: [usize; 2],
}

impl Tiles {
    /// Tiles down and along a plane.
    fn grid(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.results[axis].div_ceil(self.tile[axis]))
    }

    /// All of them.
    pub fn count(&self) -> usize {
        let [down, along] = self.grid();
        self.planes * down * along
    }

    /// Plane and first row and column of a tile.
    pub fn place(&self, index: usize) -> (usize, [usize; 2]) {
        let [down, along] = self.grid();
        let (plane, tile) = (index / (down * along), index % (down * along));
        (plane, [tile / along * self.tile[0], tile % along * self.tile[1]])
    }

    /// Rows and columns of a tile's results that are in the plane.
    pub fn inside(&self, [row, column]: [usize; 2]) -> [Range<usize>; 2] {
        let end = |axis: usize, first: usize| (first + self.tile[axis]).min(self.results[axis]);
        [row..end(0, row), column..end(1, column)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_is_in_one_tile() {
        for (planes, results, tile) in [(1, [1, 1], [4, 8]), (2, [7, 9], [3, 3]), (3, [8, 16], [4, 16])] {
            let tiles = Tiles { planes, results, tile };
            let mut seen = vec![0; planes * results[0] * results[1]];
            for i in 0..tiles.count() {
                let (plane, place) = tiles.place(i);
                let [rows, columns] = tiles.inside(place);
                for row in rows {
                    columns
                        .clone()
                        .for_each(|column| seen[(plane * results[0] + row) * results[1] + column] += 1);
                }
            }
            assert!(seen.iter().all(|n| *n == 1), "{tiles:?}");
        }
    }

    #[test]
    fn planes_have_what_lies_around_them() {
        let shape = Shape { height: 2, width: 3, channels: 2 };
        let samples = [1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60];
        let plane = padded(&samples, shape, 1, [3, 2], Border::Replicate, 0);
        assert_eq!((plane.columns, plane.rows()), (4, 4));
        assert_eq!(plane.values, [10, 10, 20, 30, 10, 10, 20, 30, 40, 40, 50, 60, 40, 40, 50, 60]);
        let plane = padded(&samples, shape, 0, [1, 3], Border::Constant(9.0), 9);
        assert_eq!(plane.values, [9, 1, 2, 3, 9, 9, 4, 5, 6, 9]);
    }
}
