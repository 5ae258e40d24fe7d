//! The transform's core, cycle by cycle, against the sums that docs/fft.md states.
mod common;
use common::{Random, lint};
use rust_hdl::prelude::*;
use tandem_rtl::fft::Shape;
use tandem_rtl::fft::core::Core;
use tandem_rtl::hdl::{prelude::*, verilog};

#[test]
fn prints() {
    let shape = Shape {
        lanes: 1,
        bits: 16,
        inner: 23,
        log_points: 6,
        pairs: 3,
        block: true,
        tiles: true,
        any_size: true,
    };
    let mut core = Core::new(&shape);
    core.connect_all();
    let v = verilog("top", &mut core).unwrap_or_else(|e| panic!("{e}"));
    lint(&v);
}
