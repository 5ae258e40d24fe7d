//! What lies outside of an image.

use std::fmt;
use std::str::FromStr;

/// How an image goes on beyond its border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Border {
    /// `cba|abcd|dcb`: mirrored, the pixel at the border repeated (OpenCV's `BORDER_REFLECT`).
    Reflect,
    /// `dcb|abcd|cba`: mirrored at the pixel at the border (OpenCV's `BORDER_REFLECT_101`, its default).
    Reflect101,
    /// `aaa|abcd|ddd` (OpenCV's `BORDER_REPLICATE`).
    Replicate,
    /// `bcd|abcd|abc` (OpenCV's `BORDER_WRAP`).
    Wrap,
    /// `vvv|abcd|vvv`, in the image's own units (OpenCV's `BORDER_CONSTANT`).
    Constant(f32),
}

/// The modes without a value, by name.
const NAMES: [(&str, Border); 4] = [
    ("reflect", Border::Reflect),
    ("reflect-101", Border::Reflect101),
    ("replicate", Border::Replicate),
    ("wrap", Border::Wrap),
];

impl Border {
    /// The index in `0..n` that stands for index `i`; nothing if that is the constant.
    ///
    /// # Panics   n = 0
    pub fn index(self, i: isize, n: usize) -> Option<usize> {
        let size = isize::try_from(n).expect("an image fits the memory");
        let inside = match self {
            Border::Constant(_) if !(0..size).contains(&i) => return None,
            Border::Constant(_) => i,
            Border::Replicate => i.clamp(0, size - 1),
            Border::Wrap => i.rem_euclid(size),
            Border::Reflect => {
                let p = i.rem_euclid(2 * size);
                p.min(2 * size - 1 - p)
            }
            Border::Reflect101 if size == 1 => 0,
            Border::Reflect101 => {
                let p = i.rem_euclid(2 * size - 2);
                p.min(2 * size - 2 - p)
            }
        };
        Some(inside.unsigned_abs())
    }

    /// What stands outside, where it is no pixel of the image.
    pub fn outside(self) -> f32 {
        if let Border::Constant(v) = self { v } else { 0.0 }
    }

    /// Indices that stand for `-before .. n + after`; `n` stands for the constant.
    pub(crate) fn indices(self, n: usize, before: usize, after: usize) -> Vec<u32> {
        let signed = |v: usize| isize::try_from(v).expect("an image fits the memory");
        (-signed(before)..signed(n + after)).map(|i| self.index(i, n).unwrap_or(n) as u32).collect()
    }
}

impl fmt::Display for Border {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, border)| border == self) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "constant:{}", self.outside()),
        }
    }
}

impl FromStr for Border {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let constant = text.strip_prefix("constant").and_then(|rest| match rest.strip_prefix(':') {
            None => rest.is_empty().then_some(0.0),
            Some(value) => value.parse().ok().filter(|v: &f32| v.is_finite()),
        });
        let named = NAMES.iter().find(|(name, _)| *name == text).map(|(_, border)| *border);
        named.or(constant.map(Border::Constant)).ok_or_else(|| {
            "expected reflect, reflect-101, replicate, wrap, constant or constant:VALUE".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(border: Border, n: usize) -> String {
        let letter = |i| border.index(i, n).map_or('v', |i| char::from(b'a' + i as u8));
        (-6..n as isize + 6).map(letter).collect()
    }

    #[test]
    fn borders_go_on_as_they_say() {
        assert_eq!(written(Border::Reflect, 4), "cddcbaabcddcbaab");
        assert_eq!(written(Border::Reflect101, 4), "abcdcbabcdcbabcd");
        assert_eq!(written(Border::Replicate, 4), "aaaaaaabcddddddd");
        assert_eq!(written(Border::Wrap, 4), "cdabcdabcdabcdab");
        assert_eq!(written(Border::Constant(1.0), 4), "vvvvvvabcdvvvvvv");
        for border in NAMES.map(|(_, border)| border) {
            assert_eq!(written(border, 1), "a".repeat(13));
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        let constants = [Border::Constant(0.0), Border::Constant(-2.5)];
        for border in NAMES.map(|(_, border)| border).into_iter().chain(constants) {
            assert_eq!(border.to_string().parse(), Ok(border));
        }
        assert_eq!("constant".parse(), Ok(Border::Constant(0.0)));
        for bad in ["", "mirror", "constant:", "constant:nan", "constant:inf", "constants", "Reflect"] {
            assert!(bad.parse::<Border>().is_err(), "{bad}");
        }
    }
}
