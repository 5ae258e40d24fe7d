//! Frames: content, CRC-32, COBS, and a zero at the end.

use tandem_spec::link::{CHECK, HEADER, Kind, MAX_PAYLOAD, frame_crc};

/// A whole, checked frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: Kind,
    /// Session.
    pub session: u8,
    /// Number, or what the kind says.
    pub seq: u8,
    /// 0 to 240 bytes.
    pub payload: Vec<u8>,
}

/// Why bytes between two zeros are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// COBS is broken, or the length is out of range.
    Form,
    /// The CRC-32 is wrong.
    Check,
    /// A kind that is not known.
    Kind(u8),
}

impl Frame {
    /// The frame as it goes over the line.
    ///
    /// # Panics
    /// If the payload has more than 240 bytes.
    pub fn encode(&self) -> Vec<u8> {
        assert!(self.payload.len() <= MAX_PAYLOAD, "a payload of {} bytes", self.payload.len());
        let mut content = vec![self.kind as u8, self.session, self.seq];
        content.extend(&self.payload);
        content.extend(frame_crc(&content).to_le_bytes());
        let mut line = cobs::encode_vec(&content);
        line.push(0);
        line
    }

    /// The frame of what lies between two zeros.
    fn decode(line: &[u8]) -> Result<Frame, Damage> {
        let content = cobs::decode_vec(line).map_err(|_| Damage::Form)?;
        if !(HEADER + CHECK..=HEADER + MAX_PAYLOAD + CHECK).contains(&content.len()) {
            return Err(Damage::Form);
        }
        let (body, check) = content.split_at(content.len() - CHECK);
        if frame_crc(body).to_le_bytes() != check {
            return Err(Damage::Check);
        }
        let kind = Kind::ALL.iter().copied().find(|k| *k as u8 == body[0]).ok_or(Damage::Kind(body[0]))?;
        Ok(Frame { kind, session: body[1], seq: body[2], payload: body[HEADER..].to_vec() })
    }
}

/// Most bytes between two zeros that can be a frame.
const LONGEST: usize = 1 + HEADER + MAX_PAYLOAD + CHECK;

/// Finds frames in a stream of bytes, from any place in it.
#[derive(Clone, Debug, Default)]
pub struct FrameReader {
    line: Vec<u8>,
    overflow: bool,
}

impl FrameReader {
    /// Takes a byte; what ends with it, if anything does.
    pub fn push(&mut self, byte: u8) -> Option<Result<Frame, Damage>> {
        if byte != 0 {
            self.overflow |= self.line.len() == LONGEST;
            if !self.overflow {
                self.line.push(byte);
            }
            return None;
        }
        let overflow = std::mem::take(&mut self.overflow);
        let line = std::mem::take(&mut self.line);
        if overflow {
            return Some(Err(Damage::Form));
        }
        (!line.is_empty()).then(|| Frame::decode(&line))
    }
}
