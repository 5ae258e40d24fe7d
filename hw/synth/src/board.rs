//! Boards as data: a TOML file, validated once.

use crate::area::Area;
use crate::error::SynthError;
use crate::options::{Program, refused};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use tandem_rtl::hdl::names::is_keyword;
use tandem_spec::link::BoardLink;

/// Ports of the board's top module, in the order of its Verilog.
pub const PORTS: [&str; 6] = ["clock", "rx", "tx", "led_link", "led_error", "led_busy"];

/// The boards that come with the program, those of `configs/boards/`: name and file.
pub const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/boards.rs"));

/// I/O standards of single pins (ECP5).
const STANDARDS: [&str; 6] = ["LVCMOS33", "LVTTL33", "LVCMOS25", "LVCMOS18", "LVCMOS15", "LVCMOS12"];
/// Longest name of a board, pin, port or package.
const LONGEST: usize = 64;

/// A family of devices, hence a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Lattice ECP5.
    Ecp5,
    /// Lattice iCE40.
    Ice40,
    /// Xilinx 7 series: cells are counted, nothing is placed.
    Xc7,
}

impl Family {
    const ALL: [(&str, Family); 3] = [("ecp5", Family::Ecp5), ("ice40", Family::Ice40), ("xc7", Family::Xc7)];

    /// Parts as nextpnr calls them.
    pub fn parts(self) -> &'static [&'static str] {
        match self {
            Family::Ecp5 => &["12k", "25k", "45k", "85k", "um-25k", "um-45k", "um-85k"],
            Family::Ice40 => &["up5k", "hx1k", "hx4k", "hx8k", "lp1k", "lp4k", "lp8k", "u4k"],
            Family::Xc7 => &[],
        }
    }

    /// Whether there is an open place and route for it.
    pub fn routes(self) -> bool {
        self != Family::Xc7
    }
}

/// A pin that is held at a level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// Name of the port.
    pub port: String,
    /// Its pin.
    pub pin: String,
    /// 0 or 1.
    pub high: bool,
}

/// A board, valid.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Name.
    pub name: String,
    /// Device family.
    pub family: Family,
    /// Device, as nextpnr calls it (empty where nothing is placed).
    pub part: String,
    /// Package.
    pub package: String,
    /// Serial link and clock.
    pub link: BoardLink,
    /// Pins by port, in the order of [`PORTS`] (empty where nothing is placed).
    pub pins: Vec<(&'static str, String)>,
    /// Pins held at a level.
    pub levels: Vec<Level>,
    /// I/O standard (ECP5).
    pub standard: String,
    /// Ports with a pull-up.
    pub pull_up: Vec<String>,
    /// Ports whose level is inverted at the pin.
    pub active_low: Vec<String>,
    /// More options for Yosys' `synth_…`.
    pub yosys: Vec<String>,
    /// More options for nextpnr.
    pub nextpnr: Vec<String>,
    /// Frequency that nextpnr works towards, in MHz.
    pub target_mhz: f64,
    /// Board name of openFPGALoader.
    pub loader: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    device: RawDevice,
    clock: RawClock,
    serial: RawSerial,
    #[serde(default)]
    pins: BTreeMap<String, String>,
    #[serde(default)]
    levels: BTreeMap<String, RawLevel>,
    #[serde(default)]
    electrical: RawElectrical,
    #[serde(default)]
    flow: RawFlow,
    #[serde(default)]
    program: RawProgram,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDevice {
    family: String,
    #[serde(default)]
    part: String,
    #[serde(default)]
    package: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawClock {
    mhz: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSerial {
    baud: u32,
    slots: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLevel {
    pin: String,
    level: i64,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawElectrical {
    standard: Option<String>,
    #[serde(default)]
    pull_up: Vec<String>,
    #[serde(default)]
    active_low: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawFlow {
    #[serde(default)]
    yosys: Vec<String>,
    #[serde(default)]
    nextpnr: Vec<String>,
    target_mhz: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RawProgram {
    openfpgaloader: Option<String>,
}

impl Board {
    /// What the part has; nothing is told of other families than ECP5, whose reports tell it.
    pub fn capacity(&self) -> Area {
        let (luts, dsps, block_rams) = match (self.family, self.part.trim_start_matches("um-")) {
            (Family::Ecp5, "12k" | "25k") => (24_288, 28, 56),
            (Family::Ecp5, "45k") => (43_848, 72, 108),
            (Family::Ecp5, _) => (83_640, 156, 208),
            _ => (0, 0, 0),
        };
        Area { luts, dsps, block_rams, ffs: luts }
    }

    /// Multipliers of 18 × 18 bits that the array may have: those of the part, but four for the sequencer. None on iCE40, whose few
    /// are the array's only if they are enough for all of it (see `flow`).
    pub fn multipliers(&self) -> usize {
        self.capacity().dsps.saturating_sub(4) as usize
    }

    /// A file, or the name of one in `configs/boards/` or of one that is built in.
    ///
    /// # Errors
    /// [`SynthError`], naming file, key and value.
    pub fn find(name: &str) -> Result<Self, SynthError> {
        let path = Path::new(name);
        if path.extension().is_some() || path.is_file() {
            return Board::from_file(path);
        }
        let local = Path::new("configs/boards").join(format!("{name}.toml"));
        if local.exists() {
            return Board::from_file(&local);
        }
        match BUILT_IN.iter().find(|b| b.0 == name) {
            Some((name, text)) => Board::from_toml(&format!("{name}.toml (built in)"), text),
            None => Err(SynthError::UnknownBoard {
                name: name.into(),
                known: BUILT_IN.iter().map(|b| b.0).collect::<Vec<_>>().join(", "),
            }),
        }
    }

    /// Reads and validates a file.
    ///
    /// # Errors
    /// [`SynthError`], naming file, key and value.
    pub fn from_file(path: &Path) -> Result<Self, SynthError> {
        let text = tandem_files::read_text(path).map_err(|e| SynthError::io(path, e))?;
        Board::from_toml(&path.display().to_string(), &text)
    }

    /// Validates TOML text; `file` is used in messages.
    ///
    /// # Errors
    /// [`SynthError`], naming file, key and value.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, SynthError> {
        let raw: Raw = toml::from_str(text)
            .map_err(|e| SynthError::BoardSyntax { file: file.into(), message: e.to_string() })?;
        Checker { file }.board(raw)
    }
}

struct Checker<'a> {
    file: &'a str,
}

impl Checker<'_> {
    fn fail(&self, key: impl Into<String>, value: impl ToString, allowed: impl Into<String>) -> SynthError {
        SynthError::BoardValue {
            file: self.file.into(),
            key: key.into(),
            value: value.to_string().escape_debug().to_string(),
            allowed: allowed.into(),
        }
    }

    fn board(&self, raw: Raw) -> Result<Board, SynthError> {
        if !is_name(&raw.name) {
            return Err(self.fail("name", &raw.name, NAME));
        }
        let family = Family::ALL.iter().find(|f| f.0 == raw.device.family).map(|f| f.1);
        let family =
            family.ok_or_else(|| self.fail("device.family", &raw.device.family, "ecp5, ice40 or xc7"))?;
        if family.routes() && !family.parts().contains(&raw.device.part.as_str()) {
            return Err(self.fail("device.part", &raw.device.part, family.parts().join(", ")));
        }
        let written = |text: &str| family.routes() || !text.is_empty();
        if written(&raw.device.part) && !is_name(&raw.device.part) {
            return Err(self.fail("device.part", &raw.device.part, NAME));
        }
        if written(&raw.device.package) && !is_name(&raw.device.package) {
            let allowed = format!("the package, as nextpnr calls it: {NAME}");
            return Err(self.fail("device.package", &raw.device.package, allowed));
        }
        let mhz = raw.clock.mhz;
        if !(1.0..=500.0).contains(&mhz) {
            return Err(self.fail("clock.mhz", mhz, "1 to 500"));
        }
        let link = BoardLink {
            clock_hz: (mhz * 1e6).round() as u32,
            baud: raw.serial.baud,
            slots: raw.serial.slots,
        };
        link.check().map_err(|e| SynthError::BoardLink { file: self.file.into(), message: e.to_string() })?;
        let pins = self.pins(family, &raw.pins)?;
        let levels = self.levels(&raw.levels, &pins)?;
        let ports = |p: &String| {
            raw.pins.contains_key(p)
                || raw.levels.contains_key(p)
                || (!family.routes() && PORTS.contains(&&**p))
        };
        let lists = [
            ("electrical.pull_up", &raw.electrical.pull_up),
            ("electrical.active_low", &raw.electrical.active_low),
        ];
        for (key, list) in lists {
            if let Some(unknown) = list.iter().find(|p| !ports(p)) {
                return Err(self.fail(key, unknown, "names from [pins] and [levels]"));
            }
        }
        let target = raw.flow.target_mhz.unwrap_or(mhz);
        if !(1.0..=1000.0).contains(&target) {
            return Err(self.fail("flow.target_mhz", target, "1 to 1000"));
        }
        for (key, list, program) in [
            ("flow.yosys", &raw.flow.yosys, Program::Yosys),
            ("flow.nextpnr", &raw.flow.nextpnr, Program::Nextpnr),
        ] {
            if let Some((bad, allowed)) = refused(list, program, family) {
                return Err(self.fail(key, bad, allowed));
            }
        }
        let standard = raw.electrical.standard.unwrap_or_else(|| STANDARDS[0].into());
        if !STANDARDS.contains(&standard.as_str()) {
            return Err(self.fail("electrical.standard", &standard, STANDARDS.join(", ")));
        }
        if let Some(bad) = raw.program.openfpgaloader.as_ref().filter(|n| !is_identifier(n)) {
            return Err(self.fail(
                "program.openfpgaloader",
                bad,
                "a board of `openFPGALoader --list-boards`",
            ));
        }
        Ok(Board {
            name: raw.name,
            family,
            part: raw.device.part,
            package: raw.device.package,
            link,
            pins,
            levels,
            standard,
            pull_up: raw.electrical.pull_up,
            active_low: raw.electrical.active_low,
            yosys: raw.flow.yosys,
            nextpnr: raw.flow.nextpnr,
            target_mhz: target,
            loader: raw.program.openfpgaloader,
        })
    }

    fn pins(
        &self,
        family: Family,
        raw: &BTreeMap<String, String>,
    ) -> Result<Vec<(&'static str, String)>, SynthError> {
        if let Some((port, pin)) = raw.iter().find(|(port, _)| !PORTS.contains(&port.as_str())) {
            let key = format!("pins.{}", port.escape_debug());
            return Err(self.fail(key, pin, format!("only {}", PORTS.join(", "))));
        }
        if let Some((port, pin)) = raw.iter().find(|(_, pin)| !is_name(pin)) {
            return Err(self.fail(format!("pins.{port}"), pin, format!("a pin: {NAME}")));
        }
        if !family.routes() {
            return Ok(vec![]);
        }
        let mut pins: Vec<(&'static str, String)> = vec![];
        for port in PORTS {
            let key = || format!("pins.{port}");
            let pin = raw.get(port).ok_or_else(|| self.fail(key(), "", "a pin"))?;
            if let Some((other, _)) = pins.iter().find(|p| p.1 == *pin) {
                return Err(self.fail(key(), pin, format!("another pin than that of {other}")));
            }
            pins.push((port, pin.clone()));
        }
        Ok(pins)
    }

    fn levels(
        &self,
        raw: &BTreeMap<String, RawLevel>,
        pins: &[(&'static str, String)],
    ) -> Result<Vec<Level>, SynthError> {
        let mut levels = vec![];
        for (port, l) in raw {
            let key = |what: &str| format!("levels.{}{what}", port.escape_debug());
            // names of the outermost module's own
            let taken = port == "board" || port.ends_with("_inside") || PORTS.contains(&port.as_str());
            if !is_identifier(port) || is_keyword(port) || taken {
                let allowed = "a Verilog name that is none of [pins], not `board` and without `_inside`";
                return Err(self.fail(key(""), port, allowed));
            }
            let used = pins.iter().any(|p| p.1 == l.pin) || levels.iter().any(|o: &Level| o.pin == l.pin);
            if !is_name(&l.pin) || used {
                return Err(self.fail(key(".pin"), &l.pin, "a pin that nothing else uses"));
            }
            if !(0..=1).contains(&l.level) {
                return Err(self.fail(key(".level"), l.level, "0 or 1"));
            }
            levels.push(Level { port: port.clone(), pin: l.pin.clone(), high: l.level == 1 });
        }
        Ok(levels)
    }
}

/// What [`is_name`] takes.
const NAME: &str = "1 to 64 letters, digits, `-` and `_`, the first no `-` or `_`";

/// Goes into scripts, constraint files and names of files as it is.
fn is_name(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_identifier(text: &str) -> bool {
    is_name(text) && !text.contains('-') && !text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ulx3s() -> &'static str {
        BUILT_IN.iter().find(|b| b.0 == "ulx3s").unwrap().1
    }

    #[test]
    fn the_boards_that_come_with_the_program_are_valid() {
        for (name, text) in BUILT_IN {
            let board = Board::from_toml(name, text).unwrap();
            assert_eq!(board.name, *name);
            assert_eq!(board.pins.len(), if board.family.routes() { PORTS.len() } else { 0 });
        }
    }

    #[test]
    fn the_array_leaves_multipliers_to_the_sequencer() {
        let multipliers =
            |part: &str| Board::from_toml("b", &ulx3s().replace("\"85k\"", part)).unwrap().multipliers();
        assert_eq!(["\"25k\"", "\"um-45k\"", "\"85k\""].map(multipliers), [24, 68, 152]);
        assert_eq!(Board::find("icebreaker").unwrap().multipliers(), 0);
    }

    #[test]
    fn refusals_name_file_key_and_value() {
        let ulx3s = ulx3s();
        let said = |from: &str, to: &str| {
            assert!(ulx3s.contains(from), "{from}");
            Board::from_toml("b.toml", &ulx3s.replace(from, to)).unwrap_err().to_string()
        };
        let part = said("\"85k\"", "\"86k\"");
        assert_eq!(part, "b.toml: device.part = 86k: expected 12k, 25k, 45k, 85k, um-25k, um-45k, um-85k");
        assert_eq!(said("\"L4\"", "\"M1\""), "b.toml: pins.tx = M1: expected another pin than that of rx");
        assert_eq!(said("tx = \"L4\"\n", ""), "b.toml: pins.tx = : expected a pin");
        assert!(said("\"L4\"", "\"\"").starts_with("b.toml: pins.tx = : expected a pin: 1 to 64 letters"));
        assert_eq!(said("mhz = 25", "mhz = 0"), "b.toml: clock.mhz = 0: expected 1 to 500");
        assert!(said("\"rx\", \"tx\"", "\"rx\", \"ty\"").contains("electrical.pull_up = ty"));
        assert!(said("level = 1", "level = 2").contains("levels.wifi_gpio0.level = 2"));
        assert!(said("115_200", "115").starts_with("b.toml: board.baud = 115"));
        assert!(said("slots", "slot").contains("unknown field `slot`"));
        assert!(
            said("-abc9", "-abc9 -x").starts_with("b.toml: flow.yosys = -abc9 -x: expected -abc2, -abc9,")
        );
        assert!(
            said("openfpgaloader = \"ulx3s", "openfpgaloader = \"--x")
                .contains("program.openfpgaloader = --x")
        );
        assert!(Board::find("nonesuch").unwrap_err().to_string().contains("7series, icebreaker, ulx3s"));
    }

    #[test]
    fn the_boards_are_those_of_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/boards");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|f| f.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, BUILT_IN.iter().map(|b| b.0).collect::<Vec<_>>());
    }
}
