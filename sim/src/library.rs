//! Models in the cache: built once as shared libraries, then loaded.

use crate::ffi::{Model, Pins};
use crate::options::SimOptions;
use crate::recipe::command::write;
use crate::recipe::design::Waveform;
use crate::recipe::{BuildStep, Design, Key, Report, Tools, compile, verilate};
use crate::whole::whole;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use tandem_files::{Cache, CacheError, EntryError, FileError, Wanted};
use tandem_spec::EngineError;

/// A build runs to its end.
static GO_ON: AtomicBool = AtomicBool::new(false);

const LIBRARY: &str = "model.so";

/// A model of the accelerator `design` in its initial state; built if the cache does not have it.
pub fn model(design: &Design, link_bits: usize, options: &SimOptions) -> Result<Model, EngineError> {
    library(design, options, |file, prefix| Model::load(file, prefix, link_bits / 8))
}

/// A model of the board `design`, likewise.
pub fn pins(design: &Design, options: &SimOptions) -> Result<Pins, EngineError> {
    library(design, options, Pins::load)
}

/// What `load` makes of the library of `design` and the prefix of its symbols.
fn library<T>(
    design: &Design,
    options: &SimOptions,
    load: impl Fn(&Path, &str) -> Result<T, String>,
) -> Result<T, EngineError> {
    let cache = Cache::open(options.cache.as_deref()).map_err(cache_error)?;
    let tools = Tools::find(options.programs.clone())?;
    let key = Key::of_model(design, &tools, options.waveform);
    let report = |step: BuildStep| {
        tracing::info!(top = design.top, key = key.prefix(), "{step}");
        if let Some(progress) = &options.progress {
            progress(step);
        }
    };
    let build = Build { design, key: &key, tools: &tools, waveform: options.waveform, report: &report };
    let waiting = || report(BuildStep::Waiting);
    let load = |entry: &Path| {
        let file = entry.join(LIBRARY);
        // a library that is cut would end the process with SIGBUS when it is mapped
        whole(&file).and_then(|()| load(&file, &key.prefix()))
    };
    let wanted = Wanted { key: key.as_str(), waiting: &waiting, stop: &GO_ON };
    cache
        .entry(&wanted, load, |scratch, entry| build.shared_library(&cache, scratch, entry))
        .map_err(entry_error)
}

fn entry_error(error: EntryError<EngineError>) -> EngineError {
    match error {
        EntryError::Cache(e) => cache_error(e),
        EntryError::Build(e) => e,
    }
}

fn cache_error(error: CacheError) -> EngineError {
    let text = error.to_string();
    match error {
        CacheError::File(FileError::Io { path, source }) => {
            let text = format!("{source} (TANDEM_CACHE names another folder for the cache)");
            crate::recipe::command::io_error(&path, std::io::Error::new(source.kind(), text))
        }
        _ => EngineError::Tool { tool: "simulator cache".into(), what: text },
    }
}

struct Build<'a> {
    design: &'a Design,
    key: &'a Key,
    tools: &'a Tools,
    waveform: Option<Waveform>,
    report: Report<'a>,
}

impl Build<'_> {
    fn shared_library(&self, cache: &Cache, scratch: &Path, entry: &Path) -> Result<(), EngineError> {
        (self.report)(BuildStep::Verilating);
        let prefix = self.key.prefix();
        let model = verilate::verilate(self.design, &prefix, self.waveform, self.tools, scratch)?;
        let mut objects = compile::model_objects(&model, self.waveform, self.tools, self.report)?;
        objects.extend(self.runtime(cache, &model.runtime)?);
        (self.report)(BuildStep::Linking);
        let library = entry.join(LIBRARY);
        compile::link_shared(&objects, &prefix, self.waveform, self.tools, scratch, &library)?;
        // not needed to run: tells a person what this entry is
        write(&entry.join("tandem.v"), &self.design.verilog)?;
        write(&entry.join("about.txt"), &self.about())
    }

    /// Verilator's own run time, compiled once for all models of the cache.
    fn runtime(&self, cache: &Cache, names: &[String]) -> Result<Vec<PathBuf>, EngineError> {
        let key = Key::of_runtime(names, self.tools, self.waveform);
        let objects =
            |entry: &Path| -> Vec<PathBuf> { names.iter().map(|n| entry.join(format!("{n}.o"))).collect() };
        let waiting = || (self.report)(BuildStep::Waiting);
        let wanted = Wanted { key: key.as_str(), waiting: &waiting, stop: &GO_ON };
        cache
            .entry(
                &wanted,
                |entry| {
                    let found = objects(entry);
                    found.iter().all(|o| o.is_file()).then_some(found).ok_or("an object is missing".into())
                },
                |_, entry| {
                    let (tools, report) = (self.tools, self.report);
                    compile::runtime_objects(names, self.waveform, tools, entry, report).map(drop)
                },
            )
            .map_err(|e| self.zlib_hint(entry_error(e)))
    }

    fn zlib_hint(&self, error: EngineError) -> EngineError {
        match error {
            EngineError::Tool { tool, what } if self.waveform == Some(Waveform::Fst) => {
                let hint = "an FST waveform needs zlib (Debian, Ubuntu: apt-get install zlib1g-dev); a .vcd file does not";
                EngineError::Tool { tool, what: format!("{what}\n{hint}") }
            }
            other => other,
        }
    }

    fn about(&self) -> String {
        let Build { design, tools, waveform, .. } = self;
        format!(
            "top: {}\nports: {:?}\nwaveform: {waveform:?}\nverilator: {}\nC++ compiler: {}\nflags: {}\n",
            design.top,
            design.interface,
            tools.verilator_version,
            tools.cxx_version,
            verilate::VERILATOR_FLAGS.join(" ")
        )
    }
}
