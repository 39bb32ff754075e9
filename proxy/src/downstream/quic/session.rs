//! What a QUIC handshake is answered with: a chain's TLS and a listener's limits as `quinn` wants them.
//!
//! One rule: early data is never accepted, which could be replayed.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{IdleTimeout, ServerConfig, TransportConfig, VarInt};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use xds::model::QuicOptions;

use crate::limits;

/// The application protocol when configuration names none (RFC 9114 §3.1).
const ALPN: &[u8] = b"h3";

/// Bytes of one client that wait while it is decided whether to take it.
const WAITING_BYTES_MAX: u64 = 64 * 1024;

/// The last session of a listener, for the next handshake: it stays the same until a certificate changes.
#[derive(Default)]
pub(super) struct Sessions(RefCell<Option<Known>>);

struct Known {
    tls: Arc<rustls::ServerConfig>,
    options: QuicOptions,
    config: Arc<ServerConfig>,
}

impl Sessions {
    /// The configuration for a handshake by `tls`, within `options`.
    pub(super) fn config(
        &self,
        tls: &Arc<rustls::ServerConfig>,
        options: &QuicOptions,
    ) -> Result<Arc<ServerConfig>, String> {
        let mut known = self.0.borrow_mut();
        if let Some(known) =
            known.as_ref().filter(|known| Arc::ptr_eq(&known.tls, tls) && known.options == *options)
        {
            return Ok(Arc::clone(&known.config));
        }
        let config = Arc::new(build(tls, options)?);
        *known = Some(Known { tls: Arc::clone(tls), options: options.clone(), config: Arc::clone(&config) });
        Ok(config)
    }
}

fn build(tls: &rustls::ServerConfig, options: &QuicOptions) -> Result<ServerConfig, String> {
    let mut tls = tls.clone();
    tls.max_early_data_size = 0;
    if tls.alpn_protocols.is_empty() {
        tls.alpn_protocols = vec![ALPN.to_vec()];
    }
    let crypto = QuicServerConfig::try_from(tls).map_err(|why| why.to_string())?;
    let mut transport = TransportConfig::default();
    let idle = IdleTimeout::try_from(options.idle_timeout).map_err(|why| format!("idle_timeout: {why}"))?;
    let stream_window = options.initial_stream_window_size.unwrap_or(limits::H3_STREAM_WINDOW_BYTES);
    let window = options.initial_connection_window_size.unwrap_or(limits::H3_CONNECTION_WINDOW_BYTES);
    transport
        .max_concurrent_bidi_streams(options.max_concurrent_streams.unwrap_or(limits::H3_STREAMS_MAX).into())
        .max_concurrent_uni_streams(limits::H3_UNI_STREAMS_MAX.into())
        .stream_receive_window(VarInt::from(stream_window))
        .receive_window(VarInt::from(window))
        .send_window(limits::QUIC_SEND_BYTES_MAX)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(idle));
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config.transport_config(Arc::new(transport)).migration(options.active_migration);
    Ok(config)
}

/// What an endpoint reads a client's first datagram with, before its chain is chosen: every handshake has a
/// configuration of its own, so nobody is served by this one.
pub(super) fn nobody() -> io::Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Nobody));
    let mut config =
        ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(tls).map_err(io::Error::other)?));
    config
        .max_incoming(limits::QUIC_HANDSHAKES_MAX)
        .incoming_buffer_size(WAITING_BYTES_MAX)
        .incoming_buffer_size_total(WAITING_BYTES_MAX * limits::QUIC_UNPROVEN_MAX as u64);
    Ok(config)
}

#[derive(Debug)]
struct Nobody;

impl ResolvesServerCert for Nobody {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}
