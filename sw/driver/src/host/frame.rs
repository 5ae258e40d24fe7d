//! Images as kernels read them: converted, with a border.

use crate::entries::Entry;
use tandem_kernels::Element;

/// A border around images.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Height, width and channels of an image.
    pub image: [usize; 3],
    /// Rows above, pixels to the left of it.
    pub before: [usize; 2],
    /// Height and width with the border.
    pub size: [usize; 2],
}

impl Frame {
    /// Where pixel (y, x) of the frame is.
    pub fn at(&self, y: usize, x: usize) -> usize {
        (y * self.size[1] + x) * self.image[2]
    }

    /// Elements, with what is read beyond the end of `reach` elements from the last row.
    pub fn len(&self, last: usize, reach: usize) -> usize {
        (self.size[0] * self.size[1] * self.image[2]).max(last + reach)
    }

    /// Writes an image into a frame whose border is set; returns the OR of (v − `lo`).
    #[inline(always)]
    pub fn fill<E: Element, T: Entry>(
        &self,
        image: &[T],
        (lo, zero): (i32, i32),
        out: &mut [E::Left],
    ) -> u32 {
        let [h, w, c] = self.image;
        let mut or = 0;
        for y in 0..h {
            let at = self.at(y + self.before[0], self.before[1]);
            or |= convert::<E, T>(&image[y * w * c..][..w * c], (lo, zero), &mut out[at..at + w * c]);
        }
        or
    }
}

/// Converts values; returns the OR of (v − `lo`).
#[inline(always)]
pub(super) fn convert<E: Element, T: Entry>(from: &[T], (lo, zero): (i32, i32), to: &mut [E::Left]) -> u32 {
    to.iter_mut().zip(from).for_each(|(to, v)| *to = E::left((*v).into(), zero));
    T::or_above(from, lo)
}
