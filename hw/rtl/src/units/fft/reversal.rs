//! Bit reversal of a position: of all its bits, or of the two halves of a tile's.

use super::group::Size;
use super::{LOG_BITS, Shape};
use crate::hdl::prelude::*;
use rust_hdl::prelude::*;

unit! {
    /// Each of some adjacent fields of a word, reversed.
    ///
    /// # Timing  combinational
    pub struct Fields(count: usize, width: usize) {
        let bits = count * width;

        /// The word.
        pub plain: Sig<In> = Sig::unsigned(bits),
        /// Its fields, each with its bits in reversed order.
        pub reversed: Sig<Out> = Sig::unsigned(bits),
        bit: Unpack = Unpack::new(bits, 1, false),
        join: Concat = Concat::new(bits, 1),
        count: Dim = Dim::new(count),
        width: Dim = Dim::new(width),
    }
}

impl Logic for Fields {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.bit.x.next = self.plain.val();
        for f in 0..self.count.val() {
            for i in 0..self.width.val() {
                self.join.x[f * self.width.val() + i].next =
                    self.bit.y[f * self.width.val() + self.width.val() - 1 - i].val();
            }
        }
        self.reversed.next = self.join.y.val();
    }
}

unit! {
    /// Where result `position` of a transform lies behind the last pass; its own inverse.
    ///
    /// # Timing  combinational
    pub struct Reversal(shape: &Shape) {
        let bits = shape.log_points;
        let sides = if shape.tiles { (bits / 2).min(4) - 1 } else { 0 };

        /// A position or a result's number, less than N.
        pub position: Sig<In> = Sig::unsigned(bits),
        /// How large the transform is.
        pub size: Size<In> = Size::new(),
        /// The other one.
        pub counterpart: Sig<Out> = Sig::unsigned(bits),
        whole: Fields = Fields::new(1, bits),
        tiles: Vec<Fields> = (0..sides).map(|s| Fields::new(2, s + 2)).collect(),
        unused: Sig<Local> = Sig::unsigned(LOG_BITS),
        most: Dim = Dim::new(bits),
        squares: Dim = Dim::new(sides),
    }
}

impl Logic for Reversal {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.whole.plain.next = self.position.val();
        self.unused.next = -self.size.log_points.val() + self.most.val();
        self.counterpart.next = self.whole.reversed.val() >> self.unused.val();
        for s in 0..self.squares.val() {
            self.tiles[s].plain.next = self.position.val();
            if self.size.tile.val() & (self.size.log_points.val() == 2 * s + 4) {
                self.counterpart.next = self.tiles[s].reversed.val();
            }
        }
    }
}
