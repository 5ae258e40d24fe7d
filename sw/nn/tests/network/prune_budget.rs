//! Budgets of LeNet-5: what N of M in each layer costs and retains.

use std::path::Path;
use tandem_nn::config::{Document, Experiment, PruningConfig, Target};
use tandem_nn::layers::prunable::MaskPattern;
use tandem_nn::network::Network;
use tandem_nn::prune::cycles::{CycleOracle, Multiplications};
use tandem_nn::prune::mask::retained;
use tandem_nn::prune::plan::{self, PrunedLayer};
use tandem_nn::prune::rank::{Scores, ranks, shares};
use tandem_nn::prune::scores::{ScoreContext, lamp};
use tandem_nn::prune::select::{Amount, Selector, best};
use tandem_nn::tensor::Shape;

struct Case {
    network: Network,
    config: PruningConfig,
    layers: Vec<PrunedLayer>,
    scores: Scores,
}

impl Case {
    /// LeNet-5 with the LAMP scores of its initial weights.
    fn new(pruning: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/experiments/mnist-lenet5.toml");
        let text = std::fs::read_to_string(&path).expect("the experiment");
        let text = text.replacen("[[layer]]", &format!("[pruning]\n{pruning}\n[[layer]]"), 1);
        let experiment = Experiment::parse(Document::new(path, text)).expect("valid");
        let plan = experiment.plan(Shape { h: 28, w: 28, c: 1 }, 10).expect("it suits MNIST");
        let mut network = Network::new(plan, 1);
        let config = experiment.pruning.clone().expect("a table");
        let layers = plan::layers(&config, &mut network).expect("layers to prune");
        let mut batches = Vec::new;
        let mut context = ScoreContext::new(&mut network, &mut batches, 1, 0);
        let all = lamp::KIND.score.score(&mut context).expect("it needs no loss");
        let lamp: Vec<_> = layers.iter().map(|layer| &all[layer.tensor]).collect();
        let scores = Scores { ranks: ranks(&lamp), shares: shares(&lamp) };
        Case { network, config, layers, scores }
    }

    fn levels(&self, target: Target, oracle: &dyn CycleOracle) -> Vec<usize> {
        let (layers, budget, plan) = (&self.layers[..], self.config.budget, self.network.plan());
        let selector = Selector { layers, target, budget, oracle, plan };
        let amounts = selector.amounts(&self.scores, &|last| last).expect("it can be met");
        let level = |amount| if let Amount::Level(n) = amount { n } else { panic!("{amount:?}") };
        amounts.into_iter().map(level).collect()
    }

    fn cycles(&self, levels: &[usize], oracle: &dyn CycleOracle) -> u64 {
        let plan = self.network.plan();
        let layers = (0..plan.layers.len()).filter(|&layer| !plan.layers[layer].products.is_empty());
        let pattern = |layer: usize| {
            let pruned = self.layers.iter().zip(levels).find(|(pruned, _)| pruned.layer == layer);
            let pattern = pruned.and_then(|(pruned, &n)| pruned.structure.pattern(n));
            pattern.unwrap_or(MaskPattern { n: 1, m: 1, transposable: false })
        };
        layers.map(|layer| oracle.cycles(layer, pattern(layer))).sum()
    }

    fn retained(&self, levels: &[usize]) -> f64 {
        let scores = self.scores.ranks.iter().zip(&self.scores.shares);
        let layers = self.layers.iter().zip(scores).zip(levels);
        let kept = layers.map(|((layer, (ranks, shares)), &n)| match best(layer, ranks, Amount::Level(n)) {
            Some((mask, _)) => retained(shares, &mask),
            None => shares.sum(),
        });
        kept.sum()
    }
}

#[test]
fn a_budget_of_cycles_is_used_up_to_the_next_level() {
    for pattern in ["transposable N:8", "transposable N:16", "N:8"] {
        let case = Case::new(&format!("method = \"magnitude\"\npattern = \"{pattern}\"\ncycles = 0.5"));
        let oracle = Multiplications::new(case.network.plan());
        let dense = case.cycles(&[], &oracle);
        for share in [0.45, 0.5, 0.6, 0.75, 0.9] {
            if pattern == "N:8" && share < 0.6 {
                // The dense input gradients alone need more.
                continue;
            }
            let levels = case.levels(Target::Cycles(share), &oracle);
            let (cycles, limit) = (case.cycles(&levels, &oracle), (share * dense as f64) as u64);
            assert!(cycles <= limit, "{pattern}, {share}: {levels:?} takes {cycles} of {limit}");
            for layer in 0..levels.len() {
                let mut more = levels.clone();
                more[layer] += 1;
                let full = layer_is_full(&case, layer, levels[layer]);
                let fits = !full && case.cycles(&more, &oracle) <= limit;
                assert!(!fits, "{pattern}, {share}: {levels:?} leaves room for {more:?}");
            }
        }
    }
}

/// Whether a layer keeps everything.
fn layer_is_full(case: &Case, layer: usize, n: usize) -> bool {
    let groups = case.layers[layer].groups;
    let case = best(&case.layers[layer], &case.scores.ranks[layer], Amount::Level(n));
    case.is_none_or(|(mask, _)| mask.iter().filter(|k| **k).count() == groups.contraction() * groups.outputs)
}

/// The budget of configs/experiments/mnist-lenet5-budget.toml.
#[test]
fn half_of_the_cycles_are_used_to_one_percent() {
    let case = Case::new("method = \"magnitude\"\npattern = \"transposable N:16\"\ncycles = 0.5");
    let oracle = Multiplications::new(case.network.plan());
    let levels = case.levels(case.config.target, &oracle);
    let share = case.cycles(&levels, &oracle) as f64 / case.cycles(&[], &oracle) as f64;
    assert!((0.495..=0.5).contains(&share), "{levels:?} takes {share}");
}

#[test]
fn greedy_retains_more_than_uniform_at_equal_cycles() {
    let case = Case::new("method = \"magnitude\"\npattern = \"transposable N:8\"\ncycles = 0.5");
    let oracle = Multiplications::new(case.network.plan());
    let dense = case.cycles(&[], &oracle) as f64;
    for n in 1..8 {
        let uniform = vec![n; case.layers.len()];
        let limit = case.cycles(&uniform, &oracle);
        // Half a cycle above the limit, which is rounded down.
        let levels = case.levels(Target::Cycles((limit as f64 + 0.5) / dense), &oracle);
        assert!(case.cycles(&levels, &oracle) <= limit);
        let (greedy, even) = (case.retained(&levels), case.retained(&uniform));
        assert!(greedy >= even, "{n} of 8: {levels:?} retains {greedy}, uniform {even}");
        // At 7 of 8 it may be the same: one step down from dense in each layer.
        assert!(
            greedy > even || n == 1 || (n == 7 && levels == uniform),
            "{n} of 8: {levels:?} is no better"
        );
    }
}

#[test]
fn a_budget_of_weights_is_met() {
    let case = Case::new("method = \"magnitude\"\npattern = \"transposable N:8\"\ndensity = 0.3");
    let oracle = Multiplications::new(case.network.plan());
    let levels = case.levels(case.config.target, &oracle);
    let kept = case.layers.iter().zip(&case.scores.ranks).zip(&levels).map(|((layer, scores), &n)| {
        best(layer, scores, Amount::Level(n))
            .map_or(scores.len(), |(mask, _)| mask.iter().filter(|k| **k).count())
    });
    let (kept, all) = (kept.sum::<usize>() as f64, (2400 + 48_000 + 10_080) as f64);
    assert!(kept <= 0.3 * all, "{levels:?} keeps {kept}");
}
