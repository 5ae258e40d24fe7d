//! How a simulation is built.

use crate::recipe::design::Waveform;
use crate::recipe::{BuildStep, Programs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tandem_spec::EngineError;

/// Told about each step of a build, for instance to show it to the user.
pub type Progress = Arc<dyn Fn(BuildStep) + Send + Sync>;

/// How a simulation is built. The default: no waveforms, the user's cache, tools from `PATH`.
#[derive(Clone, Default)]
pub struct SimOptions {
    /// Build a model that can write waveforms of this format. It runs slower, and only such a model
    /// accepts [`tandem_spec::RunOptions::trace`].
    pub waveform: Option<Waveform>,
    /// Folder of the cache; else `$TANDEM_CACHE`, `$XDG_CACHE_HOME/tandem` or `~/.cache/tandem`.
    pub cache: Option<PathBuf>,
    /// Verilator and C++ compiler.
    pub programs: Programs,
    /// Called at each step of a build; the same goes to `tracing` at level info.
    pub progress: Option<Progress>,
}

impl SimOptions {
    /// For runs whose waveform goes to `file`, in the format of its extension.
    ///
    /// # Errors
    /// [`EngineError::Tool`] if it ends neither in `.vcd` nor in `.fst`.
    pub fn traced(file: &Path) -> Result<SimOptions, EngineError> {
        Ok(SimOptions { waveform: Some(Waveform::of(file)?), ..SimOptions::default() })
    }
}

impl std::fmt::Debug for SimOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimOptions")
            .field("waveform", &self.waveform)
            .field("cache", &self.cache)
            .field("programs", &self.programs)
            .finish_non_exhaustive()
    }
}
