//! Experiments: what is accepted, and what a mistake's message says.

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

/// Each mistake: what to replace in the valid text, and what the message has to say.
#[test]
fn mistakes_name_file_line_key_value_and_what_is_allowed() {
    let conv = "type = \"conv2d\"\nchannels = 2\nkernel = 5";
    let cases: &[(&str, &str, &[&str])] = &[
        ("batch = 8", "batch = 0", &["net.toml:5: `data.batch` = 0:", "from 1 to 65536"]),
        ("batch = 8", "batch = -3", &["`data.batch` = -3:", "from 1 to 65536"]),
        ("batch = 8", "batch = \"8\"", &["`data.batch` = \"8\":", "an integer from 1"]),
        ("batch = 8", "batch = 101", &["`data.batch` = 101:", "at most 100"]),
        (
            "batch = 8",
            "batch = 8\nvalidation = 100",
            &["net.toml:6: `data.validation` = 100:", "less than the 100"],
        ),
        (
            "batch = 8",
            "batch = 8\nvalidation = 20\nimages = 81",
            &["net.toml:7: `data.images` = 81:", "at most 80"],
        ),
        ("batch = 8", "batch = 8\nimages = 0", &["`data.images` = 0:", "from 1 to"]),
        ("batch = 8", "batch = 8\nimages = 7", &["`data.batch` = 8:", "at most 7"]),
        (
            "batch = 8",
            "batch = 8\nbach = 8",
            &["net.toml:6: `data.bach` = 8:", "unknown field `bach`", "`batch`"],
        ),
        (
            "batch = 8",
            "batch = 8\naugment = \"flip\"",
            &["`data.augment` = \"flip\":", "must be a list", "pixels = 1"],
        ),
        ("batch = 8", "batch = 8\naugment = [1]", &["`data.augment[0]` = 1:", "must be a table"]),
        (
            "batch = 8",
            "batch = 8\naugment = [{ pixels = 1 }]",
            &["net.toml:6: `data.augment[0].kind`", "one of `crop`, `flip`"],
        ),
        (
            "batch = 8",
            "batch = 8\naugment = [{ kind = \"flip\" }, { kind = \"shift\", pixels = 0 }]",
            &["net.toml:6: `data.augment[1].pixels` = 0:", "expected 1 to 4096"],
        ),
        (
            "batch = 8",
            "batch = 8\naugment = [{ kind = \"cutout\" }]",
            &["`data.augment[0]`", "cutout needs size"],
        ),
        (
            "batch = 8",
            "batch = 8\naugment = [{ kind = \"flip\", size = 1 }]",
            &["`data.augment[0].size` = 1:", "unknown key of `flip`", "`kind` alone"],
        ),
        (
            "batch = 8",
            "batch = 8\naugment = [{ kind = \"crop\", border = \"constant:300\" }]",
            &["`data.augment[0].border`", "0 to 255"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"blur\" }]",
            &[
                "`data.preprocess[0].kind` = \"blur\":",
                "`gaussian`",
                "`median`",
                "`noise`",
                "`salt-and-pepper`",
            ],
        ),
        ("batch = 8", "batch = 8\npreprocess = { kind = \"box\" }", &["`data.preprocess`", "must be a list"]),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"gaussian\", sigma = 0 }]",
            &["`data.preprocess[0].sigma` = 0:", "more than 0"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"gaussian\", sigma = nan }]",
            &["sigma` = nan:", "more than 0"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"gaussian\" }]",
            &["`data.preprocess[0]`", "gaussian needs sigma"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"median\", size = 4 }]",
            &["size` = 4:", "an odd number"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"median\", border = \"mirror\" }]",
            &["`data.preprocess[0].border` = \"mirror\":", "reflect-101"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"median\", size = true }]",
            &["size` = true:", "a number, a text"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"noise\", deviation = -1 }]",
            &["`data.preprocess[0].deviation` = -1:", "0 to 255"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"noise\", deviation = 1, seed = -1 }]",
            &["seed` = -1:"],
        ),
        (
            "batch = 8",
            "batch = 8\npreprocess = [{ kind = \"salt-and-pepper\", share = 1.5 }]",
            &["share` = 1.5:", "0 to 1"],
        ),
        (
            "batch = 8",
            "batch = 8\nsize = [14, 14]",
            &["net.toml:6: `data.size`", "only with `set = \"folder\"`"],
        ),
        ("batch = 8", "batch = 8\nmemory = 1", &["`data.memory` = 1:", "`set = \"npy\"`"]),
        ("batch = 8", "batch = 8\nchannels = 2", &["`data.channels` = 2:", "1 (grey) or 3 (RGB)"]),
        ("\"mnist\"", "\"folder\"\nsize = [0, 14]", &["`data.size[0]` = 0:", "from 1 to 4096"]),
        ("lr = 0.1", "lr = 0.0", &["net.toml:10: `train.lr` = 0.0:", "above 0, at most 100"]),
        ("lr = 0.1", "lr = nan", &["`train.lr` = nan:", "above 0"]),
        ("lr = 0.1\n", "", &["net.toml:7: `train`:", "missing field `lr`"]),
        ("lr = 0.1", "lr = 0.1\nmomentum = 1.0", &["`train.momentum` = 1.0:", "from 0 to below 1"]),
        ("lr = 0.1", "lr = 0.1\nbeta1 = 0.5", &["`train.beta1` = 0.5:", "only with `optimizer = \"adam\"`"]),
        (
            "lr = 0.1",
            "lr = 0.1\nstep_epochs = 3",
            &["`train.step_epochs` = 3:", "only with `schedule = \"step\"`"],
        ),
        ("\"constant\"", "\"step\"", &["`train.schedule` = \"step\":", "`step_epochs` and `step_factor`"]),
        ("\"sgd\"", "\"lion\"", &["`train.optimizer` = \"lion\":", "`sgd` or `adam`"]),
        ("weights = 4", "weights = 0", &["`bits.weights` = 0:", "from 1 to 16"]),
        ("weights = 4\n", "", &["`bits`:", "missing field `weights`"]),
        (
            "weights = 4",
            "weights = 1",
            &[
                "`layer[0].bits.weights`",
                "`max-abs` has codes of 2 to 16 bits, got 1",
                "`lloyd-max`",
                "`sign`",
            ],
        ),
        (
            "weights = 4",
            "weights = 9\nweight_clip = \"lloyd-max\"",
            &["`layer[0].bits.weights`", "`lloyd-max` has codes of 1 to 8 bits, got 9"],
        ),
        (
            "weights = 4",
            "weights = 2\nweight_clip = \"sign\"",
            &["`layer[0].bits.weights`", "`sign` has codes of 1 bits, got 2"],
        ),
        (
            "weights = 4",
            "weights = 5\nweight_clip = \"apot\"\nlevel_bits = 4",
            &["`layer[0].bits.level_bits`", "at least the 5 bits of `apot` codes"],
        ),
        (
            "weights = 4",
            "weights = 4\nactivation_clip = \"sign\"",
            &["bits.activation_clip`", "`sign` has no code for 0"],
        ),
        (
            "gradients = 8",
            "gradients = 8\ngradient_quantizer = \"luq\"",
            &["bits.gradients`", "`luq` has gradients of 2 to 5 bits, got 8"],
        ),
        (
            "gradients = 8",
            "gradients = 8\ngradient_quantizer = \"logarithmic\"",
            &["`bits.gradient_quantizer` = \"logarithmic\":", "`max-abs`, `clipped`, `per-axis`, `luq`"],
        ),
        (
            "gradients = 8",
            "gradients = 8\nweight_scale = \"row\"",
            &["`bits.weight_scale` = \"row\":", "`tensor` or `channel`"],
        ),
        ("gradients = 8", "gradients = 8\npercentile = 40", &["`bits.percentile` = 40:", "from 50 to 100"]),
        ("gradients = 8", "gradients = 8\nrefit_steps = 0", &["`bits.refit_steps` = 0:", "from 1 to"]),
        (
            "weights = 4",
            "weights = 4\nweight_clip = \"min\"",
            &["`bits.weight_clip` = \"min\":", "`max-abs`, `learned`"],
        ),
        ("gradients = 8", "gradients = 17", &["net.toml:16: `bits.gradients` = 17:", "from 2 to 16"]),
        (
            "\"relu\"",
            "\"gelu\"",
            &["net.toml:24: `layer[1].type` = \"gelu\":", "`linear`", "`conv2d`", "`residual`"],
        ),
        ("type = \"relu\"", "name = \"x\"", &["`layer[1].type`:", "must be one of", "`relu`"]),
        ("\"relu\"", "\"relu\"\nsize = 2", &["net.toml:25: `layer[1].size` = 2:", "unknown field `size`"]),
        ("\"relu\"", "\"relu\"\nname = \"linear1\"", &["`layer[3].name`", "`linear1` is taken"]),
        (
            "\"relu\"",
            "\"relu\"\nbits = { weights = 2 }",
            &["`layer[1].bits`", "`relu` layer has no products"],
        ),
        ("kernel = 5", "kernel = 29", &["`layer[0].kernel` = 29:", "at most 28", "28×28×1"]),
        ("kernel = 5", "kernel = 5\npadding = 5", &["`layer[0].padding` = 5:", "less than the kernel, 5"]),
        (
            "kernel = 5",
            "kernel = 5\nbits = { gradients = 1 }",
            &["`layer[0].bits.gradients` = 1:", "from 2 to 16"],
        ),
        ("channels = 2\n", "", &["net.toml:18: `layer[0]`:", "missing field `channels`"]),
        ("type = \"flatten\"", "type = \"relu\"", &["`layer[3].type` = \"linear\":", "`flatten`", "24×24×2"]),
        ("outputs = 10", "outputs = 11", &["`layer[3].type`", "1×1×10", "1×1×11"]),
        (
            "\"relu\"",
            "\"residual\"\nfrom = \"conv2d1\"",
            &["`layer[1].from` = \"conv2d1\":", "one of `input`"],
        ),
        (
            "\"relu\"",
            "\"residual\"\nfrom = \"input\"",
            &["`layer[1].from` = \"input\":", "28×28×1", "24×24×2"],
        ),
        ("kernel = 5", "kernel = [5, 29]", &["`layer[0].kernel`", "at most 28", "28×28×1"]),
        (
            "kernel = 5",
            "kernel = [5, 3, 1]",
            &["net.toml:21: `layer[0].kernel", "invalid length 3", "[height, width]"],
        ),
        ("kernel = 5", "kernel = [5, 0]", &["`layer[0].kernel[1]` = 0:", "from 1 to 31"]),
        ("kernel = 5", "kernel = \"5\"", &["`layer[0].kernel` = \"5\":", "from 1 to 31"]),
        (
            "kernel = 5",
            "kernel = [3, 1]\npadding = 1",
            &["`layer[0].padding` = 1:", "less than the kernel, [3, 1]"],
        ),
        (
            "kernel = 5",
            "kernel = 5\ngroups = 2",
            &["`layer[0].groups` = 2:", "divide the 1 channels of the input, 28×28×1"],
        ),
        (
            "kernel = 5",
            "kernel = [5, 3]\ndomain = \"dct\"",
            &["`layer[0].domain` = \"dct\":", "square kernel, got [5, 3]"],
        ),
        (
            "\"relu\"",
            "\"conv2d\"\nchannels = 3\nkernel = 1\ngroups = 2",
            &["`layer[1].groups` = 2:", "divide the 3 channels of the output"],
        ),
        (
            "\"relu\"",
            "\"avg_pool\"\nsize = [2, 25]",
            &["`layer[1].size`", "at most 24: the input is 24×24×2"],
        ),
        ("\"relu\"", "\"dropout\"\nrate = 1.0", &["`layer[1].rate` = 1.0:", "from 0 to below 1"]),
        (
            "\"relu\"",
            "\"relu\"\ninput = \"conv1\"",
            &["`layer[1].input` = \"conv1\":", "one of `input`, `conv2d1`"],
        ),
        (
            "\"relu\"",
            "\"relu\"\ninput = \"input\"",
            &["`layer[1].input` = \"input\":", "no layer takes the output of `conv2d1`"],
        ),
        (
            "\"relu\"",
            "\"residual\"\nfrom = \"input\"\nstride = 2",
            &["`layer[1].stride` = 2:", "28×28×1, 14×14×1 at this stride", "24×24×2"],
        ),
        (
            "kernel = 5",
            "kernel = 1\n[[layer]]\ntype = \"residual\"\nfrom = \"input\"",
            &["`layer[1].from` = \"input\":", "28×28×1", "28×28×2", "zero-pad", "`conv2d` with this `input`"],
        ),
        (conv, "type = \"max_pool\"\nsize = 15\nstride = 0", &["`layer[0].stride` = 0:", "from 1 to 15"]),
        ("weights = 4", "weights = = 4", &["net.toml:14: "]),
        ("name = \"net\"\n", "", &["net.toml:1: ", "missing field `name`"]),
        ("name = \"net\"", "name = \"net\"\nseed = 1", &["net.toml:2: `seed` = 1:", "unknown field `seed`"]),
    ];
    for (old, new, expected) in cases {
        assert!(VALID.contains(old), "{old}");
        let error = plan_of(&VALID.replacen(old, new, 1)).expect_err(new).to_string();
        for part in *expected {
            assert!(error.contains(part), "{new}\ngives: {error}\nwithout: {part}");
        }
    }
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
