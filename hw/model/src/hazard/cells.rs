//! Who touched each word of a memory last.
//!
//! One engine writes a memory and one reads it, each in order: if the last one to touch a word is done, all
//! before it are.

use super::order::Clock;
use tandem_spec::isa::Who;

/// An instruction that starts, and what is done by then.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    pub(super) who: Who,
    /// Its number without wrapping.
    pub(super) id: u64,
    pub(super) known: Clock,
}

impl Mark {
    /// Its number since reset.
    pub(super) fn number(&self) -> u32 {
        self.id as u32
    }

    /// Whether the instruction that left `stamp` is done before this one starts.
    pub(super) fn is_after(&self, who: Who, stamp: u64) -> bool {
        self.known[who as usize] >= stamp
    }
}

/// The words of a memory: stamps, one more than the number of an instruction, 0 for none.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    addresses: usize,
    read: Vec<u64>,
    written: Vec<u64>,
}

impl Cells {
    /// Memories of `elements` rows or columns that nothing has touched.
    pub(super) fn new(elements: usize, addresses: usize) -> Self {
        let none = vec![0; elements * addresses];
        Cells { addresses, read: none.clone(), written: none }
    }

    /// Nothing has touched them.
    pub(super) fn forget(&mut self) {
        self.read.fill(0);
        self.written.fill(0);
    }

    /// `mark` reads words; the first address at which an instruction of `writer` may be writing, and its number.
    pub(super) fn read(
        &mut self,
        mark: Mark,
        writer: Who,
        element: usize,
        addresses: impl Iterator<Item = usize>,
    ) -> Option<(usize, u32)> {
        let of_element = element * self.addresses..(element + 1) * self.addresses;
        touch(mark, writer, &mut self.read[of_element.clone()], &self.written[of_element], addresses)
    }

    /// `mark` writes words; the first address at which an instruction of `reader` may be reading, and its number.
    pub(super) fn write(
        &mut self,
        mark: Mark,
        reader: Who,
        element: usize,
        addresses: impl Iterator<Item = usize>,
    ) -> Option<(usize, u32)> {
        let of_element = element * self.addresses..(element + 1) * self.addresses;
        touch(mark, reader, &mut self.written[of_element.clone()], &self.read[of_element], addresses)
    }
}

fn touch(
    mark: Mark,
    other: Who,
    mine: &mut [u64],
    theirs: &[u64],
    addresses: impl Iterator<Item = usize>,
) -> Option<(usize, u32)> {
    let mut met = None;
    for address in addresses {
        mine[address] = mark.id + 1;
        if met.is_none() && !mark.is_after(other, theirs[address]) {
            met = Some((address, (theirs[address] - 1) as u32));
        }
    }
    met
}
