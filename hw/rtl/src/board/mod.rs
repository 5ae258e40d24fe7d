//! The board: the accelerator behind a serial link. Built to `docs/link.md`.
//!
//! ```text
//! BoardTop = UART + frames + windows + records + Tandem
//! ```

pub mod board_top;
pub mod frame;
pub mod frame_reader;
pub mod frame_sender;
pub mod receive_window;
pub mod send_window;
pub mod session;
pub mod uart_rx;
pub mod uart_tx;
pub mod word_in;
pub mod word_out;
