//! How a set is read: what may be said of a user's own images.

use super::{find, image_folder, npy};

/// Bytes of a split's pixels that are kept in memory, unless something else is said.
const MEMORY: u64 = 1 << 30;

/// How a set is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Height and width that pictures of folders are resized to; without it all have to be alike.
    pub size: Option<(usize, usize)>,
    /// Channels that pictures of folders are converted to, 1 or 3; without it all have to be alike, of 8 bits and without alpha.
    pub channels: Option<usize>,
    /// Most bytes of a split's pixels that are kept in memory; the pixels of a larger one are read from its files whenever they are needed.
    /// Sets with files of their own format are always in memory.
    pub memory: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { size: None, channels: None, memory: MEMORY }
    }
}

/// An option that a set does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionError {
    /// Its key.
    pub key: &'static str,
    /// Why.
    pub problem: String,
}

impl Options {
    /// Whether the set of this name has these options; a set of another name than the known ones has all.
    ///
    /// # Errors   it has not
    pub fn check(&self, set: &str) -> Result<(), OptionError> {
        let Ok(source) = find(set) else { return Ok(()) };
        let folder = image_folder::SOURCE.name;
        let only = |key, sets: &[&str]| {
            let sets: Vec<_> = sets.iter().map(|set| format!("`set = \"{set}\"`")).collect();
            Err(OptionError { key, problem: format!("only with {}", sets.join(" or ")) })
        };
        if self.size.is_some() && source.name != folder {
            return only("size", &[folder]);
        }
        if self.channels.is_some() && source.name != folder {
            return only("channels", &[folder]);
        }
        if self.memory != MEMORY && ![folder, npy::SOURCE.name].contains(&source.name) {
            return only("memory", &[folder, npy::SOURCE.name]);
        }
        Ok(())
    }
}
