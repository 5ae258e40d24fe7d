//! Which layers are pruned, and how: decided before anything runs.

use super::budget::erk::Extent;
use super::config::{LayerOverride, PruningConfig};
use super::pattern::{PatternSpec, Structure};
use super::scores::ScoreKind;
use crate::layers::prunable::{Domain, Groups, MaskPattern};
use crate::network::Network;

/// A key of the table `[pruning]` that does not suit the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The key.
    pub key: String,
    /// What is wrong and what is allowed.
    pub problem: String,
}

/// A layer that is pruned.
#[derive(Clone, Debug, PartialEq)]
pub struct PrunedLayer {
    /// Its name.
    pub name: String,
    /// Its index in the network.
    pub layer: usize,
    /// The index of its weights among the prunable tensors.
    pub tensor: usize,
    /// How its weights are ordered.
    pub groups: Groups,
    /// Its shape, for [`erk`](super::budget::erk).
    pub extent: Extent,
    /// The form of its masks.
    pub structure: Structure,
    /// N, if it is fixed.
    pub fixed: Option<usize>,
}

impl PrunedLayer {
    /// The patterns that its mask may have, N = 1 to M − 1; none if it is unstructured.
    pub fn levels(&self) -> Vec<MaskPattern> {
        let Structure::Grouped { m, .. } = self.structure else { return vec![] };
        (1..m).filter_map(|n| self.structure.pattern(n)).collect()
    }

    /// Number of weights.
    pub fn weights(&self) -> usize {
        self.groups.contraction() * self.groups.outputs
    }
}

/// The layers that a table prunes, first to last.
///
/// # Errors   a named layer has no weights to prune, or no layer is left
pub fn layers(config: &PruningConfig, network: &mut Network) -> Result<Vec<PrunedLayer>, Unfit> {
    let tensors: Vec<(String, Groups, Domain)> =
        network.prunables().iter().map(|(name, p)| ((*name).to_owned(), p.groups(), p.domain())).collect();
    let all: Vec<&str> = tensors.iter().map(|(name, ..)| name.as_str()).collect();
    let unfit = |key: &str, name: &str| {
        let names: Vec<_> = all.iter().map(|name| format!("`{name}`")).collect();
        let problem = format!("`{name}` has no weights to prune, expected some of {}", names.join(", "));
        Unfit { key: key.to_owned(), problem }
    };
    if let Some(name) = config.layers.iter().flatten().find(|name| !all.contains(&name.as_str())) {
        return Err(unfit("layers", name));
    }
    if let Some(name) = config.overrides.keys().find(|name| !all.contains(&name.as_str())) {
        return Err(unfit(&format!("layer.{name}"), name));
    }
    let mut pruned = Vec::new();
    for (tensor, (name, groups, domain)) in tensors.iter().enumerate() {
        let inner = 0 < tensor && tensor + 1 < tensors.len();
        let chosen = config.layers.as_ref().map_or(inner, |layers| layers.contains(name));
        let spec = match config.overrides.get(name) {
            Some(LayerOverride::Pattern(spec)) => *spec,
            None if chosen => config.pattern,
            _ => continue,
        };
        check(config, name, *groups, *domain, spec).map_err(|(key, problem)| {
            let own = config.overrides.contains_key(name) && key == "pattern";
            let key = if own { format!("layer.{name}.{key}") } else { key.to_owned() };
            Unfit { key, problem }
        })?;
        let layer = pruned_layer(network, tensor, name, *groups, spec);
        let clip = network.plan().layers[layer.layer].bits.weight_clip;
        if *domain == Domain::Real && !clip.has_zero {
            let problem =
                format!("`{name}` cannot be pruned: its `weight_clip`, `{}`, has no code for 0", clip.name);
            return Err(Unfit { key: "layers".to_owned(), problem });
        }
        pruned.push(layer);
    }
    if pruned.is_empty() {
        let problem =
            "no layer is left to prune: all but the first and the last with weights are the default";
        return Err(Unfit { key: "layers".to_owned(), problem: problem.to_owned() });
    }
    Ok(pruned)
}

/// Checks what suits weights in space, or coefficients of bins, only.
fn check(
    config: &PruningConfig,
    name: &str,
    groups: Groups,
    domain: Domain,
    spec: PatternSpec,
) -> Result<(), (&'static str, String)> {
    let wrong = |key, problem: &str| Err((key, format!("{problem}: layer `{name}`")));
    let needs = |what: &str| format!("`{what}` needs the frequency domain");
    let needs_frequencies = |score: ScoreKind| score.score.needs_frequencies();
    match (domain, spec.structure) {
        (Domain::Real, Structure::Bins) => wrong("pattern", &needs("bins")),
        (Domain::Real, _) if config.initial_score.is_some_and(needs_frequencies) => {
            wrong("initial_score", &needs(config.initial_score.map_or("", |score| score.name)))
        }
        (Domain::Real, _) if needs_frequencies(config.score) => wrong("score", &needs(config.score.name)),
        (Domain::Complex | Domain::Cosine, _) if config.course.regrow > 0.0 => {
            wrong("regrow", "must be 0 in the frequency domain, where masked coefficients keep their values")
        }
        (Domain::Complex | Domain::Cosine, _) if config.sr_ste > 0.0 => {
            wrong("sr_ste", "must be 0 in the frequency domain")
        }
        (Domain::Cosine, Structure::Grouped { .. }) => wrong(
            "pattern",
            "must be `unstructured` or `bins` with `domain = \"dct\"`, which skips no products",
        ),
        (Domain::Complex, Structure::Grouped { m, transposable: false }) if groups.channels < m => {
            wrong("pattern", &format!("m must be at most the {} channels of a bin", groups.channels))
        }
        _ => Ok(()),
    }
}

fn pruned_layer(
    network: &Network,
    tensor: usize,
    name: &str,
    groups: Groups,
    spec: PatternSpec,
) -> PrunedLayer {
    let layers = &network.plan().layers;
    let layer = layers.iter().position(|l| l.name == name).expect("a prunable tensor belongs to a layer");
    PrunedLayer {
        name: name.to_owned(),
        layer,
        tensor,
        groups,
        extent: Extent {
            inputs: groups.channels,
            outputs: groups.outputs,
            kernel: layers[layer].spec.has_kernel().then_some((groups.height, groups.width)),
        },
        structure: spec.structure,
        fixed: spec.n,
    }
}
