//! The documentation of units and their ports, out of the sources: a comment of Rust is gone when a unit is elaborated.
//!
//! Reads `src` and writes a table `&[Unit]` for `hdl/docs.rs`. The sources are rustfmt's: a field and its type stand on one line.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=src");
    let mut files = vec![];
    collect(Path::new("src"), &mut files);
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source file");
        units(&module_path(&file), &text, &mut table);
    }
    table += "]\n";
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    std::fs::write(out.join("docs.rs"), table).expect("cargo's folder is writable");
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a source folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

/// `src/store/drain.rs` → `store::drain`.
fn module_path(file: &Path) -> String {
    let parts = file.with_extension("");
    let parts = parts.iter().skip(1).map(|p| p.to_string_lossy().into_owned());
    parts.filter(|p| p != "mod" && p != "lib").collect::<Vec<_>>().join("::")
}

/// Appends the units and interfaces declared in `text`.
fn units(module: &str, text: &str, table: &mut String) {
    let (mut doc, mut derives, mut inside) = (String::new(), false, false);
    for line in text.lines() {
        let words = line.trim();
        if let Some(comment) = words.strip_prefix("///") {
            doc += comment.strip_prefix(' ').unwrap_or(comment);
            doc.push('\n');
            continue;
        }
        if words.starts_with("#[") {
            derives |= words.starts_with("#[derive(") && words.contains("Logic");
            continue;
        }
        let declared = words.strip_prefix("pub ").unwrap_or(words);
        if let Some(name) = declared.strip_prefix("struct ").filter(|_| derives && words.ends_with('{')) {
            inside = true;
            writeln!(
                table,
                "Unit {{ path: {:?}, doc: {doc:?}, fields: &[",
                format!("{module}::{}", word(name))
            )
            .expect("a string");
        } else if inside && line == "}" {
            inside = false;
            table.push_str("] },\n");
        } else if inside && let Some((name, kind)) = declared.split_once(": ") {
            writeln!(table, "({name:?}, {:?}, {doc:?}),", element(kind.trim_end_matches(',')))
                .expect("a string");
        }
        doc.clear();
        derives = false;
    }
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// `Vec<write::Port<In>>` → `Port`.
fn element(kind: &str) -> &str {
    let inner = kind.trim_start_matches("Vec<");
    let path = inner.split(['<', '>']).next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or(path)
}
