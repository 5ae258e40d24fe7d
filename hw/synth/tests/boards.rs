//! What a board's file says reaches scripts, constraints and command lines: nothing in it is more than a value.

use tandem_synth::Board;

const ULX3S: &str = include_str!("../../../configs/boards/ulx3s.toml");

/// Every string of a file, each with texts that would be more than a value where it goes: scripts, constraints,
/// command lines, names of files.
#[test]
fn no_string_reaches_a_tool_unchecked() {
    let tainted = [
        "x\\nLOCATE COMP \\\"tx\\\" SITE \\\"A1\\\";",
        "x; exec -- rm",
        "x y",
        "../../../escape",
        "/etc/passwd",
        "--write",
        "-json",
        "x\\u0000",
        "$(id)",
        "`id`",
        "é",
    ];
    let places = [
        ("name", "name = \"ulx3s\""),
        ("device.family", "family = \"ecp5\""),
        ("device.part", "part = \"85k\""),
        ("device.package", "package = \"CABGA381\""),
        ("pins.clock", "clock = \"G2\""),
        ("pins.led_busy", "led_busy = \"C1\""),
        ("levels.wifi_gpio0.pin", "pin = \"L2\""),
        ("electrical.standard", "standard = \"LVCMOS33\""),
        ("electrical.pull_up", "pull_up = [\"rx\""),
        ("flow.yosys", "yosys = [\"-abc9\""),
        ("program.openfpgaloader", "openfpgaloader = \"ulx3s\""),
    ];
    for (key, place) in places {
        assert!(ULX3S.contains(place), "{place}");
        let (before, value) = place.rsplit_once("= ").unwrap();
        let bracket = if value.starts_with('[') { "[" } else { "" };
        for text in tainted {
            let toml = ULX3S.replace(place, &format!("{before}= {bracket}\"{text}\""));
            let said = Board::from_toml("b.toml", &toml).unwrap_err().to_string();
            assert!(said.starts_with(&format!("b.toml: {key} = ")), "{key}, {text}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
    for port in ["module", "board", "rx_inside", "\"a b\"", "\"a;b\""] {
        let toml = ULX3S.replace("wifi_gpio0 = {", &format!("{port} = {{"));
        assert!(Board::from_toml("b.toml", &toml).unwrap_err().to_string().contains("levels."), "{port}");
    }
    let write = ULX3S.replace("target_mhz", "nextpnr = [\"--write\", \"/tmp/x\"]\ntarget_mhz");
    let said = Board::from_toml("b.toml", &write).unwrap_err().to_string();
    assert!(said.starts_with("b.toml: flow.nextpnr = --write: expected --cstrweight, "), "{said}");
}
