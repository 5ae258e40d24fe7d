//! The load engine: front end and the way into the memories.

pub mod front_end;
pub mod instruction_rules;
pub mod payload;
pub mod pieces;
pub mod queue;
pub mod scatter;
