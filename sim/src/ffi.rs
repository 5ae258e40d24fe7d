//! The C ABI of a verilated model: the only `unsafe` code of the project.
//!
//! One ABI for both kinds of models: linked into this crate, or loaded from the cache. `shim.cpp` is
//! the other side; [`Run`] and [`Ports`] are laid out as it declares them. `pins.cpp` is that of boards.

mod pins;

use libloading::Library;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::Path;

pub use pins::Pins;

/// The accelerator's own view of itself at the end of a run.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    pub waiting: u32,
    pub boundary: u32,
    pub failed: u32,
    pub quiet: u32,
    pub compute_pending: u32,
    pub store_pending: u32,
    pub load_number: u32,
    pub compute_number: u32,
    pub store_number: u32,
}

/// Arguments, progress and result of the shim's `run`.
#[repr(C)]
pub struct Run {
    words: *const u8,
    first: *const u8,
    n_words: u64,
    stall_in: *const u8,
    stall_in_len: u64,
    stall_out: *const u8,
    stall_out_len: u64,
    output: *mut u8,
    capacity: u64,
    max_cycles: u64,
    cycles: u64,
    taken: u64,
    produced: u64,
    end: u32,
    ports: Ports,
}

/// Why a run ended (the shim's `OUTPUT_FULL` does not leave this file).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Finished,
    CycleLimit,
}

const OUTPUT_FULL: u32 = 1;
const CYCLE_LIMIT: u32 = 2;

/// A batch of link words and how to offer them.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Link words, one after the other.
    pub words: &'a [u8],
    /// Per word: an instruction starts here.
    pub first: &'a [bool],
    /// Cycles without an input word, repeating.
    pub stall_in: &'a [bool],
    /// Cycles in which no output word is taken, repeating.
    pub stall_out: &'a [bool],
    /// Cycles after which the run ends in any case.
    pub max_cycles: u64,
}

/// What a run gave beside its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    pub end: End,
    pub cycles: u64,
    pub ports: Ports,
}

/// Functions of a model; the names are the shim's.
#[derive(Clone, Copy)]
pub struct Api {
    pub new: unsafe extern "C" fn() -> *mut c_void,
    pub free: unsafe extern "C" fn(*mut c_void),
    pub layout: unsafe extern "C" fn() -> u64,
    pub run: unsafe extern "C" fn(*mut c_void, *mut Run),
    pub raw: unsafe extern "C" fn(*mut c_void, u64, *const u8, *const u8, u64),
    pub trace_open: unsafe extern "C" fn(*mut c_void, *const c_char) -> c_int,
    pub trace_flush: unsafe extern "C" fn(*mut c_void, c_int) -> c_int,
}

/// A model with its state.
pub struct Model {
    api: Api,
    handle: *mut c_void,
    link_bytes: usize,
    /// Keeps the code of `api` mapped; dropped after `handle` is freed.
    _library: Option<Library>,
}

// SAFETY: the handle is owned by this value and used through `&mut self` only, so by one thread at a
// time. The C++ object behind it has its own `VerilatedContext` and no thread affinity: a model
// verilated without threads keeps no state in thread-local variables that its functions read back.
// What Verilator keeps in globals when contexts come and go is behind a mutex in the shim.
unsafe impl Send for Model {}

impl Model {
    /// A model of the functions in `api`, in its initial state.
    ///
    /// `api` must be what `shim.cpp` defines for one model; the layout check refuses another version.
    pub fn new(api: Api, library: Option<Library>, link_bytes: usize) -> Result<Model, String> {
        let expected = (size_of::<Run>() as u64) << 8 | link_bytes as u64;
        // SAFETY: `layout` takes nothing and reads nothing; if the pointer comes from a library, that
        // library is mapped, because `library` is alive.
        let found = unsafe { (api.layout)() };
        if found != expected {
            return Err(format!("layout of the model {found:#x}, expected {expected:#x}"));
        }
        // SAFETY: as above; the layout says that the functions are those of our shim.
        let handle = unsafe { (api.new)() };
        Ok(Model { api, handle, link_bytes, _library: library })
    }

    /// Loads a model from a shared library.
    pub fn load(path: &Path, prefix: &str, link_bytes: usize) -> Result<Model, String> {
        // SAFETY: loading runs the library's initialisers. The caller found its digest to be that of
        // a file which this program linked from Verilator's C++ and our shim, and these only set up
        // their own tables.
        let library = unsafe { Library::new(path) }.map_err(|e| e.to_string())?;
        let api = Api {
            new: symbol(&library, prefix, "new")?,
            free: symbol(&library, prefix, "free")?,
            layout: symbol(&library, prefix, "layout")?,
            run: symbol(&library, prefix, "run")?,
            raw: symbol(&library, prefix, "raw")?,
            trace_open: symbol(&library, prefix, "trace_open")?,
            trace_flush: symbol(&library, prefix, "trace_flush")?,
        };
        Model::new(api, Some(library), link_bytes)
    }

    /// Runs a batch and appends the words that the accelerator sends to `output`.
    ///
    /// # Panics
    /// If `first` does not have one entry for each word.
    pub fn run(&mut self, batch: &Batch<'_>, output: &mut Vec<u8>) -> Report {
        assert_eq!(batch.words.len(), batch.first.len() * self.link_bytes);
        let mut run = Run {
            words: batch.words.as_ptr(),
            first: batch.first.as_ptr().cast(),
            n_words: batch.first.len() as u64,
            stall_in: batch.stall_in.as_ptr().cast(),
            stall_in_len: batch.stall_in.len() as u64,
            stall_out: batch.stall_out.as_ptr().cast(),
            stall_out_len: batch.stall_out.len() as u64,
            output: std::ptr::null_mut(),
            capacity: 0,
            max_cycles: batch.max_cycles,
            cycles: 0,
            taken: 0,
            produced: 0,
            end: OUTPUT_FULL,
            ports: Ports::default(),
        };
        while run.end == OUTPUT_FULL {
            let used = output.len();
            let room = used.max(1 << 16) / self.link_bytes;
            output.resize(used + room * self.link_bytes, 0);
            run.output = output[used..].as_mut_ptr();
            (run.capacity, run.produced) = (room as u64, 0);
            // SAFETY: `handle` is alive. The pointers are of slices that live until the call returns,
            // with the lengths given: `words` is `n_words` link words (asserted), `first` and the
            // patterns are `bool`s, which are bytes of 0 or 1, `output` has `room` link words. The
            // shim writes no further and keeps no pointer.
            unsafe { (self.api.run)(self.handle, &mut run) };
            output.truncate(used + run.produced as usize * self.link_bytes);
        }
        let end = if run.end == CYCLE_LIMIT { End::CycleLimit } else { End::Finished };
        Report { end, cycles: run.cycles, ports: run.ports }
    }

    /// The bare loop: clocks the model `cycles` times while offering `words`, and nothing else.
    ///
    /// # Panics
    /// If `first` does not have one entry for each word.
    pub fn raw(&mut self, cycles: u64, words: &[u8], first: &[bool]) {
        assert_eq!(words.len(), first.len() * self.link_bytes);
        // SAFETY: `handle` is alive; both slices have `first.len()` words and outlive the call, which
        // only reads them.
        unsafe {
            (self.api.raw)(self.handle, cycles, words.as_ptr(), first.as_ptr().cast(), first.len() as u64);
        }
    }

    /// Starts a waveform in `path`.
    pub fn trace_open(&mut self, path: &CStr) -> std::io::Result<()> {
        // SAFETY: `handle` is alive, `path` ends in a zero and outlives the call.
        errno(unsafe { (self.api.trace_open)(self.handle, path.as_ptr()) })
    }

    /// Writes out what is buffered of the waveform and, if `close`, ends it.
    pub fn trace_flush(&mut self, close: bool) -> std::io::Result<()> {
        // SAFETY: `handle` is alive.
        errno(unsafe { (self.api.trace_flush)(self.handle, close.into()) })
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: `handle` came from `new` of the same model and nothing uses it after this; the
        // library is unmapped later, when the fields are dropped.
        unsafe { (self.api.free)(self.handle) }
    }
}

fn symbol<T: Copy>(library: &Library, prefix: &str, name: &str) -> Result<T, String> {
    let symbol = format!("{prefix}_{name}");
    // SAFETY: `T` is the type of the `Api` field with this name, which is the shim's declaration. The
    // copied pointer is used only while `Model` keeps the library.
    unsafe { library.get::<T>(symbol.as_bytes()) }.map(|s| *s).map_err(|e| e.to_string())
}

fn errno(code: c_int) -> std::io::Result<()> {
    if code == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(code)) }
}
