//! What a result was made from: nothing that matters is missing, and a difference is named.

use crate::common::data::{ALL_LAYERS, SHORT, quarters};
use std::collections::BTreeSet;
use tandem_nn::config::{Document, Experiment};
use tandem_nn::train::identity::{Identity, IdentityError, NUMERICS};

const ACCELERATOR: &str = "name = \"a\"\n[array]\nrows = 8\ncols = 8\n";

fn text(train: &str) -> String {
    let bits = "[bits]\nweights = 4\nactivations = 4\ngradients = 8\n";
    let data = "[data]\nset = \"quarters\"\nbatch = 16\n";
    format!("name = \"test\"\n{data}[train]\n{train}\n{bits}{ALL_LAYERS}")
}

fn experiment(text: &str) -> Experiment {
    Experiment::parse(Document::new("test.toml", text)).expect("valid")
}

fn identity(text: &str) -> Identity {
    Identity::new(&experiment(text), ACCELERATOR, quarters(32, 8).digest())
}

#[test]
fn what_decides_nothing_changes_nothing() {
    let plain = text(SHORT);
    let same = [
        plain.replace("name = \"test\"", "name = \"other\"\naccelerator = \"minimal\""),
        plain.replace("batch = 16", "batch = 16 # a comment\naugment = []\npreprocess = []\nvalidation = 0"),
        plain.replace("lr = 0.05", "lr = 5e-2\nmomentum = 0.9\nwarmup_steps = 0"),
        plain.replace("gradients = 8", "gradients = 8\nspectra = 8\nweight_clip = \"max-abs\""),
        plain.replace("kernel = 3", "kernel = 3\nstride = 1"),
    ];
    for other in same {
        assert_ne!(other, plain);
        assert_eq!(identity(&other), identity(&plain), "{other}");
    }
    let renamed = ACCELERATOR.replace("\"a\"", "\"b\"");
    let identity_of = |toml: &str| Identity::new(&experiment(&plain), toml, quarters(32, 8).digest());
    assert_eq!(identity_of(&renamed), identity_of(ACCELERATOR));
}

/// Each edit, the key that is named, and its two values.
#[test]
fn a_key_that_changed_is_named_with_both_values() {
    let pruned = text(SHORT) + "[pruning]\nmethod = \"united\"\npattern = \"2:4\"\n";
    let cases = [
        ("batch = 16", "batch = 8", "data.batch", Some("16"), Some("8")),
        ("batch = 16", "batch = 16\nimages = 20", "data.images", None, Some("20")),
        ("batch = 16", "batch = 16\nvalidation = 4", "data.validation", Some("0"), Some("4")),
        (
            "batch = 16",
            "batch = 16\naugment = [{ kind = \"shift\" }]",
            "data.augment",
            Some("\"none\""),
            None,
        ),
        ("lr = 0.05", "lr = 0.06", "train.lr", Some("0.05"), Some("0.06")),
        ("seed = 1", "seed = 2", "train.seed", Some("1"), Some("2")),
        ("epochs = 3", "epochs = 4", "train.epochs", Some("3"), Some("4")),
        ("lr = 0.05", "lr = 0.05\nmomentum = 0.8", "train.momentum", Some("0.9"), Some("0.8")),
        ("lr = 0.05", "lr = 0.05\nwarmup_steps = 1", "train.warmup_steps", Some("0"), Some("1")),
        ("weights = 4", "weights = 5", "bits.weights", Some("4"), Some("5")),
        ("outputs = 12", "outputs = 13", "layer[8].outputs", Some("12"), Some("13")),
        ("\"early\"", "\"first\"", "layer[2].name", Some("\"early\""), Some("\"first\"")),
        ("pattern = \"2:4\"", "pattern = \"1:4\"", "pruning.pattern", Some("\"2:4\""), Some("\"1:4\"")),
        ("pattern = \"2:4\"", "pattern = \"2:4\"\nend = 0.5", "pruning.end", None, Some("0.5")),
        (
            "method = \"united\"",
            "method = \"united\"\nsr_ste = 0.1",
            "pruning.sr_ste",
            Some("0.0"),
            Some("0.1"),
        ),
    ];
    let saved = identity(&pruned);
    let mut digests = BTreeSet::from([saved.digest()]);
    for (from, to, key, old, new) in cases {
        assert!(pruned.contains(from), "{from}");
        let now = identity(&pruned.replace(from, to));
        assert!(digests.insert(now.digest()), "{to}: a digest of its own");
        match now.check(&saved).expect_err(to) {
            IdentityError::Experiment { key: named, saved, now } => {
                assert_eq!(named, key, "{to}");
                let old = old.map(str::to_owned).or_else(|| identity(&pruned).experiment.get(key).cloned());
                assert_eq!((saved, now.as_deref()), (old, new), "{to}");
            }
            other => panic!("{to}: {other}"),
        }
    }
    saved.check(&identity(&pruned)).expect("the same");
}

#[test]
fn accelerator_data_and_numerics_count() {
    let plain = text(SHORT);
    let saved = identity(&plain);
    let rows = ACCELERATOR.replace("rows = 8", "rows = 16");
    let error =
        Identity::new(&experiment(&plain), &rows, quarters(32, 8).digest()).check(&saved).unwrap_err();
    assert_eq!(error.to_string(), "the accelerator has changed: `array.rows` was 8, now 16");

    let newer = Identity { numerics: NUMERICS + 1, ..saved.clone() };
    assert!(matches!(newer.check(&saved), Err(IdentityError::Numerics { .. })));

    let data = quarters(32, 8);
    let mut others = vec![(*quarters(31, 8)).clone(), (*quarters(32, 9)).clone()];
    others.resize(8, (*data).clone());
    others[2].train.images.array_mut().unwrap()[[31, 35]] ^= 1;
    others[3].test.images.array_mut().unwrap()[[0, 0]] ^= 1;
    others[4].train.labels[7] ^= 1;
    others[5].test.labels[0] ^= 1;
    others[6].shape = (4, 9, 1);
    others[7].max_value = 16;
    let mut digests = BTreeSet::from([data.digest()]);
    for other in others {
        let now = Identity::new(&experiment(&plain), ACCELERATOR, other.digest());
        assert!(matches!(now.check(&saved), Err(IdentityError::Data { .. })));
        assert!(digests.insert(other.digest()));
    }
}

/// More epochs, where nothing before depends on their number.
#[test]
fn only_epochs_may_grow_and_only_where_that_is_sound() {
    let more = |text: &str| identity(&text.replace("epochs = 3", "epochs = 5"));
    let check = |text: &str| more(text).check(&identity(text));
    let cosine = text(SHORT);
    let constant = cosine.replace("\"cosine\"", "\"constant\"");
    let step = cosine.replace("\"cosine\"", "\"step\"\nstep_epochs = 2\nstep_factor = 0.5");
    let pruned = format!("{constant}[pruning]\nmethod = \"united\"\npattern = \"2:4\"\n");
    check(&constant).expect("a constant rate");
    check(&step).expect("steps at fixed epochs");
    for text in [&cosine, &cosine.replace("cosine", "linear"), &pruned] {
        let error = check(text).unwrap_err().to_string();
        assert!(error.contains("`train.epochs` was 3, now 5: it may only grow"), "{error}");
    }
    identity(&constant).check(&more(&constant)).expect_err("fewer");
    let other_lr = constant.replace("lr = 0.05", "lr = 0.06");
    assert!(matches!(
        more(&other_lr).check(&identity(&constant)),
        Err(IdentityError::Experiment { key, .. }) if key == "train.lr"
    ));
}

#[test]
fn an_identity_is_saved_to_the_bit() {
    let saved = identity(&text(&SHORT.replace("0.05", "0.052999999999999991")));
    let json = serde_json::to_string(&saved).unwrap();
    assert_eq!(serde_json::from_str::<Identity>(&json).unwrap(), saved);
}
