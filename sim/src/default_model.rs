//! The model of `configs/accelerators/default.toml`, verilated and linked by `build.rs`.

use crate::ffi::{Api, Model};

/// `HASH` and `LINK_BYTES` of the configuration, and `api`, the model's functions.
mod generated {
    use crate::ffi::{Api, Run};
    use std::ffi::{c_char, c_int, c_void};
    include!(concat!(env!("OUT_DIR"), "/default_model.rs"));
}

/// [`tandem_spec::Config::hash`] of the configuration that needs no build at run time.
pub const HASH: u64 = generated::HASH;

/// A model in its initial state.
pub fn new() -> Result<Model, String> {
    let api: Api = generated::api();
    Model::new(api, None, generated::LINK_BYTES)
}
