//! Cases written once and run on every engine, and what they share.

pub mod programs;
