//! What can be wrong with a data set or with fetching one.

use std::io;
use std::path::PathBuf;
use tandem_filter::FilterError;
use tandem_filter::picture::PictureError;
use thiserror::Error;

/// A data set that cannot be found, read or fetched; each case names the file or tool.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// No data set has this name.
    #[error("unknown data set `{set}`: expected one of {known}")]
    UnknownSet {
        /// The name that was asked for.
        set: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The data set is not in its folder, or not all of it.
    #[error("data set {set}: no {file} in {}; {remedy}", folder.display())]
    Missing {
        /// Name of the data set.
        set: String,
        /// The folder that was searched.
        folder: PathBuf,
        /// The first file that is not there.
        file: String,
        /// What to do about it: the command that fetches the data set.
        remedy: String,
    },
    /// A file cannot be opened or read.
    #[error("cannot read {}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A gzip file is cut or damaged.
    #[error("{} is not a complete gzip file: {source}", file.display())]
    Gzip {
        /// The file.
        file: PathBuf,
        /// The decoder's reason.
        source: io::Error,
    },
    /// The file has another magic number.
    #[error("{}: expected magic number {expected:#010x}, got {got:#010x}", file.display())]
    Magic {
        /// The file.
        file: PathBuf,
        /// Magic number of the format.
        expected: u32,
        /// Magic number in the file.
        got: u32,
    },
    /// The file (after decompression) is shorter or longer than its format says.
    #[error("{} is {}: expected {expected} bytes, got {got}", file.display(), if got < expected { "truncated" } else { "too long" })]
    Length {
        /// The file.
        file: PathBuf,
        /// Bytes there must be.
        expected: u64,
        /// Bytes there are.
        got: u64,
    },
    /// More than is read or unpacked: checked before anything is.
    #[error("{}: {bytes} bytes or more, expected at most {most}", file.display())]
    TooLarge {
        /// The file or folder.
        file: PathBuf,
        /// Bytes that it has or announces.
        bytes: u64,
        /// Bytes that are allowed.
        most: u64,
    },
    /// Images of another size or kind.
    #[error("{}: expected {expected}, got {got}", file.display())]
    Shape {
        /// The file.
        file: PathBuf,
        /// Shape or pixel kind that the data set needs.
        expected: String,
        /// Shape or pixel kind in the file.
        got: String,
    },
    /// As many labels as images are needed.
    #[error("{} holds {images} images, but {} holds {labels} labels", images_file.display(), labels_file.display())]
    Count {
        /// The file (or folder) with the images.
        images_file: PathBuf,
        /// Images in it.
        images: usize,
        /// The file with the labels.
        labels_file: PathBuf,
        /// Labels in it.
        labels: usize,
    },
    /// A label is no class.
    #[error("{}: label {index} is {value}: expected 0 to {}", file.display(), classes - 1)]
    Label {
        /// The file.
        file: PathBuf,
        /// Position of the label in the file, from 0.
        index: usize,
        /// The label.
        value: i64,
        /// Number of classes.
        classes: usize,
    },
    /// An image cannot be decoded.
    #[error("cannot decode image {0}")]
    Image(#[from] PictureError),
    /// A class without images.
    #[error("{}: a class without pictures", folder.display())]
    EmptyClass {
        /// Its folder.
        folder: PathBuf,
    },
    /// An npy array that holds no images or labels.
    #[error("{}: {problem}", file.display())]
    Array {
        /// The file, and the array in it if there are several.
        file: PathBuf,
        /// What is wrong with it and what is expected.
        problem: String,
    },
    /// An option of another kind of set.
    #[error("`data.{key}`: {problem}")]
    Option {
        /// The key.
        key: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A step of `data.preprocess` cannot take an image.
    #[error("`data.preprocess`: {} image {image}: {source}", if *test { "test" } else { "training" })]
    Preprocess {
        /// Whether it is of the test set.
        test: bool,
        /// Its number.
        image: usize,
        /// The filter's reason.
        source: FilterError,
    },
    /// Batches cannot be prepared: the system gives no thread.
    #[error("no threads to prepare batches: {reason}")]
    Threads {
        /// The system's reason.
        reason: String,
    },
    /// A JSON file is malformed.
    #[error("{} is not a JSON list of labels: {source}", file.display())]
    Json {
        /// The file.
        file: PathBuf,
        /// The parser's reason, with line and column.
        source: serde_json::Error,
    },
    /// The data set has no source to fetch it from.
    #[error("data set {set} cannot be fetched: {reason}")]
    NotFetchable {
        /// Name of the data set.
        set: String,
        /// Why.
        reason: String,
    },
    /// A tool is not installed.
    #[error("{tool} was not found: {remedy}")]
    ToolMissing {
        /// The tool.
        tool: String,
        /// How to get it.
        remedy: String,
    },
    /// A tool failed.
    #[error("`{command}` failed ({status}):\n{stderr}")]
    ToolFailed {
        /// The command line.
        command: String,
        /// How it ended: `exit status: 1`, or the signal.
        status: String,
        /// Tail of its standard error output.
        stderr: String,
    },
    /// What was fetched does not hold a file that it should.
    #[error("package {package} holds no {file}")]
    Package {
        /// Name and version of the package.
        package: String,
        /// The file.
        file: String,
    },
    /// A file that was fetched is not the known one.
    #[error("{file} of package {package}: expected SHA-256 {expected}, got {got}")]
    Digest {
        /// Name and version of the package.
        package: String,
        /// The file.
        file: String,
        /// Known SHA-256, hexadecimal.
        expected: String,
        /// SHA-256 of what was fetched.
        got: String,
    },
    /// A file or folder cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}
