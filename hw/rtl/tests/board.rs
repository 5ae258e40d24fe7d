//! The board's Verilog: what other tools say of it, and that the link does not depend on the accelerator.

mod common;

use common::accepted;
use tandem_rtl::hdl::Design;
use tandem_spec::Config;
use tandem_spec::link::BoardLink;

fn emit(text: &str, link: &BoardLink) -> Design {
    tandem_rtl::emit_board(&Config::from_toml("test.toml", text).unwrap(), link).unwrap()
}

const MINIMAL: &str = include_str!("../../../configs/accelerators/minimal.toml");
const DEFAULT: &str = include_str!("../../../configs/accelerators/default.toml");

/// The text of a module.
fn module(design: &Design, name: &str) -> String {
    design.module(name).unwrap_or_else(|| panic!("no module {name}")).to_string()
}

#[test]
fn frames_and_windows_are_the_same_for_every_accelerator() {
    let link = BoardLink::new(25_000_000);
    let (small, large) = (emit(MINIMAL, &link), emit(DEFAULT, &link));
    assert_eq!(small, emit(MINIMAL, &link), "the same text every time");
    // the CRC's module is named after how many of its kind came before
    let plain = |design: &Design, unit| module(design, unit).replace("xor_reduce_32_2", "xor_reduce_32");
    for unit in
        ["uart_rx", "uart_tx", "frame_reader", "frame_sender", "receive_window", "send_window", "session"]
    {
        assert!(plain(&small, unit) == plain(&large, unit), "{unit}");
    }
}

#[test]
fn snapshot_of_the_frame_reader() {
    let design = emit(MINIMAL, &BoardLink::new(12_000_000));
    insta::assert_snapshot!(module(&design, "frame_reader"));
}

#[test]
fn verilator_icarus_and_yosys_accept_it_without_a_warning() {
    let links = [BoardLink { slots: 2, ..BoardLink::new(12_000_000) }, BoardLink::new(25_000_000)];
    for (text, link) in [(MINIMAL, links[0]), (DEFAULT, links[1])] {
        accepted(&emit(text, &link));
    }
}
