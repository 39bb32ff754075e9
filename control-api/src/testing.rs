//! A running control API and its clients, for the tests of this crate.
//!
//! One rule: tests speak to it over sockets, as everyone does.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use envoy_types::pb::envoy::service::discovery::v3::aggregated_discovery_service_client::AggregatedDiscoveryServiceClient;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use rcgen::{CertificateParams, KeyPair};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tonic::transport::{Channel, Endpoint};

use crate::serve::{ControlOptions, Running, serve};

/// A control API on ports of its own.
pub struct Control {
    pub running: Running,
    pub directory: TempDir,
    pub token: String,
}

/// A key with the certificate that the control API gave it.
pub struct Identity {
    pub key: KeyPair,
    pub chain: String,
    pub answer: Value,
}

pub fn options(directory: &TempDir) -> ControlOptions {
    ControlOptions {
        trust_domain: "test.mesh".into(),
        rest: SocketAddr::from(([127, 0, 0, 1], 0)),
        discovery: SocketAddr::from(([127, 0, 0, 1], 0)),
        ..ControlOptions::new(directory.path().join("data"))
    }
}

impl Control {
    pub async fn start() -> Self {
        Self::start_in(TempDir::new().unwrap()).await
    }

    pub async fn start_in(directory: TempDir) -> Self {
        let options = options(&directory);
        Self::start_with(directory, options).await
    }

    pub async fn start_with(directory: TempDir, options: ControlOptions) -> Self {
        let running = serve(options).await.expect("the control API starts");
        let token = std::fs::read_to_string(&running.admin_token).unwrap();
        Self { running, directory, token }
    }

    pub fn bundle(&self) -> String {
        std::fs::read_to_string(&self.running.bundle).unwrap()
    }

    /// A request of the operator.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let authorization = format!("Bearer {}", self.token);
        self.call_as(Some(&authorization), method, path, body).await
    }

    pub async fn call_as(
        &self,
        authorization: Option<&str>,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> (StatusCode, Value) {
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let response = self.send(authorization, method, path, body.into()).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let value = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        (status, value)
    }

    pub async fn send(
        &self,
        authorization: Option<&str>,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> http::Response<Incoming> {
        let stream = TcpStream::connect(self.running.rest).await.unwrap();
        request_on(TokioIo::new(stream), authorization, method, path, body).await
    }

    /// Applies documents and expects them to be taken.
    pub async fn apply(&self, documents: &[Value]) -> Value {
        let (status, answer) = self.call(Method::POST, "/v1/apply", Some(json!({"items": documents}))).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        answer
    }

    /// A gateway of `site` with a fresh token and a fresh key.
    pub async fn join(&self, site: &str) -> Identity {
        let name = format!("t{}", fastrand::u32(..));
        let answer = self
            .apply(&[json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "JoinToken",
                "metadata": {"name": name}, "spec": {"site": site}})])
            .await;
        let secret = answer["items"][0]["object"]["status"]["secret"].as_str().expect("a secret").to_string();
        let (key, csr) = csr();
        let (status, answer) = self.sign(None, json!({"csr": csr, "token": secret})).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        let chain = answer["certificateChain"].as_str().unwrap().to_string();
        Identity { key, chain, answer }
    }

    /// `POST /v1/sign` over TLS, with a certificate or without.
    pub async fn sign(&self, identity: Option<&Identity>, body: Value) -> (StatusCode, Value) {
        let stream = self.tls(identity, b"http/1.1").await.expect("TLS");
        let body = body.to_string().into();
        let response = request_on(TokioIo::new(stream), None, Method::POST, "/v1/sign", body).await;
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).expect("JSON"))
    }

    pub async fn tls(
        &self,
        identity: Option<&Identity>,
        protocol: &[u8],
    ) -> std::io::Result<TlsStream<TcpStream>> {
        let config = client_config(&self.bundle(), identity, protocol);
        let stream = TcpStream::connect(self.running.discovery).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// A discovery client.
    pub async fn discovery(&self, identity: Option<&Identity>) -> AggregatedDiscoveryServiceClient<Channel> {
        let config = Arc::new(client_config(&self.bundle(), identity, b"h2"));
        let address = self.running.discovery;
        let connector = tower::service_fn(move |_: http::Uri| {
            let config = Arc::clone(&config);
            async move {
                let stream = TcpStream::connect(address).await?;
                let name = ServerName::try_from("localhost").unwrap();
                let stream = TlsConnector::from(config).connect(name, stream).await?;
                std::io::Result::Ok(TokioIo::new(stream))
            }
        });
        let endpoint = Endpoint::from_static("http://localhost");
        AggregatedDiscoveryServiceClient::new(endpoint.connect_with_connector_lazy(connector))
    }

    /// Waits until the condition on an answer of the operator's interface holds.
    pub async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..500 {
            let (_, answer) = self.call(Method::GET, path, None).await;
            if holds(&answer) {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} never became as expected: {}", self.call(Method::GET, path, None).await.1);
    }
}

pub fn csr() -> (KeyPair, String) {
    let key = KeyPair::generate().unwrap();
    let pem = CertificateParams::default().serialize_request(&key).unwrap().pem().unwrap();
    (key, pem)
}

fn client_config(bundle: &str, identity: Option<&Identity>, protocol: &[u8]) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(bundle.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain: Result<_, _> = CertificateDer::pem_slice_iter(identity.chain.as_bytes()).collect();
            let key = PrivateKeyDer::try_from(identity.key.serialize_der()).unwrap();
            builder.with_client_auth_cert(chain.unwrap(), key).unwrap()
        }
    };
    config.alpn_protocols = vec![protocol.to_vec()];
    config
}

async fn request_on(
    io: impl hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
    authorization: Option<&str>,
    method: Method,
    path: &str,
    body: Bytes,
) -> http::Response<Incoming> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.unwrap();
    tokio::spawn(connection);
    let mut request = Request::builder().method(method).uri(path).header("host", "control");
    if let Some(authorization) = authorization {
        request = request.header("authorization", authorization);
    }
    sender.send_request(request.body(Full::new(body)).unwrap()).await.expect("an answer")
}

pub fn site(name: &str, port: u16) -> Value {
    json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Site", "metadata": {"name": name},
        "spec": {"locality": {"region": "r"},
            "gateway": {"address": "127.0.0.1", "port": port, "meshPort": port + 1}}})
}

pub fn service(name: &str, sites: &[&str]) -> Value {
    let instances: Vec<_> =
        sites.iter().map(|site| json!({"site": site, "address": "127.0.0.1", "port": 9000})).collect();
    json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Service", "metadata": {"name": name},
        "spec": {"protocol": "http", "instances": instances}})
}

pub fn route(name: &str, backend: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name},
        "spec": {"hostnames": ["shop.example.com"],
            "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/x"}}],
                "backendRefs": [{"name": backend}]}]}})
}
