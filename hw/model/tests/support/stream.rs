//! Streams for tests of order and time, in which only the length of a payload matters.

use tandem_spec::{Config, Instruction, Stream};

/// The program with payloads of 0x21.
pub fn stream(config: &Config, list: &[Instruction]) -> Stream {
    let mut s = Stream::new(config);
    for i in list {
        match i {
            Instruction::Load(l) => {
                let words = usize::from(l.count) * usize::from(l.words);
                s.push_load(*l, &vec![0x21; words * config.link_bytes()]);
            }
            other => s.push(other),
        }
    }
    s
}
