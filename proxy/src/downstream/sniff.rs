//! What the first bytes of a connection tell: TLS and its server name, or which HTTP.
//!
//! Bytes in, finding out; reading them, and giving them back, is `inspect`'s work.

use rustls::server::Acceptor;

use crate::fields::is_token;
use crate::limits::{CLIENT_HELLO_BYTES_MAX, REQUEST_LINE_BYTES_MAX};

/// What begins every HTTP/2 connection (RFC 9113 §3.4).
const H2_PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The content type of a TLS handshake record, the first byte of any TLS connection (RFC 8446 §5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding<T> {
    /// Too few bytes to tell.
    Incomplete,
    /// Not what was looked for.
    Absent,
    /// This.
    Found(T),
}

/// What a ClientHello asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClientHello {
    /// SNI, lower case.
    pub server_name: Option<String>,
    /// ALPN in the client's order; names that are not UTF-8 are left out, no configuration can name them.
    pub application_protocols: Vec<String>,
}

/// An HTTP version as its first bytes show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HttpVersion {
    /// A request line that ends in `HTTP/1.0`.
    Http10,
    /// A request line that ends in `HTTP/1.1`.
    Http11,
    /// The preface of HTTP/2.
    Http2,
}

impl HttpVersion {
    /// The protocol that Envoy's HTTP inspector reports to filter chain matching.
    #[must_use]
    pub fn application_protocol(self) -> &'static str {
        match self {
            Self::Http10 => "http/1.0",
            Self::Http11 => "http/1.1",
            Self::Http2 => "h2c",
        }
    }
}

/// Reads a ClientHello as it arrives.
#[derive(Default)]
pub struct HelloReader {
    acceptor: Acceptor,
    taken: usize,
}

impl HelloReader {
    /// Looks at `bytes`, all that the connection has brought so far; each call goes on where the last one ended.
    /// A hello that is broken or longer than [`CLIENT_HELLO_BYTES_MAX`] counts as absent, as in Envoy.
    pub fn read(&mut self, bytes: &[u8]) -> Finding<ClientHello> {
        if bytes.first().is_some_and(|&first| first != TLS_HANDSHAKE) {
            return Finding::Absent;
        }
        while self.taken < bytes.len() {
            let mut rest = &bytes[self.taken..];
            match self.acceptor.read_tls(&mut rest) {
                Ok(0) | Err(_) => return Finding::Absent,
                Ok(count) => self.taken += count,
            }
            match self.acceptor.accept() {
                Ok(None) => {}
                Ok(Some(accepted)) => {
                    let hello = accepted.client_hello();
                    let protocols = hello.alpn().into_iter().flatten();
                    return Finding::Found(ClientHello {
                        server_name: hello.server_name().map(str::to_ascii_lowercase),
                        application_protocols: protocols
                            .filter_map(|protocol| String::from_utf8(protocol.to_vec()).ok())
                            .collect(),
                    });
                }
                Err(_) => return Finding::Absent,
            }
        }
        if self.taken > CLIENT_HELLO_BYTES_MAX { Finding::Absent } else { Finding::Incomplete }
    }
}

/// Whether the connection begins with the preface of HTTP/2.
#[must_use]
pub fn http2_preface(bytes: &[u8]) -> Finding<()> {
    let shared = bytes.len().min(H2_PREFACE.len());
    if bytes[..shared] != H2_PREFACE[..shared] {
        Finding::Absent
    } else if shared < H2_PREFACE.len() {
        Finding::Incomplete
    } else {
        Finding::Found(())
    }
}

/// Which HTTP the connection begins with.
#[must_use]
pub fn http(bytes: &[u8]) -> Finding<HttpVersion> {
    match http2_preface(bytes) {
        Finding::Found(()) => return Finding::Found(HttpVersion::Http2),
        Finding::Incomplete => return Finding::Incomplete,
        Finding::Absent => {}
    }
    // RFC 9112 §2.2: a server may meet empty lines before the request line.
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let line = &bytes[start..];
    if line.first().is_some_and(|first| !is_token(*first)) {
        return Finding::Absent;
    }
    match line.iter().position(|&byte| byte == b'\n') {
        None if bytes.len() > REQUEST_LINE_BYTES_MAX => Finding::Absent,
        None => Finding::Incomplete,
        Some(end) => {
            let line = line[..end].strip_suffix(b"\r").unwrap_or(&line[..end]);
            if line.ends_with(b" HTTP/1.1") {
                Finding::Found(HttpVersion::Http11)
            } else if line.ends_with(b" HTTP/1.0") {
                Finding::Found(HttpVersion::Http10)
            } else {
                Finding::Absent
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, RootCertStore};

    use super::*;

    fn hello(name: &'static str, protocols: &[&str]) -> Vec<u8> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(RootCertStore::empty())
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let name = ServerName::try_from(name).unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut bytes = Vec::new();
        client.write_tls(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_hello_tells_its_name_and_protocols() {
        let found = HelloReader::default().read(&hello("WWW.Example.com", &["h2", "http/1.1"]));
        let wanted = ClientHello {
            server_name: Some("www.example.com".into()),
            application_protocols: vec!["h2".into(), "http/1.1".into()],
        };
        assert_eq!(found, Finding::Found(wanted));
        let plain = HelloReader::default().read(&hello("192.0.2.1", &[]));
        assert_eq!(plain, Finding::Found(ClientHello::default()));
    }

    #[test]
    fn a_hello_may_arrive_byte_by_byte() {
        let bytes = hello("a.test", &["h2"]);
        let mut reader = HelloReader::default();
        for cut in 0..bytes.len() {
            assert_eq!(reader.read(&bytes[..cut]), Finding::Incomplete, "{cut} of {}", bytes.len());
        }
        assert!(matches!(reader.read(&bytes), Finding::Found(_)));
    }

    #[test]
    fn what_is_no_hello_is_absent() {
        for bytes in
            [&b"GET / HTTP/1.1\r\n"[..], &[0x16, 3, 1, 0, 4, 9, 9, 9, 9], &[0x16, 9, 9, 0xff, 0xff, 0]]
        {
            assert_eq!(HelloReader::default().read(bytes), Finding::Absent, "{bytes:?}");
        }
        assert_eq!(HelloReader::default().read(b""), Finding::Incomplete);
    }

    #[test]
    fn an_endless_hello_is_given_up() {
        // Handshake records that carry one ClientHello of 64 KiB - 1, never finished.
        let mut bytes = Vec::new();
        let mut reader = HelloReader::default();
        let mut first = true;
        let verdict = loop {
            let mut record = vec![0x16, 3, 1, 0x10, 0];
            record.resize(5 + 0x1000, 0);
            if std::mem::take(&mut first) {
                record[5..9].copy_from_slice(&[1, 0, 0xff, 0xff]);
            }
            bytes.extend(record);
            match reader.read(&bytes) {
                Finding::Incomplete => {}
                verdict => break verdict,
            }
        };
        assert_eq!(verdict, Finding::Absent);
        assert!(bytes.len() <= 2 * CLIENT_HELLO_BYTES_MAX, "read {} bytes of a hello", bytes.len());
    }

    #[test]
    fn request_lines_tell_their_version() {
        for (bytes, version) in [
            (&b"GET / HTTP/1.1\r\nhost: a\r\n"[..], HttpVersion::Http11),
            (b"\r\nPOST /x HTTP/1.0\n", HttpVersion::Http10),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0", HttpVersion::Http2),
            (b"PRIX / HTTP/1.1\r\n", HttpVersion::Http11),
        ] {
            assert_eq!(http(bytes), Finding::Found(version), "{bytes:?}");
        }
        for bytes in [&b"GET / HTTP/3\r\n"[..], b"\x16\x03\x01", b"SSH-2.0-x\r\n"] {
            assert_eq!(http(bytes), Finding::Absent, "{bytes:?}");
        }
        for bytes in [&b""[..], b"GET / HT", b"PRI * HTTP/2.0\r\n\r\nSM"] {
            assert_eq!(http(bytes), Finding::Incomplete, "{bytes:?}");
        }
        assert_eq!(http(&vec![b'A'; REQUEST_LINE_BYTES_MAX + 1]), Finding::Absent);
    }
}
