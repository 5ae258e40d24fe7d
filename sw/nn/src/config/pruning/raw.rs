//! The table `[pruning]`, as written.

use crate::config::named::{Named, Table};
use crate::number::{Fraction, Int, Portion, Real, Unit, one};
use crate::prune::budget::{BUDGETS, Budget};
use crate::prune::pattern::PatternSpec;
use crate::prune::preset::{PRESETS, Preset};
use crate::prune::scores::{SCORES, ScoreKind};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use std::collections::BTreeMap;
use std::fmt;

impl Table for Budget {
    const WHAT: &'static str = "budget";
    fn rows() -> Vec<(&'static str, Self)> {
        BUDGETS.to_vec()
    }
}

impl Table for ScoreKind {
    const WHAT: &'static str = "score";
    fn rows() -> Vec<(&'static str, Self)> {
        SCORES.iter().map(|score| (score.name, *score)).collect()
    }
}

impl Table for Preset {
    const WHAT: &'static str = "method";
    fn rows() -> Vec<(&'static str, Self)> {
        PRESETS.iter().map(|preset| (preset.name, *preset)).collect()
    }
}

/// A pattern as text or as a table.
#[derive(Clone, Copy)]
pub struct RawPattern(pub PatternSpec);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PatternTable {
    pub n: Option<Int<1, 16>>,
    pub m: Int<2, 16>,
    #[serde(default)]
    pub transposable: bool,
}

impl<'de> Deserialize<'de> for RawPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrTable;
        impl<'de> Visitor<'de> for TextOrTable {
            type Value = RawPattern;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "a pattern such as \"transposable 1:4\", or a table of `n`, `m` and `transposable`",
                )
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<RawPattern, E> {
                text.parse().map(RawPattern).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawPattern, A::Error> {
                let table = PatternTable::deserialize(MapAccessDeserializer::new(map))?;
                let spec = PatternSpec::grouped(table.n.map(Int::get), table.m.get(), table.transposable);
                spec.map(RawPattern).map_err(A::Error::custom)
            }
        }
        deserializer.deserialize_any(TextOrTable)
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RawShape {
    Cubic,
    Step,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawLayer {
    pub pattern: Option<RawPattern>,
    #[serde(default)]
    pub skip: bool,
}

/// The table `[pruning]`, as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawPruning {
    pub method: Named<Preset>,
    pub pattern: Option<RawPattern>,
    pub density: Option<Real<Portion>>,
    pub cycles: Option<Real<Portion>>,
    pub budget: Option<Named<Budget>>,
    pub layers: Option<Vec<String>>,
    #[serde(default)]
    pub layer: BTreeMap<String, RawLayer>,
    pub initial: Option<Real<Portion>>,
    pub initial_score: Option<Named<ScoreKind>>,
    pub score: Option<Named<ScoreKind>>,
    pub rounds: Option<Int<1, 1000>>,
    #[serde(default = "one")]
    pub batches: Int<1, 1000>,
    pub shape: Option<RawShape>,
    pub lambda_start: Option<Real<Unit>>,
    pub lambda_end: Option<Real<Unit>>,
    pub start: Option<Real<Unit>>,
    pub end: Option<Real<Unit>>,
    pub interval: Option<Int<1, 1_000_000_000>>,
    pub regrow: Option<Real<Fraction>>,
    pub rescale: Option<bool>,
    pub forget: Option<bool>,
    pub sr_ste: Option<Real<Fraction>>,
    #[serde(default)]
    pub shuffle: bool,
    pub seed: Option<Int<0, { i64::MAX as u64 }>>,
}
