//! The table `[pruning]`: what a mistake's message says.

use crate::common::data::{ALL_LAYERS, SHORT, quarters};
use tandem_nn::backend::Backend;
use tandem_nn::config::{ConfigError, Document, Experiment};
use tandem_nn::train::{TrainError, Trainer};

fn error_of(pruning: &str) -> ConfigError {
    let text = format!(
        "name = \"net\"\n[data]\nset = \"quarters\"\nbatch = 16\n[train]\n{SHORT}\n\
         [bits]\nweights = 4\nactivations = 4\ngradients = 8\n[pruning]\n{pruning}\n{ALL_LAYERS}"
    );
    let experiment = match Experiment::parse(Document::new("net.toml", text)) {
        Ok(experiment) => experiment,
        Err(error) => return error,
    };
    match Trainer::new(experiment, quarters(128, 64), Backend::Float) {
        Err(TrainError::Config(error)) => error,
        Err(error) => panic!("{pruning}: {error}"),
        Ok(_) => panic!("{pruning} is accepted"),
    }
}

#[test]
fn mistakes_name_file_line_key_value_and_what_is_allowed() {
    let cases: &[(&str, &[&str])] = &[
        ("density = 0.5", &["net.toml:17: `pruning`:", "missing field `method`"]),
        ("method = \"snap\"", &["net.toml:18: `pruning.method` = \"snap\":", "`snip`", "`united`"]),
        ("method = \"gmp\"", &["`pruning.density`:", "needs `density`"]),
        ("method = \"gmp\"\ndensity = 0.0", &["net.toml:19: `pruning.density` = 0.0:", "above 0, at most 1"]),
        ("method = \"gmp\"\ndensity = 1.5", &["`pruning.density` = 1.5:", "above 0, at most 1"]),
        ("method = \"gmp\"\ndensitty = 0.5", &["`pruning.densitty` = 0.5:", "unknown field"]),
        ("method = \"gmp\"\npattern = \"1:3\"", &["`pruning.pattern` = \"1:3\":", "m 2, 4, 8 or 16"]),
        ("method = \"gmp\"\npattern = { n = 5, m = 4 }", &["`pruning.pattern`", "n from 1 to m"]),
        ("method = \"gmp\"\npattern = { n = 1, k = 4 }", &["`pruning.pattern.k` = 4:", "unknown field"]),
        (
            "method = \"gmp\"\npattern = \"1:4\"\ndensity = 0.5",
            &["`pruning.density` = 0.5:", "leaves it open"],
        ),
        ("method = \"gmp\"\npattern = \"1:4\"\ncycles = 0.5", &["`pruning.cycles` = 0.5:", "leaves it open"]),
        ("method = \"gmp\"\ncycles = 0.5", &["`pruning.cycles` = 0.5:", "saves no cycles"]),
        (
            "method = \"gmp\"\npattern = \"N:4\"\ndensity = 0.5\ncycles = 0.5",
            &["`pruning.cycles` = 0.5:", "either"],
        ),
        (
            "method = \"gmp\"\nbudget = \"fair\"\ndensity = 0.5",
            &["`pruning.budget` = \"fair\":", "`layerwise`"],
        ),
        ("method = \"gmp\"\nbudget = \"layerwise\"\ndensity = 0.5", &["`pruning.budget`", "`N:4`"]),
        ("method = \"gmp\"\nbudget = \"global\"\npattern = \"1:4\"", &["`pruning.budget`", "fixed N"]),
        (
            "method = \"gmp\"\nbudget = \"global\"\npattern = \"N:4\"\ncycles = 0.5",
            &["`pruning.budget`", "`layerwise` with `cycles`"],
        ),
        ("method = \"gmp\"\ndensity = 0.5\ninitial = 0.7", &["`pruning.initial` = 0.7:", "`initial_score`"]),
        (
            "method = \"gmp\"\ndensity = 0.5\nlambda_start = 0.5",
            &["`pruning.lambda_start` = 0.5:", "`initial_score`"],
        ),
        ("method = \"gmp\"\ndensity = 0.5\nstart = 0.6", &["`pruning.start` = 0.6:", "at most `end`, 0.25"]),
        ("method = \"gmp\"\ndensity = 0.5\nend = 1.5", &["`pruning.end` = 1.5:", "from 0 to 1"]),
        ("method = \"gmp\"\ndensity = 0.5\ninterval = 0", &["`pruning.interval` = 0:", "from 1"]),
        ("method = \"gmp\"\ndensity = 0.5\nshuffle = true", &["`pruning.shuffle` = true:", "one mask"]),
        (
            "method = \"gmp\"\ndensity = 0.5\nscore = \"size\"",
            &["`pruning.score` = \"size\":", "`lamp`", "`force`"],
        ),
        (
            "method = \"gmp\"\ndensity = 0.5\nlayers = [\"conv9\"]",
            &["`pruning.layers`", "`conv9`", "`conv2`"],
        ),
        (
            "method = \"gmp\"\ndensity = 0.5\nlayers = [\"early\"]",
            &["`pruning.layers`", "`early` has no weights", "`conv2`"],
        ),
        (
            "method = \"gmp\"\ndensity = 0.5\n[pruning.layer.conv9]\nskip = true",
            &["`pruning.layer.conv9`", "no layer"],
        ),
        (
            "method = \"gmp\"\ndensity = 0.5\n[pruning.layer.early]\nskip = true",
            &["`pruning.layer.early`", "no weights"],
        ),
        ("method = \"gmp\"\ndensity = 0.5\n[pruning.layer.fc1]", &["`pruning.layer.fc1`", "needs `pattern`"]),
        (
            "method = \"gmp\"\ndensity = 0.5\n[pruning.layer.fc1]\nskip = true\npattern = \"1:4\"",
            &["`pruning.layer.fc1.pattern`", "not with `skip"],
        ),
        (
            "method = \"gmp\"\npattern = \"1:4\"\n[pruning.layer.fc1]\npattern = \"N:4\"",
            &["`pruning.layer.fc1.pattern` = \"N:4\":", "open N"],
        ),
        ("method = \"gmp\"\ndensity = 0.5\nlayers = []", &["`pruning.layers`", "no layer is left"]),
    ];
    for (text, expected) in cases {
        let error = error_of(text).to_string();
        for part in *expected {
            assert!(error.contains(part), "{text}\ngives: {error}\nwithout: {part}");
        }
    }
}
