//! The accelerator in rust_hdl, and its Verilog.
//!
//! ```text
//! Config ─► top::Tandem (units below) ─► hdl::verilog ─► Verilog text
//! ```
//! Built to `docs/accelerator.md`; the twin (`tandem-model`) is an independent reading of the same page.

pub mod board;
pub mod compute;
pub mod counters;
pub mod crc;
pub mod fft;
pub mod field;
pub mod hdl;
pub mod link;
pub mod load;
pub mod store;
pub mod tokens;
pub mod top;

pub use compute::multipliers_a_rank;
use tandem_spec::Config;
use tandem_spec::config::Fft;
use tandem_spec::link::BoardLink;

/// The Verilog of an accelerator.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// All modules, the top one first.
    pub verilog: String,
    /// Name of the top module.
    pub top: String,
}

/// Describes the accelerator of `config` in Verilog.
///
/// # Errors
/// [`hdl::ElabError`] if the hardware description itself is wrong: a bug, not a user's mistake.
pub fn emit(config: &Config) -> Result<Emitted, hdl::ElabError> {
    let top = "tandem".to_string();
    let verilog = hdl::verilog(&top, &mut top::Tandem::new(config))?;
    Ok(Emitted { verilog, top })
}

/// Describes the accelerator of `config` behind the serial link `link` in Verilog: ports `clock`, `rx`, `tx`,
/// `led_link`, `led_error`, `led_busy`.
///
/// # Errors
/// [`hdl::ElabError`] if the hardware description itself is wrong: a bug, not a user's mistake.
///
/// # Panics
/// If [`BoardLink::check`] refuses `link`.
pub fn emit_board(config: &Config, link: &BoardLink) -> Result<Emitted, hdl::ElabError> {
    let top = "tandem_board".to_string();
    let verilog = hdl::verilog(&top, &mut board::board_top::BoardTop::new(config, link))?;
    Ok(Emitted { verilog, top })
}

/// Describes the transform of `fft` alone in Verilog: samples in, spectra out (docs/fft.md, "Size").
///
/// # Errors
/// [`hdl::ElabError`] if the hardware description itself is wrong: a bug, not a user's mistake.
pub fn emit_fft(fft: &Fft) -> Result<Emitted, hdl::ElabError> {
    let top = "fft_core".to_string();
    let verilog = hdl::verilog(&top, &mut fft::core::Core::new(&fft::Shape::new(fft)))?;
    Ok(Emitted { verilog, top })
}
