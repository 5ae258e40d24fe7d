//! Experiments: what is accepted, and what a mistake's message says.

mod mistakes;

use std::path::Path;
use tandem_nn::backend::Product;
use tandem_nn::config::{ConfigError, Document, Experiment};
use tandem_nn::data::Options;
use tandem_nn::layers::{ProductPlan, Range};
use tandem_nn::optim::Optimizer;
use tandem_nn::optim::schedule::{Decay, Schedule};
use tandem_nn::tensor::Shape;

const MNIST: Shape = Shape { h: 28, w: 28, c: 1 };

const VALID: &str = r#"name = "net"

[data]
set = "mnist"
batch = 8

[train]
epochs = 2
optimizer = "sgd"
lr = 0.1
schedule = "constant"

[bits]
weights = 4
activations = 4
gradients = 8

[[layer]]
type = "conv2d"
channels = 2
kernel = 5

[[layer]]
type = "relu"

[[layer]]
type = "flatten"

[[layer]]
type = "linear"
outputs = 10
"#;

fn plan_of(text: &str) -> Result<tandem_nn::network::plan::NetworkPlan, ConfigError> {
    let experiment = Experiment::parse(Document::new("net.toml", text))?;
    experiment.check_images(100)?;
    experiment.plan(MNIST, 10)
}

#[test]
fn shapes_ranges_and_products_are_inferred() {
    let plan = plan_of(VALID).expect("valid");
    let names: Vec<_> = plan.layers.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["conv2d1", "relu1", "flatten1", "linear1"]);
    assert_eq!(plan.layers[0].output.shape, Shape { h: 24, w: 24, c: 2 });
    let ranges: Vec<_> = plan.layers.iter().map(|l| l.inputs[0].range).collect();
    assert_eq!(ranges, [Range::Pixel, Range::Real, Range::NonNegative, Range::NonNegative]);
    let products = &plan.layers[0].products;
    assert_eq!(products.len(), 2, "no input gradient for the first layer");
    assert_eq!((products[0].m, products[0].k, products[0].n), (8 * 24 * 24, 25, 2));
    let last = &plan.layers[3].products;
    let kinds: Vec<_> = last.iter().map(|p| p.product).collect();
    assert_eq!(kinds, [Product::Forward, Product::WeightGradient, Product::InputGradient]);
    assert!(!last[0].x.signed && last[0].w.signed && last[2].x.bits == 8);
}

#[test]
fn a_layer_overrides_the_bits_it_names() {
    let own = "kernel = 5\nbits = { weights = 2, gradients = 6, weight_clip = \"learned\" }";
    let plan = plan_of(&VALID.replacen("kernel = 5", own, 1)).expect("valid");
    let [conv, linear] = [&plan.layers[0], &plan.layers[3]];
    let widths = |products: &[ProductPlan]| products.iter().map(|p| (p.x.bits, p.w.bits)).collect::<Vec<_>>();
    assert_eq!(widths(&conv.products), [(4, 2), (4, 6)]);
    assert_eq!(widths(&linear.products), [(4, 4), (4, 8), (8, 4)]);
    assert_eq!((conv.bits.weight_clip.name, conv.bits.activation_clip.name), ("learned", "learned"));
    assert_eq!(linear.bits.weight_clip.name, "max-abs");
}

#[test]
fn every_optional_key_is_read() {
    let data = "batch = 8\nimages = 50\nvalidation = 20\nsize = [28, 20]\nchannels = 3\nmemory = 7\n\
        preprocess = [{ kind = \"fir\", kernel = [[1, 2.0, 1], [2, 4, 2], [1, 2, 1]], scale = \"1/16\", border = \"wrap\" }]\n\
        augment = [{ kind = \"shift\", pixels = 2 }, { kind = \"flip\" }]";
    let train = "optimizer = \"adam\"\nbeta1 = 0.8\nbeta2 = 0.9\neps = 1e-6\nweight_decay = 0.1\nseed = 7\nwarmup_steps = 3";
    let schedule = "\"step\"\nstep_epochs = 2\nstep_factor = 0.5";
    let text = VALID
        .replace("batch = 8", data)
        .replace("\"mnist\"", "\"folder\"")
        .replace("optimizer = \"sgd\"", train)
        .replace("\"constant\"", schedule);
    let experiment = Experiment::parse(Document::new("net.toml", text)).expect("valid");
    assert_eq!(experiment.accelerator, "default");
    let data = &experiment.data;
    assert_eq!(data.options, Options { size: Some((28, 20)), channels: Some(3), memory: 7 << 20 });
    let keys = experiment.keys();
    let key = |key: &str| keys.get(key).map(String::as_str);
    assert_eq!(key("data.preprocess[0].kernel"), Some("\"1 2 1; 2 4 2; 1 2 1\""));
    assert_eq!(key("data.preprocess[0].scale"), Some("\"1/16\""));
    assert_eq!(key("data.preprocess[0].offset"), Some("\"0\""), "a default");
    assert_eq!(key("data.preprocess[0].border"), Some("\"wrap\""));
    assert_eq!(
        [key("data.augment[0].pixels"), key("data.augment[1].kind")],
        [Some("\"2\""), Some("\"flip\"")]
    );
    assert_eq!((key("data.size"), key("data.memory")), (Some("[28,20]"), None), "memory decides nothing");
    assert_eq!(experiment.data.validation, 20);
    assert_eq!((experiment.data.images, experiment.data.training_images(100)), (Some(50), 50));
    let adam = Optimizer::Adam { beta1: 0.8, beta2: 0.9, eps: 1e-6, weight_decay: 0.1 };
    assert_eq!(experiment.train.optimizer, adam);
    assert_eq!(experiment.train.seed, 7);
    let decay = Decay::Step { epochs: 2, factor: 0.5 };
    assert_eq!(experiment.train.schedule, Schedule { lr: 0.1, warmup_steps: 3, decay });
    let linear = VALID.replace("\"constant\"", "\"linear\"\nfinal_lr = 0.01");
    let experiment = Experiment::parse(Document::new("net.toml", linear)).expect("valid");
    assert_eq!(experiment.train.schedule.decay, Decay::Linear { last: 0.01 });
}

#[test]
fn signed_inputs_need_two_bits() {
    let one_bit = VALID.replace("activations = 4", "activations = 1");
    plan_of(&one_bit).expect("pixels and rectified values are unsigned");
    let text = one_bit.replace("type = \"relu\"", "type = \"batch_norm\"");
    let error = plan_of(&text).unwrap_err().to_string();
    assert!(error.contains("layer[3].bits.activations") && error.contains("at least 2 bits"), "{error}");
}

#[test]
fn layers_are_needed() {
    let text = &VALID[..VALID.find("[[layer]]").unwrap()];
    let error = plan_of(text).unwrap_err().to_string();
    assert!(error.contains("`layer`") && error.contains("at least one"), "{error}");
    let error = plan_of(&format!("{text}\n[layer]\ntype = \"relu\"")).unwrap_err().to_string();
    assert!(error.contains("`layer`") && error.contains("at least one"), "{error}");
    for (wrong, says) in [
        ("layer = []", "`layer`: at least one `[[layer]]` is needed"),
        ("layer = 3", "`layer` = 3: must be a list of tables"),
        ("layer = \"linear\"", "`layer` = \"linear\": must be a list of tables"),
        ("layer = [1]", "`layer[0]` = 1: must be a table"),
    ] {
        let error = plan_of(&format!("{wrong}\n{text}")).unwrap_err().to_string();
        assert!(error.contains(says), "{wrong}: {error}");
    }
    let untrained = "[[layer]]\ntype = \"max_pool\"\nsize = 10\nstride = 9\n[[layer]]\ntype = \"flatten\"";
    let experiment = Experiment::parse(Document::new("n.toml", format!("{text}{untrained}"))).unwrap();
    let error = experiment.plan(MNIST, 9).unwrap_err().to_string();
    assert!(error.contains("nothing to train"), "{error}");
}

/// Before anything is allocated.
#[test]
fn sizes_that_no_machine_holds_are_refused() {
    let large = Shape { h: 512, w: 512, c: 3 };
    let plan =
        |text: &str, input| Experiment::parse(Document::new("net.toml", text)).unwrap().plan(input, 10);
    let error = plan(&VALID.replace("outputs = 10", "outputs = 65536"), large).unwrap_err().to_string();
    assert!(error.contains("`layer[3].outputs` = 65536: the network has 338"), "{error}");
    let layers = "[[layer]]\ntype = \"conv2d\"\nchannels = 4096\nkernel = 3\n".repeat(2);
    let two = VALID.replacen("[[layer]]", &format!("{layers}[[layer]]"), 1);
    let error = plan(&two, MNIST).unwrap_err().to_string();
    assert!(error.contains("`layer[1].channels` = 4096: the network has"), "{error}");
    let error =
        plan(&VALID.replace("batch = 8", "batch = 65536").replace("channels = 2", "channels = 64"), MNIST)
            .unwrap_err()
            .to_string();
    assert!(error.contains("`data.batch` = 65536: layer `conv2d1` needs a matrix of"), "{error}");
    for wide in ["outputs = 4000000000", "outputs = 18446744073709551616", "outputs = -1"] {
        let error = plan_of(&VALID.replace("outputs = 10", wide)).unwrap_err().to_string();
        assert!(error.contains("net.toml"), "{error}");
    }
}

#[test]
fn a_missing_file_is_named() {
    let error = Experiment::load(Path::new("/nowhere/x.toml")).unwrap_err();
    assert!(matches!(error, ConfigError::Read { .. }));
    assert!(error.to_string().contains("/nowhere/x.toml"));
}

#[test]
fn the_fingerprint_tells_networks_apart() {
    let base = plan_of(VALID).unwrap().fingerprint();
    assert_eq!(base.len(), 16);
    for (old, new) in
        [("channels = 2", "channels = 3"), ("weights = 4", "weights = 5"), ("name = \"net\"", "name = \"n\"")]
    {
        let other = plan_of(&VALID.replacen(old, new, 1)).unwrap().fingerprint();
        assert_eq!(other == base, old.starts_with("name"), "{new}");
    }
}

#[test]
fn the_named_experiments_suit_their_data() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../configs/experiments");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let experiment = Experiment::load(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(path.file_stem().and_then(|s| s.to_str()), Some(experiment.name.as_str()));
        let shape = match experiment.data.set.as_str() {
            "digits" => Shape { h: 8, w: 8, c: 1 },
            "mnist" => MNIST,
            "cifar10" => Shape { h: 32, w: 32, c: 3 },
            other => panic!("{}: data set {other}", path.display()),
        };
        experiment.plan(shape, 10).unwrap_or_else(|error| panic!("{error}"));
        seen += 1;
    }
    assert!(seen >= 3);
}
