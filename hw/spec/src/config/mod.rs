//! Configuration of an accelerator: TOML → the table of keys ([`TABLES`]) → validated [`Config`].
//!
//! After [`Config::from_toml`] nothing can be invalid: every bound stands once, in the row of its key.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::path::Path;

mod key;
mod read;
mod table;
#[cfg(test)]
mod tests;

pub use key::{Allowed, Key, Table};
use table::READ;
pub use table::*;

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

/// Which counters are generated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Counting {
    /// All of them.
    #[default]
    All,
    /// `total`.
    Total,
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
    /// Not TOML; the message quotes the line.
    #[error("{file}: {message}")]
    Syntax {
        /// The file.
        file: String,
        /// What the parser said, with the line.
        message: String,
    },
    /// A key or a table that there is not.
    #[error("{file}: {key}: unknown, expected one of {known}")]
    Unknown {
        /// The file.
        file: String,
        /// Dotted key.
        key: String,
        /// The keys of its table.
        known: String,
    },
    /// A key that has no default.
    #[error("{file}: {key}: missing, expected {allowed}")]
    Missing {
        /// The file.
        file: String,
        /// Dotted key.
        key: String,
        /// What is allowed.
        allowed: String,
    },
    /// A value of the wrong type or outside its range.
    #[error("{file}: {key} = {value}: expected {allowed}")]
    Value {
        /// The file.
        file: String,
        /// Dotted key.
        key: String,
        /// The value found.
        value: String,
        /// What is allowed.
        allowed: String,
    },
}

fn name(file: &str, name: &str) -> Result<(), ConfigError> {
    let refused = !(1..=LONGEST_NAME).contains(&name.len())
        || matches!(name, "." | "..")
        || name.contains(|c: char| c == '/' || c.is_control());
    if refused {
        let allowed =
            format!("a file name: no `/`, no control characters, not `.` or `..`, 1 to {LONGEST_NAME} bytes");
        let value = name.escape_debug().to_string();
        return Err(ConfigError::Value { file: file.into(), key: "name".into(), value, allowed });
    }
    Ok(())
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
        let document: toml::Table = toml::from_str(text)
            .map_err(|e| ConfigError::Syntax { file: file.into(), message: e.to_string() })?;
        read::known(file, &document)?;
        let mut c = Config::from_source(
            |table| document.contains_key(table.name),
            |table, key, allowed, default| read::value(file, &document, table, key, allowed, default),
        )?;
        c.name = match document.get("name") {
            None => default_name.into(),
            Some(toml::Value::String(name)) => name.clone(),
            Some(other) => {
                let (file, value) = (file.into(), other.to_string());
                return Err(ConfigError::Value { file, key: "name".into(), value, allowed: "a text".into() });
            }
        };
        name(file, &c.name)?;
        Ok(c)
    }

    /// A valid configuration at random: `has` says whether an optional table is there, `choose` picks one of the values that
    /// a key may have, given those already chosen.
    ///
    /// # Panics
    /// If `choose` picks another value.
    pub fn draw(
        name: &str,
        mut has: impl FnMut(&Table) -> bool,
        mut choose: impl FnMut(&Table, &Key, &[usize]) -> usize,
    ) -> Self {
        let drawn = Config::from_source(&mut has, |table, key, allowed, _| {
            let values = allowed.values();
            let value = choose(table, key, &values);
            assert!(values.contains(&value), "{}.{} = {value}: {allowed}", table.name, key.name);
            Ok::<_, std::convert::Infallible>(value)
        });
        let Ok(c) = drawn;
        Config { name: name.into(), ..c }
    }

    fn from_source<E>(
        mut has: impl FnMut(&Table) -> bool,
        mut value: impl FnMut(&Table, &Key, &Allowed, Option<usize>) -> Result<usize, E>,
    ) -> Result<Self, E> {
        let mut c = Config::default();
        for table in READ.iter().map(|name| TABLES.iter().find(|t| t.name == *name).expect("a table")) {
            if table.optional.is_some() {
                if !has(table) {
                    continue;
                }
                (table.add)(&mut c);
            }
            for key in table.keys {
                let default = key.default.map(|d| d(&c));
                let v = if (key.when)(&c) { value(table, key, &(key.allowed)(&c), default)? } else { 1 };
                (key.set)(&mut c, v);
            }
        }
        Ok(c)
    }

    /// Every parameter as TOML, in a fixed order, reductions only where there are any; reading it back gives the same
    /// configuration.
    pub fn to_toml(&self) -> String {
        let mut s = format!("name = {}\n", toml::Value::from(self.name.as_str()));
        for table in TABLES.iter().filter(|t| t.optional.is_none_or(|there| there(self))) {
            let _ = writeln!(s, "\n[{}]", table.name);
            for key in table.keys.iter().filter(|k| (k.when)(self)) {
                let value = (key.value)(self);
                // what a configuration leaves as it is does not take part in its hash
                if !(key.reduction && key.default.is_some_and(|d| d(self) == value)) {
                    let _ = writeln!(s, "{} = {}", key.name, (key.allowed)(self).written(value));
                }
            }
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

    /// The hash as text: 16 hexadecimal digits.
    pub fn hash_text(&self) -> String {
        format!("{:016x}", self.hash())
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

    /// Words of codes at an address of the code memory: the least power of two for which one bit of each code of all
    /// columns fills a link word; 0 without a codebook.
    pub fn code_words(&self) -> usize {
        let line = (self.array.cols * self.array.lanes).next_power_of_two();
        if self.codebook.is_some() { (self.link_bits / line).max(1) } else { 0 }
    }

    /// Digits of a level; 0 without a codebook.
    pub fn level_digits(&self) -> usize {
        self.codebook.as_ref().map_or(0, |book| book.level_bits / self.array.col_digit)
    }
}

impl key::Field for Counting {
    fn number(self) -> usize {
        self as usize
    }
    fn from_number(n: usize) -> Self {
        [Counting::All, Counting::Total][n]
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

impl Gaussian {
    /// Lines that take turns in one of the `pixels` pipelines.
    pub const TURNS: usize = 4;

    /// Lines of a batch.
    pub fn lines(&self) -> usize {
        Self::TURNS * self.pixels
    }

    /// Bits of a word of the pixel memory: a link word, or one pixel of each line of a batch.
    pub fn word_bits(&self, link_bits: usize) -> usize {
        link_bits.max(16 * self.lines())
    }

    /// Steps (one pixel of each line of a batch) in a word of the pixel memory.
    pub fn steps(&self, link_bits: usize) -> usize {
        self.word_bits(link_bits) / (16 * self.lines())
    }
}
