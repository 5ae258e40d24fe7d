//! The table `[pruning]`.

mod raw;

pub(super) use raw::RawPruning;

use super::{ConfigError, Document, LayerEntry};
use crate::number::{Int, Real, Unit};
use crate::prune::budget::Budget;
use crate::prune::config::{LayerOverride, PruningConfig, Target};
use crate::prune::pattern::{PatternSpec, Structure};
use crate::prune::preset::Preset;
use crate::prune::schedule::{Course, Initial, Shape};
use raw::RawShape;
use std::collections::BTreeMap;

impl PruningConfig {
    pub(super) fn new(
        raw: RawPruning,
        layers: &[LayerEntry],
        document: &Document,
    ) -> Result<Self, ConfigError> {
        let preset = raw.method.0;
        let unstructured = PatternSpec { structure: Structure::Unstructured, n: None };
        let pattern = raw.pattern.map_or(unstructured, |p| p.0);
        let target = raw.target(pattern, document)?;
        let budget = raw.budget(pattern, target, &preset, document)?;
        let (lambda_start, lambda_end) = preset.course.lambda;
        let unit = |value: Option<Real<Unit>>, default| value.map_or(default, |v| v.get());
        let initial_score = raw.initial_score.map(|s| s.0).or(preset.initial_score);
        let rounds = raw.rounds.map(Int::get);
        let config = PruningConfig {
            method: preset.name,
            pattern,
            target,
            budget,
            overrides: raw.overrides(budget, layers, document)?,
            initial_score,
            rounds: rounds.or(initial_score.map(|s| s.rounds)).unwrap_or(1),
            batches: raw.batches.get(),
            score: raw.score.map_or(preset.score, |s| s.0),
            course: Course {
                initial: raw.initial.map_or(preset.course.initial, |share| Initial::Share(share.get())),
                shape: match raw.shape {
                    Some(RawShape::Cubic) => Shape::Cubic,
                    Some(RawShape::Step) => Shape::Step,
                    None => preset.course.shape,
                },
                lambda: (unit(raw.lambda_start, lambda_start), unit(raw.lambda_end, lambda_end)),
                regrow: raw.regrow.map_or(preset.course.regrow, |g| g.get()),
            },
            span: (unit(raw.start, preset.span.0), unit(raw.end, preset.span.1)),
            interval: raw.interval.map(Int::get_u64),
            rescale: raw.rescale.unwrap_or(preset.rescale),
            forget: raw.forget.unwrap_or(preset.forget),
            sr_ste: raw.sr_ste.map_or(0.0, |v| v.get()),
            shuffle: raw.shuffle,
            seed: raw.seed.map(Int::get_u64),
            layers: raw.layers,
        };
        if raw.forget == Some(true) && config.sr_ste > 0.0 {
            let problem = "must be false with `sr_ste`, by which dropped weights go on";
            return Err(document.invalid("pruning.forget", problem));
        }
        config.check(layers, document)?;
        Ok(config)
    }

    fn check(&self, layers: &[LayerEntry], document: &Document) -> Result<(), ConfigError> {
        let invalid = |key: &str, problem: &str| Err(document.invalid(&format!("pruning.{key}"), problem));
        let starts_dense = matches!(self.course.initial, Initial::Dense | Initial::Share(1.0));
        if self.initial_score.is_none() && !starts_dense {
            return invalid("initial", "a run that starts pruned needs an `initial_score`");
        }
        if self.initial_score.is_none() && self.course.lambda != (1.0, 1.0) {
            return invalid("lambda_start", "below 1 only with an `initial_score`");
        }
        if self.span.0 > self.span.1 {
            return invalid("start", &format!("must be at most `end`, {}", self.span.1));
        }
        let changes = self.span.0 < self.span.1 || (self.course.regrow > 0.0 && self.span.1 > 0.0);
        if self.shuffle && changes {
            return invalid("shuffle", "only with one mask: `start` equal to `end`, no `regrow`");
        }
        for name in self.layers.iter().flatten() {
            known(name, layers).map_err(|problem| document.invalid("pruning.layers", problem))?;
        }
        Ok(())
    }
}

fn known(name: &str, layers: &[LayerEntry]) -> Result<(), String> {
    if layers.iter().any(|layer| layer.name == name) {
        return Ok(());
    }
    let names: Vec<_> = layers.iter().map(|layer| format!("`{}`", layer.name)).collect();
    Err(format!("there is no layer `{name}`, expected some of {}", names.join(", ")))
}

impl RawPruning {
    fn target(&self, pattern: PatternSpec, document: &Document) -> Result<Target, ConfigError> {
        let invalid = |key: &str, problem: &str| Err(document.invalid(&format!("pruning.{key}"), problem));
        let open = "only where the pattern leaves it open, such as `N:4`";
        match (self.density, self.cycles) {
            (Some(_), _) if pattern.n.is_some() => invalid("density", open),
            (_, Some(_)) if pattern.n.is_some() => invalid("cycles", open),
            (Some(_), Some(_)) => invalid("cycles", "either `density` or `cycles`"),
            (Some(density), None) => Ok(Target::Density(density.get())),
            (None, Some(_)) if !matches!(pattern.structure, Structure::Grouped { .. }) => invalid(
                "cycles",
                "an unstructured mask saves no cycles, bins have a `density`: choose a pattern such as `N:4`",
            ),
            (None, Some(cycles)) => Ok(Target::Cycles(cycles.get())),
            (None, None) if pattern.n.is_some() => Ok(Target::Pattern),
            (None, None) => invalid("density", "this pattern needs `density` (or `cycles`)"),
        }
    }

    fn budget(
        &self,
        pattern: PatternSpec,
        target: Target,
        preset: &Preset,
        document: &Document,
    ) -> Result<Budget, ConfigError> {
        let invalid = |problem: &str| Err(document.invalid("pruning.budget", problem));
        let grouped = matches!(pattern.structure, Structure::Grouped { .. });
        match (self.budget.map(|b| b.0), target) {
            (None, Target::Pattern) | (Some(Budget::Uniform), Target::Pattern) => Ok(Budget::Uniform),
            (Some(_), Target::Pattern) => {
                invalid("a pattern with a fixed N is uniform: leave N open, such as `N:4`")
            }
            (None | Some(Budget::Layerwise), Target::Cycles(_)) => Ok(Budget::Layerwise),
            (Some(_), Target::Cycles(_)) => invalid("must be `layerwise` with `cycles`"),
            (Some(Budget::Layerwise), _) if !grouped => {
                invalid("`layerwise` chooses N of M: choose a pattern such as `N:4`")
            }
            (Some(budget), _) => Ok(budget),
            (None, _) if grouped && preset.budget == Budget::Global => Ok(Budget::Layerwise),
            (None, _) => Ok(preset.budget),
        }
    }

    fn overrides(
        &self,
        budget: Budget,
        layers: &[LayerEntry],
        document: &Document,
    ) -> Result<BTreeMap<String, LayerOverride>, ConfigError> {
        let mut overrides = BTreeMap::new();
        for (name, layer) in &self.layer {
            let path = format!("pruning.layer.{name}");
            known(name, layers).map_err(|problem| document.invalid(&path, problem))?;
            let own = match (layer.skip, layer.pattern) {
                (true, Some(_)) => {
                    return Err(document.invalid(&format!("{path}.pattern"), "not with `skip = true`"));
                }
                (true, None) => LayerOverride::Skip,
                (false, Some(pattern)) => LayerOverride::Pattern(pattern.0),
                (false, None) => return Err(document.invalid(&path, "needs `pattern` or `skip = true`")),
            };
            if let LayerOverride::Pattern(PatternSpec { structure, n: None }) = own {
                let key = format!("{path}.pattern");
                if self.density.is_none() && self.cycles.is_none() {
                    return Err(document.invalid(&key, "an open N needs `density` or `cycles`"));
                }
                if budget == Budget::Layerwise && !matches!(structure, Structure::Grouped { .. }) {
                    return Err(document.invalid(&key, "`layerwise` needs groups, such as `N:4`"));
                }
            }
            overrides.insert(name.clone(), own);
        }
        Ok(overrides)
    }
}
