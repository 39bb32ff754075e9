//! The HTTP/1.1 engine over TLS: what a layer that buffers must not lose.

#![expect(clippy::unwrap_used, reason = "a test ends at its first surprise")]

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use http::{Method, StatusCode};
use proxy::body::{Body, Frame, Interim, Request, RequestHead, Response, Scheme, Text, Version};
use proxy::codec::io::Stream;
use proxy::downstream::http::h1::{End, H1Settings, serve};
use proxy::drain::Drain;
use proxy::upstream::pool::h1::{H1ClientSettings, H1Connection};
use rustls::pki_types::PrivateKeyDer;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Both ends of one TLS connection over a pipe.
async fn handshake() -> (Stream, Stream) {
    let made = rcgen::generate_simple_self_signed(["a".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let chain = vec![made.cert.der().clone()];
    let mut roots = rustls::RootCertStore::empty();
    roots.add(chain[0].clone()).unwrap();
    let server = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap();
    let client = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let (here, there) = tokio::io::duplex(8 * 1024);
    let name = rustls::pki_types::ServerName::try_from("a").unwrap();
    let (connected, accepted) = tokio::join!(
        TlsConnector::from(Arc::new(client)).connect(name, Stream::from(here)),
        TlsAcceptor::from(Arc::new(server)).accept(Stream::from(there)),
    );
    (Stream::TlsClient(Box::new(connected.unwrap())), Stream::TlsServer(Box::new(accepted.unwrap())))
}

async fn echo(mut request: Request) -> Response {
    assert_eq!(request.head.scheme, Scheme::Https, "the connection's scheme");
    let mut all = Vec::new();
    while let Some(frame) = request.body.frame().await {
        if let Frame::Data(bytes) = frame.unwrap() {
            all.extend_from_slice(&bytes);
        }
    }
    Response::new(StatusCode::OK, Body::full(all))
}

fn post(body: Bytes) -> Request {
    let head = RequestHead {
        method: Method::POST,
        scheme: Scheme::Https,
        authority: Text::from_static("a"),
        path: Text::from_static("/"),
        version: Version::Http11,
        headers: proxy::fields::Fields::new(),
        upgrade: None,
    };
    Request { head: Box::new(head), body: Body::full(body), interim: Interim::default() }
}

#[test]
fn large_and_small_messages_pass_over_tls_on_one_connection() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let end = runtime.block_on(async {
        let (client, server) = handshake().await;
        let drain = Drain::new();
        let settings = H1Settings::default();
        let talk = async {
            let mut connection = H1Connection::new(client, Rc::new(H1ClientSettings::default()));
            let free = Rc::new(std::cell::RefCell::new(None));
            for size in [1, 100, 5_000_000, 0, 70_000] {
                let sent: Bytes = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
                let shelf = Rc::clone(&free);
                let give_back = Rc::new(move |connection| *shelf.borrow_mut() = Some(connection));
                let mut response = connection.send(post(sent.clone()), give_back).await.unwrap();
                let mut read = Vec::new();
                while let Some(frame) = response.body.frame().await {
                    if let Frame::Data(bytes) = frame.unwrap() {
                        read.extend_from_slice(&bytes);
                    }
                }
                assert!(read == sent, "{} of {size} bytes came back", read.len());
                connection = free.take().expect("the connection comes back");
            }
        };
        tokio::join!(serve(server, &settings, drain.watch(), echo), talk).0
    });
    assert!(matches!(end, End::ClientClosed), "{end:?}");
}
