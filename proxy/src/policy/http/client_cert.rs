//! `x-forwarded-client-cert`: what upstreams are told about the client's certificate.

use http::{HeaderName, HeaderValue};
use xds::model::{ForwardClientCert, ForwardedCertFields};

use super::compile::HttpPolicy;
use crate::body::RequestHead;
use crate::observe::peer::PeerCertificate;
use crate::observe::record::{ConnectionFacts, TlsFacts};

const XFCC: HeaderName = HeaderName::from_static("x-forwarded-client-cert");

impl HttpPolicy {
    pub(super) fn forward_client_cert(&self, head: &mut RequestHead, connection: &ConnectionFacts) {
        use ForwardClientCert as F;
        if self.forward_client_cert == F::AlwaysForwardOnly {
            return;
        }
        let mutual = connection.tls.as_ref().and_then(|tls| Some((tls, tls.peer.as_ref()?)));
        let Some((tls, peer)) = mutual.filter(|_| self.forward_client_cert != F::Sanitize) else {
            // Without a verified certificate of its own, nobody may speak for another's.
            head.headers.remove(XFCC);
            return;
        };
        if self.forward_client_cert == F::ForwardOnly {
            return;
        }
        let mut text = element(tls, peer, self.forwarded_cert_fields);
        if self.forward_client_cert == F::AppendForward {
            let before = head.headers.get_all(XFCC).filter_map(|value| value.to_str().ok());
            let before: Vec<&str> = before.collect();
            if !before.is_empty() {
                text = format!("{},{text}", before.join(","));
            }
        }
        // An element that may not stand in a field is left out with what came before it, never passed half.
        head.headers.remove(XFCC);
        if let Ok(value) = HeaderValue::try_from(text) {
            head.headers.insert(XFCC, value);
        }
    }
}

/// This hop's element.
fn element(tls: &TlsFacts, peer: &PeerCertificate, fields: ForwardedCertFields) -> String {
    let ForwardedCertFields { subject, cert, chain, dns, uri } = fields;
    let mut pairs: Vec<String> = Vec::new();
    pairs.extend(tls.local_uri_sans.iter().map(|by| format!("By={}", quoted(by))));
    if !peer.sha256.is_empty() {
        pairs.push(format!("Hash={}", peer.sha256));
    }
    if cert && !peer.pem.is_empty() {
        pairs.push(format!("Cert=\"{}\"", url_encoded(&peer.pem)));
    }
    if chain && !peer.chain_pem.is_empty() {
        pairs.push(format!("Chain=\"{}\"", url_encoded(&peer.chain_pem)));
    }
    if subject {
        pairs.push(format!("Subject=\"{}\"", peer.subject.replace('"', "\\\"")));
    }
    if uri && peer.uri_sans.is_empty() {
        pairs.push("URI=".to_owned());
    } else if uri {
        pairs.extend(peer.uri_sans.iter().map(|uri| format!("URI={}", quoted(uri))));
    }
    if dns {
        pairs.extend(peer.dns_sans.iter().map(|dns| format!("DNS={}", quoted(dns))));
    }
    pairs.join(";")
}

/// A value with one of the list's own separators is quoted, so that a name cannot forge another element.
fn quoted(value: &str) -> String {
    if value.contains([',', ';', '"']) {
        format!("\"{}\"", value.replace('"', "\\\""))
    } else {
        value.to_owned()
    }
}

fn url_encoded(pem: &str) -> String {
    let mut out = String::with_capacity(pem.len() * 9 / 8);
    for char in pem.chars() {
        match char {
            '\n' => out.push_str("%0A"),
            ' ' => out.push_str("%20"),
            '+' => out.push_str("%2B"),
            '/' => out.push_str("%2F"),
            '=' => out.push_str("%3D"),
            other => out.push(other),
        }
    }
    out
}
