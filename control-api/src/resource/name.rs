//! Names and addresses: what may stand where.
//!
//! One rule: a check answers with `Invalid` that says what is accepted, never with a bool.

use std::net::IpAddr;

use super::invalid::Invalid;
use crate::limits;

/// A DNS label (RFC 1123): the name of a site, service, failover or join token.
pub fn check_label(field: &str, name: &str) -> Result<(), Invalid> {
    let fits = !name.is_empty() && name.len() <= 63;
    if fits && is_label(name) {
        return Ok(());
    }
    Err(Invalid::new(
        field,
        format!("{name:?} is not a DNS label: accepted are 1 to 63 of a-z, 0-9 and '-', not at either end"),
    ))
}

/// A DNS name of labels joined by dots (RFC 1123): the name of a route, a host, an address.
pub fn check_dns_name(field: &str, name: &str) -> Result<(), Invalid> {
    let fits = !name.is_empty() && name.len() <= 253;
    if fits && name.split('.').all(|l| l.len() <= 63 && is_label(l)) {
        return Ok(());
    }
    Err(Invalid::new(
        field,
        format!(
            "{name:?} is not a DNS name: accepted are lower case labels of a-z, 0-9 and '-' joined by dots"
        ),
    ))
}

/// A hostname that a route answers for: a DNS name, or one below a wildcard such as `*.example.com`.
pub fn check_hostname(field: &str, host: &str) -> Result<(), Invalid> {
    if host.parse::<IpAddr>().is_ok() {
        return Err(Invalid::new(
            field,
            format!("{host:?} is an IP address: hostnames are names (Gateway API)"),
        ));
    }
    check_dns_name(field, host.strip_prefix("*.").unwrap_or(host))
}

/// Where a peer is reached: an IP address or a DNS name.
pub fn check_address(field: &str, address: &str) -> Result<(), Invalid> {
    if address.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    check_dns_name(field, address)
        .map_err(|_| Invalid::new(field, format!("{address:?} is neither an IP address nor a DNS name")))
}

/// A TCP port that can be connected to.
pub fn check_port(field: &str, port: u16) -> Result<(), Invalid> {
    if port == 0 {
        return Err(Invalid::new(field, "0 is not a port: accepted are 1 to 65535"));
    }
    Ok(())
}

/// A SPIFFE trust domain name (SPIFFE ID, section 2.1).
pub fn check_trust_domain(field: &str, name: &str) -> Result<(), Invalid> {
    let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    if !name.is_empty() && name.len() <= limits::TRUST_DOMAIN_BYTES_MAX && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(Invalid::new(
        field,
        format!(
            "{name:?} is not a SPIFFE trust domain name: accepted are 1 to {} of a-z, 0-9, '.', '-' and '_'",
            limits::TRUST_DOMAIN_BYTES_MAX
        ),
    ))
}

/// An HTTP header name (RFC 9110, section 5.1), not a pseudo header.
pub fn check_header_name(field: &str, name: &str) -> Result<(), Invalid> {
    if http::HeaderName::from_bytes(name.as_bytes()).is_ok() {
        return Ok(());
    }
    Err(Invalid::new(field, format!("{name:?} is not an HTTP header name")))
}

/// An HTTP header value (RFC 9110, section 5.5).
pub fn check_header_value(field: &str, value: &str) -> Result<(), Invalid> {
    if http::HeaderValue::from_str(value).is_ok() {
        return Ok(());
    }
    Err(Invalid::new(
        field,
        format!("{value:?} is not an HTTP header value: control characters are not accepted"),
    ))
}

fn is_label(label: &str) -> bool {
    let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-');
    !label.is_empty() && label.bytes().all(inner) && !label.starts_with('-') && !label.ends_with('-')
}
