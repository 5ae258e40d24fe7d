//! Pages that list what the sources declare (the keys of accelerators are rendered: see `tandem_spec::reference`).

use crate::common::repository;
use std::path::PathBuf;

fn read(path: &str) -> String {
    std::fs::read_to_string(repository().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// All Rust sources below a folder.
fn sources(folder: &str) -> Vec<PathBuf> {
    let (mut all, mut open) = (vec![], vec![repository().join(folder)]);
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                _ if path.is_dir() => open.push(path),
                Some(e) if e == "rs" => all.push(path),
                _ => {}
            }
        }
    }
    all
}

/// Fields of the tables that a source reads: structures that refuse unknown keys.
fn keys(source: &str) -> Vec<String> {
    let mut keys = vec![];
    for part in source.split("#[serde(deny_unknown_fields)]").skip(1) {
        let body = part.split("\n}").next().unwrap_or_default();
        let Some((_, fields)) = body.split_once('{') else { continue };
        let mut renamed = None;
        for line in fields.lines().map(str::trim) {
            if line.starts_with("#[serde(skip)]") {
                renamed = Some(None);
            } else if let Some(name) = line.strip_prefix("#[serde(rename = \"") {
                renamed = Some(name.split('"').next().map(str::to_owned));
            } else if let Some((name, _)) = line.split_once(": ").filter(|_| line.ends_with(',')) {
                let name = name.rsplit(' ').next().unwrap_or(name).to_owned();
                keys.extend(renamed.take().unwrap_or(Some(name)));
            }
        }
    }
    keys
}

#[test]
fn the_page_of_keys_has_every_key() {
    let page = read("docs/configuration.md");
    let mut found = 0;
    for folder in ["hw/synth/src", "sw/nn/src/config", "sw/nn/src/layers", "sw/cli/src"] {
        for file in sources(folder) {
            for key in keys(&std::fs::read_to_string(&file).unwrap()) {
                found += 1;
                assert!(
                    page.contains(&format!("`{key}`")) || page.contains(&format!("[{key}]")),
                    "{}: `{key}` is not in docs/configuration.md",
                    file.display()
                );
            }
        }
    }
    assert!(found > 100, "{found} keys");
}

#[test]
fn the_page_of_keys_has_every_kind_of_noise_and_augmentation() {
    use tandem_nn::data::augment::AUGMENTATIONS;
    use tandem_nn::data::preprocess::NOISES;
    let page = read("docs/configuration.md");
    let noises = NOISES.iter().map(|kind| (kind.name, kind.parameters));
    for (name, parameters) in noises.chain(AUGMENTATIONS.iter().map(|kind| (kind.name, kind.parameters))) {
        let line =
            page.lines().find(|line| line.contains(&format!("\"{name}\"")) && line.starts_with("| | "));
        let line = line.unwrap_or_else(|| panic!("\"{name}\" is not in docs/configuration.md"));
        assert!(parameters.iter().all(|p| line.contains(&format!("`{}`", p.name))), "{name}: {line}");
    }
}
