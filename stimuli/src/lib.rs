//! Constrained-random stimuli: accelerators, programs and operands, each a function of a seed.
//!
//! A seed gives the same stimuli for ever: tests name it in their messages, and goldens depend on it.

mod config;
mod program;
mod random;

pub use config::random_config;
pub use program::random_program;
pub use random::Random;
