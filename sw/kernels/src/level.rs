//! The vector units that a machine has.

use std::fmt;
use std::str::FromStr;
use std::sync::OnceLock;

/// What kernels may use, of what this machine has. Every level gives the same sums.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(Units);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Units {
    /// Plain Rust, as the compiler vectorises it for the target: SSE2 on x86-64, NEON on AArch64.
    Portable,
    /// AVX2: products of 16-bit pairs.
    Avx2,
    /// AVX-512 with VNNI: products of 8-bit quadruples.
    Avx512,
}

/// Names and levels.
const NAMES: [(&str, Units); 3] =
    [("portable", Units::Portable), ("avx2", Units::Avx2), ("avx512", Units::Avx512)];

/// The variable that holds a level down.
const VARIABLE: &str = "TANDEM_KERNELS";

/// A level that is none, or that the machine does not have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownLevel {
    given: String,
    best: Level,
}

impl fmt::Display for UnknownLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Level::all().iter().map(|level| level.name()).collect();
        write!(f, "`{}`: expected {}", self.given, names.join(", "))?;
        write!(f, " (the best that this machine has is {})", self.best.name())
    }
}

impl std::error::Error for UnknownLevel {}

impl Level {
    /// Those that this machine has, the best last.
    pub fn all() -> Vec<Level> {
        NAMES.into_iter().filter(|(_, units)| units.are_there()).map(|(_, units)| Level(units)).collect()
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(_, units)| *units == self.0).expect("every level has a name").0
    }

    /// Those of this level.
    #[inline(always)]
    pub(crate) fn units(self) -> Units {
        self.0
    }

    /// Whether products of bytes are faster than those of words.
    pub fn multiplies_bytes(self) -> bool {
        self.0 == Units::Avx512
    }

    /// The best that this machine has.
    pub fn best() -> Level {
        *Level::all().last().expect("portable is always there")
    }

    /// What `TANDEM_KERNELS` asks for, or the best.
    ///
    /// # Errors   if that is no level of this machine
    pub fn asked_for() -> Result<Level, UnknownLevel> {
        match std::env::var(VARIABLE) {
            Ok(name) if !name.is_empty() => name.parse(),
            _ => Ok(Level::best()),
        }
    }

    /// The level to use: [`asked_for`](Self::asked_for) when it was first wanted, or the best.
    #[inline]
    pub fn current() -> Level {
        static CURRENT: OnceLock<Level> = OnceLock::new();
        *CURRENT.get_or_init(|| Level::asked_for().unwrap_or_else(|_| Level::best()))
    }

    /// Runs `f`, compiled for this level as far as it is inlined: loops vectorise for its units. The same bits, since
    /// nothing is contracted or reordered.
    #[inline(always)]
    pub fn run<R>(self, f: impl FnOnce() -> R) -> R {
        match self.0 {
            // SAFETY: `all` makes levels, of units that are there.
            #[cfg(target_arch = "x86_64")]
            Units::Avx512 => unsafe { with_avx512(f) },
            #[cfg(target_arch = "x86_64")]
            Units::Avx2 => unsafe { with_avx2(f) },
            _ => f(),
        }
    }
}

impl Units {
    #[cfg(target_arch = "x86_64")]
    fn are_there(self) -> bool {
        match self {
            Units::Portable => true,
            Units::Avx2 => is_x86_feature_detected!("avx2"),
            Units::Avx512 => {
                is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("avx512vnni")
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn are_there(self) -> bool {
        self == Units::Portable
    }
}

/// # Safety   the machine has the features
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
#[inline]
unsafe fn with_avx512<R>(f: impl FnOnce() -> R) -> R {
    f()
}

/// # Safety   the machine has the feature
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn with_avx2<R>(f: impl FnOnce() -> R) -> R {
    f()
}

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Level, UnknownLevel> {
        let found = Level::all().into_iter().find(|level| level.name() == name);
        found.ok_or_else(|| UnknownLevel { given: name.into(), best: Level::best() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_known_by_name() {
        assert_eq!("portable".parse(), Ok(Level(Units::Portable)));
        for level in Level::all() {
            assert_eq!(level.name().parse(), Ok(level));
            assert!(level <= Level::best());
        }
        let error = "sse9".parse::<Level>().unwrap_err().to_string();
        assert!(error.starts_with("`sse9`: expected portable"), "{error}");
    }
}
