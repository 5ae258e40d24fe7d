//! Bit reversal of a position: of all its bits, or of the two halves of a tile's.

use super::{LOG_BITS, Shape};
use crate::hdl::prelude::*;
use crate::named;
use rust_hdl::prelude::*;

/// Each of some adjacent fields of a word, reversed.
///
/// # Timing  combinational
#[derive(LogicBlock)]
pub struct Fields {
    /// The word.
    pub x: Sig<In>,
    /// Its fields, each with its bits in reversed order.
    pub y: Sig<Out>,
    bit: Unpack,
    join: Concat,
    count: Dim,
    width: Dim,
}

impl Fields {
    /// `count` fields of `width` bits.
    pub fn new(count: usize, width: usize) -> Self {
        let bits = count * width;
        Fields {
            x: Sig::unsigned(bits),
            y: Sig::unsigned(bits),
            bit: Unpack::new(bits, 1, false),
            join: Concat::new(bits, 1),
            count: Dim::new(count),
            width: Dim::new(width),
        }
    }
}

impl Logic for Fields {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.bit.x.next = self.x.val();
        for f in 0..self.count.val() {
            for i in 0..self.width.val() {
                self.join.x[f * self.width.val() + i].next =
                    self.bit.y[f * self.width.val() + self.width.val() - 1 - i].val();
            }
        }
        self.y.next = self.join.y.val();
    }
}

/// The position at which result `x` of a transform lies behind the last pass; its own inverse.
///
/// # Timing  combinational
#[derive(LogicBlock)]
pub struct Reversal {
    /// A position or a result's number, less than N.
    pub x: Sig<In>,
    /// log2 N.
    pub log_points: Sig<In>,
    /// The transform is a tile.
    pub tile: Signal<In, Bit>,
    /// The other one.
    pub y: Sig<Out>,
    whole: Fields,
    tiles: Vec<Fields>,
    unused: Sig<Local>,
    most: Dim,
    squares: Dim,
}

impl Reversal {
    /// Reversals for transforms of `shape`.
    pub fn new(shape: &Shape) -> Self {
        let bits = shape.log_points;
        let sides = if shape.tiles { (bits / 2).min(4) - 1 } else { 0 };
        Reversal {
            x: Sig::unsigned(bits),
            log_points: Sig::unsigned(LOG_BITS),
            tile: Default::default(),
            y: Sig::unsigned(bits),
            whole: Fields::new(1, bits),
            tiles: (0..sides).map(|s| Fields::new(2, s + 2)).collect(),
            unused: Sig::unsigned(LOG_BITS),
            most: Dim::new(bits),
            squares: Dim::new(sides),
        }
    }
}

impl Logic for Reversal {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        self.whole.x.next = self.x.val();
        self.unused.next = -self.log_points.val() + self.most.val();
        self.y.next = self.whole.y.val() >> self.unused.val();
        for s in 0..self.squares.val() {
            self.tiles[s].x.next = self.x.val();
            if self.tile.val() & (self.log_points.val() == 2 * s + 4) {
                self.y.next = self.tiles[s].y.val();
            }
        }
    }
}
