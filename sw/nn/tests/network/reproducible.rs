//! A run is a function of experiment, data and seed: of nothing else.

use crate::common::data::{ALL_LAYERS, SHORT, experiment, trainer};
use crate::common::{Lying, PlainDevice};
use std::sync::atomic::AtomicBool;
use tandem_nn::backend::Backend;
use tandem_nn::config::Experiment;
use tandem_nn::data::step::Step;
use tandem_nn::train::{Observer, StepReport, Trainer};

fn plain() -> Backend {
    Backend::Device(Box::new(PlainDevice))
}

fn start(backend: Backend) -> Trainer {
    trainer(experiment(SHORT, ALL_LAYERS), backend)
}

fn steps(trainer: &mut Trainer, n: usize) -> String {
    for _ in 0..n {
        trainer.step().expect("a step");
    }
    trainer.digest()
}

#[test]
fn the_number_of_threads_does_not_matter() {
    for float in [false, true] {
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let backend = if float { Backend::Float } else { plain() };
            // 128 images of 36 positions: several blocks in every sum, two slabs in a contraction.
            let mut experiment = experiment(SHORT, ALL_LAYERS);
            experiment.data.batch = 128;
            let mut trainer = trainer(experiment, backend);
            pool.install(|| steps(&mut trainer, 3))
        };
        let one = run(1);
        assert_eq!(one, run(2), "float: {float}");
        assert_eq!(one, run(4), "float: {float}");
    }
}

/// A trainer that ignores its engine fails here: each of the 4·3 − 1 products of a step reaches the
/// weights. Half the elements of an input gradient end at an inactive rectifier, so eight are tried.
#[test]
fn one_wrong_result_changes_the_digest_for_every_layer_and_product() {
    let products = 4 * 3 - 1;
    let honest = steps(&mut start(plain()), 2);
    for call in 0..products {
        let lie = |element| {
            let device = Lying { call, element, calls: 0 };
            steps(&mut start(Backend::Device(Box::new(device))), 2)
        };
        let noticed = (0..8).any(|i| lie(97 * i) != honest);
        assert!(noticed, "call {call} does not reach the weights");
    }
    let never = Lying { call: usize::MAX, element: 0, calls: 0 };
    assert_eq!(steps(&mut start(Backend::Device(Box::new(never))), 2), honest);
}

#[test]
fn every_seed_and_optimiser_gives_its_own_weights() {
    let mut digests: Vec<_> = [
        SHORT.to_owned(),
        SHORT.replace("seed = 1", "seed = 2"),
        SHORT.replace("lr = 0.05", "lr = 0.06"),
        SHORT.replace("\"sgd\"", "\"adam\""),
        SHORT.replace("\"sgd\"", "\"sgd\"\nmomentum = 0.5"),
        SHORT.replace("\"sgd\"", "\"sgd\"\nweight_decay = 0.01"),
    ]
    .iter()
    .map(|settings| steps(&mut trainer(experiment(settings, ALL_LAYERS), plain()), 3))
    .collect();
    digests.push(steps(&mut start(Backend::Float), 3));
    let mut shifted = experiment(SHORT, ALL_LAYERS);
    shifted.data.augment = vec![Step { kind: "shift".to_owned(), values: Default::default() }];
    digests.push(steps(&mut trainer(shifted, plain()), 3));
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 8);
}

/// Keys of `[data]` with every augmentation, noise and some filters.
const LISTS: &str = r#"set = "quarters"
        preprocess = [{ kind = "noise", deviation = 20, seed = 3 }, { kind = "salt-and-pepper", share = 0.1 },
            { kind = "median", size = 3, border = "reflect" }, { kind = "gaussian", sigma = 0.8 }]
        augment = [{ kind = "crop", padding = 1 }, { kind = "flip" }, { kind = "shift" }, { kind = "cutout", size = 2 }]"#;

fn with_lists() -> Trainer {
    let mut e = experiment(SHORT, ALL_LAYERS);
    let text = e.source().replace("set = \"quarters\"", LISTS);
    e = Experiment::parse(tandem_nn::config::Document::new("test.toml", text)).expect("valid");
    trainer(e, plain())
}

/// Batches made ahead are those of one thread, and those of a run that goes on, whose order, noise and augmentations are functions of seed,
/// epoch and image.
#[test]
fn prepared_batches_do_not_depend_on_threads_or_interruptions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let on = |threads: usize, work: &(dyn Fn() -> String + Sync)| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
    };
    let expected = on(1, &|| steps(&mut with_lists(), 24));
    for threads in [2, 3] {
        assert_eq!(on(threads, &|| steps(&mut with_lists(), 24)), expected, "{threads} threads");
    }
    for before in [1, 8, 19] {
        let mut first = with_lists();
        steps(&mut first, before);
        first.save(&path).expect("saved");
        let mut second = with_lists();
        second.resume(&path).expect("made from the same");
        assert_eq!(steps(&mut second, 24 - before), expected, "{before}");
    }
    let mut plain_set = trainer(experiment(SHORT, ALL_LAYERS), plain());
    let difference = plain_set.resume(&path).unwrap_err().to_string();
    assert!(difference.contains("`data.augment` was not set, now \"none\""), "{difference}");
    assert_ne!(steps(&mut plain_set, 24), expected);
}

/// An image in files that cannot be read, or reading which panics: the step fails or panics with it, not the process, and nothing hangs.
#[test]
fn what_happens_to_a_batch_reaches_the_trainer() {
    use tandem_nn::data::{DataError, Images, Stored};
    #[derive(Debug)]
    struct Bad(bool);
    impl Stored for Bad {
        fn count(&self) -> usize {
            128
        }
        fn features(&self) -> usize {
            36
        }
        fn read(&self, image: usize, to: &mut [u8]) -> Result<(), DataError> {
            to.fill(image as u8);
            match image {
                100 if self.0 => panic!("image {image}"),
                100 | 90 => {
                    let source = std::io::Error::other(format!("image {image}"));
                    Err(DataError::Read { file: "a.png".into(), source })
                }
                _ => Ok(()),
            }
        }
    }
    for panics in [false, true] {
        let mut data = (*crate::common::data::quarters(128, 16)).clone();
        data.train.images = Images::Files(std::sync::Arc::new(Bad(panics)));
        data.known_digest = Some("a digest".to_owned());
        let all = std::panic::AssertUnwindSafe(|| {
            let e = experiment(SHORT, ALL_LAYERS);
            let mut run = Trainer::new(e, std::sync::Arc::new(data), plain()).unwrap();
            (0..8).find_map(|_| run.step().err()).map(|e| e.to_string())
        });
        match std::panic::catch_unwind(all) {
            Ok(error) => {
                let error = error.expect("an epoch has every image");
                assert!(error.starts_with("cannot read a.png: image "), "{error}");
            }
            Err(panic) => assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some("image 100")),
        }
    }
}

/// Saves after `before` steps, loads into a new run of another seed, and goes on.
#[test]
fn a_resumed_run_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    for optimizer in ["sgd", "adam"] {
        let settings = SHORT.replace("sgd", optimizer);
        let total = 24;
        let mut straight = trainer(experiment(&settings, ALL_LAYERS), plain());
        let expected = steps(&mut straight, total);
        assert!(straight.is_finished());
        // In the middle of an epoch, at its end, and in the last epoch.
        for before in [1, 8, 19] {
            let mut first = trainer(experiment(&settings, ALL_LAYERS), plain());
            steps(&mut first, before);
            first.save(&path).expect("saved");
            let other = settings.replace("seed = 1", "seed = 77");
            let mut second = trainer(experiment(&other, ALL_LAYERS), plain());
            second.load(&path).expect("loaded");
            assert_eq!(second.digest(), first.digest());
            assert_eq!(second.training_cost(), first.training_cost());
            assert_eq!(steps(&mut second, total - before), expected, "{optimizer}, {before}");
            assert_eq!(second.training_cost(), straight.training_cost());
        }
    }
}

/// Fits come and go with the step, so that tables and scales of a run that was interrupted are those of one that was not; for all
/// quantizers of weights, activations and gradients.
#[test]
fn quantizers_resume_and_do_not_depend_on_threads() {
    use tandem_nn::quant::{CLIPS, gradient::GRADIENTS};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let mut digests = std::collections::BTreeSet::new();
    for (i, clip) in CLIPS.iter().enumerate() {
        for scale in ["tensor", "channel"] {
            let gradient = GRADIENTS[i % GRADIENTS.len()];
            let (activation, bits) = if clip.has_zero { (clip.name, 2) } else { ("octav", 1) };
            let own = format!(
                "bits = {{ weights = {bits}, weight_clip = \"{}\", weight_scale = \"{scale}\", gradients = 4, \
                 activation_clip = \"{activation}\", gradient_quantizer = \"{}\", refit_steps = 3, refit_until = 0.7 }}",
                clip.name, gradient.name
            );
            let with = |text: &str, kind: &str| text.replace(kind, &format!("{own}\n{kind}"));
            let layers = with(&with(ALL_LAYERS, "type = \"conv2d\""), "type = \"linear\"");
            let run = |threads, before: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                pool.install(|| {
                    let mut trainer = trainer(experiment(SHORT, &layers), plain());
                    steps(&mut trainer, before);
                    trainer.save(&path).expect("saved");
                    let mut second = crate::common::data::trainer(experiment(SHORT, &layers), plain());
                    second.load(&path).expect("loaded");
                    assert_eq!(second.digest(), trainer.digest());
                    steps(&mut second, 24 - before)
                })
            };
            let straight = run(1, 0);
            for before in [1, 7, 18] {
                assert_eq!(run(2, before), straight, "{} {scale} {before}", clip.name);
            }
            assert!(digests.insert(straight), "{} {scale}", clip.name);
        }
    }
}

#[test]
fn a_checkpoint_of_another_network_or_optimiser_is_refused() {
    let state = start(plain()).state();
    let wider = ALL_LAYERS.replace("outputs = 12", "outputs = 13");
    let error = trainer(experiment(SHORT, &wider), plain()).restore(&state).unwrap_err();
    assert!(error.to_string().contains("network"), "{error}");

    let adam = SHORT.replace("sgd", "adam");
    let error = trainer(experiment(&adam, ALL_LAYERS), plain()).restore(&state).unwrap_err();
    assert!(error.to_string().contains("first_moment"), "{error}");
}

/// Sets the stop flag after a few steps.
struct StopAfter<'a>(u64, &'a AtomicBool);

impl Observer for StopAfter<'_> {
    fn step(&mut self, report: &StepReport) {
        if report.step == self.0 {
            self.1.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    }
}

#[test]
fn a_stopped_run_goes_on_where_it_was() {
    let mut straight = start(plain());
    let expected = steps(&mut straight, 8);
    let mut stopped = start(plain());
    let stop = AtomicBool::new(false);
    let report = stopped.epoch(&mut StopAfter(3, &stop), &stop).expect("three steps");
    assert!(report.is_none());
    assert_eq!(stopped.steps(), 3);
    let go_on = AtomicBool::new(false);
    let report = stopped.epoch(&mut (), &go_on).expect("the rest").expect("an epoch");
    assert_eq!(report.images, 8 * 16, "the whole epoch");
    assert_eq!(stopped.epochs(), 1);
    assert_eq!(stopped.digest(), expected);
}

/// From `steps` above at the commit that last changed the numerics on purpose: run the test, it prints
/// the new digest.
#[test]
fn the_first_20_steps_on_digits_are_golden() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs/experiments/digits-mlp.toml");
    let experiment = Experiment::load(path.as_ref()).expect("a valid experiment");
    let data = std::sync::Arc::new(tandem_nn::data::load("digits", None).expect("embedded"));
    let mut trainer = Trainer::new(experiment, data, plain()).expect("it suits the data");
    assert_eq!(steps(&mut trainer, 20), GOLDEN);
}

const GOLDEN: &str = "a8d7e3a38e253bdf7dba673efc2bb465cd483f48d834faf9225e141fc82af0a3";
