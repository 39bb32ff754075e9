//! Who is at the other end of a TLS connection, in plain data for logs, headers and rules.
//!
//! Nothing here judges a certificate: `identity` did that before the connection got this far.

use std::fmt::Write;
use std::net::IpAddr;

use base64::Engine;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

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
    /// certificate, which cannot be after a handshake that verified it.
    #[must_use]
    pub fn from_chain<D: AsRef<[u8]>>(chain: &[D]) -> Option<Self> {
        let der = chain.first()?.as_ref();
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let mut peer = Self {
            pem: pem(der),
            chain_pem: chain.iter().map(|certificate| pem(certificate.as_ref())).collect(),
            subject: rfc2253(&certificate.subject().to_string()),
            issuer: rfc2253(&certificate.issuer().to_string()),
            serial: hex(certificate.raw_serial()),
            sha256: hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, der).as_ref()),
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
    fn what_is_no_certificate_is_none() {
        assert_eq!(PeerCertificate::from_chain(&[b"certificate"]), None);
    }
}
