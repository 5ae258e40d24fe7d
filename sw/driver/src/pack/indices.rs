//! Indices as the words that a LOAD carries.

use super::Sources;
use crate::geometry::Side;
use crate::plan::GemmPlan;
use crate::schedule::Fill;
use crate::sparsity::Selection;
use tandem_spec::isa::words_per_address;
use tandem_spec::{Config, Memory};

/// Indices: of compressed weights an entry per lane, of selected results one per row of the tile.
pub(super) fn indices(config: &Config, plan: &GemmPlan, fill: &Fill, sources: &Sources<'_>) -> Vec<u8> {
    let compressed = sources.compressed.expect("selections have indices");
    let (bits, entries) = (config.index_bits(), config.index_lanes());
    let link_words = words_per_address(config, Memory::Index, fill.elements);
    let address_bits = link_words * config.link_bits;
    let mut out = vec![0u8; fill.addresses.len() * address_bits / 8];
    let mut put = |address: usize, element: usize, entry: usize, bank: u8| {
        let bit = (address - fill.addresses.start) * address_bits + (element * entries + entry) * bits;
        out[bit / 8] |= bank << (bit % 8);
    };
    let (cols, lanes) = (&plan.col, config.array.lanes);
    match plan.problem.selection {
        Selection::Weights(p) => {
            let (k, stride) = (&plan.parts[fill.part].k, plan.plane_words(config, Side::Col, fill.part));
            let pitch = plan.problem.depth() * p.n;
            for address in fill.addresses.clone() {
                let tile = fill.region.start + address / stride;
                let (word, t) = (address % stride / p.n, address % p.n);
                for element in 0..cols.rows_of(tile).min(fill.elements) {
                    let of = &compressed.banks[(tile * cols.width + element) * pitch..][..pitch];
                    let groups = (k.start + word * lanes..k.end).take(lanes);
                    groups.enumerate().for_each(|(lane, g)| put(address, element, lane, of[g * p.n + t]));
                }
            }
        }
        Selection::Results(p) => {
            let (block, rows) = (&plan.blocks[fill.block], &plan.row);
            for address in fill.addresses.clone() {
                let (tile, t) = (address / p.n, address % p.n);
                let row_tile = block.rows.start + tile / block.cols.len();
                let col_tile = block.cols.start + tile % block.cols.len();
                for entry in 0..rows.rows_of(row_tile) {
                    let line = ((row_tile * rows.width + entry) * p.n + t) * cols.elements;
                    for element in 0..cols.rows_of(col_tile).min(fill.elements) {
                        put(
                            address,
                            element,
                            entry,
                            compressed.banks[line + col_tile * cols.width + element],
                        );
                    }
                }
            }
        }
        Selection::Dense => {}
    }
    out
}
