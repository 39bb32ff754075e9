//! Who asked, for endpoints that are to be told (PROXY protocol): the header in front of a connection's bytes.
//!
//! One rule: a connection whose header names one client carries nobody else's bytes.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use xds::model::{ProxiedTransport, ProxyProtocolVersion, Tlv};

/// The twelve bytes that begin version 2.
const V2_SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The client's connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    /// The client and where it connected to; `None` without IP addresses.
    pub ends: Option<(SocketAddr, SocketAddr)>,
    /// What a header in front of it said beside that, as far as it may be passed on.
    pub tlvs: Option<Arc<[Tlv]>>,
}

/// The header of a connection that is made for `origin`; `None` for one that the proxy makes for itself, which has
/// `own` ends.
///
/// # Errors
/// What is missing.
pub fn header(
    model: &ProxiedTransport,
    origin: Option<&Origin>,
    own: Option<(SocketAddr, SocketAddr)>,
) -> Result<Vec<u8>, &'static str> {
    let ends = origin.map_or(own, |origin| origin.ends);
    if ends.is_none() && !model.allow_unspecified_address {
        return Err("the client has no IP address, and allow_unspecified_address is off");
    }
    match model.version {
        ProxyProtocolVersion::V1 => Ok(version_1(ends)),
        ProxyProtocolVersion::V2 => {
            let Some(origin) = origin else { return Ok(version_2(0x20, None, &[])) };
            let whole = version_2(0x21, ends, &tlvs(model, origin));
            // What does not fit into a header is left out of it, as in Envoy.
            Ok(if whole.is_empty() { version_2(0x21, ends, &[]) } else { whole })
        }
    }
}

fn version_1(ends: Option<(SocketAddr, SocketAddr)>) -> Vec<u8> {
    let Some((source, destination)) = ends else { return b"PROXY UNKNOWN\r\n".to_vec() };
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.ip(), destination.ip());
    format!("PROXY {family} {from} {to} {} {}\r\n", source.port(), destination.port()).into_bytes()
}

/// Empty if it would be too long.
fn version_2(command: u8, ends: Option<(SocketAddr, SocketAddr)>, tlvs: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    let family = match ends {
        None => 0x00,
        Some((source, destination)) => {
            let v4 = match (source.ip(), destination.ip()) {
                (IpAddr::V4(from), IpAddr::V4(to)) => {
                    body.extend(from.octets());
                    body.extend(to.octets());
                    true
                }
                (from, to) => {
                    body.extend(wide(from).octets());
                    body.extend(wide(to).octets());
                    false
                }
            };
            body.extend(source.port().to_be_bytes());
            body.extend(destination.port().to_be_bytes());
            if v4 { 0x11 } else { 0x21 }
        }
    };
    body.extend(tlvs);
    let Ok(length) = u16::try_from(body.len()) else { return Vec::new() };
    let mut header = V2_SIGNATURE.to_vec();
    header.extend([command, family]);
    header.extend(length.to_be_bytes());
    header.extend(body);
    header
}

fn wide(ip: IpAddr) -> Ipv6Addr {
    match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    }
}

/// Those that are added, and those of the client's header that go on and are not replaced by one.
fn tlvs(model: &ProxiedTransport, origin: &Origin) -> Vec<u8> {
    let passed = origin.tlvs.iter().flat_map(|tlvs| tlvs.iter());
    let passed = passed.filter(|tlv| {
        model.pass_through.holds(tlv.kind) && !model.added.iter().any(|added| added.kind == tlv.kind)
    });
    let mut bytes = Vec::new();
    for Tlv { kind, value } in model.added.iter().chain(passed) {
        // One that is too long for its length field makes the header too long, too.
        bytes.push(*kind);
        bytes.extend(u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(value);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use xds::model::{TlvSelection, UpstreamTransport};

    use super::*;

    fn model(version: ProxyProtocolVersion) -> ProxiedTransport {
        ProxiedTransport {
            version,
            pass_through: TlvSelection::Types(vec![1, 2]),
            added: vec![Tlv { kind: 2, value: b"own".to_vec() }],
            allow_unspecified_address: false,
            tlv_as_pool_key: false,
            inner: UpstreamTransport::Plain,
        }
    }

    fn origin(source: &str, destination: &str) -> Origin {
        let tlv = |kind| Tlv { kind, value: b"x".to_vec() };
        Origin {
            ends: Some((source.parse().unwrap(), destination.parse().unwrap())),
            tlvs: Some(Arc::from([tlv(1), tlv(2), tlv(3)])),
        }
    }

    #[test]
    fn a_line_names_both_ends() {
        let model = model(ProxyProtocolVersion::V1);
        let four = header(&model, Some(&origin("192.0.2.1:5", "10.0.0.1:443")), None).unwrap();
        assert_eq!(four, b"PROXY TCP4 192.0.2.1 10.0.0.1 5 443\r\n");
        let six = header(&model, Some(&origin("[2001:db8::1]:5", "[::1]:443")), None).unwrap();
        assert_eq!(six, b"PROXY TCP6 2001:db8::1 ::1 5 443\r\n");
    }

    #[test]
    fn a_binary_header_has_what_is_added_and_what_may_pass() {
        let model = model(ProxyProtocolVersion::V2);
        let found = header(&model, Some(&origin("192.0.2.1:5", "10.0.0.1:443")), None).unwrap();
        let mut wanted = V2_SIGNATURE.to_vec();
        wanted.extend([0x21, 0x11, 0, 22, 192, 0, 2, 1, 10, 0, 0, 1, 0, 5, 1, 187]);
        wanted.extend([2, 0, 3, b'o', b'w', b'n', 1, 0, 1, b'x']);
        assert_eq!(found, wanted);
    }

    #[test]
    fn the_proxys_own_connections_say_so() {
        let found = header(&model(ProxyProtocolVersion::V2), None, origin("1.1.1.1:1", "2.2.2.2:2").ends);
        assert_eq!(found.unwrap()[12..], [0x20, 0, 0, 0]);
    }

    #[test]
    fn clients_without_an_address_are_unknown_where_they_may_be() {
        let nobody = Origin { ends: None, tlvs: None };
        let strict = model(ProxyProtocolVersion::V1);
        assert!(header(&strict, Some(&nobody), None).is_err());
        let lax = ProxiedTransport { allow_unspecified_address: true, ..strict };
        assert_eq!(header(&lax, Some(&nobody), None).unwrap(), b"PROXY UNKNOWN\r\n");
    }

    #[test]
    fn tlvs_that_do_not_fit_are_left_out() {
        let added = vec![Tlv { kind: 2, value: vec![0; 65_530] }];
        let model = ProxiedTransport { added, ..model(ProxyProtocolVersion::V2) };
        let found = header(&model, Some(&origin("192.0.2.1:5", "10.0.0.1:443")), None).unwrap();
        assert_eq!(found.len(), 28);
    }
}
