//! Models of boards: pins.

use super::symbol;
use libloading::Library;
use std::ffi::c_void;
use std::path::Path;

/// Functions of a model; the names are those in `pins.cpp`.
#[derive(Clone, Copy)]
struct Api {
    new: unsafe extern "C" fn() -> *mut c_void,
    free: unsafe extern "C" fn(*mut c_void),
    clock: unsafe extern "C" fn(*mut c_void, *const u8, *mut u8, u64),
}

/// A board with its state.
pub struct Pins {
    api: Api,
    handle: *mut c_void,
    /// Keeps the code of `api` mapped; dropped after `handle` is freed.
    _library: Library,
}

// SAFETY: as for `Model`: one owner, used through `&mut self` only, no thread affinity, globals behind
// a mutex in `pins.cpp`.
unsafe impl Send for Pins {}

impl Pins {
    /// Loads a model from a shared library; it starts as after power-up.
    pub fn load(path: &Path, prefix: &str) -> Result<Pins, String> {
        // SAFETY: as in `Model::load`: the caller has checked the digest of a library that this program linked.
        let library = unsafe { Library::new(path) }.map_err(|e| e.to_string())?;
        let api = Api {
            new: symbol(&library, prefix, "new")?,
            free: symbol(&library, prefix, "free")?,
            clock: symbol(&library, prefix, "clock")?,
        };
        // SAFETY: the library is mapped, and its key covers `pins.cpp`, which defines this function.
        let handle = unsafe { (api.new)() };
        Ok(Pins { api, handle, _library: library })
    }

    /// Starts again as after power-up.
    pub fn power_cycle(&mut self) {
        // SAFETY: `handle` came from `new` of the same model and is replaced at once.
        unsafe {
            (self.api.free)(self.handle);
            self.handle = (self.api.new)();
        }
    }

    /// A cycle for every level (0 or 1) of `rx`; the levels of `tx`, `led_link`, `led_error` and `led_busy`
    /// in these cycles are bits 0 to 3 of `out`.
    pub fn clock(&mut self, rx: &[u8], out: &mut Vec<u8>) {
        out.clear();
        out.resize(rx.len(), 0);
        // SAFETY: `handle` is alive; both buffers have `rx.len()` bytes and outlive the call, which reads
        // the first, writes the second and keeps no pointer.
        unsafe { (self.api.clock)(self.handle, rx.as_ptr(), out.as_mut_ptr(), rx.len() as u64) }
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        // SAFETY: `handle` came from `new` of the same model and nothing uses it after this; the library is
        // unmapped later, when the fields are dropped.
        unsafe { (self.api.free)(self.handle) }
    }
}
