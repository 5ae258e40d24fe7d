//! The instruction stream: link words, each tagged whether an instruction starts there.
//!
//! ```text
//! ┌ instruction ┐┌ payload of a LOAD ┐┌ instruction ┐
//!  1  0  0  0     0 0 0 … 0  check     1              ← `first`
//! ```

use crate::check::crc32;
use crate::config::Config;
use crate::isa::{Instruction, Load, Memory, Tokens, words_per_address};
use std::io::Read;
use std::path::Path;

const MAGIC: &[u8; 8] = b"tandem\x00\x01";

/// Tagged link words on their way to an accelerator.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Stream {
    /// Bytes of a link word.
    pub link_bytes: usize,
    /// All words, one after the other, least significant byte first.
    pub bytes: Vec<u8>,
    /// Per word: an instruction starts here.
    pub first: Vec<bool>,
}

/// Why a stream file was refused.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// Reading or writing failed.
    #[error("{file}: {source}")]
    Io {
        /// The file.
        file: String,
        /// The cause.
        source: std::io::Error,
    },
    /// The content is not a stream.
    #[error("{file}: {what}")]
    Content {
        /// The file.
        file: String,
        /// What is wrong.
        what: String,
    },
}

impl Stream {
    /// An empty stream for `config`'s link.
    pub fn new(config: &Config) -> Self {
        Stream { link_bytes: config.link_bytes(), ..Stream::default() }
    }

    /// Number of link words.
    pub fn words(&self) -> usize {
        self.first.len()
    }

    /// Appends words, padding the last one with zeros.
    pub fn push_words(&mut self, bytes: &[u8], first: bool) {
        self.bytes.extend_from_slice(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(self.link_bytes), 0);
        let words = self.bytes.len() / self.link_bytes;
        if first && self.first.len() < words {
            self.first.push(true);
        }
        self.first.resize(words, false);
    }

    /// Appends an instruction.
    pub fn push(&mut self, instruction: &Instruction) {
        self.push_words(&instruction.encode(), true);
    }

    /// Appends a `LOAD` and its payload of `count · words` link words; the checksum is added.
    ///
    /// # Panics
    /// If `payload` is not `count · words` link words long.
    pub fn push_load(&mut self, load: Load, payload: &[u8]) {
        let words = usize::from(load.count) * usize::from(load.words);
        assert_eq!(payload.len(), words * self.link_bytes, "payload of {load:?}");
        self.push(&Instruction::Load(load));
        self.push_words(payload, false);
        self.push_words(&crc32(payload).to_le_bytes(), false);
    }

    /// Appends a `LOAD` without tokens that sets the address offset of every row to `offset`.
    pub fn push_row_offsets(&mut self, config: &Config, offset: i16) {
        let words = words_per_address(config, Memory::Offset, config.array.rows);
        let load = Load {
            tokens: Tokens::default(),
            broadcast: false,
            memory: Memory::Offset,
            address: 0,
            count: 1,
            words: words as u16,
            mask: u32::MAX,
        };
        let mut payload = offset.to_le_bytes().repeat(config.array.rows);
        payload.resize(words * self.link_bytes, 0);
        self.push_load(load, &payload);
    }

    /// Instructions in order, each with the index of its first word, as far as the stream is well
    /// formed; the second value is the index of the first word that is not part of one.
    pub fn instructions(&self) -> (Vec<(usize, Instruction)>, usize) {
        let mut list = vec![];
        let mut at = 0;
        while at < self.words() && self.first[at] {
            let rest = &self.bytes[at * self.link_bytes..];
            let Some(op) = crate::isa::OPCODES.iter().find(|o| o.code == rest[0]) else { break };
            if rest.len() < op.units * 16 {
                break;
            }
            let Some(i) = Instruction::decode(rest) else { break };
            let mut next = at + op.units * 16 / self.link_bytes;
            if let Instruction::Load(l) = &i {
                next += usize::from(l.count) * usize::from(l.words) + 4usize.div_ceil(self.link_bytes);
            }
            if next > self.words() || self.first[at + 1..next].contains(&true) {
                break;
            }
            list.push((at, i));
            at = next;
        }
        (list, at)
    }

    /// The stream as a file, with the hash of the configuration that it is for; see [`load`](Self::load).
    pub fn encode(&self, config: &Config) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend((self.link_bytes as u64).to_le_bytes());
        out.extend(config.hash().to_le_bytes());
        out.extend((self.words() as u64).to_le_bytes());
        out.extend(self.first.chunks(8).map(|c| c.iter().rev().fold(0u8, |b, f| b << 1 | u8::from(*f))));
        out.extend(&self.bytes);
        out
    }

    /// Reads a stream and the hash of its configuration.
    ///
    /// # Errors
    /// [`StreamError`] if the file cannot be read, is not a stream or is cut.
    pub fn load(path: &Path) -> Result<(Self, u64), StreamError> {
        let file = path.display().to_string();
        let io = |source| StreamError::Io { file: file.clone(), source };
        let content = |what: String| StreamError::Content { file: file.clone(), what };
        let mut source = std::fs::File::open(path).map_err(io)?;
        let mut head = vec![];
        (&mut source).take(MAGIC.len() as u64 + 24).read_to_end(&mut head).map_err(io)?;
        let head = head.strip_prefix(MAGIC).ok_or_else(|| content("not an instruction stream".into()))?;
        if head.len() < 24 {
            return Err(content("cut inside its header".into()));
        }
        let word = |i: usize| u64::from_le_bytes(head[8 * i..8 * i + 8].try_into().expect("eight bytes"));
        let (link_bytes, hash, words) = (word(0), word(1), word(2));
        if ![1, 2, 4, 8, 16].contains(&link_bytes) {
            return Err(content(format!("link words of {link_bytes} bytes: expected 1, 2, 4, 8 or 16")));
        }
        let need = words.div_ceil(8).saturating_add(words.saturating_mul(link_bytes));
        // no more is read than the header speaks of, and one byte to see that there is none
        let mut body = vec![];
        source.take(need.saturating_add(1)).read_to_end(&mut body).map_err(io)?;
        if need != body.len() as u64 {
            let found = if body.len() as u64 > need { "more".into() } else { body.len().to_string() };
            return Err(content(format!("{words} link words need {need} bytes, found {found}")));
        }
        let (tags, bytes) = body.split_at(words.div_ceil(8) as usize);
        let first = (0..words as usize).map(|i| tags[i / 8] >> (i % 8) & 1 == 1).collect();
        Ok((Stream { link_bytes: link_bytes as usize, bytes: bytes.to_vec(), first }, hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_round_trips_and_a_cut_one_is_refused() {
        let toml = "[array]\nrows=2\ncols=2\nlanes=2\nrow_digit=4\ncol_digit=4\n[memory]\nrow_depth=8\ncol_depth=8\nresult_depth=8\n[link]\nbits=32\n";
        let config = Config::from_toml("t", toml).unwrap();
        let mut s = Stream::new(&config);
        let load = Load {
            tokens: Tokens::default(),
            broadcast: false,
            memory: Memory::Row,
            address: 0,
            count: 3,
            words: 1,
            mask: 3,
        };
        s.push_load(load, &[7; 12]);
        s.push(&Instruction::Read(Tokens::default()));
        assert_eq!(s.words(), 4 + 3 + 1 + 4);
        let (list, end) = s.instructions();
        assert_eq!((list.len(), end), (2, 12));
        let dir = tempfile_dir();
        let path = dir.join("s.tdm");
        std::fs::write(&path, s.encode(&config)).unwrap();
        assert_eq!(Stream::load(&path).unwrap(), (s.clone(), config.hash()));
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        assert!(matches!(Stream::load(&path), Err(StreamError::Content { .. })));
        std::fs::remove_dir_all(dir).unwrap();
    }

    fn tempfile_dir() -> std::path::PathBuf {
        let d = std::env::temp_dir().join(format!("tandem-stream-{}", std::process::id()));
        std::fs::create_dir_all(&d).unwrap();
        d
    }
}
