//! A board's pins: the outermost module and the constraint file, both rendered from the board's TOML.

use crate::board::{Board, Family, PORTS};
use std::fmt::Write;

/// Name of the outermost module.
pub const TOP: &str = "board_pins";

/// A module around `inner` that inverts what is active low and holds the board's levels.
pub fn verilog(board: &Board, inner: &str) -> String {
    let inverted = |port: &str| board.active_low.iter().any(|p| p == port);
    let is_input = |port: &str| port == "clock" || port == "rx";
    let mut ports: Vec<String> = PORTS
        .iter()
        .map(|p| format!("  {} wire {p}", if is_input(p) { "input" } else { "output" }))
        .collect();
    ports.extend(board.levels.iter().map(|l| format!("  output wire {}", l.port)));
    let mut v = format!("module {TOP}(\n{}\n);\n", ports.join(",\n"));
    for p in PORTS.iter().filter(|p| inverted(p)) {
        let assign = if is_input(p) { format!(" = ~{p}") } else { String::new() };
        let _ = writeln!(v, "  wire {p}_inside{assign};");
        if !is_input(p) {
            let _ = writeln!(v, "  assign {p} = ~{p}_inside;");
        }
    }
    for l in &board.levels {
        let _ = writeln!(v, "  assign {} = 1'b{};", l.port, u8::from(l.high));
    }
    let wires: Vec<String> =
        PORTS.iter().map(|p| format!(".{p}({p}{})", if inverted(p) { "_inside" } else { "" })).collect();
    let _ = writeln!(v, "  {inner} board({});\nendmodule", wires.join(", "));
    v
}

/// Name and text of the constraint file; none where nothing is placed.
pub fn constraints(board: &Board) -> Option<(String, String)> {
    let levels = board.levels.iter().map(|l| (l.port.as_str(), l.pin.as_str()));
    let pins: Vec<(&str, &str)> =
        board.pins.iter().map(|(port, pin)| (*port, pin.as_str())).chain(levels).collect();
    let mut text = String::new();
    match board.family {
        Family::Xc7 => None,
        Family::Ice40 => {
            for (port, pin) in pins {
                let pull = if board.pull_up.iter().any(|p| p == port) { "-pullup yes " } else { "" };
                let _ = writeln!(text, "set_io {pull}{port} {pin}");
            }
            Some((format!("{}.pcf", board.name), text))
        }
        Family::Ecp5 => {
            text += "BLOCK RESETPATHS;\nBLOCK ASYNCPATHS;\n";
            for (port, pin) in pins {
                let pull = if board.pull_up.iter().any(|p| p == port) { "UP" } else { "NONE" };
                let _ = writeln!(text, "LOCATE COMP \"{port}\" SITE \"{pin}\";");
                let _ = writeln!(text, "IOBUF PORT \"{port}\" PULLMODE={pull} IO_TYPE={};", board.standard);
            }
            Some((format!("{}.lpf", board.name), text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_of_the_boards() {
        let text = ["ulx3s", "icebreaker"].map(|name| {
            let board = Board::find(name).unwrap();
            let (file, text) = constraints(&board).unwrap();
            format!("{}\n// {file}\n{text}", verilog(&board, "tandem_board"))
        });
        insta::assert_snapshot!(text.join("\n"));
        assert_eq!(constraints(&Board::find("7series").unwrap()), None);
    }
}
