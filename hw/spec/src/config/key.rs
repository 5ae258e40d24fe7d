//! What a row of the table of keys says, and what follows from it: reading, writing, drawing at random, the page.

use super::Config;

/// One key of an accelerator's TOML file.
pub struct Key {
    /// Name in its table.
    pub name: &'static str,
    /// What it is, in a line.
    pub help: &'static str,
    /// What is allowed, given the keys above it.
    pub allowed: fn(&Config) -> Allowed,
    /// The value of a key that is left out; without it the key must be given.
    pub default: Option<fn(&Config) -> usize>,
    /// The bounds in words, where other keys move them.
    pub bounds: &'static str,
    /// The default in words, where other keys move it.
    pub usual: &'static str,
    /// Not written, and so no part of the hash, where it has its default: what was added to the table later.
    pub reduction: bool,
    /// Whether the key has a meaning, given the keys above it; where not, it is 1.
    pub when: fn(&Config) -> bool,
    /// Its value as a number (`true` is 1, a word its place in the list).
    pub value: fn(&Config) -> usize,
    pub(super) set: fn(&mut Config, usize),
}

/// A table of the file.
pub struct Table {
    /// Name.
    pub name: &'static str,
    /// What it is for.
    pub help: &'static str,
    /// Whether it is there; `None` if it always is.
    pub optional: Option<fn(&Config) -> bool>,
    /// Its keys, in the order in which they are written.
    pub keys: &'static [Key],
    pub(super) add: fn(&mut Config),
}

/// Values that a key can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// From the first to the second.
    Range(usize, usize),
    /// Powers of two from the first to the second.
    Power(usize, usize),
    /// These; the text says which.
    List(Vec<usize>, String),
    /// `false` and `true`.
    Switch,
    /// `false`; the text says why.
    Off(&'static str),
    /// These words, or one of them only; the text says which.
    Words(&'static [&'static str], Option<(usize, &'static str)>),
}

impl Allowed {
    /// All of them, as numbers.
    pub fn values(&self) -> Vec<usize> {
        match self {
            Allowed::Range(lo, hi) => (*lo..=*hi).collect(),
            Allowed::Power(lo, hi) => {
                (0..usize::BITS - 1).map(|b| 1 << b).skip_while(|v| v < lo).take_while(|v| v <= hi).collect()
            }
            Allowed::List(values, _) => values.clone(),
            Allowed::Switch => vec![0, 1],
            Allowed::Off(_) => vec![0],
            Allowed::Words(_, Some((only, _))) => vec![*only],
            Allowed::Words(all, None) => (0..all.len()).collect(),
        }
    }

    /// The value that is written so, if it is one and allowed.
    pub(super) fn read(&self, written: &toml::Value) -> Option<usize> {
        let value = match (self, written) {
            (Allowed::Switch | Allowed::Off(_), toml::Value::Boolean(on)) => usize::from(*on),
            (Allowed::Words(all, ..), toml::Value::String(word)) => all.iter().position(|w| w == word)?,
            (Allowed::Range(..) | Allowed::Power(..) | Allowed::List(..), toml::Value::Integer(number)) => {
                usize::try_from(*number).ok()?
            }
            _ => return None,
        };
        let inside = match self {
            Allowed::Range(lo, hi) => (*lo..=*hi).contains(&value),
            Allowed::Power(lo, hi) => (*lo..=*hi).contains(&value) && value.is_power_of_two(),
            other => other.values().contains(&value),
        };
        inside.then_some(value)
    }

    /// The value as it is written.
    pub fn written(&self, value: usize) -> toml::Value {
        match self {
            Allowed::Switch | Allowed::Off(_) => toml::Value::from(value != 0),
            Allowed::Words(all, ..) => toml::Value::from(all[value]),
            _ => toml::Value::from(value as i64),
        }
    }
}

impl std::fmt::Display for Allowed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Allowed::Range(lo, hi) => write!(f, "{lo} to {hi}"),
            Allowed::Power(lo, hi) => write!(f, "a power of two from {lo} to {hi}"),
            Allowed::List(_, text) => f.write_str(text),
            Allowed::Switch => f.write_str("true or false"),
            Allowed::Off(text) => f.write_str(text),
            Allowed::Words(_, Some((_, text))) => f.write_str(text),
            Allowed::Words(all, None) => {
                let words: Vec<String> = all.iter().map(|w| format!("{w:?}")).collect();
                f.write_str(&words.join(" or "))
            }
        }
    }
}

/// A field of [`Config`] that stands for a key.
pub(super) trait Field: Copy {
    fn number(self) -> usize;
    fn from_number(n: usize) -> Self;
}

impl Field for usize {
    fn number(self) -> usize {
        self
    }
    fn from_number(n: usize) -> Self {
        n
    }
}

impl Field for bool {
    fn number(self) -> usize {
        self.into()
    }
    fn from_number(n: usize) -> Self {
        n != 0
    }
}

/// What a row leaves out.
pub(super) const PLAIN_KEY: Key = Key {
    name: "",
    help: "",
    allowed: |_| Allowed::Switch,
    default: None,
    bounds: "",
    usual: "",
    reduction: false,
    when: |_| true,
    value: |_| 0,
    set: |_, _| {},
};

/// Declares [`Config`], its parts and [`TABLES`](super::TABLES): tables with a struct of their own, tables whose keys are fields of
/// `Config` itself, and one that may be left out. A row is `field "key": type { what its [`Key`] says }`; its doc comment is its help.
macro_rules! keys {
    (
        own { $($(#[doc = $ndoc:literal])+ $nest:ident $ntable:literal $Nested:ident {
            $($(#[doc = $nhelp:literal])+ $nfield:ident $nkey:literal : $nty:ty { $($nrule:tt)* })* })* }
        flat { $($(#[doc = $fdoc:literal])+ $ftable:literal {
            $($(#[doc = $fhelp:literal])+ $ffield:ident $fkey:literal : $fty:ty { $($frule:tt)* })* })* }
        optional { $($(#[doc = $odoc:literal])+ $opt:ident $otable:literal $Optional:ident {
            $($(#[doc = $ohelp:literal])+ $ofield:ident $okey:literal : $oty:ty { $($orule:tt)* })* })* }
    ) => {
        /// A validated accelerator configuration.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub struct Config {
            /// Name, for reports; does not take part in the hash.
            pub name: String,
            $($(#[doc = $ndoc])+ pub $nest: $Nested,)*
            $($($(#[doc = $fhelp])+ pub $ffield: $fty,)*)*
            $($(#[doc = $odoc])+ pub $opt: Option<$Optional>,)*
        }
        $($(#[doc = $ndoc])+
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $Nested { $($(#[doc = $nhelp])+ pub $nfield: $nty,)* })*
        $($(#[doc = $odoc])+
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
        pub struct $Optional { $($(#[doc = $ohelp])+ pub $ofield: $oty,)* })*

        /// Every key, in the order in which they are written.
        pub static TABLES: &[Table] = &[
            $(Table { name: $ntable, help: concat!($($ndoc),+), optional: None, add: |_| {}, keys: &[$(Key {
                name: $nkey,
                help: concat!($($nhelp),+),
                value: |c| Field::number(c.$nest.$nfield),
                set: |c, v| c.$nest.$nfield = Field::from_number(v),
                $($nrule)* ..PLAIN_KEY
            },)*] },)*
            $(Table { name: $ftable, help: concat!($($fdoc),+), optional: None, add: |_| {}, keys: &[$(Key {
                name: $fkey,
                help: concat!($($fhelp),+),
                value: |c| Field::number(c.$ffield),
                set: |c, v| c.$ffield = Field::from_number(v),
                $($frule)* ..PLAIN_KEY
            },)*] },)*
            $(Table {
                name: $otable,
                help: concat!($($odoc),+),
                optional: Some(|c| c.$opt.is_some()),
                add: |c| c.$opt = Some(Default::default()),
                keys: &[$(Key {
                    name: $okey,
                    help: concat!($($ohelp),+),
                    value: |c| Field::number(c.$opt.as_ref().expect("the table is there").$ofield),
                    set: |c, v| c.$opt.as_mut().expect("the table is there").$ofield = Field::from_number(v),
                    $($orule)* ..PLAIN_KEY
                },)*],
            },)*
        ];
    };
}
pub(super) use keys;
