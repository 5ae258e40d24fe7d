//! The cache: built once, found again, repaired.

mod fixture;

use fixture::{config, design, design_with, echo, failure, packet};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use tandem_sim::{BuildStep, Sim, SimOptions};
use tandem_spec::{Config, Engine, RunOptions, Status, Stream};
use tempfile::TempDir;

/// Options for a cache in `dir`, and the steps that builds with them report.
fn recording(dir: &Path) -> (SimOptions, Arc<Mutex<Vec<BuildStep>>>) {
    let steps = Arc::new(Mutex::new(vec![]));
    let seen = steps.clone();
    let progress = Arc::new(move |step| seen.lock().unwrap().push(step));
    let options =
        SimOptions { cache: Some(dir.to_path_buf()), progress: Some(progress), ..SimOptions::default() };
    (options, steps)
}

fn works(sim: &mut Sim) {
    let expected = [packet(16, 5, 1)];
    let outcome = sim.run(&echo(16, &expected), &RunOptions::default()).unwrap();
    assert_eq!(outcome.packets, expected);
}

fn build(options: &SimOptions) {
    works(&mut Sim::of_design(&config(16), &design(16), options).unwrap());
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The entry of the model (not that of Verilator's run time).
fn entry(cache: &Path) -> PathBuf {
    let with_library = |n: &String| cache.join(n).join("model.so").exists();
    cache.join(names(cache).into_iter().find(with_library).expect("a model in the cache"))
}

/// Makes the manifest agree with the files of the entry, whatever they are.
fn seal(entry: &Path, key: &str) {
    let hex = |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect() };
    let mut text = format!("tandem cache entry 1\nkey {key}\n");
    for name in names(entry).iter().filter(|n| *n != "manifest") {
        let content = std::fs::read(entry.join(name)).unwrap();
        text += &format!("{} {} {name}\n", hex(&content), content.len());
    }
    let end = hex(text.as_bytes());
    std::fs::write(entry.join("manifest"), format!("{text}end {end}\n")).unwrap();
}

#[test]
fn an_entry_is_built_once_found_again_and_repaired() {
    let dir = TempDir::new().unwrap();
    let (options, steps) = recording(dir.path());
    let taken = || std::mem::take(&mut *steps.lock().unwrap());
    build(&options);
    let all = taken();
    assert_eq!(all[0], BuildStep::Verilating);
    assert_eq!(*all.last().unwrap(), BuildStep::Linking);
    let entry = entry(dir.path());
    let key = entry.file_name().unwrap().to_str().unwrap().to_string();
    assert_eq!(names(&entry), ["about.txt", "manifest", "model.so", "tandem.v"]);
    assert!(names(dir.path()).iter().all(|n| !n.starts_with(".tandem-")), "scratch folders are gone");

    // found again without a lock, as in a read-only cache
    std::fs::remove_file(dir.path().join(format!("{key}.lock"))).unwrap();
    build(&options);
    assert_eq!(taken(), []);
    assert!(!dir.path().join(format!("{key}.lock")).exists());

    let library = entry.join("model.so");
    let mapped = || std::fs::read_to_string("/proc/self/maps").unwrap().contains(library.to_str().unwrap());
    let sim = Sim::of_design(&config(16), &design(16), &options).unwrap();
    assert!(mapped());
    drop(sim);
    assert!(!mapped(), "what is not used is not kept");

    let cut = |len: u64| {
        let file = std::fs::OpenOptions::new().write(true).open(&library).unwrap();
        file.set_len(len).unwrap();
    };
    let whole = library.metadata().unwrap().len();
    let damages: [(&str, &dyn Fn()); 4] = [
        ("truncated", &|| cut(whole / 2)),
        ("truncated, and the manifest says so", &|| {
            cut(whole / 2);
            seal(&entry, &key);
        }),
        ("a byte short, and the manifest says so", &|| {
            cut(whole - 1);
            seal(&entry, &key);
        }),
        ("not a library, but as the manifest says", &|| {
            std::fs::write(&library, "").unwrap();
            seal(&entry, &key);
        }),
    ];
    for (what, damage) in damages {
        damage();
        // and a builder that was killed has left its scratch folder
        let scratch = dir.path().join(".tandem-1-1-1");
        std::fs::create_dir(&scratch).unwrap();
        std::fs::write(scratch.join("junk"), "junk").unwrap();
        build(&options);
        assert!(!scratch.exists());
        let steps = taken();
        assert_eq!(steps[0], BuildStep::Verilating, "{what}");
        let compiled = steps.iter().filter(|s| matches!(s, BuildStep::Compiling { .. })).count();
        assert_eq!(compiled, 1, "{what}: Verilator's run time is not compiled again");
        build(&options);
        assert_eq!(taken(), [], "{what}: repaired");
        assert_eq!(names(&entry), ["about.txt", "manifest", "model.so", "tandem.v"]);
    }
}

#[test]
fn threads_that_need_the_same_build_it_once() {
    let dir = TempDir::new().unwrap();
    let (options, steps) = recording(dir.path());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| build(&options));
        }
    });
    let steps = steps.lock().unwrap();
    assert_eq!(steps.iter().filter(|s| **s == BuildStep::Verilating).count(), 1, "{steps:?}");
}

#[test]
fn a_failed_build_leaves_nothing_and_does_not_stick() {
    let dir = TempDir::new().unwrap();
    let (options, _) = recording(dir.path());
    let broken = design_with(16, "module broken (\n");
    let say = || failure(Sim::of_design(&config(16), &broken, &options));
    let first = say();
    assert!(first.contains("failed with exit code 1") && first.contains("%Error: tandem.v:"), "{first}");
    assert!(names(dir.path()).iter().all(|n| n.ends_with(".lock")), "{:?}", names(dir.path()));
    assert_eq!(say(), first, "tried again, failed again");

    // a compiler that cannot write its output, as on a full disk
    let mut full = options.clone();
    let script = r#"case "$*" in *--version*) ;; *) ulimit -f 1 ;; esac; exec c++ "$@""#;
    full.programs.cxx = ["sh", "-c", script, "c++"].map(Into::into).to_vec();
    let what = failure(Sim::of_design(&config(16), &design(16), &full));
    assert!(what.starts_with("C++ compiler: `sh -c ") && what.contains("failed with exit code"), "{what}");
    assert!(names(dir.path()).iter().all(|n| n.ends_with(".lock")), "{:?}", names(dir.path()));
    build(&options);
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let dir = TempDir::new().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let (options, _) = recording(&file.join("cache"));
    let what = failure(Sim::of_design(&config(16), &design(16), &options));
    assert!(what.starts_with(&file.join("cache").display().to_string()), "{what}");
    assert!(what.contains("Not a directory") && what.contains("TANDEM_CACHE"), "{what}");
}

#[test]
fn the_default_accelerator_needs_neither_tools_nor_cache() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../configs/accelerators/default.toml");
    let mut default = Config::from_file(Path::new(file)).unwrap();
    let mut options = SimOptions { cache: Some("/dev/null/none".into()), ..SimOptions::default() };
    options.programs.verilator = "/nowhere/verilator".into();
    default.name = "the name does not matter".into();
    let mut sim = Sim::new(&default, &options).unwrap();
    let outcome = sim.run(&Stream::new(&default), &RunOptions::default()).unwrap();
    assert_eq!((outcome.status, outcome.packets.len(), sim.cycles()), (Status::Idle, 0, 0));

    let mut other = default.clone();
    other.memory.result *= 2;
    let what = failure(Sim::new(&other, &options));
    assert!(what.contains("`/nowhere/verilator` was not found"), "{what}");
    // a waveform needs another binary
    options.waveform = Some(tandem_sim::Waveform::Vcd);
    let what = failure(Sim::new(&default, &options));
    assert!(what.contains("`/nowhere/verilator` was not found"), "{what}");
}

#[test]
fn a_link_that_is_not_the_configurations_is_refused() {
    let what = failure(Sim::of_design(&config(32), &design(16), &SimOptions::default()));
    assert_eq!(what, "link: the configuration has 32 bits, the Verilog 16");
}
