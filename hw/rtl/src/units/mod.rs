//! The compute engine: its units, a folder each, which take turns.
//!
//! ```text
//! queue ─► [turns] ─┬─► [gemm] ─┬─► result memory, tokens
//! payload words ────┼─► [fft] ──┤
//!                   └─► [gaussian] ┘
//! ```
//! Another unit is its folder, and here its `mod`, a field and its joins, in the order of the opcodes.

pub mod engine;
pub mod fft;
pub mod gaussian;
pub mod gemm;
pub mod groups;
pub mod taking;
pub mod words;

use crate::counters::StepEvents;
use crate::field::turns;
use crate::hdl::prelude::*;
use engine::{Shared, Turns};
use fft::unit::FftUnit;
use gaussian::unit::GaussianUnit;
use gemm::unit::Gemm;
use rust_hdl::prelude::*;
use tandem_spec::Config;

unit! {
    /// The units of the compute engine.
    ///
    /// # Timing  that of the units
    pub struct ComputeEngine(c: &Config) {
        clock,
        /// The accelerator around them.
        pub all: Shared<In> = Shared::new(c),
        /// The array's steps.
        pub events: StepEvents<Out> = StepEvents::new(c),
        turns: Turns = Turns::new(c, turns(c)),
        gemm: Gemm = Gemm::new(c),
        fft: Vec<FftUnit> = c.fft.iter().map(|f| FftUnit::new(c, f)).collect(),
        gaussian: Vec<GaussianUnit> = c.gaussian.iter().map(|g| GaussianUnit::new(c, g)).collect(),
        transforms: Dim = Dim::new(usize::from(c.fft.is_some())),
        smooths: Dim = Dim::new(usize::from(c.gaussian.is_some())),
    }
}

impl Logic for ComputeEngine {
    named!();

    #[hdl_gen]
    fn update(&mut self) {
        wire::join_all(&mut self.all, &mut self.turns.all);
        wire::join_all(&mut self.turns.unit[0], &mut self.gemm.engine);
        wire::join_all(&mut self.gemm.events, &mut self.events);
        for u in 0..self.transforms.val() {
            wire::join_all(&mut self.turns.unit[u + 1], &mut self.fft[u].engine);
        }
        for u in 0..self.smooths.val() {
            wire::join_all(&mut self.turns.unit[u + 1 + self.transforms.val()], &mut self.gaussian[u].engine);
        }
    }
}
