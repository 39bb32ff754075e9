//! Who is at the other end of a TLS connection, in plain data for logs, headers and rules.
//!
//! Nothing here judges a certificate: `identity` did that before the connection got this far.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::{Arc, Weak};

use aws_lc_rs::digest;
use base64::Engine;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

thread_local! {
    /// By the hash of all that was sent.
    static SHARED: RefCell<HashMap<Vec<u8>, Weak<PeerCertificate>>> = RefCell::default();
}

/// A verified peer certificate, read once at the handshake.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Subject in RFC 2253 form.
    pub subject: String,
    /// Issuer in RFC 2253 form.
    pub issuer: String,
    /// Serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the DER form, lower-case hexadecimal.
    pub sha256: String,
    /// URI SANs (SPIFFE IDs among them).
    pub uri_sans: Vec<String>,
    /// DNS SANs.
    pub dns_sans: Vec<String>,
    /// IP address SANs.
    pub ip_sans: Vec<IpAddr>,
    /// Email SANs.
    pub email_sans: Vec<String>,
    /// Seconds since 1970 from which it is valid.
    pub not_before: i64,
    /// Seconds since 1970 until which it is valid.
    pub not_after: i64,
    /// The certificate in PEM.
    pub pem: String,
    /// The certificate and what it was sent with, in PEM, leaf first.
    pub chain_pem: String,
}

impl PeerCertificate {
    /// Reads the leaf of `chain`, DER certificates as the peer sent them; `None` if there is none or it is not a
    /// certificate, which cannot be after a handshake that verified it. All connections of a worker whose peers sent
    /// the same share one: two kilobytes each are most of what an idle connection would hold.
    #[must_use]
    pub fn shared<D: AsRef<[u8]>>(chain: &[D]) -> Option<Arc<Self>> {
        let mut hash = digest::Context::new(&digest::SHA256);
        for certificate in chain {
            let der = certificate.as_ref();
            hash.update(&(der.len() as u64).to_be_bytes());
            hash.update(der);
        }
        let hash = hash.finish().as_ref().to_vec();
        SHARED.with_borrow_mut(|shared| {
            if let Some(known) = shared.get(&hash).and_then(Weak::upgrade) {
                return Some(known);
            }
            if shared.len() == shared.capacity() {
                // What no connection holds any more makes room; so much that the next look is far away.
                shared.retain(|_, known| known.strong_count() > 0);
                let live = shared.len();
                shared.reserve(live);
            }
            let peer = Arc::new(Self::from_chain(chain)?);
            shared.insert(hash, Arc::downgrade(&peer));
            Some(peer)
        })
    }

    fn from_chain<D: AsRef<[u8]>>(chain: &[D]) -> Option<Self> {
        let der = chain.first()?.as_ref();
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let mut peer = Self {
            pem: pem(der),
            chain_pem: chain.iter().map(|certificate| pem(certificate.as_ref())).collect(),
            subject: rfc2253(&certificate.subject().to_string()),
            issuer: rfc2253(&certificate.issuer().to_string()),
            serial: hex(certificate.raw_serial()),
            sha256: hex(digest::digest(&digest::SHA256, der).as_ref()),
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
            ..Self::default()
        };
        if let Ok(Some(names)) = certificate.subject_alternative_name() {
            for name in &names.value.general_names {
                peer.add(name);
            }
        }
        Some(peer)
    }

    /// The SPIFFE ID, if the certificate is an X509-SVID: exactly one URI, with that scheme
    /// (SPIFFE X509-SVID §2).
    #[must_use]
    pub fn spiffe_id(&self) -> Option<&str> {
        match self.uri_sans.as_slice() {
            [only] if only.starts_with("spiffe://") => Some(only),
            _ => None,
        }
    }

    fn add(&mut self, name: &GeneralName<'_>) {
        match name {
            GeneralName::URI(uri) => self.uri_sans.push((*uri).to_owned()),
            GeneralName::DNSName(dns) => self.dns_sans.push((*dns).to_owned()),
            GeneralName::RFC822Name(email) => self.email_sans.push((*email).to_owned()),
            GeneralName::IPAddress(bytes) => {
                let v4 = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
                let ip = v4.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from));
                self.ip_sans.extend(ip);
            }
            // Kinds of names that neither rules nor logs can name.
            _ => {}
        }
    }
}

/// RFC 2253 writes the last part first, without blanks; the parser writes it in the certificate's order.
fn rfc2253(name: &str) -> String {
    let parts: Vec<&str> = name.split(", ").collect();
    parts.into_iter().rev().collect::<Vec<_>>().join(",")
}

/// RFC 7468 §2: base64 in lines of 64 characters.
fn pem(der: &[u8]) -> String {
    let base64 = base64::engine::general_purpose::STANDARD.encode(der);
    let mut text = String::with_capacity(base64.len() + base64.len() / 64 + 60);
    text.push_str("-----BEGIN CERTIFICATE-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing into a String cannot fail");
        text
    })
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    use super::*;

    #[test]
    fn a_certificate_tells_its_names_and_fingerprint() {
        let mut params = CertificateParams::new(vec!["a.test".into(), "192.0.2.1".into()]).unwrap();
        let id = "spiffe://site.test/ns/web";
        params.subject_alt_names.push(SanType::URI(id.try_into().unwrap()));
        params.distinguished_name.push(DnType::CommonName, "web");
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.serial_number = Some(0x1234_u64.into());
        params.not_after = rcgen::date_time_ymd(2030, 1, 1);
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let peer = PeerCertificate::from_chain(&[certificate.der()]).unwrap();
        assert_eq!(peer.dns_sans, ["a.test"]);
        assert_eq!(peer.ip_sans, ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert_eq!(peer.spiffe_id(), Some(id));
        assert_eq!(peer.serial, "1234");
        assert_eq!(peer.not_after, 1_893_456_000);
        assert!(peer.subject.contains("CN=web") && peer.subject.contains("O=Example"), "{}", peer.subject);
        assert_eq!(peer.sha256.len(), 64);
        assert_eq!(peer.pem.replace('\r', ""), certificate.pem().replace('\r', ""));
    }

    #[test]
    fn two_uris_are_no_spiffe_id() {
        let mut params = CertificateParams::default();
        for id in ["spiffe://a.test/x", "spiffe://b.test/x"] {
            params.subject_alt_names.push(SanType::URI(id.try_into().unwrap()));
        }
        let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        assert_eq!(PeerCertificate::from_chain(&[certificate.der()]).unwrap().spiffe_id(), None);
    }

    #[test]
    fn connections_of_one_peer_share_what_is_known_of_it() {
        let signed = || CertificateParams::default().self_signed(&KeyPair::generate().unwrap()).unwrap();
        let (one, other) = (signed(), signed());
        let first = PeerCertificate::shared(&[one.der()]).unwrap();
        assert!(Arc::ptr_eq(&first, &PeerCertificate::shared(&[one.der()]).unwrap()));
        assert_eq!(PeerCertificate::shared(&[one.der(), other.der()]).unwrap().sha256, first.sha256);
        assert!(!Arc::ptr_eq(&first, &PeerCertificate::shared(&[one.der(), other.der()]).unwrap()));
        for _ in 0..100 {
            PeerCertificate::shared(&[signed().der()]).unwrap();
        }
        SHARED.with_borrow(|shared| {
            assert!(shared.len() < 50, "{} kept for connections that ended", shared.len())
        });
    }

    #[test]
    fn what_is_no_certificate_is_none() {
        assert_eq!(PeerCertificate::from_chain(&[b"certificate"]), None);
    }
}
