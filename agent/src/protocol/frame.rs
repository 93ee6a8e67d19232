//! Frames: a length, a channel, a payload.

use std::error::Error;
use std::fmt;

/// The channel that carries requests and messages. Every other one carries the bytes of a connection,
/// where an empty payload closes that side.
pub const CONTROL: u32 = 0;

/// The longest payload. A longer one is a sign that the two sides have lost each other.
pub const LARGEST: usize = 64 * 1024 * 1024;

/// Length and channel, each four bytes, the highest first.
const HEAD: usize = 8;

/// One payload on one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Which.
    pub channel: u32,
    /// What.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The frame as bytes.
    pub fn encode(&self) -> Result<Vec<u8>, Oversized> {
        let length = u32::try_from(self.payload.len()).ok().filter(|&length| length as usize <= LARGEST);
        let length = length.ok_or(Oversized { length: self.payload.len() })?;
        let mut bytes = Vec::with_capacity(HEAD + self.payload.len());
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.channel.to_be_bytes());
        bytes.extend_from_slice(&self.payload);
        Ok(bytes)
    }
}

/// Takes bytes as they come and gives frames.
#[derive(Debug, Default)]
pub struct Decoder {
    bytes: Vec<u8>,
    /// How many of the bytes were given out in frames already.
    taken: usize,
}

impl Decoder {
    /// Takes the next bytes, however many.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        self.bytes.extend_from_slice(bytes);
    }

    /// The next frame, if it is there whole.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, Oversized> {
        let bytes = &self.bytes[self.taken..];
        let (Some(length), Some(channel)) = (number(bytes, 0), number(bytes, 4)) else { return Ok(None) };
        let length = length as usize;
        if length > LARGEST {
            return Err(Oversized { length });
        }
        let Some(payload) = bytes.get(HEAD..HEAD + length) else { return Ok(None) };
        let frame = Frame { channel, payload: payload.to_vec() };
        self.taken += HEAD + length;
        Ok(Some(frame))
    }

    /// Whether the bytes so far end in the middle of a frame.
    pub fn is_midway(&self) -> bool {
        self.taken < self.bytes.len()
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes)
}

/// A payload that no side would send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oversized {
    /// How long it is said to be.
    pub length: usize,
}

impl fmt::Display for Oversized {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a frame of {} bytes is longer than the longest, {LARGEST}", self.length)
    }
}

impl Error for Oversized {}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(channel: u32, payload: &[u8]) -> Frame {
        Frame { channel, payload: payload.into() }
    }

    #[test]
    fn frames_come_out_as_they_went_in_however_the_bytes_are_split() {
        let sent = [frame(CONTROL, b"{}"), frame(7, b""), frame(u32::MAX, &[0, 255, 10])];
        let bytes: Vec<u8> = sent.iter().flat_map(|frame| frame.encode().unwrap()).collect();
        for step in 1..=bytes.len() {
            let mut decoder = Decoder::default();
            let mut got = Vec::new();
            for piece in bytes.chunks(step) {
                decoder.push(piece);
                while let Some(frame) = decoder.next_frame().unwrap() {
                    got.push(frame);
                }
            }
            assert_eq!(got, sent, "in steps of {step}");
            assert!(!decoder.is_midway());
        }
    }

    #[test]
    fn the_bytes_of_a_frame_are_length_channel_payload() {
        assert_eq!(frame(258, b"ab").encode().unwrap(), [0, 0, 0, 2, 0, 0, 1, 2, b'a', b'b']);
    }

    #[test]
    fn a_cut_frame_is_midway() {
        let mut decoder = Decoder::default();
        decoder.push(&frame(1, b"ab").encode().unwrap()[..9]);
        assert_eq!(decoder.next_frame(), Ok(None));
        assert!(decoder.is_midway());
    }

    #[test]
    fn a_length_that_no_side_would_send_is_an_error() {
        let mut decoder = Decoder::default();
        decoder.push(&[255; HEAD]);
        assert_eq!(decoder.next_frame(), Err(Oversized { length: u32::MAX as usize }));
        let sent = Frame { channel: 0, payload: vec![0; LARGEST + 1] }.encode();
        assert_eq!(sent, Err(Oversized { length: LARGEST + 1 }));
    }
}
