//! Where the results of a walk belong in its answer.

use super::Walk;
use crate::conv::request::ConvProduct;
use crate::conv::stage::Block;

impl Walk<'_> {
    /// Size of the answer's images.
    fn size(&self) -> [usize; 2] {
        let window = &self.problem.window;
        match self.problem.product {
            ConvProduct::InputGradient => window.image,
            _ => [0, 1].map(|axis| window.along(axis).expect("a window that fits")),
        }
    }

    /// Results of a position of outputs side by side: those inside the answer's images.
    pub(super) fn results(&self, position: usize) -> usize {
        let beside = self.form.beside;
        if beside == 1 {
            return self.outputs();
        }
        beside.min(self.size()[1] - position * beside) * self.problem.answer().1
    }

    /// Calls `put(row of the answer, first column, results)` for every line of results of a block, in the order in which
    /// they leave.
    pub fn lines(&self, block: &Block, mut put: impl FnMut(Line)) {
        let [height, width] = self.size();
        let outputs = self.tile();
        for cell in &block.cells {
            let [rows, columns] = self.phases(cell.phase);
            for oy in cell.over[0].clone() {
                for ox in cell.over[1].clone() {
                    let [y, x] = [rows.first + rows.step * oy, columns.first + columns.step * ox];
                    let results = self.results(ox);
                    for tile in cell.over[2].clone() {
                        let [valid_rows, count] = self.valid(block.images, tile, results);
                        for row in 0..valid_rows {
                            let at = |image: usize| ((block.image + image) * height + y) * width + x;
                            put(if self.form.across {
                                let column = tile * outputs + row;
                                Line { row: at(0), column, count, down: height * width }
                            } else {
                                Line { row: at(row), column: tile * outputs, count, down: 0 }
                            });
                        }
                    }
                }
            }
        }
    }
}

/// A row of the array's results: consecutive columns of a row of the answer, and of the rows after it where outputs are
/// side by side; or rows of it `down` apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub row: usize,
    pub column: usize,
    pub count: usize,
    pub down: usize,
}
