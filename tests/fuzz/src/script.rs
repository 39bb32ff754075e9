//! What both peers of the relay do, as it stands in an input: the client's bytes and the backends' answers, parted by
//! lines of `%%`. The first byte of each part says how it is sent.

/// Between two parts.
const MARK: &[u8] = b"\n%%\n";

/// Both peers.
#[derive(Debug)]
pub struct Script {
    /// The client's part.
    pub client: Part,
    /// One for each request that reaches a backend, in order.
    pub answers: Vec<Part>,
}

/// Bytes and how they are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The bytes.
    pub bytes: Vec<u8>,
    how: u8,
}

impl Script {
    /// Reads an input; every input is a script.
    #[must_use]
    pub fn read(data: &[u8]) -> Self {
        let mut parts = Vec::new();
        let mut rest = data;
        while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
            parts.push(Part::read(&rest[..at]));
            rest = &rest[at + MARK.len()..];
        }
        parts.push(Part::read(rest));
        let client = parts.remove(0);
        Self { client, answers: parts }
    }
}

impl Part {
    fn read(bytes: &[u8]) -> Self {
        let (how, bytes) = bytes.split_first().map_or((0, bytes), |(how, rest)| (*how, rest));
        Self { bytes: bytes.to_vec(), how }
    }

    /// What a backend says that has nothing more to say.
    #[must_use]
    pub fn usual() -> Self {
        Self { bytes: b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec(), how: 0 }
    }

    /// Whether each byte goes out alone.
    #[must_use]
    pub fn is_bytewise(&self) -> bool {
        self.how & 1 != 0
    }

    /// Whether the sender goes away after it.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.how & 2 != 0
    }

    /// Whether a backend answers as soon as it has the request's head; whether a client speaks HTTP/1.0 to a server
    /// that takes it.
    #[must_use]
    pub fn is_eager(&self) -> bool {
        self.how & 4 != 0
    }
}
