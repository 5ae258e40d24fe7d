//! The store engine: result memory, narrowing, packets.

pub mod assemble;
pub mod narrow;
pub mod report;
pub mod result_memory;
pub mod store_engine;
pub mod word_at;
