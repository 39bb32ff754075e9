//! The server's side of a TLS handshake.
//!
//! Which certificate is shown and which peer is accepted stands in the `ServerConfig`, which `identity` made; here
//! it is carried out within a deadline, and what came of it is told in plain data.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ProtocolVersion, ServerConfig, ServerConnection};
use tokio_rustls::TlsAcceptor;

use super::turns::Turns;
use crate::codec::io::Stream;
use crate::observe::peer::PeerCertificate;
use crate::observe::record::TlsFacts;

/// Why a handshake did not come about.
#[derive(Debug)]
pub enum Failed {
    /// It took longer than allowed.
    Timeout(Duration),
    /// The connection broke.
    Io(std::io::Error),
    /// One side refused the other; the text is the verifier's or the library's.
    Refused(rustls::Error),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timeout(after) => write!(f, "tls handshake not finished within {after:?}"),
            Self::Io(why) => write!(f, "tls handshake: connection lost: {why}"),
            Self::Refused(why) => write!(f, "tls handshake: {why}"),
        }
    }
}

impl std::error::Error for Failed {}

/// What a handshake agreed on.
#[derive(Debug, Clone)]
pub struct Agreed {
    /// For logs, headers and rules. `local_uri_sans` is left empty: the caller knows its own certificate.
    pub facts: TlsFacts,
    /// SNI, lower case.
    pub server_name: Option<Arc<str>>,
    /// The ALPN protocol chosen.
    pub alpn: Option<Vec<u8>>,
}

/// Shakes hands with a client within `timeout`, taking turns with the worker's other handshakes. Must run inside a
/// `LocalSet`.
///
/// # Errors
/// Why there is no TLS connection; the stream is closed, after an alert where TLS has one.
pub async fn accept(
    stream: Stream,
    config: Arc<ServerConfig>,
    timeout: Duration,
    turns: &Turns,
) -> Result<(Stream, Agreed), Failed> {
    let handshake = pin!(TlsAcceptor::from(config).accept(stream));
    let tls = match tokio::time::timeout(timeout, turns.take(handshake)).await {
        Ok(Ok(tls)) => tls,
        Ok(Err(why)) => return Err(refusal(why)),
        Err(_) => return Err(Failed::Timeout(timeout)),
    };
    let agreed = agreed(tls.get_ref().1);
    Ok((Stream::TlsServer(Box::new(tls)), agreed))
}

/// The library hands its own error out inside an I/O error.
fn refusal(why: std::io::Error) -> Failed {
    match why.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(refused) => Failed::Refused(refused.clone()),
        None => Failed::Io(why),
    }
}

fn agreed(connection: &ServerConnection) -> Agreed {
    let peer = connection.peer_certificates().and_then(PeerCertificate::shared);
    Agreed {
        facts: TlsFacts {
            version: match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            cipher: connection
                .negotiated_cipher_suite()
                .and_then(|suite| suite.suite().as_str())
                .unwrap_or_default(),
            peer,
            local_uri_sans: Arc::new([]),
        },
        server_name: connection.server_name().map(|name| name.to_ascii_lowercase().into()),
        alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
    }
}

#[cfg(test)]
mod tests {
    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use rustls::pki_types::{PrivateKeyDer, ServerName};
    use rustls::server::WebPkiClientVerifier;
    use rustls::{ClientConfig, RootCertStore};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
    use tokio_rustls::TlsConnector;

    use super::*;

    struct Party {
        certificate: rustls::pki_types::CertificateDer<'static>,
        key: PrivateKeyDer<'static>,
    }

    fn party(name: &str) -> Party {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed([name.to_owned()]).unwrap();
        Party {
            certificate: cert.der().clone(),
            key: PrivateKeyDer::Pkcs8(signing_key.serialize_der().into()),
        }
    }

    fn trusting(party: &Party) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(party.certificate.clone()).unwrap();
        roots
    }

    fn server(own: &Party, client: &Party) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = Arc::new(trusting(client));
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider.clone()).build().unwrap();
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![own.certificate.clone()], own.key.clone_key())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }

    async fn accept_alone(io: DuplexStream, config: Arc<ServerConfig>) -> Result<(Stream, Agreed), Failed> {
        let turns = Turns::new();
        let accepted = accept(io.into(), config, Duration::from_secs(5), &turns);
        tokio::task::LocalSet::new().run_until(accepted).await
    }

    async fn client(io: DuplexStream, own: &Party, server: &Party) -> std::io::Result<Vec<u8>> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(trusting(server))
            .with_client_auth_cert(vec![own.certificate.clone()], own.key.clone_key())
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        let name = ServerName::try_from("server.test").unwrap();
        let mut tls = TlsConnector::from(Arc::new(config)).connect(name, io).await?;
        tls.write_all(b"ping").await?;
        let mut answer = Vec::new();
        tls.read_to_end(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_handshake_tells_who_came_and_what_was_agreed() {
        let (alice, bob) = (party("server.test"), party("client.test"));
        let (near, far) = duplex(64 * 1024);
        let serve = async {
            let (mut stream, session) = accept_alone(far, server(&alice, &bob)).await.unwrap();
            let mut bytes = [0; 4];
            stream.read_exact(&mut bytes).await.unwrap();
            stream.write_all(b"pong").await.unwrap();
            stream.shutdown().await.unwrap();
            (stream.is_tls(), session)
        };
        let ((tls, session), answer) = tokio::join!(serve, client(near, &bob, &alice));
        assert_eq!(answer.unwrap(), b"pong");
        assert!(tls);
        assert_eq!(session.facts.version, "TLSv1.3");
        assert_eq!(session.server_name.as_deref(), Some("server.test"));
        assert_eq!(session.alpn.as_deref(), Some(&b"h2"[..]));
        assert_eq!(session.facts.peer.unwrap().dns_sans, ["client.test"]);
    }

    #[tokio::test]
    async fn a_stranger_is_refused_with_the_reason() {
        let (alice, bob, mallory) = (party("server.test"), party("client.test"), party("client.test"));
        let (near, far) = duplex(64 * 1024);
        let (accepted, answer) =
            tokio::join!(accept_alone(far, server(&alice, &bob)), client(near, &mallory, &alice));
        assert!(matches!(accepted, Err(Failed::Refused(_))), "{:?}", accepted.map(|_| ()));
        assert!(answer.is_err(), "the stranger was served");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_client_runs_into_the_deadline() {
        let (alice, bob) = (party("server.test"), party("client.test"));
        let (_near, far) = duplex(64);
        let failed = accept_alone(far, server(&alice, &bob)).await;
        assert!(matches!(failed, Err(Failed::Timeout(_))));
    }
}
