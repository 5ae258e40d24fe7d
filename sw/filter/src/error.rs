//! What can be wrong with an image or a filter.

use thiserror::Error;

/// An image that cannot be filtered, or a filter that cannot be made.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum FilterError {
    /// No filter has this name.
    #[error("unknown filter `{kind}`: expected one of {known}")]
    UnknownKind {
        /// The name that was asked for.
        kind: String,
        /// All names, separated by commas.
        known: String,
    },
    /// The filter has no such parameter.
    #[error("{kind} has no parameter `{name}`: expected one of {known}")]
    UnknownParameter {
        /// The filter.
        kind: &'static str,
        /// The parameter.
        name: String,
        /// All its parameters, separated by commas.
        known: String,
    },
    /// A value that the filter cannot take.
    #[error("{name} = {value}: expected {expected}")]
    Value {
        /// The parameter.
        name: &'static str,
        /// Its value as it was written.
        value: String,
        /// What it can be.
        expected: String,
    },
    /// A parameter that has no default is missing.
    #[error("{kind} needs {name}")]
    Missing {
        /// The filter.
        kind: &'static str,
        /// The parameter.
        name: String,
    },
    /// Numbers that are no image.
    #[error("an image of {height}×{width} with {channels} channels: expected {expected}")]
    Shape {
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Numbers a pixel.
        channels: usize,
        /// What is wrong.
        expected: String,
    },
    /// A pixel that is no number.
    #[error("pixel ({row}, {column}) has {value}: expected a finite number")]
    NotFinite {
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
        /// What it has.
        value: f32,
    },
    /// An exact result that nobody can wait for.
    #[error(
        "exact {kind} of {height}×{width} pixels: expected at most {most} pixels, its cost grows with their square"
    )]
    TooLarge {
        /// The filter.
        kind: &'static str,
        /// Rows.
        height: usize,
        /// Columns.
        width: usize,
        /// Most pixels.
        most: usize,
    },
}
