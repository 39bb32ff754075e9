//! Which bytes may name a host: `uri-host [ ":" port ]` of RFC 3986 §3.2 without user information.

/// Whether a port must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// `Host` and absolute form.
    Optional,
    /// CONNECT (RFC 9110 §9.3.6).
    Required,
}

/// Whether `text` is a host, with or without a port.
#[must_use]
pub fn is_valid(text: &[u8], port: Port) -> bool {
    let rest = match text.first() {
        None => return false,
        Some(b'[') => match text.iter().position(|byte| *byte == b']') {
            Some(end) if end > 1 && text[1..end].iter().all(|byte| is_address(*byte)) => &text[end + 1..],
            _ => return false,
        },
        Some(_) => {
            let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
            if end == 0 || !text[..end].iter().all(|byte| is_name(*byte)) {
                return false;
            }
            &text[end..]
        }
    };
    match rest {
        [] => port == Port::Optional,
        [b':'] => port == Port::Optional,
        [b':', digits @ ..] => is_port(digits),
        _ => false,
    }
}

/// Whether `text` is a host that a request target may name: narrower than in `Host`, because readers that take
/// targets apart (Envoy, nginx) stop at what a URI would allow in a name beside letters and digits.
#[must_use]
pub fn is_valid_in_target(text: &[u8], port: Port) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':');
    is_valid(text, port) && (text.starts_with(b"[") || text.iter().all(plain))
}

fn is_port(digits: &[u8]) -> bool {
    digits.len() <= 5
        && digits.iter().all(u8::is_ascii_digit)
        && digits.iter().fold(0_u32, |sum, digit| sum * 10 + u32::from(digit - b'0')) <= 65_535
}

fn is_address(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'%' | b'-' | b'_' | b'~')
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')')
        || matches!(byte, b'*' | b'+' | b',' | b';' | b'=')
}
