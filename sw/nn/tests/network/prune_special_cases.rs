//! The special cases of the united schedule beside plain implementations: loops over steps and masks.

use crate::common::PlainDevice;
use crate::common::data::{ALL_LAYERS, SHORT, experiment, quarters, trainer};
use ndarray::Array2;
use tandem_nn::backend::Backend;
use tandem_nn::prune::probe::Probe;
use tandem_nn::random::{Purpose, Stream};
use tandem_nn::tensor::Mask;
use tandem_nn::train::Trainer;

/// 3 epochs of 8 steps.
const STEPS: u64 = 24;
/// conv2 and fc1: what is neither first nor last.
const PRUNED: [usize; 2] = [1, 2];

fn plain() -> Trainer {
    trainer(experiment(SHORT, ALL_LAYERS), Backend::Device(Box::new(PlainDevice)))
}

fn united(pruning: &str) -> Trainer {
    let text = format!("[pruning]\n{pruning}\n{ALL_LAYERS}");
    trainer(experiment(SHORT, &text), Backend::Device(Box::new(PlainDevice)))
}

fn masks(trainer: &mut Trainer) -> Vec<Option<Mask>> {
    trainer.network_mut().prunables().iter().map(|(_, prunable)| prunable.mask().cloned()).collect()
}

/// Trains both to the end: the same masks and weights all the way.
fn assert_same(
    pruning: &str,
    mut plain: Trainer,
    mut before: impl FnMut(&mut Trainer, u64),
    mut after: impl FnMut(&mut Trainer, u64),
) {
    let mut united = united(pruning);
    let mut changes = 0;
    for step in 0..STEPS {
        before(&mut plain, step);
        plain.step().expect("a step");
        after(&mut plain, step + 1);
        let old = masks(&mut united);
        united.step().expect("a step");
        changes += usize::from(old != masks(&mut united));
        assert_eq!(masks(&mut plain), masks(&mut united), "{pruning}: masks after step {step}");
        assert_eq!(plain.digest(), united.digest(), "{pruning}: weights after step {step}");
    }
    assert!(changes > 0, "{pruning}");
    assert!(united.is_finished());
}

fn magnitudes(trainer: &mut Trainer, tensor: usize) -> Array2<f64> {
    trainer.network_mut().prunables()[tensor].1.weight().value.mapv(|w| f64::from(w).abs())
}

fn set(trainer: &mut Trainer, tensor: usize, mask: Mask) {
    trainer.network_mut().prunables()[tensor].1.set_mask(Some(mask), None);
}

/// The positions of a matrix, largest first, of equal ones the first.
fn sorted(scores: &Array2<f64>) -> Vec<(usize, usize)> {
    let mut order: Vec<_> = scores.indexed_iter().map(|(at, _)| at).collect();
    order.sort_by(|&a, &b| scores[b].partial_cmp(&scores[a]).expect("numbers").then(a.cmp(&b)));
    order
}

fn keep(scores: &Array2<f64>, count: usize) -> Mask {
    let mut mask = Array2::from_elem(scores.dim(), false);
    sorted(scores).into_iter().take(count).for_each(|at| mask[at] = true);
    mask
}

#[test]
fn snip_at_initialisation() {
    let mut run = plain();
    // The first batch of the first epoch.
    let data = quarters(128, 64);
    let order = Stream::new(1, Purpose::Shuffle, 0, 0);
    let mut images: Vec<(u64, usize)> = (0..128).map(|image| (order.key(image as u32), image)).collect();
    images.sort_unstable();
    let batch: Vec<usize> = images.iter().take(16).map(|(_, image)| *image).collect();
    let input = Array2::from_shape_fn((16, 36), |(row, at)| {
        f64::from(f32::from(data.train.images.array().unwrap()[[batch[row], at]]) / 255.0)
    });
    let labels: Vec<u8> = batch.iter().map(|&image| data.train.labels[image]).collect();
    let probe = Probe::new(run.network_mut()).expect("every layer can be probed");
    let (_, gradient) = probe.loss(probe.weights(), &input, &labels);
    // The largest of both layers together.
    let mut all = Vec::new();
    for tensor in PRUNED {
        for (at, w) in probe.weights()[tensor].indexed_iter() {
            all.push(((w * gradient[tensor][at]).abs(), tensor, at));
        }
    }
    all.sort_by(|a, b| b.0.partial_cmp(&a.0).expect("numbers").then((a.1, a.2).cmp(&(b.1, b.2))));
    let count = (0.3 * all.len() as f64).round() as usize;
    for tensor in PRUNED {
        let mut mask = Array2::from_elem(gradient[tensor].dim(), false);
        all[..count].iter().filter(|(_, t, _)| *t == tensor).for_each(|&(_, _, at)| mask[at] = true);
        set(&mut run, tensor, mask);
    }
    assert_same("method = \"snip\"\ndensity = 0.3", run, |_, _| {}, |_, _| {});
}

/// Zhu & Gupta: from dense to 0.2 in 12 steps, each layer by itself.
#[test]
fn gradual_magnitude() {
    let prune = |run: &mut Trainer, steps: u64| {
        if !steps.is_multiple_of(3) || steps > 12 {
            return;
        }
        let left = 1.0 - steps as f64 / 12.0;
        let density = 0.2 + 0.8 * left * left * left;
        for tensor in PRUNED {
            let scores = magnitudes(run, tensor);
            let count = (density * scores.len() as f64).round() as usize;
            set(run, tensor, keep(&scores, count));
        }
    };
    assert_same("method = \"gmp\"\ndensity = 0.2\nend = 0.5\ninterval = 3", plain(), |_, _| {}, prune);
}

/// The same in groups of four inputs: 4:4, 3:4, 2:4, 1:4.
#[test]
fn gradual_magnitude_in_groups() {
    let prune = |run: &mut Trainer, steps: u64| {
        if !steps.is_multiple_of(3) || steps > 12 {
            return;
        }
        let left = 1.0 - steps as f64 / 12.0;
        let n = ((0.25 + 0.75 * left * left * left) * 4.0).round() as usize;
        for tensor in PRUNED {
            let scores = magnitudes(run, tensor);
            let mut mask = Array2::from_elem(scores.dim(), false);
            // All 36 rows are nine groups of four, whether four channels or nine times four features.
            for column in 0..scores.ncols() {
                for group in 0..9 {
                    let mut rows: Vec<usize> = (4 * group..4 * group + 4).collect();
                    rows.sort_by(|&a, &b| {
                        scores[[b, column]].partial_cmp(&scores[[a, column]]).expect("numbers")
                    });
                    rows[..n].iter().for_each(|&row| mask[[row, column]] = true);
                }
            }
            if n < 4 {
                set(run, tensor, mask);
            }
        }
    };
    assert_same("method = \"gmp\"\npattern = \"1:4\"\nend = 0.5\ninterval = 3", plain(), |_, _| {}, prune);
}

/// Half of the run dense, then one mask, then fine-tuning.
#[test]
fn magnitude_after_training() {
    let prune = |run: &mut Trainer, steps: u64| {
        if steps == STEPS / 2 {
            for tensor in PRUNED {
                let scores = magnitudes(run, tensor);
                let count = (0.1 * scores.len() as f64).round() as usize;
                set(run, tensor, keep(&scores, count));
            }
        }
    };
    assert_same("method = \"magnitude\"\ndensity = 0.1", plain(), |_, _| {}, prune);
}

/// Evci et al.: random at the densities of Erdős and Rényi, then drop and grow every 4 steps up to step 18.
#[test]
fn rigl() {
    let mut run = plain();
    // 144 weights of ratio (4 + 4 + 3 + 3)/144 and 432 of ratio (36 + 12)/432: ε·14 + ε·48 = 0.3·576.
    let scale = 0.3 * 576.0 / 62.0;
    for (tensor, inside) in PRUNED.into_iter().zip([14.0, 48.0]) {
        let dim = run.network_mut().prunables()[tensor].1.weight().value.dim();
        let stream = Stream::new(1, Purpose::Prune, tensor, 0);
        let number = |(i, j): (usize, usize)| (stream.key((i * dim.1 + j) as u32) >> 11) as f64;
        let count = (scale * inside / (dim.0 * dim.1) as f64 * (dim.0 * dim.1) as f64).round() as usize;
        set(&mut run, tensor, keep(&Array2::from_shape_fn(dim, number), count));
    }
    let due = |steps: u64| steps > 0 && (steps < 18 && steps.is_multiple_of(4) || steps == 18);
    let before = |run: &mut Trainer, step: u64| {
        for tensor in PRUNED {
            run.network_mut().prunables()[tensor].1.want_dense_gradient(due(step + 1));
        }
    };
    let after = |run: &mut Trainer, steps: u64| {
        if !due(steps) {
            return;
        }
        let share = 0.3 * (1.0 + libm::cos(std::f64::consts::PI * steps as f64 / 18.0)) / 2.0;
        for tensor in PRUNED {
            let scores = magnitudes(run, tensor);
            let mut prunables = run.network_mut().prunables();
            let prunable = &mut prunables[tensor].1;
            let old = prunable.mask().cloned().expect("a mask");
            let gradient = prunable.dense_gradient().cloned().expect("it was asked for");
            let active = old.iter().filter(|kept| **kept).count();
            let replaced = (share * active as f64) as usize;
            // Drop the smallest active ones.
            let mut mask = Array2::from_elem(old.dim(), false);
            let survivors = sorted(&scores).into_iter().filter(|&at| old[at]).take(active - replaced);
            survivors.for_each(|at| mask[at] = true);
            // Grow where the gradient is largest.
            let wanted = sorted(&gradient.mapv(|g| f64::from(g).abs()));
            let grown: Vec<_> = wanted.into_iter().filter(|&at| !mask[at]).take(replaced).collect();
            let weight = prunable.weight_mut();
            for at in grown {
                mask[at] = true;
                if !old[at] {
                    weight.value[at] = 0.0;
                    weight.moments.iter_mut().for_each(|moment| moment[at] = 0.0);
                }
            }
            prunable.set_mask(Some(mask), None);
        }
    };
    assert_same("method = \"rigl\"\ndensity = 0.3\ninterval = 4", run, before, after);
}

/// w ← w − γ(g + λ_w·(1 − m)·w), where the dense gradient reaches all weights.
#[test]
fn sparse_refined_straight_through() {
    // One plain step from the same state, with the gradient of a run that has no momentum.
    let settings = SHORT.replace("optimizer = \"sgd\"", "optimizer = \"sgd\"\nmomentum = 0.0");
    let text = format!("[pruning]\nmethod = \"random\"\ndensity = 0.5\nsr_ste = 0.125\n{ALL_LAYERS}");
    let mut run = trainer(experiment(&settings, &text), Backend::Device(Box::new(PlainDevice)));
    run.step().expect("a step");
    let old: Vec<_> = PRUNED.map(|t| run.network_mut().prunables()[t].1.weight().value.clone()).into();
    let report = run.step().expect("a step");
    for (tensor, old) in PRUNED.into_iter().zip(old) {
        let prunables = run.network_mut().prunables();
        let prunable = &prunables[tensor].1;
        let (mask, dense) = (prunable.mask().expect("a mask"), prunable.dense_gradient().expect("dense"));
        let mut moved = 0;
        for (at, &new) in prunable.weight().value.indexed_iter() {
            let decay = if mask[at] { 0.0 } else { 0.125 * old[at] };
            assert_eq!(new, old[at] - report.lr as f32 * (dense[at] + decay), "{tensor} {at:?}");
            moved += usize::from(!mask[at] && new != old[at]);
        }
        assert!(moved > 0, "masked weights move");
    }
}
