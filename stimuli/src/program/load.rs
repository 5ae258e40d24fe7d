//! Random LOADs of operands, indices and row offsets.

use super::Writer;
use tandem_spec::isa::words_per_address;
use tandem_spec::{Instruction, Load, Memory, Tokens};

impl Writer<'_> {
    pub(super) fn load(&mut self) {
        let a = &self.config.array;
        let codebook = self.config.codebook.as_ref();
        let columns = if codebook.is_some() && self.r.percent(50) { Memory::Code } else { Memory::Col };
        let memory = self.r.pick(&[Memory::Row, Memory::Row, columns, columns, Memory::Index]);
        let mask = if self.r.percent(60) { u32::MAX } else { self.r.any() as u32 };
        let broadcast = self.r.percent(25);
        if self.r.percent(3) {
            return self.load_offsets(mask, broadcast);
        }
        if codebook.is_some() && self.r.percent(8) {
            return self.load_levels(mask, broadcast);
        }
        let memory = if a.select == 1 && memory == Memory::Index { Memory::Col } else { memory };
        let elements = if memory == Memory::Row { a.rows } else { a.cols };
        let full = words_per_address(self.config, memory, if broadcast { 1 } else { elements });
        let most = words_per_address(self.config, memory, elements);
        let words = if self.r.percent(70) { full } else { self.r.up_to(most) };
        let (first, depth) = self.cells(Some(memory));
        let (address, count) = self.stretch(depth, (600 / words).clamp(1, 12));
        let load =
            Load { tokens: Tokens::default(), broadcast, memory, address, count, words: words as u16, mask };
        let writes = (0..usize::from(count)).map(|i| first + usize::from(address) + i).collect();
        self.push(Instruction::Load(load), vec![], writes);
        let bytes = usize::from(count) * words * self.config.link_bytes();
        let payload = self.r.bytes(bytes);
        self.drafts.last_mut().expect("just pushed").payload = payload;
    }

    /// Random levels; the first time a program's columns all get some.
    pub(super) fn load_levels(&mut self, mask: u32, broadcast: bool) {
        let elements = if broadcast { 1 } else { self.config.array.cols };
        let words = words_per_address(self.config, Memory::Level, elements);
        let (memory, tokens) = (Memory::Level, Tokens::default());
        let load = Load { tokens, broadcast, memory, address: 0, count: 1, words: words as u16, mask };
        let (cell, _) = self.cells(Some(memory));
        self.push(Instruction::Load(load), vec![], vec![cell]);
        let payload = self.r.bytes(words * self.config.link_bytes());
        self.drafts.last_mut().expect("just pushed").payload = payload;
    }

    pub(super) fn load_offsets(&mut self, mask: u32, broadcast: bool) {
        let rows = self.config.array.rows;
        let words = words_per_address(self.config, Memory::Offset, rows);
        let offsets: Vec<i16> = (0..words * self.config.link_bytes() / 2 + 1)
            .map(|_| if self.r.percent(8) { self.r.i16() } else { self.r.within(-3..9) as i16 })
            .collect();
        for (r, offset) in self.offsets.iter_mut().enumerate().filter(|(r, _)| mask >> r & 1 == 1) {
            *offset = offsets[if broadcast { 0 } else { r }];
        }
        let load = Load {
            tokens: Tokens::default(),
            broadcast,
            memory: Memory::Offset,
            address: 0,
            count: 1,
            words: words as u16,
            mask,
        };
        let (cell, _) = self.cells(Some(Memory::Offset));
        self.push(Instruction::Load(load), vec![], vec![cell]);
        let mut payload: Vec<u8> = offsets.iter().flat_map(|o| o.to_le_bytes()).collect();
        payload.truncate(words * self.config.link_bytes());
        self.drafts.last_mut().expect("just pushed").payload = payload;
    }
}
