//! Frames of the serial link.

use crate::claim::{Claim, Mutant, Proofs, caught};
use tandem_rtl::hdl::Design;
use tandem_spec::Config;
use tandem_spec::check::CRC32_INIT;
use tandem_spec::link::{BoardLink, CHECK, CRC_RESIDUE, HEADER, MAX_PAYLOAD};

const READER: &str = include_str!("formal/frame_reader.sv");
const SENDER: &str = include_str!("formal/frame_sender.sv");
const MEMORY: &str = include_str!("formal/ram.sv");
const ACCELERATOR: &str = include_str!("../../../../configs/accelerators/minimal.toml");
/// Cycles of the shortest frame, and of what follows it.
const FRAME: usize = HEADER + CHECK + 4;

const READERS: [Mutant; 6] = [
    ("a wrong CRC is let through", "& (crc_q == residue)", ""),
    ("a frame may end within a group", "& (left_q == 8'd0) & (count_q", "& (count_q"),
    ("255 is a code", "line_data == 8'd255", "1'b0"),
    ("a zero is not put back", "byte_2 = 8'd0", "byte_2 = line_data"),
    ("the next frame is not found after damage", "left_q <= 8'd0", "left_q <= left_q"),
    ("the CRC does not start anew", "crc_q <= crc_start", "crc_q <= crc_q"),
];

const SENDERS: [Mutant; 5] = [
    (
        "a zero stays in the frame",
        "if (last | (byte_q == 8'd0)) begin\n      staging_waddr",
        "if (last) begin\n      staging_waddr",
    ),
    ("a code is short by one", "index_q + 8'd1 - code_at_q", "index_q - code_at_q"),
    ("codes stay where the first was", "code_at_q <= index_q + 8'd1", "code_at_q <= code_at_q"),
    ("no zero leads", " | ((phase_q == Phase_Pick) & (index_q == 8'd0))", ""),
    ("what leads is no zero", "bytes_data = 8'd0;\n    if (phase_q", "bytes_data = byte_q;\n    if (phase_q"),
];

const MEMORIES: [Mutant; 1] = [("a write is lost", "if (we) mem[waddr]", "if (we & ~re) mem[waddr]")];

fn design() -> Design {
    let config = Config::from_toml("minimal.toml", ACCELERATOR).unwrap_or_else(|e| panic!("{e}"));
    tandem_rtl::emit_board(&config, &BoardLink::new(12_000_000)).unwrap()
}

fn sizes() -> String {
    format!(
        "localparam F_HEADER = {HEADER}, F_CHECK = {CHECK}, F_MOST = {};\n\
         localparam [31:0] F_START = 32'h{CRC32_INIT:x}, F_RESIDUE = 32'h{CRC_RESIDUE:x};\n",
        HEADER + MAX_PAYLOAD + CHECK
    )
}

fn reader() -> Claim {
    Claim::new(&design(), "frame_reader", &(sizes() + READER)).depth(FRAME)
}

fn sender() -> Claim {
    Claim::new(&design(), "frame_sender", &(sizes() + SENDER)).depth(FRAME)
}

fn memory() -> Claim {
    Claim::new(&design(), "ram_256xu8", &format!("localparam F_ADDRESS = 8, F_BITS = 8;\n{MEMORY}"))
}

#[test]
fn the_reader_finds_the_content_of_whole_frames_only() {
    Proofs::new().prove(&reader()).unwrap();
}

#[test]
fn the_sender_encodes_its_content_without_zeros() {
    let proofs = Proofs::new();
    proofs.prove(&sender()).unwrap();
    proofs.prove(&memory()).unwrap();
}

#[test]
fn broken_readers_are_caught() {
    caught(&reader(), &READERS);
}

#[test]
fn broken_senders_are_caught() {
    caught(&sender(), &SENDERS);
    caught(&memory(), &MEMORIES);
}
