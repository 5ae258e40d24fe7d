//! Proofs of the generated Verilog, and the mutants that they must catch.
//!
//! | file | unit | what is proved |
//! |---|---|---|
//! | `element` | processing element with its lane multiplexers | a multiply-add, by k-induction |
//! | `product` | digit product in both forms, shifter | a product; shifted digit products add to the whole product |
//! | `decode` | a column's codes | the digits of their levels |
//! | `queue` | FIFO | order and content |
//! | `crc` | CRC steps | the shift register |
//! | `framing` | frame reader and sender of the serial link, their memory | the frames of docs/link.md |
//! | `equivalence` | netlists of iCE40 and ECP5 | equal to their units |
//!
//! Every file but the last has a list of [`claim::Mutant`]s: a broken unit must be refuted by a trace from its start.

mod claim;
mod crc;
mod decode;
mod element;
mod equivalence;
mod framing;
mod product;
mod queue;
