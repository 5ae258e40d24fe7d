//! Verilates the default accelerator into a static library, and writes its bindings.

#[path = "src/recipe/mod.rs"]
#[allow(dead_code, reason = "the run-time cache uses the rest")]
#[allow(unused_imports, reason = "likewise")]
mod recipe;

use recipe::command::{create_dir, io_error, write};
use recipe::{Design, Interface, Key, Programs, Tools, compile, verilate};
use std::error::Error;
use std::path::{Path, PathBuf};
use tandem_spec::Config;

const CONFIG: &str = "../configs/accelerators/default.toml";

/// Functions of the shim with their types in Rust.
const FUNCTIONS: &[(&str, &str)] = &[
    ("new", "() -> *mut c_void"),
    ("free", "(handle: *mut c_void)"),
    ("layout", "() -> u64"),
    ("run", "(handle: *mut c_void, run: *mut Run)"),
    ("raw", "(handle: *mut c_void, cycles: u64, words: *const u8, first: *const u8, n_words: u64)"),
    ("trace_open", "(handle: *mut c_void, path: *const c_char) -> c_int"),
    ("trace_flush", "(handle: *mut c_void, close: c_int) -> c_int"),
];

fn main() {
    for input in [CONFIG, "src/recipe"] {
        println!("cargo::rerun-if-changed={input}");
    }
    for variable in ["VERILATOR", "VERILATOR_ROOT", "CXX"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    if let Err(e) = build() {
        eprintln!("tandem-sim: the default accelerator cannot be built\n{e}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let config = Config::from_file(Path::new(CONFIG))?;
    let emitted = tandem_rtl::emit(&config)?;
    let interface = Interface::Link { bits: config.link_bits };
    let design = Design { verilog: emitted.text(), top: emitted.top().name.clone(), interface };
    let tools = Tools::find(Programs::default())?;
    println!("cargo::rerun-if-changed={}", tools.include()?.join("verilated.cpp").display());
    let key = Key::of_model(&design, &tools, None);
    let objects = objects(&design, &key, &tools, &out)?;
    // `cc` knows how to archive and which C++ library to link
    cc::Build::new().cpp(true).cargo_warnings(false).objects(objects).compile("tandem_default");
    write(&out.join("default_model.rs"), &bindings(&config, &key.prefix()))?;
    Ok(())
}

/// The model's objects: those of an earlier build if nothing that shapes them has changed.
fn objects(design: &Design, key: &Key, tools: &Tools, out: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let (dir, list) = (out.join("model"), out.join("objects.txt"));
    let names = |text: String| -> Option<Vec<PathBuf>> {
        let paths: Vec<PathBuf> =
            text.strip_prefix(key.as_str())?.split_whitespace().map(Into::into).collect();
        paths.iter().all(|p| p.is_file()).then_some(paths)
    };
    if let Some(objects) = std::fs::read_to_string(&list).ok().and_then(names) {
        return Ok(objects);
    }
    if dir.exists() {
        std::fs::remove_dir_all(&dir).map_err(|e| io_error(&dir, e))?;
    }
    create_dir(&dir)?;
    let silent = &|_| ();
    let model = verilate::verilate(design, &key.prefix(), None, tools, &dir)?;
    let mut objects = compile::model_objects(&model, None, tools, silent)?;
    objects.extend(compile::runtime_objects(&model.runtime, None, tools, &dir, silent)?);
    let lines: Vec<String> = objects.iter().map(|o| o.display().to_string()).collect();
    write(&list, &format!("{}\n{}\n", key.as_str(), lines.join("\n")))?;
    Ok(objects)
}

fn bindings(config: &Config, prefix: &str) -> String {
    let declarations: Vec<String> =
        FUNCTIONS.iter().map(|(name, of)| format!("    fn {prefix}_{name}{of};")).collect();
    let fields: Vec<String> = FUNCTIONS.iter().map(|(name, _)| format!("{name}: {prefix}_{name}")).collect();
    format!(
        "pub const HASH: u64 = {:#x};\npub const LINK_BYTES: usize = {};\n\
         unsafe extern \"C\" {{\n{}\n}}\npub fn api() -> Api {{\n    Api {{ {} }}\n}}\n",
        config.hash(),
        config.link_bytes(),
        declarations.join("\n"),
        fields.join(", ")
    )
}
