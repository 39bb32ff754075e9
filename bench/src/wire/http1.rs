//! Answers on HTTP/1.1, read by their head and length.

use std::io;

const HEADERS_MAX: usize = 64;

/// The head of an answer: where it ends, and how many bytes follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    pub head_bytes: usize,
    pub body_bytes: usize,
}

/// Reads the head of an answer if it is whole; anything but the wanted status, or no length, is an error. An
/// answer 101 has no body.
pub fn head(bytes: &[u8], status: u16) -> io::Result<Option<Head>> {
    let mut fields = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut fields);
    let httparse::Status::Complete(head_bytes) = head.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    if head.code != Some(status) {
        return Err(io::Error::other(format!("status {:?}", head.code)));
    }
    if status == 101 {
        return Ok(Some(Head { head_bytes, body_bytes: 0 }));
    }
    let field = head.headers.iter().find(|field| field.name.eq_ignore_ascii_case("content-length"));
    let text = field.and_then(|field| std::str::from_utf8(field.value).ok());
    let length: Option<usize> = text.and_then(|text| text.parse().ok());
    let body_bytes = length.ok_or_else(|| io::Error::other("an answer without content-length"))?;
    Ok(Some(Head { head_bytes, body_bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_it_is_whole_and_as_expected() {
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(head(&bytes[..30], 200).expect("it is well formed"), None);
        let found = head(bytes, 200).expect("it is well formed");
        assert_eq!(found, Some(Head { head_bytes: 38, body_bytes: 5 }));
        assert!(head(bytes, 101).is_err());
        assert!(head(b"HTTP/1.1 200 OK\r\n\r\n", 200).is_err());
    }
}
