//! Configuration of an accelerator: TOML → raw tables → validated [`Config`].
//!
//! After [`Config::from_toml`] nothing can be invalid: every bound is checked once, here.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

/// Most loop levels that a compute instruction has room for.
pub const MAX_LOOPS: usize = 7;
/// Most rows or columns: the width of a load's mask.
pub const MAX_SIDE: usize = 32;

/// Longest name in bytes: it becomes part of the names of files.
pub const LONGEST_NAME: usize = 200;

/// Stages of a plain array: address, memory, sign, sum over lanes, accumulator.
pub const PLAIN: usize = 5;
/// Stages of a deep one, with registers behind memory, selection, product and shift as well.
pub const DEEP: usize = 9;

/// A validated accelerator configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Config {
    /// Name, for reports; does not take part in the hash.
    pub name: String,
    /// The MAC array.
    pub array: Array,
    /// The scratchpads.
    pub memory: MemoryDepths,
    /// Width of the link in bits: 8, 16, 32, 64 or 128.
    pub link_bits: usize,
    /// Loop levels of a compute instruction, 5 to [`MAX_LOOPS`].
    pub loops: usize,
    /// Instructions that the compute and the store queue hold each, a power of two.
    pub queue: usize,
    /// Bits of operand and index addresses, which wrap, and of loop counts: log2 of the deepest memory and
    /// one more, up to 16.
    pub address_bits: usize,
    /// Which counters are generated; the others read as zero.
    pub counters: Counting,
    /// Whether a STORE can narrow results to 16 and 8 bits.
    pub narrow: bool,
    /// Whether the Verilog has a port `reset` (docs/accelerator.md, "Reset").
    pub reset: bool,
    /// The FFT unit, if there is one.
    pub fft: Option<Fft>,
}

/// Which counters are generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Counting {
    /// All of them.
    #[default]
    All,
    /// `total`.
    Total,
}

/// The FFT unit's parameters (docs/fft.md).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fft {
    /// Points of the largest transform, a power of two from 4 to 16384.
    pub points: usize,
    /// Complex samples a clock: 1, 2, 4 or 8, as many as transforms run in lockstep.
    pub samples: usize,
    /// Width of a sample's real and of its imaginary part, 8 to 16.
    pub bits: usize,
    /// Words of the sample memory, a power of two.
    pub depth: usize,
    /// Whether block floating point is generated.
    pub block: bool,
    /// Whether square tiles are generated.
    pub tiles: bool,
    /// Whether transforms of fewer than `points` points are generated.
    pub any_size: bool,
}

/// The MAC array's parameters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Array {
    /// Rows of processing elements, 1 to 32.
    pub rows: usize,
    /// Columns of processing elements, 1 to 32.
    pub cols: usize,
    /// Digit products per element and cycle: 1, 2, 4, 8, 16 or 32.
    pub lanes: usize,
    /// Digit width of row operands: 1, 2, 4 or 8.
    pub row_digit: usize,
    /// Digit width of column operands: 1, 2, 4 or 8.
    pub col_digit: usize,
    /// Widest row operand, 1 to 16.
    pub row_bits: usize,
    /// Widest column operand, 1 to 16.
    pub col_bits: usize,
    /// Accumulator width, 16 to 32.
    pub acc_bits: usize,
    /// Largest M of N:M selection: 1 (dense only), 2, 4, 8 or 16. Also the number of row banks.
    pub select: usize,
    /// Operands pass a register every `hop` elements, 1 to 32.
    pub hop: usize,
    /// Cycles from a step in the sequencer to its sum in the accumulator: [`PLAIN`] or [`DEEP`].
    pub pipeline: usize,
    /// Results drained a cycle, a power of two up to the next one of `cols`.
    pub drain: usize,
}

/// Depths of the scratchpads in words, powers of two.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MemoryDepths {
    /// Windows of `select · lanes` row digits, per row.
    pub row: usize,
    /// Words of `lanes` column digits, per column.
    pub col: usize,
    /// Words of [`Config::index_lanes`] indices, per column (1 if `select` is 1).
    pub index: usize,
    /// Words of `drain` 32-bit results.
    pub result: usize,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: Option<String>,
    array: RawArray,
    memory: RawMemory,
    #[serde(default)]
    link: RawLink,
    #[serde(default)]
    control: RawControl,
    fft: Option<RawFft>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawFft {
    points: i64,
    samples: Option<i64>,
    bits: Option<i64>,
    depth: i64,
    block: Option<bool>,
    tiles: Option<bool>,
    sizes: Option<Sizes>,
}

#[derive(Clone, Copy, Deserialize, Serialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Sizes {
    Any,
    Largest,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawArray {
    rows: i64,
    cols: i64,
    lanes: i64,
    row_digit: i64,
    col_digit: i64,
    row_bits: Option<i64>,
    col_bits: Option<i64>,
    acc_bits: Option<i64>,
    select: Option<i64>,
    hop: Option<i64>,
    pipeline: Option<i64>,
    drain: Option<i64>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct RawMemory {
    row_depth: i64,
    col_depth: i64,
    index_depth: Option<i64>,
    result_depth: i64,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct RawLink {
    bits: Option<i64>,
}

#[derive(Deserialize, Serialize, Default)]
#[serde(deny_unknown_fields)]
struct RawControl {
    loops: Option<i64>,
    queue: Option<i64>,
    address_bits: Option<i64>,
    counters: Option<Counting>,
    narrow: Option<bool>,
    reset: Option<bool>,
}

/// Why a configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{file}: cannot read: {source}")]
    Read {
        /// The file.
        file: String,
        /// The cause.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, a missing key or a wrong type; the message quotes line and key.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// What the parser said, with the line.
        message: String,
    },
    /// A value outside its range.
    #[error("{file}: {key} = {value}: expected {allowed}")]
    Value {
        /// The file.
        file: String,
        /// Dotted key.
        key: &'static str,
        /// The value found.
        value: String,
        /// What is allowed.
        allowed: String,
    },
}

struct Checker<'a> {
    file: &'a str,
}

impl Checker<'_> {
    fn fail(&self, key: &'static str, value: impl ToString, allowed: impl Into<String>) -> ConfigError {
        ConfigError::Value { file: self.file.into(), key, value: value.to_string(), allowed: allowed.into() }
    }

    fn range(&self, key: &'static str, v: i64, lo: usize, hi: usize) -> Result<usize, ConfigError> {
        match usize::try_from(v) {
            Ok(u) if (lo..=hi).contains(&u) => Ok(u),
            _ => Err(self.fail(key, v, format!("{lo} to {hi}"))),
        }
    }

    fn power(&self, key: &'static str, v: i64, lo: usize, hi: usize) -> Result<usize, ConfigError> {
        match usize::try_from(v) {
            Ok(u) if (lo..=hi).contains(&u) && u.is_power_of_two() => Ok(u),
            _ => Err(self.fail(key, v, format!("a power of two from {lo} to {hi}"))),
        }
    }

    fn pipeline(&self, v: Option<i64>) -> Result<usize, ConfigError> {
        match v.map(usize::try_from) {
            None => Ok(PLAIN),
            Some(Ok(stages @ (PLAIN | DEEP))) => Ok(stages),
            Some(_) => Err(self.fail("array.pipeline", v.unwrap_or_default(), format!("{PLAIN} or {DEEP}"))),
        }
    }

    fn name(&self, name: &str) -> Result<(), ConfigError> {
        let refused = !(1..=LONGEST_NAME).contains(&name.len())
            || matches!(name, "." | "..")
            || name.contains(|c: char| c == '/' || c.is_control());
        if refused {
            let allowed = format!(
                "a file name: no `/`, no control characters, not `.` or `..`, 1 to {LONGEST_NAME} bytes"
            );
            return Err(self.fail("name", name.escape_debug(), allowed));
        }
        Ok(())
    }

    fn fft(&self, f: &RawFft, drain: usize, link_bits: usize) -> Result<Fft, ConfigError> {
        let points = self.power("fft.points", f.points, 4, 16384)?;
        let samples = self.power("fft.samples", f.samples.unwrap_or(1), 1, drain.min(8))?;
        let groups = (link_bits / (32 * samples)).max(1);
        let tiles = f.tiles.unwrap_or(points >= 16);
        if tiles && points < 16 {
            return Err(self.fail("fft.tiles", true, "false if points is below 16"));
        }
        let any_size = f.sizes != Some(Sizes::Largest);
        if tiles && !any_size && ![16, 64, 256].contains(&points) {
            return Err(self.fail(
                "fft.tiles",
                true,
                "false, or points of 16, 64 or 256, if sizes is \"largest\"",
            ));
        }
        Ok(Fft {
            points,
            samples,
            bits: self.range("fft.bits", f.bits.unwrap_or(16), 8, 16)?,
            depth: self.power("fft.depth", f.depth, (points / groups).max(2), 32768)?,
            block: f.block.unwrap_or(true),
            tiles,
            any_size,
        })
    }
}

impl Config {
    /// Reads and validates a TOML file.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, key, value and allowed range.
    pub fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let text = tandem_files::read_text(path)
            .map_err(|source| ConfigError::Read { file: file.clone(), source })?;
        let stem = path.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
        Self::from_toml_named(&file, &stem, &text)
    }

    /// Validates TOML text; `file` is used in messages.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, key, value and allowed range.
    pub fn from_toml(file: &str, text: &str) -> Result<Self, ConfigError> {
        Self::from_toml_named(file, "unnamed", text)
    }

    /// The same; `default_name` is the name of a configuration that does not give its own.
    ///
    /// # Errors
    /// [`ConfigError`], naming file, key, value and allowed range.
    pub fn from_toml_named(file: &str, default_name: &str, text: &str) -> Result<Self, ConfigError> {
        let raw: Raw = toml::from_str(text)
            .map_err(|e| ConfigError::Syntax { file: file.into(), message: e.to_string() })?;
        let c = Checker { file };
        let a = raw.array;
        let rows = c.range("array.rows", a.rows, 1, MAX_SIDE)?;
        let cols = c.range("array.cols", a.cols, 1, MAX_SIDE)?;
        let widest_drain = cols.next_power_of_two();
        let row_digit = c.power("array.row_digit", a.row_digit, 1, 8)?;
        let col_digit = c.power("array.col_digit", a.col_digit, 1, 8)?;
        let select = c.power("array.select", a.select.unwrap_or(1), 1, 16)?;
        let array = Array {
            rows,
            cols,
            lanes: c.power("array.lanes", a.lanes, 1, 32)?,
            row_digit,
            col_digit,
            row_bits: c.range("array.row_bits", a.row_bits.unwrap_or(16), row_digit, 16)?,
            col_bits: c.range("array.col_bits", a.col_bits.unwrap_or(16), col_digit, 16)?,
            acc_bits: c.range("array.acc_bits", a.acc_bits.unwrap_or(32), 16, 32)?,
            select,
            hop: c.range("array.hop", a.hop.unwrap_or(MAX_SIDE as i64), 1, MAX_SIDE)?,
            pipeline: c.pipeline(a.pipeline)?,
            drain: c.power("array.drain", a.drain.unwrap_or(widest_drain as i64), 1, widest_drain)?,
        };
        // rows further down read their last operand before a token without drain lets it be overwritten
        let skew = |side: usize| (side - 1) / array.hop;
        if skew(rows) > skew(cols) + 6 {
            let allowed =
                format!("a hop for which (rows − 1) / hop ≤ (cols − 1) / hop + 6 ({rows} × {cols})");
            return Err(c.fail("array.hop", array.hop as i64, allowed));
        }
        let link_bits = c.power("link.bits", raw.link.bits.unwrap_or(128), 8, 128)?;
        let fft = raw.fft.map(|f| c.fft(&f, array.drain, link_bits)).transpose()?;
        // the largest transform's spectrum, and a word with its status
        let results = fft.as_ref().map_or(2, |f| {
            let words = f.points.div_ceil(array.drain / f.samples) + 1;
            words.next_power_of_two()
        });
        let m = raw.memory;
        let memory = MemoryDepths {
            row: c.power("memory.row_depth", m.row_depth, 2, 32768 / select)?,
            col: c.power("memory.col_depth", m.col_depth, 2, 32768)?,
            index: match select {
                1 => 1,
                _ => c.power("memory.index_depth", m.index_depth.unwrap_or(m.col_depth), 2, 32768)?,
            },
            result: c.power("memory.result_depth", m.result_depth, results, 32768)?,
        };
        let deepest = (select * memory.row).max(memory.col).max(memory.index);
        let least = deepest.trailing_zeros() as usize + 1;
        let control = raw.control;
        let name = raw.name.unwrap_or_else(|| default_name.into());
        c.name(&name)?;
        Ok(Config {
            name,
            fft,
            array,
            memory,
            link_bits,
            loops: c.range("control.loops", control.loops.unwrap_or(5), 5, MAX_LOOPS)?,
            queue: c.power("control.queue", control.queue.unwrap_or(4), 1, 64)?,
            address_bits: c.range("control.address_bits", control.address_bits.unwrap_or(16), least, 16)?,
            counters: control.counters.unwrap_or_default(),
            narrow: control.narrow.unwrap_or(true),
            reset: control.reset.unwrap_or(false),
        })
    }

    /// Every parameter as TOML, in a fixed order, a deep pipeline and reductions of the control only where there are any; reading
    /// it back gives the same configuration.
    pub fn to_toml(&self) -> String {
        let (a, m) = (&self.array, &self.memory);
        let mut s = format!("name = {}\n\n[array]\n", toml::Value::from(self.name.as_str()));
        for (k, v) in [
            ("rows", a.rows),
            ("cols", a.cols),
            ("lanes", a.lanes),
            ("row_digit", a.row_digit),
            ("col_digit", a.col_digit),
            ("row_bits", a.row_bits),
            ("col_bits", a.col_bits),
            ("acc_bits", a.acc_bits),
            ("select", a.select),
            ("hop", a.hop),
            ("drain", a.drain),
        ] {
            let _ = writeln!(s, "{k} = {v}");
        }
        // what a configuration leaves as it is does not take part in its hash
        if a.pipeline != PLAIN {
            let _ = writeln!(s, "pipeline = {}", a.pipeline);
        }
        let index = if a.select == 1 { String::new() } else { format!("index_depth = {}\n", m.index) };
        let _ = write!(
            s,
            "\n[memory]\nrow_depth = {}\ncol_depth = {}\n{index}result_depth = {}\n\n[link]\nbits = {}\n\n\
             [control]\nloops = {}\nqueue = {}\n",
            m.row, m.col, m.result, self.link_bits, self.loops, self.queue
        );
        if self.address_bits != 16 {
            let _ = writeln!(s, "address_bits = {}", self.address_bits);
        }
        if self.counters == Counting::Total {
            s += "counters = \"total\"\n";
        }
        if !self.narrow {
            s += "narrow = false\n";
        }
        if self.reset {
            s += "reset = true\n";
        }
        if let Some(f) = &self.fft {
            let sizes = if f.any_size { "any" } else { "largest" };
            let _ = write!(
                s,
                "\n[fft]\npoints = {}\nsamples = {}\nbits = {}\ndepth = {}\nblock = {}\ntiles = {}\nsizes = {sizes:?}\n",
                f.points, f.samples, f.bits, f.depth, f.block, f.tiles
            );
        }
        s
    }

    /// The first 64 bits of SHA-256 over the parameters (without the name). Hardware holds it in two
    /// registers; the driver refuses an accelerator of another configuration.
    pub fn hash(&self) -> u64 {
        let text = Config { name: String::new(), ..self.clone() }.to_toml();
        let d = Sha256::digest(text.as_bytes());
        u64::from_le_bytes(d[..8].try_into().expect("eight bytes"))
    }

    /// Bytes in a link word.
    pub fn link_bytes(&self) -> usize {
        self.link_bits / 8
    }

    /// Digit planes of a row operand of `bits`: ⌈bits / row_digit⌉.
    pub fn row_planes(&self, bits: usize) -> usize {
        bits.div_ceil(self.array.row_digit)
    }

    /// Digit planes of a column operand of `bits`: ⌈bits / col_digit⌉.
    pub fn col_planes(&self, bits: usize) -> usize {
        bits.div_ceil(self.array.col_digit)
    }

    /// Indices in a word of the index memory: one a lane and, for held indices, one a row; the larger of
    /// `lanes` and `rows` rounded up to a power of two.
    pub fn index_lanes(&self) -> usize {
        self.array.lanes.max(self.array.rows.next_power_of_two())
    }

    /// Bits of one index as stored: log2(select), rounded up to a power of two; 0 if `select` is 1.
    pub fn index_bits(&self) -> usize {
        match self.array.select {
            1 => 0,
            m => (m.trailing_zeros() as usize).next_power_of_two(),
        }
    }
}

impl Fft {
    /// Whether it transforms lines of so many points.
    pub fn takes_line(&self, points: usize) -> bool {
        let least = if self.any_size { 4 } else { self.points };
        points.is_power_of_two() && (least..=self.points).contains(&points)
    }

    /// Whether it transforms squares of so many points a side.
    pub fn takes_tile(&self, side: usize) -> bool {
        self.tiles && [4, 8, 16].contains(&side) && self.takes_line(side * side)
    }

    /// Bits of a word of the sample memory: a link word, or one sample of each of `samples` transforms.
    pub fn word_bits(&self, link_bits: usize) -> usize {
        link_bits.max(32 * self.samples)
    }

    /// Groups (one sample of each of `samples` transforms) in a word of the sample memory.
    pub fn groups(&self, link_bits: usize) -> usize {
        self.word_bits(link_bits) / (32 * self.samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_name_survives(name in "[^/\\p{Cc}]{1,50}".prop_filter("a folder", |n| n != "." && n != "..")) {
            let text = include_str!("../../../configs/accelerators/default.toml");
            let c = Config { name, ..Config::from_toml("t", text).unwrap() };
            prop_assert_eq!(Config::from_toml("t", &c.to_toml()).unwrap(), c);
        }
    }

    const TINY: &str = "[array]\nrows=2\ncols=3\nlanes=2\nrow_digit=4\ncol_digit=4\n[memory]\nrow_depth=8\ncol_depth=8\nresult_depth=8\n";

    #[test]
    fn defaults_and_round_trip() {
        let c = Config::from_toml("t", TINY).unwrap();
        assert_eq!((c.link_bits, c.loops, c.array.drain, c.array.acc_bits), (128, 5, 4, 32));
        let again = Config::from_toml("t", &c.to_toml()).unwrap();
        assert_eq!(again, c);
        assert_eq!(again.hash(), c.hash());
    }

    #[test]
    fn the_fft_unit_has_defaults_and_round_trips() {
        let c = Config::from_toml(
            "t",
            &format!("{}[fft]\npoints=64\ndepth=32\n", TINY.replace("result_depth=8", "result_depth=32")),
        )
        .unwrap();
        let f = c.fft.clone().unwrap();
        assert_eq!((f.samples, f.bits, f.block, f.tiles, f.any_size), (1, 16, true, true, true));
        assert_eq!((f.word_bits(128), f.groups(128)), (128, 4));
        assert_eq!(Config::from_toml("t", &c.to_toml()).unwrap(), c);
        assert_ne!(c.hash(), Config::from_toml("t", TINY).unwrap().hash());
    }

    #[test]
    fn the_hash_sees_every_parameter_but_the_name() {
        let c = Config::from_toml("t", TINY).unwrap();
        let renamed = Config { name: "x".into(), ..c.clone() };
        assert_eq!(renamed.hash(), c.hash());
        let deeper = Config::from_toml("t", &TINY.replace("result_depth=8", "result_depth=16")).unwrap();
        assert_ne!(deeper.hash(), c.hash());
        let deep = Config::from_toml("t", &TINY.replace("rows=2", "rows=2\npipeline=9")).unwrap();
        assert_ne!(deep.hash(), c.hash());
        assert_eq!(Config::from_toml("t", &deep.to_toml()).unwrap(), deep);
        for (reduction, same) in [
            ("address_bits=16\ncounters=\"all\"\nnarrow=true\nreset=false", true),
            ("address_bits=9", false),
            ("counters=\"total\"", false),
            ("narrow=false", false),
            ("reset=true", false),
        ] {
            let text = format!("{TINY}[control]\n{reduction}\n");
            let reduced = Config::from_toml("t", &text).unwrap();
            assert_eq!(reduced.hash() == c.hash(), same, "{reduction}");
            assert_eq!(
                Config::from_toml("t", &reduced.to_toml()).unwrap(),
                Config { name: "unnamed".into(), ..reduced }
            );
        }
    }

    #[test]
    fn results_of_the_largest_transform_fit() {
        // points, samples, drain: words of a spectrum and one more, as a power of two
        for (points, samples, drain, least) in [
            (4, 1, 4, 2),
            (4, 1, 1, 8),
            (64, 1, 4, 32),
            (64, 4, 4, 128),
            (256, 2, 4, 256),
            (16384, 1, 1, 32768),
        ] {
            let with = |result: usize| {
                let text = format!(
                    "{}drain={drain}\n[memory]\nrow_depth=8\ncol_depth=8\nresult_depth={result}\n\
                     [fft]\npoints={points}\nsamples={samples}\ndepth=32768\n",
                    TINY.split("[memory]").next().unwrap()
                );
                Config::from_toml("t", &text)
            };
            assert_eq!(with(least).unwrap().memory.result, least);
            if least > 2 {
                let said = with(least / 2).unwrap_err().to_string();
                assert!(said.contains(&format!("expected a power of two from {least} to 32768")), "{said}");
            }
        }
    }

    #[test]
    fn names_are_those_that_outputs_take() {
        let long = "x".repeat(LONGEST_NAME + 1);
        for name in [
            "a",
            "75 %",
            "mod\u{e8}le",
            "...",
            "-",
            "",
            ".",
            "..",
            "a/b",
            "../../../escape",
            "a\nb",
            "a\0b",
            &long,
        ] {
            let found = Config::from_toml_named("t", name, TINY).is_ok();
            assert_eq!(found, tandem_files::plain_name(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn refusals_name_file_key_value_and_range() {
        let say = |from: &str, to: &str| {
            Config::from_toml("accel.toml", &TINY.replace(from, to)).unwrap_err().to_string()
        };
        let all = [
            say("rows=2", "rows=0"),
            say("rows=2", "rows=-1"),
            say("cols=3", "cols=33"),
            say("lanes=2", "lanes=3"),
            say("row_digit=4", "row_digit=16"),
            say("result_depth=8", "result_depth=7"),
            say("rows=2", "rows=2\nhop=0"),
            say("rows=2", "rows=32\nhop=1"),
            say("rows=2", "rows=2\npipeline=6"),
            say("rows=2", "rows=2\ndrain=8"),
            say("rows=2", "rows=2\nraws=2"),
            say("rows=2", "rows=\"two\""),
            say("result_depth=8\n", "result_depth=8\n[control]\nqueue=0\n"),
            say("result_depth=8\n", "result_depth=8\n[control]\naddress_bits=3\n"),
            say("result_depth=8\n", "result_depth=8\n[control]\ncounters=\"some\"\n"),
            say("rows=2\n", ""),
            say("result_depth=8\n", "result_depth=8\n[fft]\npoints=48\ndepth=64\n"),
            say("result_depth=8\n", "result_depth=8\n[fft]\npoints=64\ndepth=8\n"),
            say("result_depth=8\n", "result_depth=8\n[fft]\npoints=64\ndepth=64\nsamples=8\n"),
            say("result_depth=8\n", "result_depth=8\n[fft]\npoints=8\ndepth=64\ntiles=true\n"),
            say("result_depth=8\n", "result_depth=8\n[fft]\npoints=64\ndepth=64\nsizes=\"few\"\n"),
            say("result_depth=8\n", "result_depth=2\n[fft]\npoints=64\ndepth=64\n"),
            say("[array]", "name=\"../../../escape\"\n[array]"),
            say("[array]", "name=\"a\\nb\"\n[array]"),
        ];
        insta::assert_snapshot!(all.join("\n---\n"));
    }
}
