//! Where a request comes from: `x-forwarded-for`, `x-forwarded-proto`, `x-forwarded-port`.
//!
//! One rule: what a client says about itself counts only as far as proxies in front of this one are trusted.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderName, HeaderValue};

use super::compile::HttpPolicy;
use crate::body::{RequestHead, Scheme, Version};
use crate::fields::Fields;
use crate::observe::record::{ConnectionFacts, Place};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const PORT: HeaderName = HeaderName::from_static("x-forwarded-port");

impl HttpPolicy {
    /// Writes the fields and says who the client is.
    pub(super) fn note_origin(&self, head: &mut RequestHead, connection: &ConnectionFacts) -> Place {
        let remote = &connection.remote;
        let hops = self.xff_num_trusted_hops;
        let headers = &mut head.headers;
        let from_field = if self.use_remote_address {
            // Our own peer is one of the trusted hops.
            (hops > 0).then(|| trusted_address(headers, hops - 1)).flatten()
        } else {
            trusted_address(headers, hops)
        };
        if self.use_remote_address {
            self.append_remote(headers, connection);
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
        }
        if !headers.contains_key(PROTO) {
            let scheme = if connection.tls.is_some() { "https" } else { "http" };
            headers.insert(PROTO, HeaderValue::from_static(scheme));
        }
        // HTTP/1.1 says no scheme: what the client used towards the first proxy is what its address is.
        if head.version < Version::Http2 {
            match head.headers.get(PROTO).map(HeaderValue::as_bytes) {
                Some(b"http") => head.scheme = Scheme::Http,
                Some(b"https") => head.scheme = Scheme::Https,
                _ => {}
            }
        }
        from_field.map_or_else(|| remote.clone(), |ip| Place::Ip(SocketAddr::new(ip, 0)))
    }

    fn append_remote(&self, headers: &mut Fields, connection: &ConnectionFacts) {
        if self.skip_xff_append {
            return;
        }
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

/// The field's values as one list.
fn joined(headers: &Fields) -> Option<String> {
    let mut values = headers.get_all(FOR).filter_map(|value| value.to_str().ok());
    let first = values.next()?.to_owned();
    Some(values.fold(first, |list, value| list + "," + value))
}

/// The address that stands `skip` places before the end of `x-forwarded-for`.
fn trusted_address(headers: &Fields, skip: usize) -> Option<IpAddr> {
    let text = match headers.get_all(FOR).count() {
        0 => return None,
        1 => headers.get(FOR)?.to_str().ok()?.to_owned(),
        _ => joined(headers)?,
    };
    parse_address(text.rsplit(',').nth(skip)?.trim())
}

/// An address as it stands in the list: bare; IPv6 without brackets.
fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}
