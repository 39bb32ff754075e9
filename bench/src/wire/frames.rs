//! HTTP/2 frames (RFC 9113 §4.1), read and written without looking further than both ends of a benchmark need.

use tokio::io::{AsyncRead, AsyncReadExt};

/// What a client says first (RFC 9113 §3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A window before anything is said about it (RFC 9113 §6.9.2).
pub const WINDOW_BYTES: i64 = 65_535;

/// Types of frames.
pub mod kind {
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
}

/// Flags of frames.
pub mod flag {
    pub const ACK: u8 = 1;
    pub const END_STREAM: u8 = 1;
    pub const END_HEADERS: u8 = 4;
    pub const PADDED: u8 = 8;
    pub const PRIORITY: u8 = 32;
}

/// Settings.
pub mod setting {
    pub const HEADER_TABLE_SIZE: u16 = 1;
    pub const ENABLE_PUSH: u16 = 2;
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
}

const HEADER_BYTES: usize = 9;
const READ_BYTES: usize = 256 * 1024;

/// The window we grant for a connection, above the initial one; half of it is given back at a time.
pub const GRANTED_BYTES: u32 = 1 << 30;

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame<'a> {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: &'a [u8],
}

impl Frame<'_> {
    /// Whether a flag is set.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// The payload as a big-endian number.
    pub fn number(&self) -> u32 {
        self.payload.first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
    }

    /// The settings inside a SETTINGS frame.
    pub fn settings(&self) -> impl Iterator<Item = (u16, u32)> {
        self.payload.chunks_exact(6).map(|six| {
            let id = u16::from_be_bytes([six[0], six[1]]);
            (id, u32::from_be_bytes([six[2], six[3], six[4], six[5]]))
        })
    }

    /// The header block of a HEADERS frame without padding and priority.
    pub fn block(&self) -> &[u8] {
        let mut block = self.payload;
        if self.has(flag::PADDED) {
            let padding = block.first().copied().unwrap_or(0) as usize;
            block = block.get(1..block.len().saturating_sub(padding)).unwrap_or(&[]);
        }
        if self.has(flag::PRIORITY) {
            block = block.get(5..).unwrap_or(&[]);
        }
        block
    }
}

/// Bytes that have arrived and not been taken.
pub struct Inbox {
    bytes: Vec<u8>,
    taken: usize,
}

impl Inbox {
    /// With what has been read already.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, taken: 0 }
    }

    /// Skips bytes that are no frame.
    pub fn skip(&mut self, count: usize) {
        self.taken += count;
    }

    /// Reads once; whole frames are to be taken before. False at the end.
    pub async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<bool> {
        self.bytes.drain(..self.taken);
        self.taken = 0;
        if self.bytes.capacity() - self.bytes.len() < READ_BYTES / 4 {
            self.bytes.reserve(READ_BYTES);
        }
        Ok(stream.read_buf(&mut self.bytes).await? > 0)
    }

    /// The next whole frame.
    pub fn next(&mut self) -> Option<Frame<'_>> {
        let bytes = &self.bytes[self.taken..];
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk()?;
        let length = u32::from_be_bytes([0, header[0], header[1], header[2]]) as usize;
        let payload = bytes.get(HEADER_BYTES..HEADER_BYTES + length)?;
        self.taken += HEADER_BYTES + length;
        let stream = u32::from_be_bytes([header[5], header[6], header[7], header[8]]) & (u32::MAX >> 1);
        Some(Frame { kind: header[3], flags: header[4], stream, payload })
    }
}

/// Writes a frame.
pub fn put(out: &mut Vec<u8>, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
    let length = (payload.len() as u32).to_be_bytes();
    out.extend_from_slice(&[length[1], length[2], length[3], kind, flags]);
    out.extend_from_slice(&stream.to_be_bytes());
    out.extend_from_slice(payload);
}

/// Writes a SETTINGS frame.
pub fn put_settings(out: &mut Vec<u8>, settings: &[(u16, u32)]) {
    let mut payload = Vec::new();
    for (id, value) in settings {
        payload.extend_from_slice(&id.to_be_bytes());
        payload.extend_from_slice(&value.to_be_bytes());
    }
    put(out, kind::SETTINGS, 0, 0, &payload);
}

/// Writes a WINDOW_UPDATE of the connection.
pub fn put_window_update(out: &mut Vec<u8>, increment: u32) {
    put(out, kind::WINDOW_UPDATE, 0, 0, &increment.to_be_bytes());
}

/// What both ends answer alike: acknowledgements. True when the frame was one of that kind.
pub fn acknowledge(frame: Frame<'_>, out: &mut Vec<u8>) -> bool {
    match frame.kind {
        kind::SETTINGS | kind::PING if frame.has(flag::ACK) => true,
        kind::PING => {
            put(out, kind::PING, flag::ACK, 0, frame.payload);
            true
        }
        _ => false,
    }
}

/// Counts received DATA and gives the connection's window back half at a time.
#[derive(Default)]
pub struct Received {
    unreturned_bytes: u32,
}

impl Received {
    /// Takes note of a DATA frame.
    pub fn data(&mut self, frame: Frame<'_>, out: &mut Vec<u8>) {
        self.unreturned_bytes += frame.payload.len() as u32;
        if self.unreturned_bytes >= GRANTED_BYTES / 2 {
            put_window_update(out, std::mem::take(&mut self.unreturned_bytes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_as_they_were_written_and_only_when_whole() {
        let mut bytes = Vec::new();
        put(&mut bytes, kind::HEADERS, flag::END_HEADERS, 3, b"abc");
        put_settings(&mut bytes, &[(setting::INITIAL_WINDOW_SIZE, 7)]);
        let cut = bytes.len() - 1;
        let mut inbox = Inbox::new(bytes[..cut].to_vec());
        let head = inbox.next().expect("the first frame is whole");
        assert_eq!((head.kind, head.stream, head.payload), (kind::HEADERS, 3, &b"abc"[..]));
        assert_eq!(inbox.next(), None, "the second frame lacks a byte");
        let mut whole = Inbox::new(bytes);
        whole.next();
        let settings = whole.next().expect("the second frame is whole");
        assert_eq!(settings.settings().collect::<Vec<_>>(), [(setting::INITIAL_WINDOW_SIZE, 7)]);
    }

    #[test]
    fn padding_and_priority_are_no_part_of_the_block() {
        let payload = [2, 0, 0, 0, 0, 16, 0x88, 0, 0];
        let flags = flag::PADDED | flag::PRIORITY;
        assert_eq!(Frame { kind: kind::HEADERS, flags, stream: 1, payload: &payload }.block(), [0x88]);
    }
}
