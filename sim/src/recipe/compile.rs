//! C++ → objects → shared library: the compiler's part of a build.
//!
//! Verilator's headers cost more than a small file's own code, so files are gathered into few *unity*
//! files: one with the code that runs once, unoptimised, and as many with per-cycle code as there are
//! processors to compile them at the same time.

use super::command::{CXX, run, write};
use super::design::Waveform;
use super::tools::Tools;
use super::verilate::Verilated;
use super::{BuildStep, Report};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use tandem_spec::EngineError;

/// Flags of every translation unit.
pub const CXX_FLAGS: &[&str] = &[
    "-std=c++17",
    "-fPIC",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-w",
    "-DVL_TIME_CONTEXT",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
];
/// Flags of code that runs every cycle.
pub const FAST_FLAGS: &[&str] = &["-O2"];
/// Flags of code that runs once.
pub const SLOW_FLAGS: &[&str] = &["-O0"];
/// Flags of Verilator's own run time, as in its makefile.
pub const RUNTIME_FLAGS: &[&str] = &["-Os"];

/// Per-cycle C++ below this size is not worth a second unity file.
const UNITY_BYTES: u64 = 200_000;

/// A file to compile.
#[derive(Clone, Debug)]
struct Unit {
    source: PathBuf,
    object: PathBuf,
    flags: &'static [&'static str],
}

/// Compiles a verilated model; the objects lie beside its C++.
///
/// # Errors
/// [`EngineError::Tool`] if the compiler is missing or fails, [`EngineError::Io`].
pub fn model_objects(
    model: &Verilated,
    waveform: Option<Waveform>,
    tools: &Tools,
    report: Report<'_>,
) -> Result<Vec<PathBuf>, EngineError> {
    let sized: Vec<(u64, &str)> = model
        .fast
        .iter()
        .map(|f| (std::fs::metadata(model.dir.join(f)).map_or(0, |m| m.len()), f.as_str()))
        .collect();
    let total: u64 = sized.iter().map(|(bytes, _)| bytes).sum();
    let parts = (total / UNITY_BYTES).clamp(1, jobs() as u64) as usize;
    let mut units = vec![];
    for (i, files) in balance(sized, parts).iter().enumerate() {
        units.push(unity(&model.dir, &format!("fast{i}"), files, FAST_FLAGS)?);
    }
    let slow: Vec<&str> = model.slow.iter().map(String::as_str).collect();
    units.push(unity(&model.dir, "slow", &slow, SLOW_FLAGS)?);
    compile(&units, waveform, tools, report)
}

/// Compiles files of Verilator's own run time into `dir`.
///
/// # Errors
/// [`EngineError::Tool`] if the compiler is missing or fails.
pub fn runtime_objects(
    names: &[String],
    waveform: Option<Waveform>,
    tools: &Tools,
    dir: &Path,
    report: Report<'_>,
) -> Result<Vec<PathBuf>, EngineError> {
    let include = tools.include()?;
    let units: Vec<Unit> = names
        .iter()
        .map(|n| Unit {
            source: include.join(format!("{n}.cpp")),
            object: dir.join(format!("{n}.o")),
            flags: RUNTIME_FLAGS,
        })
        .collect();
    compile(&units, waveform, tools, report)
}

/// Links a shared library that exports the symbols with `prefix`; `dir` is for what the linker reads.
///
/// # Errors
/// [`EngineError::Tool`] if the linker fails, [`EngineError::Io`].
pub fn link_shared(
    objects: &[PathBuf],
    prefix: &str,
    waveform: Option<Waveform>,
    tools: &Tools,
    dir: &Path,
    library: &Path,
) -> Result<(), EngineError> {
    let mut link = tools.cxx();
    link.arg("-shared").arg("-o").arg(library).args(objects).arg("-lpthread");
    if waveform == Some(Waveform::Fst) {
        link.arg("-lz");
    }
    if cfg!(target_os = "linux") {
        // without it, symbols that C++ makes unique in the process keep the library from being unloaded
        let exports = dir.join("exports.map");
        write(&exports, &format!("{{ global: {prefix}_*; local: *; }};\n"))?;
        link.arg(format!("-Wl,--version-script={}", exports.display()));
    }
    run(CXX, &mut link).map(drop)
}

/// Processors, or what cargo grants.
fn jobs() -> usize {
    let granted = std::env::var("NUM_JOBS").ok().and_then(|n| n.parse().ok());
    granted.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get())).max(1)
}

/// Distributes files over `parts` groups of about the same size, the largest first.
fn balance(mut files: Vec<(u64, &str)>, parts: usize) -> Vec<Vec<&str>> {
    files.sort_by_key(|(bytes, name)| (std::cmp::Reverse(*bytes), *name));
    let mut groups = vec![(0, vec![]); parts];
    for (bytes, name) in files {
        let smallest = groups.iter_mut().min_by_key(|g| g.0).expect("at least one part");
        smallest.0 += bytes;
        smallest.1.push(name);
    }
    groups.into_iter().map(|g| g.1).filter(|g| !g.is_empty()).collect()
}

fn unity(
    dir: &Path,
    name: &str,
    files: &[&str],
    flags: &'static [&'static str],
) -> Result<Unit, EngineError> {
    let source = dir.join(format!("{name}.unity.cc"));
    let includes: String = files.iter().map(|f| format!("#include \"{f}\"\n")).collect();
    write(&source, &includes)?;
    Ok(Unit { source, object: dir.join(format!("{name}.o")), flags })
}

/// Compiles `units` on all processors, in order; the first error ends it.
fn compile(
    units: &[Unit],
    waveform: Option<Waveform>,
    tools: &Tools,
    report: Report<'_>,
) -> Result<Vec<PathBuf>, EngineError> {
    report(BuildStep::Compiling { files: units.len() });
    let include = tools.include()?;
    let one = |unit: &Unit| {
        let mut cxx = tools.cxx();
        cxx.args(CXX_FLAGS).args(Waveform::defines(waveform)).args(unit.flags);
        cxx.arg("-I").arg(&include).arg("-I").arg(include.join("vltstd"));
        cxx.arg("-c").arg(&unit.source).arg("-o").arg(&unit.object);
        run(CXX, &mut cxx).map(drop)
    };
    let queue = Mutex::new(units.iter());
    let failure = Mutex::new(None);
    let worker = || {
        loop {
            let next = queue.lock().expect("no worker panics").next();
            let Some(unit) = next else { return };
            if let Err(e) = one(unit) {
                failure.lock().expect("no worker panics").get_or_insert(e);
                queue.lock().expect("no worker panics").by_ref().for_each(drop);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs().min(units.len()) {
            scope.spawn(worker);
        }
    });
    match failure.into_inner().expect("no worker panics") {
        Some(e) => Err(e),
        None => Ok(units.iter().map(|u| u.object.clone()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unity_files_are_balanced() {
        let files = vec![(5, "a"), (9, "b"), (4, "c"), (1, "d")];
        assert_eq!(balance(files.clone(), 1), [["b", "a", "c", "d"]]);
        assert_eq!(balance(files.clone(), 2), [vec!["b", "d"], vec!["a", "c"]]);
        assert_eq!(balance(files, 9).len(), 4, "no empty file");
    }
}
