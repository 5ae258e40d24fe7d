//! A user's own images as NumPy arrays X and y, in four npy files or together in an npz file.
//!
//! ```text
//! npy/X_train.npy  npy/y_train.npy  npy/X_test.npy  npy/y_test.npy        or npy/data.npz with these four arrays; x or X
//! X: uint8 [n, h, w] or [n, h, w, c], c of 1 to 4      y: any integers [n], 0 … classes − 1; classes: the largest of y_train, and one
//! ```
//! Images of npy files that take more than [`Options::memory`] stay there.

pub mod header;

use super::{
    DataError, Dataset, Images, MOST_BYTES, NotThere, Options, Source, Split, Stored, check_labels, numbered,
    open,
};
use header::Header;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zip::ZipArchive;

/// Names of the arrays, in the order `read` takes them.
const ARRAYS: [&str; 4] = ["X_train", "y_train", "X_test", "y_test"];
const TOGETHER: &str = "data.npz";
/// Most bytes of a file that are looked at for its header.
const HEAD: u64 = 1 << 16;
/// Labels are bytes.
const MAX_CLASSES: i64 = 256;

pub(super) static SOURCE: Source = Source {
    name: "npy",
    folders: &["npy", "."],
    shape: None,
    package: None,
    locate,
    skipped: |_| Vec::new(),
    names: numbered,
    read,
};

/// The name with a small x, as Keras has it.
fn small(name: &str) -> String {
    name.replace('X', "x")
}

fn locate(folder: &Path) -> Result<Vec<PathBuf>, NotThere> {
    let together = folder.join(TOGETHER);
    let find = |name: &&str| {
        let paths = [name.to_string(), small(name)].map(|name| folder.join(format!("{name}.npy")));
        paths.into_iter().find(|path| path.is_file()).ok_or_else(|| format!("{name}.npy or {TOGETHER}"))
    };
    let files: Result<Vec<_>, _> = ARRAYS.iter().map(find).collect();
    match files {
        Err(_) if together.is_file() => Ok(vec![together]),
        files => Ok(files?),
    }
}

fn read(files: &[PathBuf], options: &Options) -> Result<Dataset, DataError> {
    let [train, test]: [Arrays; 2] = match files {
        [together] => {
            let [x, y, x_test, y_test] = ARRAYS.map(|name| Array::in_archive(together, name));
            [(x?, y?), (x_test?, y_test?)]
        }
        files => {
            let [x, y, x_test, y_test] = std::array::from_fn(|i| Array::of_file(&files[i]));
            [(x?, y?), (x_test?, y_test?)]
        }
    };
    let (shape, other) = (train.0.image_shape()?, test.0.image_shape()?);
    if other != shape {
        let show = |(h, w, c)| format!("images of {h}×{w}×{c}");
        let expected = format!("{} as in {}", show(shape), train.0.place.display());
        return Err(DataError::Shape { file: test.0.place, expected, got: show(other) });
    }
    let labels = train.1.labels()?;
    let most = labels.iter().copied().max().unwrap_or(0);
    let classes = most.clamp(0, MAX_CLASSES - 1) as usize + 1;
    let train = split(train, labels, classes, options)?;
    let labels = test.1.labels()?;
    Ok(Dataset {
        name: SOURCE.name.to_owned(),
        train,
        test: split(test, labels, classes, options)?,
        shape,
        classes,
        max_value: u8::MAX,
        known_digest: None,
    })
}

/// X and y.
type Arrays = (Array, Array);

fn split((x, y): Arrays, labels: Vec<i64>, classes: usize, options: &Options) -> Result<Split, DataError> {
    let n = x.header.shape[0];
    if n != labels.len() {
        return Err(DataError::Count {
            images_file: x.place,
            images: n,
            labels_file: y.place,
            labels: labels.len(),
        });
    }
    if n == 0 {
        return Err(x.refused("holds no images"));
    }
    let labels = check_labels(&y.place, &labels, classes)?;
    Ok(Split { images: x.images(options.memory)?, labels })
}

/// An array whose header was read.
struct Array {
    /// Its file, and its name there if there are several.
    place: PathBuf,
    header: Header,
    data: Data,
}

enum Data {
    /// Of a file.
    File(File),
    /// What follows the header, unpacked.
    Bytes(Vec<u8>),
}

impl Array {
    fn of_file(path: &Path) -> Result<Self, DataError> {
        let unreadable = |source| DataError::Read { file: path.to_owned(), source };
        let (mut file, bytes) = open(path)?;
        let head = start(&mut file).map_err(unreadable)?;
        let header = parse(path, &head)?;
        let array = Array { place: path.to_owned(), header, data: Data::File(file) };
        array.expect(bytes.saturating_sub(array.header.end as u64))?;
        Ok(array)
    }

    fn in_archive(path: &Path, name: &str) -> Result<Self, DataError> {
        let place = path.join(name);
        let damaged =
            |e: &dyn std::fmt::Display| DataError::Array { file: place.clone(), problem: e.to_string() };
        let (file, _) = open(path)?;
        let mut archive =
            ZipArchive::new(file).map_err(|e| damaged(&format!("not a whole npz file: {e}")))?;
        let names = [name.to_owned(), small(name)].map(|name| format!("{name}.npy"));
        let index = names.iter().find_map(|name| archive.index_for_name(name));
        let index = index.ok_or_else(|| damaged(&format!("{TOGETHER} holds no such array")))?;
        let mut file = archive.by_index(index).map_err(|e| damaged(&e))?;
        let mut bytes = start(&mut file).map_err(|e| damaged(&e))?;
        let header = parse(&place, &bytes)?;
        bytes.drain(..header.end);
        let mut array = Array { place: place.clone(), header, data: Data::Bytes(vec![]) };
        let wanted = array.bytes()?;
        // no more is unpacked than the header announces
        let left = (wanted + 1).saturating_sub(bytes.len() as u64);
        file.take(left).read_to_end(&mut bytes).map_err(|e| damaged(&e))?;
        array.expect(bytes.len() as u64)?;
        array.data = Data::Bytes(bytes);
        Ok(array)
    }

    fn refused(&self, problem: impl Into<String>) -> DataError {
        DataError::Array { file: self.place.clone(), problem: problem.into() }
    }

    /// Bytes that the header announces.
    fn bytes(&self) -> Result<u64, DataError> {
        let size = self.integer()?.0 as u64;
        let bytes = self.header.shape.iter().try_fold(size, |n, side| n.checked_mul(*side as u64));
        bytes.ok_or_else(|| self.refused(format!("shape {:?} is too large", self.header.shape)))
    }

    /// # Errors   another number of bytes than the header announces, or more than are read
    fn expect(&self, got: u64) -> Result<(), DataError> {
        let expected = self.bytes()?;
        if got != expected {
            return Err(DataError::Length { file: self.place.clone(), expected, got });
        }
        Ok(())
    }

    /// Bytes of a number, and whether it has a sign.
    fn integer(&self) -> Result<(usize, bool), DataError> {
        let descr = self.header.descr.as_str();
        let known = match descr.trim_start_matches(['<', '>', '|']) {
            "u1" => Some((1, false)),
            "u2" => Some((2, false)),
            "u4" => Some((4, false)),
            "u8" => Some((8, false)),
            "i1" => Some((1, true)),
            "i2" => Some((2, true)),
            "i4" => Some((4, true)),
            "i8" => Some((8, true)),
            _ => None,
        };
        known.ok_or_else(|| self.refused(format!("numbers of type {descr}: expected integers")))
    }

    /// Height, width and channels of X.
    fn image_shape(&self) -> Result<(usize, usize, usize), DataError> {
        if self.integer()? != (1, false) {
            return Err(
                self.refused(format!("numbers of type {}: expected uint8, 0 to 255", self.header.descr))
            );
        }
        let shape = match *self.header.shape {
            [_, h, w] => (h, w, 1),
            [_, h, w, c] => (h, w, c),
            _ => (0, 0, 0),
        };
        let (h, w, c) = shape;
        let side = 1..=super::image_folder::MAX_SIDE;
        if self.header.fortran || !side.contains(&h) || !side.contains(&w) || !(1..=4).contains(&c) {
            let order = if self.header.fortran { " in Fortran's order" } else { "" };
            let problem = format!(
                "shape {:?}{order}: expected [n, h, w] or [n, h, w, c] in C's order, h and w of 1 to {}, c of 1 to 4",
                self.header.shape,
                side.end()
            );
            return Err(self.refused(problem));
        }
        Ok(shape)
    }

    /// The numbers of y.
    fn labels(&self) -> Result<Vec<i64>, DataError> {
        let [n] = *self.header.shape else {
            return Err(self.refused(format!("shape {:?}: expected [n]", self.header.shape)));
        };
        let (size, signed) = self.integer()?;
        if n as u64 > MOST_BYTES {
            return Err(self.refused(format!("{n} labels: expected at most {MOST_BYTES}")));
        }
        let bytes = match &self.data {
            Data::Bytes(bytes) => bytes.clone(),
            Data::File(file) => {
                let mut bytes = vec![0; n * size];
                let unreadable = |source| DataError::Read { file: self.place.clone(), source };
                file.read_exact_at(&mut bytes, self.header.end as u64).map_err(unreadable)?;
                bytes
            }
        };
        let number = |bytes: &[u8]| {
            let mut wide = [0; 8];
            wide[..size].copy_from_slice(bytes);
            if self.header.descr.starts_with('>') {
                wide[..size].reverse();
            }
            let unused = 64 - 8 * size as u32;
            // a u64 beyond i64 becomes negative, which is no label either
            if signed { i64::from_le_bytes(wide) << unused >> unused } else { i64::from_le_bytes(wide) }
        };
        Ok(bytes.chunks_exact(size).map(number).collect())
    }

    /// The images of X.
    fn images(self, most: u64) -> Result<Images, DataError> {
        let (n, features) = (self.header.shape[0], self.header.shape[1..].iter().product());
        match self.data {
            Data::Bytes(bytes) => {
                let images = ndarray::Array2::from_shape_vec((n, features), bytes);
                Ok(images.expect("the header's count").into())
            }
            Data::File(file) => {
                let start = self.header.end as u64;
                Images::load(Arc::new(Rows { file, place: self.place, start, n, features }), most)
            }
        }
    }
}

/// The first bytes of a file.
fn start(file: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = vec![];
    file.take(HEAD).read_to_end(&mut head)?;
    Ok(head)
}

fn parse(place: &Path, head: &[u8]) -> Result<Header, DataError> {
    let refused =
        |what| DataError::Array { file: place.to_owned(), problem: format!("not an npy array: {what}") };
    Header::parse(head).map_err(refused)
}

/// Rows of bytes in a file.
#[derive(Debug)]
struct Rows {
    file: File,
    place: PathBuf,
    start: u64,
    n: usize,
    features: usize,
}

impl Stored for Rows {
    fn count(&self) -> usize {
        self.n
    }

    fn features(&self) -> usize {
        self.features
    }

    fn read(&self, image: usize, to: &mut [u8]) -> Result<(), DataError> {
        let at = self.start + (image * self.features) as u64;
        self.file.read_exact_at(to, at).map_err(|source| DataError::Read { file: self.place.clone(), source })
    }
}
