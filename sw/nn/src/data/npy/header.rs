//! The header of an npy array (NumPy's format, versions 1 to 3): a Python dictionary with three entries.

/// What an npy header says.
#[derive(Debug, PartialEq, Eq)]
pub struct Header {
    /// NumPy's type string, for instance `<i4`.
    pub descr: String,
    /// Column-major.
    pub fortran: bool,
    /// The sides.
    pub shape: Vec<usize>,
    /// Where the data starts.
    pub end: usize,
}

/// A value of the dictionary.
#[derive(Debug)]
enum Value {
    Text(String),
    Flag(bool),
    Sides(Vec<usize>),
}

impl Header {
    /// The header at the start of a file.
    ///
    /// # Errors   what is wrong with it
    pub fn parse(file: &[u8]) -> Result<Header, String> {
        let rest = file.strip_prefix(b"\x93NUMPY").ok_or("it does not start with \\x93NUMPY")?;
        let cut = || "cut inside its header".to_string();
        let major = *rest.first().ok_or_else(cut)?;
        let width = match major {
            1 => 2,
            2 | 3 => 4,
            v => return Err(format!("version {v}: expected 1, 2 or 3")),
        };
        let mut length = [0; 4];
        length[..width].copy_from_slice(rest.get(2..2 + width).ok_or_else(cut)?);
        let (from, length) = (6 + 2 + width, u32::from_le_bytes(length) as usize);
        let text = file.get(from..).and_then(|t| t.get(..length)).ok_or_else(cut)?;
        let text = std::str::from_utf8(text).map_err(|_| "its header is not text")?;
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        for (key, value) in dictionary(text).ok_or_else(|| format!("its header is {:?}", text.trim_end()))? {
            match (key.as_str(), value) {
                ("descr", Value::Text(t)) => descr = Some(t),
                ("fortran_order", Value::Flag(f)) => fortran = Some(f),
                ("shape", Value::Sides(s)) => shape = Some(s),
                (key, value) => return Err(format!("{key} is {value:?} in its header")),
            }
        }
        let missing = |key: &str| format!("no {key} in its header");
        Ok(Header {
            descr: descr.ok_or_else(|| missing("descr"))?,
            fortran: fortran.ok_or_else(|| missing("fortran_order"))?,
            shape: shape.ok_or_else(|| missing("shape"))?,
            end: from + length,
        })
    }
}

/// `{'key': value, …}`.
fn dictionary(text: &str) -> Option<Vec<(String, Value)>> {
    let mut rest = text.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let mut entries = vec![];
    while !rest.is_empty() {
        let (key, after) = quoted(rest)?;
        let (value, after) = value(after.trim_start().strip_prefix(':')?.trim_start())?;
        entries.push((key, value));
        rest = separated(after)?;
    }
    Some(entries)
}

/// Behind the comma, or the end.
fn separated(rest: &str) -> Option<&str> {
    let rest = rest.trim_start();
    if rest.is_empty() { Some(rest) } else { Some(rest.strip_prefix(',')?.trim_start()) }
}

fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    let (inside, after) = text[1..].split_once(quote)?;
    Some((inside.to_owned(), after))
}

fn value(text: &str) -> Option<(Value, &str)> {
    if let Some((text, after)) = quoted(text) {
        return Some((Value::Text(text), after));
    }
    for (name, flag) in [("True", true), ("False", false)] {
        if let Some(after) = text.strip_prefix(name) {
            return Some((Value::Flag(flag), after));
        }
    }
    let (inside, after) = text.strip_prefix('(')?.split_once(')')?;
    let mut sides: Vec<&str> = inside.split(',').map(str::trim).collect();
    // `()`, and the comma behind the last side
    if sides.last() == Some(&"") {
        sides.pop();
    }
    let sides = sides.into_iter().map(|s| s.parse().ok()).collect::<Option<_>>()?;
    Some((Value::Sides(sides), after))
}
