//! Where the port of an authority begins.

/// The position of the port's colon; the colons of an IPv6 literal are no port's (RFC 3986 §3.2.2).
#[must_use]
pub(super) fn port_start(authority: &str) -> Option<usize> {
    let colon = authority.rfind(':')?;
    match authority.rfind(']') {
        Some(bracket) if bracket > colon => None,
        _ => Some(colon),
    }
}
