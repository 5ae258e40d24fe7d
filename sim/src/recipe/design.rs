//! What is built, and the key that names the result.

use super::tools::Tools;
use std::path::Path;
use tandem_spec::EngineError;

/// Verilog with the accelerator's ports (see the crate's documentation).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Design {
    /// All modules.
    pub verilog: String,
    /// The top module.
    pub top: String,
    /// Its ports.
    pub interface: Interface,
}

/// What a design's harness drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Interface {
    /// An accelerator's link.
    Link {
        /// Width: 8, 16, 32, 64 or 128. It has one lane of 8 or 16 bits, else lanes of 32.
        bits: usize,
    },
    /// A board's pins: `rx`, `tx` and lights.
    Pins,
}

impl Interface {
    /// Number of lanes in `in_data_i` and `out_data_i`.
    pub fn lanes(self) -> usize {
        match self {
            Interface::Link { bits } => bits.div_ceil(32),
            Interface::Pins => 0,
        }
    }

    /// Bits of a lane.
    pub fn lane_bits(self) -> usize {
        match self {
            Interface::Link { bits } => bits.min(32),
            Interface::Pins => 0,
        }
    }
}

/// Formats of waveforms. A model that can write one is another binary than one that cannot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Waveform {
    /// Value change dump: text, large, read by every viewer.
    Vcd,
    /// GTKWave's compressed format. Building it needs zlib's header (Debian `zlib1g-dev`); its writer
    /// does not notice a full disk.
    Fst,
}

impl Waveform {
    /// By the extension of a file: `.vcd` or `.fst`.
    ///
    /// # Errors
    /// [`EngineError::Tool`], naming the file, if it ends otherwise.
    pub fn of(path: &Path) -> Result<Waveform, EngineError> {
        match path.extension().and_then(|e| e.to_str()) {
            Some("vcd") => Ok(Waveform::Vcd),
            Some("fst") => Ok(Waveform::Fst),
            _ => Err(EngineError::Tool {
                tool: "sim".into(),
                what: format!("waveform {}: expected a file name that ends in .vcd or .fst", path.display()),
            }),
        }
    }

    /// Verilator's option.
    pub fn verilator_flag(self) -> &'static str {
        match self {
            Waveform::Vcd => "--trace",
            Waveform::Fst => "--trace-fst",
        }
    }

    /// Macros that Verilator's headers expect.
    pub fn defines(waveform: Option<Waveform>) -> [String; 3] {
        let on = |b: bool| u8::from(b);
        [
            format!("-DVM_TRACE={}", on(waveform.is_some())),
            format!("-DVM_TRACE_VCD={}", on(waveform == Some(Waveform::Vcd))),
            format!("-DVM_TRACE_FST={}", on(waveform == Some(Waveform::Fst))),
        ]
    }
}

/// The recipe itself: whoever changes a flag or the shim gets other keys.
const RECIPE: [&str; 6] = [
    include_str!("model.h"),
    include_str!("shim.cpp"),
    include_str!("pins.cpp"),
    include_str!("verilate.rs"),
    include_str!("compile.rs"),
    include_str!("clock.rs"),
];

/// SHA-256 over everything that shapes a binary, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(String);

impl Key {
    /// The key of a model: Verilog, ports, tools and their versions, waveform, recipe.
    pub fn of_model(design: &Design, tools: &Tools, waveform: Option<Waveform>) -> Key {
        let mut parts = vec![design.verilog.clone(), design.top.clone(), format!("{:?}", design.interface)];
        parts.extend(Self::common(tools, waveform));
        Key::digest(&parts)
    }

    /// The key of Verilator's run-time objects: the same without the design.
    pub fn of_runtime(files: &[String], tools: &Tools, waveform: Option<Waveform>) -> Key {
        let mut parts = Self::common(tools, waveform);
        parts.extend_from_slice(files);
        Key::digest(&parts)
    }

    fn common(tools: &Tools, waveform: Option<Waveform>) -> Vec<String> {
        let mut parts = vec![
            format!("{:?}", tools.programs),
            tools.verilator_version.clone(),
            tools.cxx_version.clone(),
            format!("{waveform:?}"),
        ];
        parts.extend(RECIPE.map(String::from));
        parts
    }

    fn digest(parts: &[String]) -> Key {
        Key(tandem_files::key(parts))
    }

    /// 64 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Prefix of all symbols of the model: a letter and the first 16 digits.
    pub fn prefix(&self) -> String {
        format!("t{}", &self.0[..16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::tools::Programs;
    use std::collections::HashSet;

    #[test]
    fn the_key_sees_everything() {
        let design = Design { verilog: "v".into(), top: "t".into(), interface: Interface::Link { bits: 8 } };
        let tools = Tools {
            programs: Programs { verilator: "verilator".into(), cxx: vec!["c++".into()] },
            verilator_version: "1".into(),
            cxx_version: "2".into(),
        };
        let clang = Programs { cxx: vec!["clang++".into()], ..tools.programs.clone() };
        let variants = [
            (design.clone(), tools.clone(), None),
            (Design { verilog: "w".into(), ..design.clone() }, tools.clone(), None),
            (Design { top: "u".into(), ..design.clone() }, tools.clone(), None),
            (Design { verilog: "vt".into(), top: String::new(), ..design.clone() }, tools.clone(), None),
            (Design { interface: Interface::Link { bits: 16 }, ..design.clone() }, tools.clone(), None),
            (Design { interface: Interface::Pins, ..design.clone() }, tools.clone(), None),
            (design.clone(), Tools { verilator_version: "2".into(), ..tools.clone() }, None),
            (design.clone(), Tools { cxx_version: "3".into(), ..tools.clone() }, None),
            (design.clone(), Tools { programs: clang, ..tools.clone() }, None),
            (design.clone(), tools.clone(), Some(Waveform::Vcd)),
            (design.clone(), tools.clone(), Some(Waveform::Fst)),
        ];
        let keys: HashSet<Key> = variants.iter().map(|(d, t, w)| Key::of_model(d, t, *w)).collect();
        assert_eq!(keys.len(), variants.len());
        assert_eq!(keys.iter().map(Key::prefix).collect::<HashSet<_>>().len(), variants.len());
        assert!(keys.contains(&Key::of_model(&design, &tools, None)), "the same input, the same key");
    }

    #[test]
    fn a_waveform_is_known_by_its_extension() {
        assert_eq!(Waveform::of(Path::new("a/b.vcd")).unwrap(), Waveform::Vcd);
        assert_eq!(Waveform::of(Path::new("b.c.fst")).unwrap(), Waveform::Fst);
        let e = Waveform::of(Path::new("wave.txt")).unwrap_err().to_string();
        assert_eq!(e, "sim: waveform wave.txt: expected a file name that ends in .vcd or .fst");
    }
}
