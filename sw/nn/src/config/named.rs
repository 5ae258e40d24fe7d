//! Names in a file that stand for the rows of a table.

use serde::de::{Deserialize, Deserializer, Error};

/// A name out of a table.
#[derive(Clone, Copy)]
pub struct Named<T>(pub T);

/// What names stand for.
pub trait Table: Sized + Copy + 'static {
    /// What a name is of.
    const WHAT: &'static str;
    /// All rows, under their names.
    fn rows() -> Vec<(&'static str, Self)>;
}

impl<'de, T: Table> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let rows = T::rows();
        match rows.iter().find(|(row, _)| *row == name) {
            Some((_, value)) => Ok(Named(*value)),
            None => {
                let names: Vec<_> = rows.iter().map(|(row, _)| format!("`{row}`")).collect();
                Err(D::Error::custom(format!("unknown {}, expected one of {}", T::WHAT, names.join(", "))))
            }
        }
    }
}
