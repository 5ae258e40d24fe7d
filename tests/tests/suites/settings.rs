//! `--set` and `--seed`: into the document, however it is written.

use crate::common::command::{Scratch, succeeds};
use crate::common::repository;

const DIGITS: &str = "configs/experiments/digits-mlp.toml";

fn digits() -> String {
    std::fs::read_to_string(repository().join(DIGITS)).unwrap()
}

/// Digest of the weights after two steps.
fn digest(s: &Scratch, run: &str, file: &str, options: &[&str]) -> String {
    let folder = s.path(run);
    let arguments = ["train", "-c", file, "--steps", "2", "-o", &folder];
    let report = succeeds(&[&arguments, options].concat());
    report["weights_digest"].as_str().expect("a digest").to_owned()
}

#[test]
fn a_seed_counts_however_the_table_is_written() {
    let s = Scratch::new();
    let plain = digits();
    let table = "[train]\nepochs = 20\nseed = 1\noptimizer = \"sgd\"\nmomentum = 0.9\nlr = 0.05\nschedule = \"cosine\"\n";
    let at = plain.find("[train]").expect("a table");
    let end = at + plain[at..].find("\n[").expect("a next table") + 1;
    let with = |train: &str| format!("{}{train}\n{}", &plain[..at], &plain[end..]);
    let body = table.trim_start_matches("[train]\n");
    let inline = body.trim_end().replace('\n', ", ");
    let dotted: String = body.lines().map(|line| format!("train.{line}\n")).collect();
    let mut expected = None;
    for (i, text) in [
        with(table),
        with(&format!("[ train ]\n{body}")),
        with(&format!("[\"train\"]\n{body}")),
        format!("train = {{ {inline} }}\n{}", with("")),
        format!("{dotted}{}", with("")),
    ]
    .iter()
    .enumerate()
    {
        let file = s.write(&format!("{i}.toml"), text);
        let run = |name: &str, options: &[&str]| digest(&s, &format!("{i}-{name}"), &file, options);
        let digests = [
            run("own", &[]),
            run("1", &["--seed", "1"]),
            run("2", &["--seed", "2"]),
            run("set", &["--set", "train.seed=2"]),
        ];
        assert_eq!(digests[0], digests[1], "{text}");
        assert_ne!(digests[1], digests[2], "{text}");
        assert_eq!(digests[2], digests[3], "{text}");
        assert_eq!(*expected.get_or_insert(digests.clone()), digests, "{text}");
    }
}

#[test]
fn settings_reach_every_key() {
    let s = Scratch::new();
    let folder = s.path("run");
    let set =
        ["--set", "accelerator=minimal", "--set", "layer.fc1.bits.weights=2", "--set", "name=mod\u{e8}le"];
    let options = ["train", "-c", DIGITS, "--steps", "1", "-o", &folder];
    let report = succeeds(&[&options[..], &set[..]].concat());
    assert_eq!(report["accelerator"], "minimal");
    let kept = std::fs::read_to_string(s.path("run/experiment.toml")).unwrap();
    assert!(kept.contains("weights = 2") && kept.contains("mod\u{e8}le"), "{kept}");
    // what was kept is resumed with
    let resumed = succeeds(&["train", "--resume", &folder, "--steps", "2"]);
    assert_eq!(resumed["steps"], 2);
}

#[test]
fn wrong_settings_name_themselves() {
    let s = Scratch::new();
    let new = s.path("never");
    for (set, says) in [
        ("train.epochs", &["--set train.epochs", "KEY=VALUE"][..]),
        ("train.epochs=0", &["--set train.epochs=0", "`train.epochs`", "1 to"]),
        ("train.epoch=3", &["--set train.epoch=3", "unknown field `epoch`"]),
        ("layer.conv9.kernel=3", &["no layer `conv9`", "fc1"]),
        ("layer.fc1.outputs=many", &["--set layer.fc1.outputs=many", "`layer[1].outputs`"]),
        ("bits=\"4", &["--set bits=\"4", "not TOML"]),
        ("name.first=x", &["`name` is string, not a table"]),
    ] {
        s.refuses(says, &["train", "-c", DIGITS, "--set", set, "-o", &new]);
    }
    s.refuses(&["--seed"], &["train", "-c", DIGITS, "--seed", "9223372036854775808", "-o", &new]);
    s.refuses(&["--seed"], &["train", "-c", DIGITS, "--seed=-1", "-o", &new]);
    // a mistake in the file keeps its line
    let text = digits().replace("lr = 0.05", "lr = -1.0");
    let line = 1 + text[..text.find("lr = -1.0").expect("replaced")].matches('\n').count();
    let file = s.write("wrong.toml", &text);
    s.refuses(
        &[&format!("wrong.toml:{line}: `train.lr`")],
        &["train", "-c", &file, "--seed", "3", "-o", &new],
    );
    assert!(!std::path::Path::new(&new).exists());
}

#[test]
fn a_path_is_relative_to_the_file_that_has_it() {
    let s = Scratch::new();
    let accelerator =
        std::fs::read_to_string(repository().join("configs/accelerators/minimal.toml")).unwrap();
    let accelerator = accelerator.replace("name = \"minimal\"", "name = \"mine\"");
    s.write("hardware/mine.toml", accelerator);
    let accelerated =
        |place: &str| digits().replace("accelerator = \"default\"", &format!("accelerator = {place:?}"));
    let file = s.write("nets/net.toml", accelerated("../hardware/mine.toml"));
    let report = succeeds(&["train", "-c", &file, "--steps", "1", "-o", &s.path("run")]);
    assert_eq!(report["accelerator"], "mine");
    s.write(
        "tables/mine.toml",
        std::fs::read_to_string(repository().join("configs/accelerators/peer-8x8.toml")).unwrap(),
    );
    let table = s.write(
        "tables/t.toml",
        "name = \"t\"\nexperiment = \"../nets/net.toml\"\nseeds = [1]\nset.train.epochs = 1\nset.data.images = 32\n\
         [[column]]\nname = \"c\"\n[[row]]\nname = \"r\"\nset.accelerator = \"./mine.toml\"\n",
    );
    succeeds(&["compare", &table, "-o", &s.path("out")]);
    let outcome = |cell: &str| std::fs::read_to_string(s.path(&format!("out/{cell}.json"))).unwrap();
    assert!(outcome("dense-1").contains("rows = 2\\n"), "{}", outcome("dense-1"));
    assert!(outcome("r-c-1").contains("rows = 8\\n"), "{}", outcome("r-c-1"));
}
