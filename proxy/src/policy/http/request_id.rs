//! `x-request-id`: a random UUID, one per request, kept along the way.

use http::{HeaderName, HeaderValue};

use super::compile::HttpPolicy;
use crate::body::RequestHead;

/// The field.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl HttpPolicy {
    pub(super) fn give_request_id(&self, head: &mut RequestHead, internal: bool, rng: &mut fastrand::Rng) {
        // At the edge an id from outside could collide on purpose; it is kept only on request.
        let replace = self.use_remote_address && !internal && !self.preserve_external_request_id;
        if self.generate_request_id && (replace || !head.headers.contains_key(REQUEST_ID)) {
            head.headers.insert(REQUEST_ID, uuid(rng.u128(..)));
        }
    }
}

/// Every byte in hexadecimal.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut table = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = [DIGITS[byte >> 4], DIGITS[byte & 0xf]];
        byte += 1;
    }
    table
};

/// A version 4 UUID (RFC 9562 §5.4) as text.
fn uuid(random: u128) -> HeaderValue {
    let version = random & !(0xf << 76) | (0x4 << 76);
    let bytes = (version & !(0x3 << 62) | (0x2 << 62)).to_be_bytes();
    let mut text = [b'-'; 36];
    let mut at = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            at += 1;
        }
        text[at..at + 2].copy_from_slice(&HEX[usize::from(*byte)]);
        at += 2;
    }
    HeaderValue::from_bytes(&text).expect("hexadecimal digits and dashes may stand in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_is_a_version_4_uuid() {
        let id = uuid(u128::MAX);
        assert_eq!(id, "ffffffff-ffff-4fff-bfff-ffffffffffff");
        assert_eq!(uuid(0), "00000000-0000-4000-8000-000000000000");
    }
}
