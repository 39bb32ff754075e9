//! Looks at the frames of a stream before `h3` gets them.
//!
//! `h3` keeps every frame but DATA until it is whole, however long it says it is (version 0.0.8). One rule: bytes of a
//! frame that is too long never reach it.

use crate::limits::H3_FRAME_BYTES_MAX;

/// DATA (RFC 9114 §7.2.1).
const DATA: u64 = 0x0;

/// HEADERS (RFC 9114 §7.2.2).
const HEADERS: u64 = 0x1;

/// The control stream's type (RFC 9114 §6.2.1).
const CONTROL: u64 = 0x0;

/// Where in its frames a stream is.
#[derive(Debug)]
pub(super) struct Watch {
    state: State,
    heads_bytes_max: u64,
}

#[derive(Debug)]
enum State {
    /// The type of a unidirectional stream.
    StreamType(Varint),
    FrameType(Varint),
    Length(u64, Varint),
    Payload(u64),
    /// Bytes that are no frames.
    Opaque,
}

/// A variable-length integer of which part has come (RFC 9000 §16).
#[derive(Debug, Default)]
struct Varint {
    value: u64,
    left: Option<u32>,
}

/// A frame that is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLong {
    pub(super) frame_type: u64,
    pub(super) bytes: u64,
}

impl Watch {
    /// For a request stream whose heads may have so many bytes.
    pub(super) fn request(heads_bytes_max: u64) -> Self {
        Self { state: State::FrameType(Varint::default()), heads_bytes_max }
    }

    /// For a stream that only the peer sends on.
    pub(super) fn unidirectional() -> Self {
        Self { state: State::StreamType(Varint::default()), heads_bytes_max: 0 }
    }

    /// Judges the next bytes of the stream.
    pub(super) fn look(&mut self, mut bytes: &[u8]) -> Result<(), TooLong> {
        while let Some(first) = bytes.first().copied() {
            match &mut self.state {
                State::Opaque => return Ok(()),
                State::Payload(left) => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= taken as u64;
                    bytes = &bytes[taken..];
                    if *left == 0 {
                        self.state = State::FrameType(Varint::default());
                    }
                    continue;
                }
                State::StreamType(varint) => match varint.push(first) {
                    Some(CONTROL) => self.state = State::FrameType(Varint::default()),
                    Some(_) => self.state = State::Opaque,
                    None => {}
                },
                State::FrameType(varint) => {
                    if let Some(frame_type) = varint.push(first) {
                        self.state = State::Length(frame_type, Varint::default());
                    }
                }
                State::Length(frame_type, varint) => {
                    let frame_type = *frame_type;
                    if let Some(length) = varint.push(first) {
                        self.state = self.payload(frame_type, length)?;
                    }
                }
            }
            bytes = &bytes[1..];
        }
        Ok(())
    }

    fn payload(&self, frame_type: u64, bytes: u64) -> Result<State, TooLong> {
        let max = match frame_type {
            DATA => u64::MAX,
            HEADERS => self.heads_bytes_max,
            _ => H3_FRAME_BYTES_MAX,
        };
        match bytes {
            _ if bytes > max => Err(TooLong { frame_type, bytes }),
            0 => Ok(State::FrameType(Varint::default())),
            _ => Ok(State::Payload(bytes)),
        }
    }
}

impl Varint {
    /// Takes a byte; the value once it is whole.
    fn push(&mut self, byte: u8) -> Option<u64> {
        let left = match self.left {
            None => {
                self.value = u64::from(byte & 0x3f);
                (1 << (byte >> 6)) - 1
            }
            Some(left) => {
                self.value = self.value << 8 | u64::from(byte);
                left - 1
            }
        };
        self.left = Some(left);
        (left == 0).then_some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All at once and byte by byte must come to the same.
    fn look(watch: fn() -> Watch, bytes: &[u8]) -> Result<(), TooLong> {
        let whole = watch().look(bytes);
        let mut watch = watch();
        assert_eq!(bytes.iter().try_for_each(|byte| watch.look(&[*byte])), whole);
        whole
    }

    fn request() -> Watch {
        Watch::request(1000)
    }

    #[test]
    fn frames_within_their_limits_pass() {
        let mut bytes = vec![0x01, 0x43, 0xe8];
        bytes.extend([0; 1000]);
        // Eight bytes of length: data without end.
        bytes.extend([0x00, 0xc0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3]);
        assert_eq!(look(request, &bytes), Ok(()));
    }

    #[test]
    fn a_head_over_its_limit_is_seen_from_its_length_alone() {
        assert_eq!(look(request, &[0x01, 0x43, 0xe9]), Err(TooLong { frame_type: 1, bytes: 1001 }));
    }

    #[test]
    fn a_frame_nobody_knows_is_short() {
        let grease = [0x21, 0x80, 0, 0x10, 0x01];
        assert_eq!(look(request, &grease), Err(TooLong { frame_type: 0x21, bytes: 4097 }));
        assert_eq!(look(request, &[0x21, 0x02, 9, 9, 0x01, 0x00]), Ok(()));
    }

    #[test]
    fn only_the_control_stream_has_frames() {
        assert_eq!(look(Watch::unidirectional, &[0x02, 0x01, 0xbf, 0xff, 0xff, 0xff]), Ok(()));
        let settings = [0x00, 0x04, 0x80, 0, 0x20, 0];
        assert_eq!(look(Watch::unidirectional, &settings), Err(TooLong { frame_type: 4, bytes: 8192 }));
    }
}
