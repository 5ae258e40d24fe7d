//! Where the user's cache is.

use super::CacheError;
use std::ffi::OsString;
use std::path::PathBuf;

/// The user's folder for things that are built once: `$TANDEM_CACHE`, else `$XDG_CACHE_HOME/tandem`, else
/// `$HOME/.cache/tandem`.
///
/// # Errors   [`CacheError::NoPlace`] if none of the three is set
pub fn user_dir() -> Result<PathBuf, CacheError> {
    place(|name| std::env::var_os(name)).ok_or(CacheError::NoPlace)
}

/// The same for the environment that `variable` gives.
pub fn place(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let set = |name| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("TANDEM_CACHE")
        // the XDG specification: relative paths are ignored
        .or_else(|| set("XDG_CACHE_HOME").filter(|p| p.is_absolute()).map(|p| p.join("tandem")))
        .or_else(|| set("HOME").map(|p| p.join(".cache/tandem")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_cache_is() {
        let dir = |set: &[(&str, &str)]| {
            place(|name| set.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
        };
        let all = [("TANDEM_CACHE", "t"), ("XDG_CACHE_HOME", "/x"), ("HOME", "/h")];
        assert_eq!(dir(&all), Some("t".into()));
        assert_eq!(dir(&all[1..]), Some("/x/tandem".into()));
        assert_eq!(dir(&all[2..]), Some("/h/.cache/tandem".into()));
        assert_eq!(dir(&[("TANDEM_CACHE", ""), ("XDG_CACHE_HOME", "x"), ("HOME", "/h")]), dir(&all[2..]));
        assert_eq!(dir(&[]), None);
    }
}
