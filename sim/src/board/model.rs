//! The verilated board.

use crate::ffi::Pins;
use crate::library;
use crate::options::SimOptions;
use crate::recipe::{Design, Interface};
use tandem_spec::link::BoardLink;
use tandem_spec::{Config, EngineError};

/// Bits of a sample.
pub mod pin {
    /// The line to the host.
    pub const TX: u8 = 1;
    /// A session is open.
    pub const LED_LINK: u8 = 2;
    /// Damage or failure.
    pub const LED_ERROR: u8 = 4;
    /// The accelerator works.
    pub const LED_BUSY: u8 = 8;
}

/// A board, pin by pin.
pub struct BoardModel {
    pins: Pins,
}

impl BoardModel {
    /// The accelerator of `config` behind `link`; taken from the cache, or built into it first.
    ///
    /// # Errors
    /// [`EngineError::Tool`] if `link` cannot be built, or if Verilator or the C++ compiler is missing or
    /// fails; [`EngineError::Io`] if the cache cannot be written.
    pub fn new(config: &Config, link: &BoardLink, options: &SimOptions) -> Result<Self, EngineError> {
        let tool = |what: String| EngineError::Tool { tool: "tandem-rtl".into(), what };
        link.check().map_err(|e| tool(e.to_string()))?;
        let emitted = tandem_rtl::emit_board(config, link).map_err(|e| tool(e.to_string()))?;
        let design =
            Design { verilog: emitted.text(), top: emitted.top().name.clone(), interface: Interface::Pins };
        Ok(BoardModel { pins: library::pins(&design, options)? })
    }

    /// A cycle for every level (0 or 1) of `rx`; `samples` gets the outputs in these cycles ([`pin`]).
    pub fn clock(&mut self, rx: &[u8], samples: &mut Vec<u8>) {
        self.pins.clock(rx, samples);
    }

    /// Starts again as after power-up.
    pub fn power_cycle(&mut self) {
        self.pins.power_cycle();
    }
}
