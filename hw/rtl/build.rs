//! The documentation of units and their ports, out of the sources: a comment of Rust is gone when a unit is elaborated.
//!
//! Reads `src` and writes a table `&[Unit]` for `hdl/docs.rs`. The sources are rustfmt's: a field begins on a line of its own, four columns in from its struct.

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

/// Appends the units and interfaces declared in `text`: structs that derive one of rust_hdl's traits, or stand in `unit!` or `bundle!`.
fn units(module: &str, text: &str, table: &mut String) {
    let (mut doc, mut declares, mut open) = (String::new(), false, None);
    for line in text.lines() {
        let (indent, words) = (line.len() - line.trim_start().len(), line.trim());
        if let Some(comment) = words.strip_prefix("///") {
            doc += comment.strip_prefix(' ').unwrap_or(comment);
            doc.push('\n');
            continue;
        }
        if words.starts_with("#[") {
            declares |= words.starts_with("#[derive(") && words.contains("Logic");
            continue;
        }
        if ["unit! {", "bundle! {"].contains(&words) {
            declares = true;
            continue;
        }
        let declared = words.strip_prefix("pub ").unwrap_or(words);
        match open {
            None => {
                if let Some(name) = declared.strip_prefix("struct ").filter(|_| declares) {
                    let path = format!("{module}::{}", word(name));
                    writeln!(table, "Unit {{ path: {path:?}, doc: {doc:?}, fields: &[").expect("a string");
                    // a list of parameters may take some lines
                    open = Some((indent, words.ends_with('{')));
                }
                declares = false;
            }
            Some((outer, begun)) if indent == outer => {
                if words == "}" {
                    open = None;
                    table.push_str("] },\n");
                } else {
                    open = Some((outer, begun || words.ends_with('{')));
                }
            }
            Some((outer, true)) if indent == outer + 4 => {
                let field = match declared.split_once(": ") {
                    Some((name, kind)) => Some((name, element(kind), doc.as_str())),
                    None => (words == "clock,").then_some(("clock", "Signal", "Clock.")),
                };
                if let Some(field) = field {
                    writeln!(table, "{field:?},").expect("a string");
                }
            }
            _ => {}
        }
        doc.clear();
    }
}

fn word(text: &str) -> &str {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// `Vec<write::Port<In>>` → `Port`.
fn element(kind: &str) -> &str {
    let inner = kind.trim_start_matches("Vec<");
    let path = inner.split(['<', '>', ',', ' ']).next().unwrap_or_default();
    path.rsplit("::").next().unwrap_or(path)
}
