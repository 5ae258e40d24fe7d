//! A simulated board behind a damaged line: the same results as everywhere else, through lost bytes, noise and pulled cables, and a
//! clear word for everything that is not a board with the right accelerator.

#[path = "../common/mod.rs"]
mod common;
mod emulated;
mod emulators;
mod messages;
mod recovery;
mod streams;
mod training;
