//! The PROXY protocol, versions 1 and 2: who really asks, told by the load balancer in front.
//!
//! Strict: a header that is not exactly as the specification says
//! (haproxy.org/download/2.9/doc/proxy-protocol.txt) ends the connection, because what follows cannot be trusted.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use xds::model::{ProxyProtocolVersion, Tlv, TlvSelection};

use crate::limits::PROXY_HEADER_BYTES_MAX;

/// The twelve bytes that begin version 2.
const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Version 1 is one line of at most so many bytes, its end included.
const V1_BYTES_MAX: usize = 107;

/// What the first bytes of a connection say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parsed {
    /// Not enough bytes yet.
    Incomplete,
    /// No header.
    Absent,
    /// A header of `bytes` bytes.
    Header {
        /// Its length.
        bytes: usize,
        /// The connection it speaks of; `None` where it keeps the socket's own (LOCAL, UNKNOWN).
        addresses: Option<Addresses>,
    },
    /// Begins like a header and is none; why.
    Malformed(&'static str),
}

/// The two ends of the connection that the sender accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The client.
    pub source: SocketAddr,
    /// Where it connected to.
    pub destination: SocketAddr,
}

/// Reads the header at the start of `bytes`, if one is there.
#[must_use]
pub fn parse(bytes: &[u8]) -> Parsed {
    if starts_alike(bytes, &V2_SIGNATURE) {
        return if bytes.len() < 16 { Parsed::Incomplete } else { parse_v2(bytes) };
    }
    if starts_alike(bytes, b"PROXY ") {
        return parse_v1(bytes);
    }
    Parsed::Absent
}

/// Which version the header at the start of `bytes` has, if one is there.
#[must_use]
pub fn version(bytes: &[u8]) -> Option<ProxyProtocolVersion> {
    if bytes.starts_with(&V2_SIGNATURE) {
        return Some(ProxyProtocolVersion::V2);
    }
    bytes.starts_with(b"PROXY ").then_some(ProxyProtocolVersion::V1)
}

/// What a whole `header` says beside the addresses, as far as `wanted`.
///
/// # Errors
/// What is wrong with it.
pub fn tlvs(header: &[u8], wanted: &TlvSelection) -> Result<Vec<Tlv>, &'static str> {
    let of_proxy = header.get(12).is_some_and(|byte| byte & 0xf == 1);
    if version(header) != Some(ProxyProtocolVersion::V2) || !of_proxy {
        return Ok(Vec::new());
    }
    let addresses = match header.get(13) {
        Some(0x11) => 12,
        Some(0x21) => 36,
        Some(0x31) => 216,
        _ => 0,
    };
    let mut rest = header.get(16 + addresses..).unwrap_or_default();
    let mut found = Vec::new();
    while let [kind, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((value, next)) = after.split_at_checked(length) else {
            return Err("version 2 TLV longer than its header");
        };
        if wanted.holds(*kind) {
            found.push(Tlv { kind: *kind, value: value.to_vec() });
        }
        rest = next;
    }
    if rest.is_empty() { Ok(found) } else { Err("version 2 header ends within a TLV") }
}

/// Whether `bytes` are, as far as they go, `start`.
fn starts_alike(bytes: &[u8], start: &[u8]) -> bool {
    let shared = bytes.len().min(start.len());
    bytes[..shared] == start[..shared]
}

fn parse_v1(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes.iter().take(V1_BYTES_MAX).position(|&byte| byte == b'\n') else {
        return if bytes.len() < V1_BYTES_MAX {
            Parsed::Incomplete
        } else {
            Parsed::Malformed("version 1 line longer than 107 bytes")
        };
    };
    let line = bytes[..end].strip_suffix(b"\r").and_then(|line| std::str::from_utf8(line).ok());
    let Some(line) = line else {
        return Parsed::Malformed("version 1 line does not end in CR LF");
    };
    let header = |addresses| Parsed::Header { bytes: end + 1, addresses };
    let mut words = line.split(' ').skip(1);
    let family = words.next();
    if family == Some("UNKNOWN") {
        return header(None);
    }
    let words: Vec<&str> = words.collect();
    let [source, destination, source_port, destination_port] = words.as_slice() else {
        return Parsed::Malformed("version 1 line without two addresses and two ports");
    };
    let addresses = match family {
        Some("TCP4") => v1_addresses::<Ipv4Addr>([source, destination], [source_port, destination_port]),
        Some("TCP6") => v1_addresses::<Ipv6Addr>([source, destination], [source_port, destination_port]),
        _ => return Parsed::Malformed("version 1 protocol is not TCP4, TCP6 or UNKNOWN"),
    };
    match addresses {
        Some(addresses) => header(Some(addresses)),
        None => Parsed::Malformed("version 1 address or port is not valid"),
    }
}

fn v1_addresses<A>(ips: [&str; 2], ports: [&str; 2]) -> Option<Addresses>
where
    A: std::str::FromStr + Into<IpAddr>,
{
    let ip = |text: &str| text.parse::<A>().ok().map(Into::into);
    let port = |text: &str| {
        let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        plain.then(|| text.parse::<u16>().ok())?
    };
    Some(Addresses {
        source: SocketAddr::new(ip(ips[0])?, port(ports[0])?),
        destination: SocketAddr::new(ip(ips[1])?, port(ports[1])?),
    })
}

fn parse_v2(bytes: &[u8]) -> Parsed {
    let (version, command) = (bytes[12] >> 4, bytes[12] & 0xf);
    if version != 2 {
        return Parsed::Malformed("version 2 signature with another version");
    }
    if command > 1 {
        return Parsed::Malformed("version 2 command is neither LOCAL nor PROXY");
    }
    let length = usize::from(u16::from_be_bytes([bytes[14], bytes[15]]));
    let total = 16 + length;
    if total > PROXY_HEADER_BYTES_MAX {
        return Parsed::Malformed("version 2 header longer than accepted");
    }
    let Some(rest) = bytes.get(16..total) else {
        return Parsed::Incomplete;
    };
    let addresses = match (command, bytes[13]) {
        // LOCAL: a health check by the load balancer itself. UNSPEC: it does not know.
        (0, _) | (1, 0x00) => None,
        (1, 0x11) => match v2_addresses::<4>(rest) {
            Some(addresses) => Some(addresses),
            None => return Parsed::Malformed("version 2 header too short for its addresses"),
        },
        (1, 0x21) => match v2_addresses::<16>(rest) {
            Some(addresses) => Some(addresses),
            None => return Parsed::Malformed("version 2 header too short for its addresses"),
        },
        // AF_UNIX over a stream: the client has no IP address to adopt.
        (1, 0x31) if rest.len() >= 216 => None,
        _ => return Parsed::Malformed("version 2 family or transport is not TCP or a Unix stream"),
    };
    Parsed::Header { bytes: total, addresses }
}

fn v2_addresses<const LENGTH: usize>(bytes: &[u8]) -> Option<Addresses>
where
    [u8; LENGTH]: Into<IpAddr>,
{
    let ip = |at: usize| bytes.get(at..at + LENGTH)?.try_into().ok().map(<[u8; LENGTH]>::into);
    let port = |at: usize| Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    Some(Addresses {
        source: SocketAddr::new(ip(0)?, port(2 * LENGTH)?),
        destination: SocketAddr::new(ip(LENGTH)?, port(2 * LENGTH + 2)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(source: &str, destination: &str, bytes: usize) -> Parsed {
        let addresses =
            Addresses { source: source.parse().unwrap(), destination: destination.parse().unwrap() };
        Parsed::Header { bytes, addresses: Some(addresses) }
    }

    fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = V2_SIGNATURE.to_vec();
        bytes.extend([0x20 | command, family]);
        bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
        bytes.extend(rest);
        bytes
    }

    #[test]
    fn version_1_names_both_ends() {
        let v4 = b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\nGET / HTTP/1.1\r\n";
        assert_eq!(parse(v4), header("192.0.2.1:56324", "10.0.0.1:443", 41));
        let v6 = b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n";
        assert_eq!(parse(v6), header("[2001:db8::1]:1", "[2001:db8::2]:65535", v6.len()));
        let unknown = b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n";
        assert_eq!(parse(unknown), Parsed::Header { bytes: unknown.len(), addresses: None });
    }

    #[test]
    fn version_2_names_both_ends() {
        let v4 = v2(1, 0x11, &[192, 0, 2, 1, 10, 0, 0, 1, 0xdc, 4, 1, 0xbb, 4, 0, 1, 7]);
        assert_eq!(parse(&v4), header("192.0.2.1:56324", "10.0.0.1:443", v4.len()));
        let mut ends = [0; 36];
        (ends[15], ends[31], ends[33], ends[35]) = (1, 2, 3, 4);
        assert_eq!(parse(&v2(1, 0x21, &ends)), header("[::1]:3", "[::2]:4", 52));
        assert_eq!(parse(&v2(0, 0, &[])), Parsed::Header { bytes: 16, addresses: None });
    }

    #[test]
    fn every_cut_of_a_header_is_incomplete() {
        let v2 = v2(1, 0x11, &[192, 0, 2, 1, 10, 0, 0, 1, 0, 1, 0, 2]);
        let v1 = b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\r\n".to_vec();
        for whole in [v1, v2] {
            for cut in 0..whole.len() {
                assert_eq!(parse(&whole[..cut]), Parsed::Incomplete, "{cut} of {} bytes", whole.len());
            }
        }
    }

    #[test]
    fn other_protocols_have_no_header() {
        for bytes in [&b"GET / HTTP/1.1\r\n"[..], b"PROX!", b"\x16\x03\x01", b"\r\n\r\nGET"] {
            assert_eq!(parse(bytes), Parsed::Absent, "{bytes:?}");
        }
    }

    #[test]
    fn headers_that_break_the_rules_are_malformed() {
        let long = [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 100], b"\r\n".to_vec()].concat();
        let mut wrong_version = v2(1, 0x11, &[0; 12]);
        wrong_version[12] = 0x11;
        for bytes in [
            &b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 443\n"[..],
            b"PROXY TCP4 192.0.2.1 10.0.0.1 56324\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 56324 443 \r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 056324 443\r\n",
            b"PROXY TCP4 192.0.2.1 10.0.0.1 +1 443\r\n",
            b"PROXY TCP4 ::1 ::1 1 2\r\n",
            b"PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n",
            &long,
            &wrong_version,
            &v2(2, 0x11, &[0; 12]),
            &v2(1, 0x12, &[0; 12]),
            &v2(1, 0x11, &[0; 11]),
            &v2(1, 0x21, &[0; 12]),
            &v2(1, 0x11, &[0; PROXY_HEADER_BYTES_MAX]),
        ] {
            assert!(matches!(parse(bytes), Parsed::Malformed(_)), "{:?}", String::from_utf8_lossy(bytes));
        }
    }
}
