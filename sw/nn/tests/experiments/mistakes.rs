//! What an experiment's mistakes are told as.

use super::{VALID, plan_of};

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
