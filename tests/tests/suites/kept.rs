//! What `compare` keeps is used again only for what it was made from.

use crate::common::command::{Scratch, object, run, succeeds};
use crate::common::repository;

/// MNIST's four files with 64 images each, whose pixels depend on `salt`.
fn data(s: &Scratch, folder: &str, salt: usize) -> String {
    let file = |dims: &[u32], bytes: Vec<u8>| {
        let mut all = vec![0, 0, 8, dims.len() as u8];
        dims.iter().for_each(|d| all.extend(d.to_be_bytes()));
        all.extend(bytes);
        all
    };
    let pixels: Vec<u8> = (0..64 * 784).map(|i| (i * (7 + salt) % 251) as u8).collect();
    for split in ["train", "t10k"] {
        s.write(&format!("{folder}/mnist/{split}-images-idx3-ubyte"), file(&[64, 28, 28], pixels.clone()));
        let labels = (0..64).map(|i| i % 10).collect();
        s.write(&format!("{folder}/mnist/{split}-labels-idx1-ubyte"), file(&[64], labels));
    }
    s.path(folder)
}

#[test]
fn an_outcome_of_other_data_experiment_or_accelerator_is_refused() {
    let s = Scratch::new();
    let mlp = repository().join("configs/experiments/mnist-mlp.toml");
    let text = std::fs::read_to_string(mlp).unwrap();
    let experiment = s.write("net.toml", &text);
    let accelerator = repository().join("configs/accelerators/peer-8x8.toml");
    let accelerator = std::fs::read_to_string(accelerator).unwrap();
    s.write("mine.toml", &accelerator);
    let table = s.write(
        "table.toml",
        "name = \"t\"\nexperiment = \"net.toml\"\nseeds = [1]\nset.train.epochs = 1\nset.data.images = 64\n\
         set.data.batch = 32\nset.data.validation = 0\nset.accelerator = \"./mine.toml\"\n\
         [[column]]\nname = \"c\"\n[[row]]\nname = \"r\"\nset.train.lr = 0.01\n",
    );
    let (a, b) = (data(&s, "a", 0), data(&s, "b", 1));
    let out = s.path("out");
    let arguments = |data: &'static str, more: &[&'static str]| {
        let dir = if data == "a" { a.clone() } else { b.clone() };
        let mut all: Vec<String> = ["compare", &table, "-o", &out, "--data", &dir].map(str::to_owned).into();
        all.extend(more.iter().map(|m| (*m).to_owned()));
        all
    };
    let refused = |says: &[&str], data: &'static str, more: &[&'static str]| {
        let all = arguments(data, more);
        s.refuses(says, &all.iter().map(String::as_str).collect::<Vec<_>>());
    };
    let done = || {
        let all = arguments("a", &[]);
        succeeds(&all.iter().map(String::as_str).collect::<Vec<_>>())
    };
    assert_eq!(done(), done(), "what is kept is what was made");
    refused(&["dense-1.json", "the data set has changed"], "b", &[]);
    refused(&["dense-1.json", "`train.lr` was", "now 0.5"], "a", &["--set", "train.lr=0.5"]);
    refused(&["dense-1.json", "`train.epochs`"], "a", &["--set", "train.epochs=2"]);
    refused(&["dense-1.json", "engine model, now sim"], "a", &["--engine", "sim"]);
    s.write("mine.toml", accelerator.replace("result_depth = 512", "result_depth = 256"));
    refused(&["dense-1.json", "`memory.result_depth` was 512, now 256"], "a", &[]);
    s.write("mine.toml", &accelerator);
    let kept = std::fs::read_to_string(s.path("out/dense-1.json")).unwrap();
    let mut outcome: serde_json::Value = serde_json::from_str(&kept).unwrap();
    outcome.as_object_mut().unwrap().remove("identity");
    s.write("out/dense-1.json", outcome.to_string());
    refused(&["dense-1.json", "earlier version"], "a", &[]);
    // another experiment under the same table
    s.write("out/dense-1.json", kept);
    s.write("net.toml", text.replace("outputs = 256", "outputs = 128"));
    refused(&["dense-1.json", "the experiment has changed", &experiment[..0]], "a", &[]);
}

/// As in a sweep: what fails is named, the others run, and there is no table of a part.
#[test]
fn a_cell_that_fails_does_not_stop_the_others() {
    let s = Scratch::new();
    let experiment = repository().join("configs/experiments/digits-mlp.toml");
    let table = |wild: &str| {
        s.write(
            "table.toml",
            format!(
                "name = \"t\"\nexperiment = \"{}\"\nseeds = [1]\nset.train.epochs = 8\nset.data.images = 320\n[[column]]\nname = \"c\"\n\
                 [[row]]\nname = \"wild\"\nset.train = {wild}\n[[row]]\nname = \"tame\"\nset.train.lr = 0.01\n",
                experiment.display()
            ),
        )
    };
    let file = table("{ lr = 100.0, weight_decay = 0.9 }");
    let (out, path) = (s.path("out"), |name: &str| s.path(&format!("out/{name}")));
    let ran = run(&["--json"], &["compare", &file, "-o", &out, "--jobs", "1"], &[]);
    let report = object(&ran);
    assert_eq!(ran.status.code(), Some(1), "{report}");
    assert!(report["error"].as_str().unwrap().contains("wild-c-1"), "{report}");
    let reason = std::fs::read_to_string(path("wild-c-1.failed")).unwrap();
    assert!(report["error"].as_str().unwrap().contains(&reason), "{reason}");
    let there = |name: &str| std::fs::exists(path(name)).unwrap();
    assert!(there("dense-1.json") && there("tame-c-1.json") && !there("wild-c-1.json"));
    assert!(!there("table.md") && !there("chart.svg"));
    // mended, it is gone on with
    let file = table("{ lr = 0.02 }");
    let lines = succeeds(&["compare", &file, "-o", &out])["lines"].as_array().unwrap().len();
    assert_eq!((lines, there("wild-c-1.failed"), there("table.md")), (3, false, true));
}
