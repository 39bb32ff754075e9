//! Pools over TLS.

use std::sync::Mutex;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use xds::model::{
    CommonTls, DataSource, Secret, SecretKind, SecretName, UpstreamTls, ValidationContext, ValidationSource,
};

use super::backend::{CountsHandle, serve_http1, serve_http2};
use super::*;
use crate::identity::{ClientTls, Secrets};
use crate::observe::metrics::Registry;
use crate::upstream::transport::{Transport, Transports};

/// A certificate authority with a certificate for `service.test` and 127.0.0.1.
struct Authority {
    root: String,
    chain: Vec<rustls_pki_types::CertificateDer<'static>>,
    key: Vec<u8>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = ["service.test", "127.0.0.1"].map(str::to_owned).to_vec();
        let leaf = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        Self { root: issuer.pem(), chain: vec![leaf.der().clone()], key: key.serialize_der() }
    }

    fn server(&self, alpn: &[&str]) -> Arc<ServerConfig> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()));
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain.clone(), key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }

    fn trust(&self) -> Secret {
        Secret {
            name: SecretName::from("trust"),
            kind: SecretKind::ValidationContext(Box::new(ValidationContext {
                trusted_ca: Some(DataSource::Inline(self.root.clone().into_bytes())),
                ..ValidationContext::default()
            })),
        }
    }
}

/// The server names that clients asked for.
type Names = Arc<Mutex<Vec<Option<String>>>>;

async fn backend(config: Arc<ServerConfig>, names: Names) -> Backend {
    Backend::each(move |stream, counts: CountsHandle| {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::clone(&config));
        let names = Arc::clone(&names);
        async move {
            let Ok(tls) = acceptor.accept(stream).await else { return };
            names.lock().unwrap().push(tls.get_ref().1.server_name().map(str::to_owned));
            if tls.get_ref().1.alpn_protocol() == Some(b"h2") {
                serve_http2(tls, counts, Rc::new(|_| Reply::Ok("h2")), 100).await;
            } else {
                serve_http1(tls, &counts, &|_| Reply::Ok("h1")).await;
            }
        }
    })
    .await
}

fn worker(
    backend: &Backend,
    secrets: &Arc<Secrets>,
    sni: &str,
    change: impl FnOnce(&mut model::Cluster),
) -> Worker {
    let mut model = fixture::model(vec![fixture::endpoint(backend.address)]);
    change(&mut model);
    let validation = ValidationSource::Secret { name: SecretName::from("trust"), source: None, with: None };
    let tls = UpstreamTls {
        common: CommonTls { validation: Some(validation), ..CommonTls::default() },
        sni: sni.to_owned(),
        auto_host_sni: false,
        auto_sni_san_validation: false,
    };
    let tls = ClientTls::new(tls, model.http.auto_san_validation, Arc::clone(secrets));
    let transports = Transports { default: Transport::Tls(Arc::new(tls)), matches: Vec::new() };
    Worker::of(Cluster::new(Arc::new(model), transports, &Registry::default(), &Arc::default()).unwrap())
}

fn trusting(authority: &Authority) -> Arc<Secrets> {
    let secrets = Arc::new(Secrets::default());
    secrets.set_static(authority.trust());
    secrets
}

#[test]
fn the_endpoint_chooses_the_version_by_alpn() {
    on_a_worker(async {
        let authority = Authority::new();
        for (offered, want) in [(&["h2", "http/1.1"][..], "h2"), (&["http/1.1"], "h1"), (&[], "h1")] {
            let backend = backend(authority.server(offered), Names::default()).await;
            let worker = worker(&backend, &trusting(&authority), "service.test", |model| {
                model.http.protocol = UpstreamProtocol::Auto;
            });
            let sent = worker.send(get()).await.unwrap();
            let tls = sent.connection.tls.clone().unwrap();
            assert_eq!((tls.version, tls.peer_certificate.is_some()), ("TLSv1.3", true));
            assert!(!tls.cipher.is_empty());
            assert_eq!(read(sent).await.unwrap(), want, "the backend offers {offered:?}");
        }
    });
}

#[test]
fn a_peer_that_is_not_trusted_is_refused() {
    on_a_worker(async {
        let backend = backend(Authority::new().server(&[]), Names::default()).await;
        let worker = worker(&backend, &trusting(&Authority::new()), "service.test", |_| {});
        assert_eq!(reason(&worker.get().await), Some(Reason::UpstreamTls));
        assert_eq!(worker.count(M::UpstreamCxConnectFail), 1);
        worker.assert_nothing_leaks();
    });
}

#[test]
fn without_any_trust_no_connection_is_made() {
    on_a_worker(async {
        let backend = backend(Authority::new().server(&[]), Names::default()).await;
        let worker = worker(&backend, &Arc::default(), "service.test", |_| {});
        assert_eq!(reason(&worker.get().await), Some(Reason::UpstreamTls));
        assert_eq!(backend.connections(), 0);
    });
}

#[test]
fn auto_sni_asks_for_the_requests_authority_and_keeps_authorities_apart() {
    on_a_worker(async {
        let authority = Authority::new();
        let names = Names::default();
        let backend = backend(authority.server(&[]), Arc::clone(&names)).await;
        let worker = worker(&backend, &trusting(&authority), "configured.test", |model| {
            model.http.auto_sni = true;
        });
        for authority in ["service.test:8443", "other.test", "service.test", "127.0.0.1"] {
            let mut request = get();
            request.head.authority = Text::from(authority);
            read(worker.send(request).await.unwrap()).await.unwrap();
        }
        let want = ["service.test", "other.test", "configured.test"].map(|name| Some(name.to_owned()));
        assert_eq!(*names.lock().unwrap(), want, "a connection for each name; an address is none");
    });
}

#[test]
fn another_trust_means_other_connections() {
    on_a_worker(async {
        let authority = Authority::new();
        let backend = backend(authority.server(&[]), Names::default()).await;
        let secrets = trusting(&authority);
        let worker = worker(&backend, &secrets, "service.test", |_| {});
        worker.get().await.unwrap();
        worker.get().await.unwrap();
        assert_eq!(backend.connections(), 1);
        let mut both = authority.root.clone();
        both.push_str(&Authority::new().root);
        secrets.set_static(Secret {
            kind: SecretKind::ValidationContext(Box::new(ValidationContext {
                trusted_ca: Some(DataSource::Inline(both.into_bytes())),
                ..ValidationContext::default()
            })),
            ..authority.trust()
        });
        worker.get().await.unwrap();
        assert_eq!(backend.connections(), 2, "the kept connection was judged by the old trust");
        eventually("the old connection is closed", || backend.open() == 1).await;
    });
}

#[test]
fn a_handshake_that_hangs_is_a_connect_timeout() {
    on_a_worker(async {
        let silent = Backend::each(|stream, _| async move {
            let _held = stream;
            std::future::pending::<()>().await;
        })
        .await;
        let worker = worker(&silent, &trusting(&Authority::new()), "service.test", |model| {
            model.connect_timeout = Duration::from_millis(50);
        });
        assert_eq!(reason(&worker.get().await), Some(Reason::ConnectTimeout));
        assert_eq!(worker.count(M::UpstreamCxConnectTimeout), 1);
    });
}
