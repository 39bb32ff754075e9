//! Where a request comes from: `x-forwarded-for`, `x-forwarded-proto`, `x-forwarded-port`, and the fields that
//! stand in for the first.
//!
//! One rule: what a client says about itself counts only as far as proxies in front of this one are trusted.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderName, HeaderValue};
use xds::model::{Cidr, OriginalIpDetection, SchemeTransformation};

use super::compile::HttpPolicy;
use crate::body::{RequestHead, Scheme, Version};
use crate::fields::Fields;
use crate::observe::record::{ConnectionFacts, Place};
use crate::policy::facts;
use crate::policy::reply::Reply;

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

/// Where a request comes from.
pub(super) struct Origin {
    /// The client.
    pub(super) client: Place,
    /// Whether it is one of ours.
    pub(super) internal: bool,
}

/// An address that a field gives.
#[derive(Clone, Copy)]
struct Claimed {
    ip: IpAddr,
    /// Whether it stands alone, so that it may be an internal one.
    alone: bool,
}

impl HttpPolicy {
    /// Writes the fields and says who the client is.
    pub(super) fn note_origin(
        &self,
        head: &mut RequestHead,
        connection: &ConnectionFacts,
    ) -> Result<Origin, Reply> {
        let headers = &mut head.headers;
        let origin = if self.use_remote_address {
            self.at_the_edge(headers, connection)
        } else {
            self.behind(headers, connection)?
        };
        if !headers.contains_key(PROTO) {
            let scheme = if connection.tls.is_some() { "https" } else { "http" };
            headers.insert(PROTO, HeaderValue::from_static(scheme));
        }
        self.overwrite_scheme(head);
        // HTTP/1.1 says no scheme: what the client used towards the first proxy is what its address is.
        if head.version < Version::Http2 {
            match head.headers.get(PROTO).map(HeaderValue::as_bytes) {
                Some(b"http") => head.scheme = Scheme::Http,
                Some(b"https") => head.scheme = Scheme::Https,
                _ => {}
            }
        }
        Ok(origin)
    }

    /// Requests come straight from clients, or over so many proxies that are trusted.
    fn at_the_edge(&self, headers: &mut Fields, connection: &ConnectionFacts) -> Origin {
        let hops = self.xff_num_trusted_hops;
        // Our own peer is one of the trusted hops.
        let claimed = (hops > 0).then(|| trusted_address(headers, hops - 1)).flatten();
        let alone = !headers.contains_key(FOR);
        if !self.skip_xff_append {
            self.append_remote(headers, connection);
        }
        if hops == 0 {
            headers.remove(PROTO);
            if self.append_x_forwarded_port {
                headers.remove(PORT);
            }
        }
        if self.append_x_forwarded_port
            && !headers.contains_key(PORT)
            && let Some(port) = connection.local.port()
        {
            headers.insert(PORT, HeaderValue::from(port));
        }
        let client = claimed.map_or_else(|| connection.remote.clone(), |claimed| place(claimed.ip));
        Origin { internal: alone && self.is_internal(&client), client }
    }

    /// Somebody else stands at the edge.
    fn behind(&self, headers: &mut Fields, connection: &ConnectionFacts) -> Result<Origin, Reply> {
        for detection in &self.detections {
            let claimed = match detection {
                OriginalIpDetection::Xff { trusted_hops, trusted_cidrs, skip_append } => {
                    let claimed = if trusted_cidrs.is_empty() {
                        trusted_address(headers, *trusted_hops)
                    } else {
                        address_before(headers, connection, trusted_cidrs)
                    };
                    // A peer that is not trusted is written down in any case, as in Envoy.
                    let stranger = !trusted_cidrs.is_empty() && !is_in(trusted_cidrs, &connection.remote);
                    if !skip_append || stranger {
                        self.append_remote(headers, connection);
                    }
                    claimed
                }
                OriginalIpDetection::CustomHeader { name, trusted, reject } => {
                    let ip = facts::text(headers, name).and_then(parse_address);
                    if let (None, Some(status)) = (ip, reject) {
                        return Err(Reply::status(*status, "rejecting_because_detection_failed"));
                    }
                    ip.map(|ip| Claimed { ip, alone: *trusted })
                }
            };
            if let Some(Claimed { ip, alone }) = claimed {
                let client = place(ip);
                return Ok(Origin { internal: alone && self.is_internal(&client), client });
            }
        }
        Ok(Origin { client: connection.remote.clone(), internal: false })
    }

    fn is_internal(&self, client: &Place) -> bool {
        match client.ip() {
            Some(_) => is_in(&self.internal_addresses.cidr_ranges, client),
            None => self.internal_addresses.unix_sockets,
        }
    }

    fn overwrite_scheme(&self, head: &mut RequestHead) {
        let (scheme, text) = match self.scheme {
            SchemeTransformation::Http => (Scheme::Http, "http"),
            SchemeTransformation::Https => (Scheme::Https, "https"),
            SchemeTransformation::Keep | SchemeTransformation::MatchUpstream => return,
        };
        head.scheme = scheme;
        head.headers.insert(PROTO, HeaderValue::from_static(text));
    }

    fn append_remote(&self, headers: &mut Fields, connection: &ConnectionFacts) {
        let Some(remote) = connection.remote_text() else { return };
        // A peer on loopback is this machine: those behind know it by its address.
        let here = connection.remote.ip().is_some_and(|ip| ip.is_loopback());
        let text = self.local_address.as_ref().filter(|_| here).unwrap_or(remote);
        match joined(headers) {
            Some(mut list) => {
                list.push(',');
                list.push_str(text.to_str().unwrap_or_default());
                if let Ok(value) = HeaderValue::try_from(list) {
                    headers.insert(FOR, value);
                }
            }
            None => {
                headers.insert(FOR, text.clone());
            }
        }
    }
}

fn is_in(blocks: &[Cidr], place: &Place) -> bool {
    place.ip().is_some_and(|ip| blocks.iter().any(|block| block.contains(ip)))
}

fn place(ip: IpAddr) -> Place {
    Place::Ip(SocketAddr::new(ip, 0))
}

/// The field's values as one list.
fn joined(headers: &Fields) -> Option<String> {
    let mut values = headers.get_all(FOR).filter_map(|value| value.to_str().ok());
    let first = values.next()?.to_owned();
    Some(values.fold(first, |list, value| list + "," + value))
}

/// The address that stands `skip` places before the end of `x-forwarded-for`.
fn trusted_address(headers: &Fields, skip: u32) -> Option<Claimed> {
    let text = list(headers)?;
    let ip = parse_address(text.rsplit(',').nth(usize::try_from(skip).ok()?)?)?;
    Some(Claimed { ip, alone: skip == 0 && !text.contains(',') })
}

/// The last address of `x-forwarded-for` that is in none of `trusted`, in which the peer has to be; the first one
/// where all are.
fn address_before(headers: &Fields, connection: &ConnectionFacts, trusted: &[Cidr]) -> Option<Claimed> {
    if !is_in(trusted, &connection.remote) {
        return None;
    }
    let text = list(headers)?;
    let alone = !text.contains(',');
    let mut first = None;
    for part in text.rsplit(',') {
        let ip = parse_address(part)?;
        first = Some(Claimed { ip, alone });
        if !trusted.iter().any(|block| block.contains(ip)) {
            break;
        }
    }
    first
}

/// `x-forwarded-for` as one list.
fn list(headers: &Fields) -> Option<String> {
    match headers.get_all(FOR).count() {
        0 => None,
        1 => Some(headers.get(FOR)?.to_str().ok()?.to_owned()),
        _ => joined(headers),
    }
}

/// An address as it stands in the list: bare; IPv6 without brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    text.trim().parse().ok()
}
