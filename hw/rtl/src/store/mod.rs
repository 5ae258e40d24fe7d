//! The store engine: result memory, narrowing, packing, packets.

pub mod assemble;
pub mod measure;
pub mod narrow;
pub mod pack;
pub mod report;
pub mod result_memory;
pub mod results;
pub mod store_engine;
pub mod word_at;
