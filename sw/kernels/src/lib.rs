//! Exact products of small integers on the vector units of the host.
//!
//! ```text
//! C[r, o] += Σ_s Σ_i A[rows[r] + s + i] · B[s, i, o]        s over segments, i over the elements of a segment, 8 rows × 16 columns
//! ```
//! A tile ([`Element::tile`]) reads A where it lies: a row is where its first element is, a segment how far a run of elements is from there. So the
//! rows of a window over an image, a matrix, and a transposed one are all the same loop, and none is ever laid out. B comes packed ([`Panel`]);
//! where it is mostly 0, zeros need not be multiplied ([`Panel::skip_zeros`]).
//!
//! # Numeric
//! Integers, so the same sums on every [`Level`], in any order; arithmetic is modulo 2³², and exact if the sum itself fits 32 bits.

mod bytes;
pub mod columns;
mod floats;
mod level;
mod panel;
mod picks;
pub mod quads;
mod spread;
mod words;

pub use bytes::Bytes;
pub use floats::{FloatTile, Terms, add_products};
pub use level::{Level, UnknownLevel};
pub use panel::Panel;
pub use words::Words;

/// Rows of a tile.
pub const ROWS: usize = 8;
/// Columns of a tile.
pub const COLUMNS: usize = 16;

/// The sums of a tile.
pub type Tile = [[i32; COLUMNS]; ROWS];

/// How operands are stored.
pub trait Element: Copy + Send + Sync + 'static {
    /// An element of A.
    type Left: Copy + Default + Send + Sync;
    /// Elements that are multiplied at a time: four bytes of A.
    const GROUP: usize;
    /// Whether a level can pass over zeros of B.
    fn skips_zeros(_: Level) -> bool {
        false
    }

    /// What is added to elements of A of a format whose smallest value is `lo`.
    fn zero(lo: i32) -> i32;

    /// `v` + `zero` as an element of A.
    fn left(v: i32, zero: i32) -> Self::Left;

    /// A group of B, of which the first [`GROUP`](Self::GROUP) values count.
    fn word(values: [i32; 4]) -> u32;

    /// The sum of its values.
    fn sum(word: u32) -> i32;

    /// Writes a row of pixels, `[pixels, channels]`, into planes of A: `out[c·pitch + x]` is pixel x of channel c.
    ///
    /// # Panics   if a row ends outside a plane
    #[inline(always)]
    fn spread(_: Level, row: &[i8], channels: usize, zero: i32, out: &mut [Self::Left], pitch: usize) {
        for (x, pixel) in row.chunks_exact(channels).enumerate() {
            for (c, v) in pixel.iter().enumerate() {
                out[c * pitch + x] = Self::left((*v).into(), zero);
            }
        }
    }

    /// Adds the products of `panel` block `block` to a tile.
    ///
    /// # Panics   if a row reaches beyond `a`
    fn tile(
        level: Level,
        a: &[Self::Left],
        rows: &[usize; ROWS],
        panel: &Panel<Self>,
        block: usize,
        c: &mut Tile,
    );
}

/// What is read of A, checked once for a tile: a row ends within it.
#[inline(always)]
fn check<E: Element>(a: &[E::Left], rows: &[usize; ROWS], panel: &Panel<E>) {
    let last = rows.iter().fold(0, |last, row| last.max(*row));
    assert!(last + panel.reach() <= a.len(), "a row from {last} reaches {} of {}", panel.reach(), a.len());
}
