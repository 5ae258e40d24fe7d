//! Topologies of SCALE-Sim: a layer a line, its first line a header.
//!
//! ```text
//! convolution   name, input height, input width, filter height, filter width, channels, filters, stride [, stride across] [, N:M],
//! GEMM          name, M, N, K [, N:M],
//! ```
//! The input's size includes its padding. `DP` in a name means depthwise: every channel has one filter of its own. A last
//! comma, a byte order mark and CRLF are allowed.

use std::fmt;
use tandem_driver::conv::Window;

/// A layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// Its products.
    pub shape: Shape,
    /// N:M of its weights, if its line says so.
    pub pattern: Option<(usize, usize)>,
}

/// A layer's shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A convolution, of a batch of one.
    Convolution {
        /// Image and filter.
        window: Window,
        /// Filters.
        outputs: usize,
        /// Convolutions of this shape side by side: channels of a depthwise one.
        times: u64,
    },
    /// A matrix product.
    Gemm {
        /// Rows of the input.
        m: usize,
        /// Columns of the weights.
        n: usize,
        /// What is summed.
        k: usize,
    },
}

/// A line that is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineError {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong and what is allowed.
    pub what: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Largest size in a topology.
const MOST: usize = 1 << 20;

/// The layers of a topology.
///
/// # Errors   the first line that is no layer; a topology without layers
pub fn parse(text: &str) -> Result<Vec<Layer>, LineError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines =
        text.lines().enumerate().skip(1).filter(|(_, line)| !line.trim().trim_matches(',').is_empty());
    let layers: Vec<_> = lines
        .map(|(i, line)| layer(line).map_err(|what| LineError { line: i + 1, what }))
        .collect::<Result<_, _>>()?;
    if layers.is_empty() {
        return Err(LineError { line: 1, what: "no layers: expected a header and a line a layer".into() });
    }
    Ok(layers)
}

fn layer(line: &str) -> Result<Layer, String> {
    let mut fields: Vec<&str> = line.trim().split(',').map(str::trim).collect();
    while fields.last() == Some(&"") {
        fields.pop();
    }
    let pattern = fields.last().filter(|f| f.contains(':')).map(|f| pattern(f)).transpose()?;
    if pattern.is_some() {
        fields.pop();
    }
    let [name, numbers @ ..] = &fields[..] else { return Err("expected a name and sizes".into()) };
    let number = |text: &&str| {
        let n = text.parse::<usize>().ok().filter(|n| (1..=MOST).contains(n));
        n.ok_or_else(|| format!("`{text}`: expected a whole number from 1 to {MOST}"))
    };
    let numbers = numbers.iter().map(number).collect::<Result<Vec<_>, _>>()?;
    let shape = match numbers[..] {
        [m, n, k] => Shape::Gemm { m, n, k },
        [h, w, kh, kw, channels, outputs, stride] | [h, w, kh, kw, channels, outputs, stride, _] => {
            let stride = [stride, numbers.get(7).copied().unwrap_or(stride)];
            let depthwise = name.contains("DP");
            let (each, outputs, times) =
                if depthwise { (1, 1, channels as u64) } else { (channels, outputs, 1) };
            let window = Window { image: [h, w], channels: each, kernel: [kh, kw], stride, padding: [0, 0] };
            if window.positions().is_none() {
                return Err(format!("a filter of {kh} × {kw} does not fit an input of {h} × {w}"));
            }
            Shape::Convolution { window, outputs, times }
        }
        _ => {
            let found = numbers.len();
            return Err(format!(
                "{found} sizes: expected 3 (M, N, K) or 7 or 8 (a convolution and its strides)"
            ));
        }
    };
    Ok(Layer { name: (*name).to_owned(), shape, pattern })
}

fn pattern(text: &str) -> Result<(usize, usize), String> {
    crate::operands::parse_pattern(text).map_err(|e| format!("`{text}`: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_scale_sim_writes_them() {
        let text = "\u{feff}Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\r\n\
                    Conv1, 224, 224, 11, 11, 3, 96, 4,\r\nConv_DP2, 9, 9, 3, 3, 16, 1, 2, 2, 2:4\r\n\r\n,,,\r\nFC, 1, 10, 64\r\n";
        let layers = parse(text).unwrap();
        let names: Vec<_> = layers.iter().map(|l| &*l.name).collect();
        assert_eq!(names, ["Conv1", "Conv_DP2", "FC"]);
        let Shape::Convolution { window, outputs: 96, times: 1 } = layers[0].shape else {
            panic!("{layers:?}")
        };
        assert_eq!((window.positions(), window.volume()), (Some((54, 54)), 363));
        let Shape::Convolution { window, outputs: 1, times: 16 } = layers[1].shape else {
            panic!("{layers:?}")
        };
        assert_eq!((window.channels, window.positions(), layers[1].pattern), (1, Some((4, 4)), Some((2, 4))));
        assert_eq!(layers[2].shape, Shape::Gemm { m: 1, n: 10, k: 64 });
        let layers = parse("header\na, 9, 9, 3, 3, 1, 1, 1, 2\n").unwrap();
        let Shape::Convolution { window, .. } = layers[0].shape else { panic!("{layers:?}") };
        assert_eq!(window.positions(), Some((7, 4)), "strides down and across");
    }

    #[test]
    fn wrong_lines_are_named() {
        for (line, says) in [
            ("a, 1, 2", "2 sizes"),
            ("a, 1, x, 3", "`x`"),
            ("a, 0, 1, 1", "`0`"),
            ("a, 2, 2, 3, 3, 1, 1, 1", "does not fit"),
            ("a, 1, 2, 3, 3:2", "`3:2`"),
        ] {
            let error = parse(&format!("header\n{line}\n")).unwrap_err();
            assert_eq!(error.line, 2);
            assert!(error.what.contains(says), "{line}: {error}");
        }
        assert_eq!(parse("header\n").unwrap_err().line, 1);
    }
}
