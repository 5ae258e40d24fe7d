//! Arrays from npy files (NumPy's format, versions 1 to 3), every number type that a command takes.
//!
//! ```text
//! "\x93NUMPY" major minor │ length u16 | u32 │ {'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), } │ data
//! ```
//! A header is believed only as far as the file is as long as it says: nothing is allocated for more.

use crate::arguments::entries;
use crate::failure::usage;
use anyhow::Result;
use ndarray::{ArrayD, Dimension, IxDyn, ShapeBuilder};
use num_complex::Complex;
use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use tandem_nn::data::npy::header::Header;

/// Kinds of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Signed,
    Unsigned,
    Float,
    Complex,
}

/// Most bytes of a file that are looked at for its header.
const HEAD: u64 = 1 << 16;

/// What a file holds: bytes of numbers, with their type and shape.
struct Numbers {
    header: Header,
    kind: Kind,
    /// Bytes of a number.
    size: usize,
    data: Vec<u8>,
}

fn refuse<T>(path: &Path, what: impl Display) -> Result<T> {
    Err(usage(format!("{}: {what}", path.display())))
}

impl Numbers {
    /// Reads a file. `takes` says which kinds of numbers are wanted, and what they are called.
    fn new(path: &Path, (takes, called): (&[Kind], &str), most: usize) -> Result<Self> {
        let io = |e: std::io::Error| usage(format!("{}: {e}", path.display()));
        let mut file = File::open(path).map_err(io)?;
        let mut data = vec![];
        (&mut file).take(HEAD).read_to_end(&mut data).map_err(io)?;
        let header = match Header::parse(&data) {
            Ok(header) => header,
            Err(what) => return refuse(path, format!("not an npy array: {what}")),
        };
        let Some((kind, size)) = number(&header.descr).filter(|n| takes.contains(&n.0)) else {
            return refuse(path, format!("not {called} npy array: its type is {}", header.descr));
        };
        let wanted = entries(path.display(), &header.shape, most)? * size;
        data.drain(..header.end);
        // one more, to see that there is none; a pipe has no length to ask for
        let left = (wanted + 1).saturating_sub(data.len());
        (&mut file).take(left as u64).read_to_end(&mut data).map_err(io)?;
        if data.len() != wanted {
            let how = if data.len() < wanted { "truncated" } else { "too long" };
            let length = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|m| m.len());
            let found = length.map_or(data.len() as u64, |n| n.saturating_sub(header.end as u64));
            let (shape, descr) = (&header.shape, &header.descr);
            return refuse(path, format!("{how}: {shape:?} of {descr} are {wanted} bytes, found {found}"));
        }
        Ok(Numbers { header, kind, size, data })
    }

    /// Its numbers through `read`, which takes the least significant byte first.
    fn array<T>(&self, read: impl Fn(&[u8]) -> T) -> ArrayD<T> {
        let part = if self.kind == Kind::Complex { self.size / 2 } else { self.size };
        let values = self.data.chunks_exact(self.size).map(|chunk| {
            let mut number = [0u8; 16];
            let number = &mut number[..self.size];
            number.copy_from_slice(chunk);
            if self.header.descr.starts_with('>') {
                number.chunks_exact_mut(part).for_each(<[u8]>::reverse);
            }
            read(number)
        });
        let shape = IxDyn(&self.header.shape).set_f(self.header.fortran);
        ArrayD::from_shape_vec(shape, values.collect()).expect("the header's count")
    }
}

/// The kind and the bytes of NumPy's type strings.
fn number(descr: &str) -> Option<(Kind, usize)> {
    let (order, code) = descr.split_at_checked(1)?;
    let (kind, sizes) = match code.get(..1)? {
        "i" => (Kind::Signed, &["1", "2", "4", "8"][..]),
        "u" => (Kind::Unsigned, &["1", "2", "4", "8"][..]),
        "f" => (Kind::Float, &["4", "8"][..]),
        "c" => (Kind::Complex, &["8", "16"][..]),
        _ => return None,
    };
    let size = sizes.iter().find(|s| **s == &code[1..])?.parse().ok()?;
    (matches!(order, "<" | ">") || order == "|" && size == 1).then_some((kind, size))
}

/// Reads an array of integers of any width.
///
/// # Errors   the file, with what is wrong: type, length, or the index and value of what 32 bits do not hold
pub fn integers(path: &Path, most: usize) -> Result<ArrayD<i32>> {
    let file = Numbers::new(path, (&[Kind::Signed, Kind::Unsigned], "an integer"), most)?;
    let wide = |b: &[u8]| {
        let negative = file.kind == Kind::Signed && b[b.len() - 1] >> 7 == 1;
        let mut v = [if negative { 0xff } else { 0 }; 16];
        v[..b.len()].copy_from_slice(b);
        i128::from_le_bytes(v)
    };
    let narrow = |b: &[u8]| i32::try_from(wide(b));
    // of the array with what fits, so that no wider copy of it is needed
    let fits = file.array(|b| narrow(b).is_ok());
    if let Some((at, _)) = fits.indexed_iter().find(|(_, fits)| !**fits) {
        let value = file.array(wide)[&at];
        return refuse(path, format!("{:?} = {value}: does not fit any operand", at.slice()));
    }
    Ok(file.array(|b| narrow(b).unwrap_or(0)))
}

/// Reads an array of real or complex floating-point numbers of 32 or 64 bits a part.
///
/// # Errors   the file, with what is wrong: type or length
pub fn complex(path: &Path, most: usize) -> Result<ArrayD<Complex<f64>>> {
    let called = "a complex64, complex128, float32 or float64";
    let file = Numbers::new(path, (&[Kind::Float, Kind::Complex], called), most)?;
    let part = |b: &[u8]| match b.try_into() {
        Ok(four) => f64::from(f32::from_le_bytes(four)),
        Err(_) => f64::from_le_bytes(b.try_into().expect("four or eight bytes")),
    };
    Ok(match file.kind {
        Kind::Complex => file.array(|b| {
            let (re, im) = b.split_at(b.len() / 2);
            Complex::new(part(re), part(im))
        }),
        _ => file.array(|b| Complex::new(part(b), 0.0)),
    })
}

#[cfg(test)]
mod tests;
