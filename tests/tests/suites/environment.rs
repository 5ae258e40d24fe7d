//! docs/environment.md names every variable and macro of the sources that begins with the project's name, and no other.

use std::collections::BTreeSet;
use std::path::Path;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const PREFIX: &str = "TANDEM_";

/// Names in a text that begin with the prefix.
fn names(text: &str) -> impl Iterator<Item = String> {
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    text.match_indices(PREFIX)
        .map(move |(at, _)| text[at..].chars().take_while(|c| is_name(*c)).collect::<String>())
        .filter(|name| name != PREFIX)
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap_or_default().to_owned();
        if path.is_dir() {
            if !name.starts_with('.') && !["target", "runs", "data", "docs"].contains(&name.as_str()) {
                collect(&path, found);
            }
        } else if [".rs", ".sh", ".cpp", ".h"].iter().any(|e| name.ends_with(e)) || name == "Makefile" {
            found.extend(names(&std::fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn the_page_lists_what_the_sources_name() {
    let page = std::fs::read_to_string(Path::new(ROOT).join("docs/environment.md")).unwrap();
    let mut found = BTreeSet::new();
    collect(Path::new(ROOT), &mut found);
    assert_eq!(found, names(&page).collect());
    let table = page.lines().filter_map(|l| l.strip_prefix("| `")?.split('`').next());
    let variables: Vec<&str> = table.filter(|v| v.starts_with(PREFIX)).collect();
    assert_eq!(
        variables,
        [
            "TANDEM_CACHE",
            "TANDEM_FPGA",
            "TANDEM_DATA",
            "TANDEM_LOG",
            "TANDEM_KERNELS",
            "TANDEM_CONFIGS",
            "TANDEM_BLESS",
            "TANDEM_CONV_CASES"
        ]
    );
}
