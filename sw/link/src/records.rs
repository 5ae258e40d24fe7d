//! Tagged link words as records.

use tandem_spec::Stream;
use tandem_spec::link::{MAX_RECORD, RECORD_FIRST, RECORD_MARK};

/// The stream's words, then a mark.
pub fn records(stream: &Stream) -> Vec<u8> {
    let (words, width) = (stream.words(), stream.link_bytes);
    let mut out = Vec::with_capacity(stream.bytes.len() + words / 16 + 2);
    let mut at = 0;
    while at < words {
        let end = (at + MAX_RECORD).min(words);
        let next = (at + 1..end).find(|i| stream.first[*i]).unwrap_or(end);
        out.push((next - at) as u8 | if stream.first[at] { RECORD_FIRST } else { 0 });
        out.extend(&stream.bytes[at * width..next * width]);
        at = next;
    }
    out.push(RECORD_MARK);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Reading the records word by word gives the stream back.
        #[test]
        fn records_keep_words_and_tags(
            link_bytes in prop::sample::select(vec![1usize, 2, 4, 8, 16]),
            first in prop::collection::vec(prop::bool::weighted(0.05), 0..600),
            seed: u8,
        ) {
            let bytes = (0..first.len() * link_bytes).map(|i| (i as u8).wrapping_mul(seed | 1)).collect();
            let stream = Stream { link_bytes, bytes, first };
            let coded = records(&stream);
            let (mut bytes, mut first, mut at) = (vec![], vec![], 0);
            while coded[at] & 127 != 0 {
                let n = usize::from(coded[at] & 127);
                first.extend((0..n).map(|i| i == 0 && coded[at] >= 128));
                bytes.extend(&coded[at + 1..at + 1 + n * link_bytes]);
                at += 1 + n * link_bytes;
            }
            prop_assert_eq!(at + 1, coded.len());
            prop_assert_eq!(Stream { link_bytes, bytes, first }, stream);
        }
    }
}
