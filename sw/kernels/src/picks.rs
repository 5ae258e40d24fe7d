//! B with many zeros: tiles multiply the others only.
//!
//! ```text
//! chunk     64 elements of A, one after another; the last one of a segment may be shorter
//! places    column │ 4: which elements of the chunk a column takes
//! words     column: the elements of B there
//! ```
//! A pass takes up to 4 elements of a chunk for each column, in place of 16 passes that take all: 4 passes for one of four, 2 for one of eight,
//! 8 for two of four. No pattern is asked for; the column that takes most of a chunk decides.

use crate::COLUMNS;

/// Groups of 4 elements in a chunk.
pub(crate) const CHUNK: usize = 16;
/// Passes of a chunk, of 16, from which on nothing is gained.
const MOST: usize = 8;

/// What the columns of a block take.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picks {
    /// Of each chunk of each segment.
    pub passes: Vec<usize>,
    /// `segment │ chunk │ pass │ places, words │ column`
    pub words: Vec<u32>,
}

impl Picks {
    /// Of the words of a block; `None` if a column takes too much.
    pub fn new(block: &[u32], groups: usize) -> Option<Picks> {
        let mut picks = Picks::default();
        let segments = block.chunks_exact((groups * COLUMNS).max(1));
        for chunk in segments.flat_map(|segment| segment.chunks(CHUNK * COLUMNS)) {
            let most = MOST.min(chunk.len() / COLUMNS / 2).max(1);
            let (from, mut passes) = (picks.words.len(), 0);
            for column in 0..COLUMNS {
                let bytes = chunk.iter().skip(column).step_by(COLUMNS).flat_map(|word| word.to_le_bytes());
                let taken = bytes.enumerate().filter(|(_, value)| *value != 0);
                for (i, (place, value)) in taken.enumerate() {
                    let (pass, shift) = (i / 4, i % 4 * 8);
                    if pass == most {
                        return None;
                    }
                    if pass == passes {
                        passes += 1;
                        picks.words.resize(from + passes * 2 * COLUMNS, 0);
                    }
                    let at = from + pass * 2 * COLUMNS + column;
                    picks.words[at] |= (place as u32) << shift;
                    picks.words[at + COLUMNS] |= u32::from(value) << shift;
                }
            }
            picks.passes.push(passes);
        }
        Some(picks)
    }
}
