//! Both sides of HTTP/2 together, over real sockets: client → serve → send → backend.

#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected is to fail there")]

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Method, StatusCode};
use proxy::body::{Body, Request, Response};
use proxy::codec::io::Stream;
use proxy::downstream::http::h2::{H2Settings, serve};
use proxy::drain::Drain;
use proxy::upstream::pool::h2::{H2ClientSettings, H2Connection};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::{LocalSet, spawn_local};

type Accepted = (http::Request<RecvStream>, SendResponse<Bytes>);

fn local<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded =
        async { tokio::time::timeout(Duration::from_secs(60), test).await.expect("the test hangs") };
    LocalSet::new().block_on(&runtime, bounded)
}

async fn listen<F: Future<Output = ()> + 'static>(serve: impl Fn(TcpStream) -> F + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    spawn_local(async move {
        while let Ok((socket, _)) = listener.accept().await {
            socket.set_nodelay(true).unwrap();
            spawn_local(serve(socket));
        }
    });
    address
}

/// A backend whose streams are each handled by `handle`.
async fn backend<F>(handle: impl Fn(Accepted) -> F + Clone + 'static) -> SocketAddr
where
    F: Future<Output = ()> + 'static,
{
    listen(move |socket| {
        let handle = handle.clone();
        async move {
            let mut builder = h2::server::Builder::new();
            builder.enable_connect_protocol();
            let mut connection = builder.handshake::<_, Bytes>(socket).await.unwrap();
            while let Some(Ok(accepted)) = connection.accept().await {
                spawn_local(handle(accepted));
            }
        }
    })
    .await
}

/// A relay to `backend` that keeps one connection at a time; gives its address.
async fn relay(backend: SocketAddr) -> SocketAddr {
    let kept: Rc<Mutex<Option<H2Connection>>> = Rc::default();
    listen(move |socket| {
        let kept = kept.clone();
        async move {
            let drain = Drain::new();
            let settings = H2Settings { allow_connect: true, ..H2Settings::default() };
            let handler = async move |request: Request| forward(&kept, backend, request).await;
            serve(Stream::from(socket), &settings, drain.watch(), handler).await;
        }
    })
    .await
}

async fn forward(kept: &Mutex<Option<H2Connection>>, backend: SocketAddr, request: Request) -> Response {
    let connection = usable(kept, backend).await;
    connection.send(request).await.unwrap_or_else(|error| {
        let status = StatusCode::from_u16(error.reason().status()).unwrap();
        Response::new(status, Body::full(error.to_string()))
    })
}

/// The connection that is kept, or a new one in its place. One at a time connects: a storm would overflow the
/// backend's accept queue.
async fn usable(kept: &Mutex<Option<H2Connection>>, backend: SocketAddr) -> H2Connection {
    let mut kept = kept.lock().await;
    if let Some(connection) = kept.as_ref().filter(|connection| connection.capacity() > 0) {
        return connection.clone();
    }
    let socket = TcpStream::connect(backend).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let settings = H2ClientSettings::default();
    let connection = H2Connection::handshake(Stream::from(socket), &settings).await.unwrap();
    kept.insert(connection).clone()
}

async fn client(address: SocketAddr) -> SendRequest<Bytes> {
    let socket = TcpStream::connect(address).await.unwrap();
    socket.set_nodelay(true).unwrap();
    let (client, connection) = h2::client::Builder::new()
        .initial_window_size(1 << 20)
        .initial_connection_window_size(1 << 20)
        .handshake(socket)
        .await
        .unwrap();
    spawn_local(async move {
        let _ended = connection.await;
    });
    client.ready().await.unwrap()
}

fn request(method: Method) -> http::Request<()> {
    http::Request::builder().method(method).uri("http://a.test/x").body(()).unwrap()
}

async fn read(body: &mut RecvStream) -> usize {
    let mut bytes = 0;
    while let Some(chunk) = body.data().await {
        let count = chunk.unwrap().len();
        body.flow_control().release_capacity(count).unwrap();
        bytes += count;
    }
    bytes
}

/// Sends as the window allows, never holding more than one chunk.
async fn write(stream: &mut SendStream<Bytes>, mut bytes: usize) {
    while bytes > 0 {
        stream.reserve_capacity(bytes.min(64 * 1024));
        let capacity = poll_fn(|cx| stream.poll_capacity(cx)).await.unwrap().unwrap().min(bytes);
        stream.send_data(Bytes::from(vec![7; capacity]), false).unwrap();
        bytes -= capacity;
    }
}

async fn echo((request, mut respond): Accepted) {
    let mut body = request.into_body();
    let mut send = respond.send_response(http::Response::new(()), false).unwrap();
    while let Some(Ok(chunk)) = body.data().await {
        body.flow_control().release_capacity(chunk.len()).unwrap();
        let mut chunk = chunk;
        while !chunk.is_empty() {
            send.reserve_capacity(chunk.len());
            let Some(Ok(capacity)) = poll_fn(|cx| send.poll_capacity(cx)).await else { return };
            let part = chunk.split_to(capacity.min(chunk.len()));
            send.send_data(part, false).unwrap();
        }
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    send.send_trailers(trailers).unwrap();
}

#[test]
fn a_large_body_is_echoed_with_its_trailers() {
    local(async {
        const BYTES: usize = 64 << 20;
        let mut client = client(relay(backend(echo).await).await).await;
        let (response, mut upload) = client.send_request(request(Method::POST), false).unwrap();
        let send = spawn_local(async move {
            write(&mut upload, BYTES).await;
            upload.send_data(Bytes::new(), true).unwrap();
        });
        let mut body = response.await.unwrap().into_body();
        assert_eq!(read(&mut body).await, BYTES);
        assert_eq!(body.trailers().await.unwrap().unwrap()["grpc-status"], "0");
        send.await.unwrap();
    });
}

#[test]
fn many_streams_share_connections_and_keep_their_answers_apart() {
    local(async {
        let address = relay(backend(echo).await).await;
        let client = client(address).await;
        let streams = (0..500_usize).map(|index| {
            let mut client = client.clone();
            spawn_local(async move {
                poll_fn(|cx| client.poll_ready(cx)).await.unwrap();
                let (response, mut upload) = client.send_request(request(Method::POST), false).unwrap();
                // Beside reading: who only writes first can block all that share the connection's window.
                spawn_local(async move {
                    write(&mut upload, index * 100).await;
                    upload.send_data(Bytes::new(), true).unwrap();
                });
                let mut body = response.await.unwrap().into_body();
                assert_eq!(read(&mut body).await, index * 100);
            })
        });
        for stream in streams.collect::<Vec<_>>() {
            stream.await.unwrap();
        }
    });
}

#[test]
fn a_dialogue_runs_turn_by_turn() {
    local(async {
        let mut client = client(relay(backend(echo).await).await).await;
        let (response, mut upload) = client.send_request(request(Method::POST), false).unwrap();
        let mut body = response.await.unwrap().into_body();
        for turn in 0..50_u8 {
            upload.send_data(Bytes::from(vec![turn; 10]), false).unwrap();
            let answer = body.data().await.unwrap().unwrap();
            assert_eq!(answer, vec![turn; 10]);
            body.flow_control().release_capacity(10).unwrap();
        }
    });
}

#[test]
fn a_client_that_gives_up_ends_the_backends_work() {
    local(async {
        let reset = Rc::new(Cell::new(None));
        let seen = reset.clone();
        let backend = backend(move |(_, mut respond): Accepted| {
            let seen = seen.clone();
            async move { seen.set(poll_fn(|cx| respond.poll_reset(cx)).await.ok()) }
        })
        .await;
        let mut client = client(relay(backend).await).await;
        let (response, mut stream) = client.send_request(request(Method::GET), true).unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        stream.send_reset(h2::Reason::CANCEL);
        drop((response, stream));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(reset.get(), Some(h2::Reason::CANCEL));
    });
}

#[test]
fn a_backend_that_breaks_off_resets_the_client() {
    local(async {
        let backend = backend(async |(_, mut respond): Accepted| {
            let mut send = respond.send_response(http::Response::new(()), false).unwrap();
            send.send_data(Bytes::from_static(b"part"), false).unwrap();
            tokio::time::sleep(Duration::from_millis(20)).await;
            send.send_reset(h2::Reason::INTERNAL_ERROR);
        })
        .await;
        let mut client = client(relay(backend).await).await;
        let (response, _) = client.send_request(request(Method::GET), true).unwrap();
        let mut body = response.await.unwrap().into_body();
        assert_eq!(body.data().await.unwrap().unwrap(), "part");
        let failed = body.data().await.expect("a truncated body looked complete").unwrap_err();
        assert!(failed.is_reset(), "{failed}");
    });
}

#[test]
fn a_backend_that_refuses_is_told_apart() {
    local(async {
        let backend = backend(async |(_, mut respond): Accepted| {
            respond.send_reset(h2::Reason::REFUSED_STREAM);
        })
        .await;
        let mut client = client(relay(backend).await).await;
        let (response, _) = client.send_request(request(Method::GET), true).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    });
}

#[test]
fn a_websocket_passes_as_extended_connect() {
    local(async {
        let mut client = client(relay(backend(echo).await).await).await;
        while !client.is_extended_connect_protocol_enabled() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let mut connect = request(Method::CONNECT);
        connect.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
        let (response, mut upload) = client.send_request(connect, false).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body();
        upload.send_data(Bytes::from_static(b"frame"), false).unwrap();
        assert_eq!(body.data().await.unwrap().unwrap(), "frame");
    });
}
