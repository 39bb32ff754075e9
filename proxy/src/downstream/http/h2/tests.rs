use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{self, SendRequest};
use http::{HeaderMap, Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::task::{JoinHandle, spawn_local};

mod limits_hold;

use super::*;
use crate::body::{Body, Frame, Size, Source};
use crate::codec::h2::Keepalive;
use crate::drain::Drain;

fn local<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { timeout(Duration::from_secs(20), test).await.expect("the test hangs") };
    tokio::task::LocalSet::new().block_on(&runtime, bounded)
}

/// A raw client, the connection's task, and the drain of the served side.
struct Pair {
    client: SendRequest<Bytes>,
    ended: JoinHandle<Ended>,
    drain: Drain,
}

async fn pair<H>(settings: H2Settings, handler: H) -> Pair
where
    H: AsyncFn(Request) -> Response + Clone + 'static,
{
    let (near, far) = duplex(64 * 1024);
    let (ended, drain) = spawn_serve(far, settings, handler);
    let (client, connection) = client::handshake(near).await.unwrap();
    spawn_local(async move {
        let _ended = connection.await;
    });
    Pair { client: client.ready().await.unwrap(), ended, drain }
}

fn spawn_serve<H>(io: DuplexStream, settings: H2Settings, handler: H) -> (JoinHandle<Ended>, Drain)
where
    H: AsyncFn(Request) -> Response + Clone + 'static,
{
    let drain = Drain::new();
    let draining = drain.watch();
    let ended = spawn_local(async move { serve(io.into(), &settings, draining, handler).await });
    (ended, drain)
}

fn get(path: &str) -> http::Request<()> {
    http::Request::get(format!("http://a.test{path}")).body(()).unwrap()
}

async fn text(mut body: h2::RecvStream) -> String {
    let mut all = Vec::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk.unwrap();
        body.flow_control().release_capacity(chunk.len()).unwrap();
        all.extend_from_slice(&chunk);
    }
    String::from_utf8(all).unwrap()
}

async fn truncated(mut body: h2::RecvStream) -> h2::Error {
    loop {
        match body.data().await {
            Some(Ok(_)) => {}
            Some(Err(why)) => return why,
            None => panic!("a truncated body looked complete"),
        }
    }
}

async fn collect(mut body: Body) -> Result<(Vec<u8>, Option<crate::fields::Fields>), Error> {
    let (mut all, mut trailers) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match frame? {
            Frame::Data(bytes) => all.extend_from_slice(&bytes),
            Frame::Trailers(fields) => trailers = Some(fields),
        }
    }
    Ok((all, trailers))
}

struct Repeat {
    left: usize,
    polled: Rc<Cell<usize>>,
    end: Option<Result<Frame, Error>>,
}

impl Source for Repeat {
    fn poll_frame(&mut self, _cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        if self.left == 0 {
            return Poll::Ready(self.end.take());
        }
        self.left -= 1;
        self.polled.set(self.polled.get() + 1);
        Poll::Ready(Some(Ok(Frame::Data(Bytes::from_static(&[7; 4096])))))
    }
}

fn chunks(left: usize, end: Option<Result<Frame, Error>>) -> (Body, Rc<Cell<usize>>) {
    let polled = Rc::new(Cell::new(0));
    (Body::source(Size::Unknown, Box::new(Repeat { left, polled: polled.clone(), end })), polled)
}

#[test]
fn request_is_answered_with_its_head_normalised() {
    local(async {
        let seen = Rc::new(RefCell::new(None));
        let head = seen.clone();
        let mut pair = pair(H2Settings::default(), async move |request: Request| {
            *head.borrow_mut() = Some(request.head.clone());
            Response::new(StatusCode::OK, Body::full("hello"))
        })
        .await;
        let mut request = get("/x?y=1");
        for crumb in ["a=1", "b=2"] {
            request.headers_mut().append("cookie", crumb.parse().unwrap());
        }
        request.headers_mut().insert("host", "other.test".parse().unwrap());
        let (response, _) = pair.client.send_request(request, true).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(text(response.into_body()).await, "hello");
        let head = seen.borrow_mut().take().unwrap();
        assert_eq!((&*head.authority, &*head.path), ("a.test", "/x?y=1"));
        assert_eq!(head.headers.get("cookie").unwrap(), "a=1; b=2");
        assert!(head.headers.get("host").is_none(), "the authority stands in `authority` only");
    });
}

#[test]
fn bodies_and_trailers_pass_both_ways() {
    local(async {
        let mut pair = pair(H2Settings::default(), async |request: Request| {
            let (bytes, trailers) = collect(request.body).await.unwrap();
            let mut fields = HeaderMap::new();
            fields.insert("grpc-status", "0".parse().unwrap());
            fields.insert("bytes", bytes.len().into());
            fields.insert("seen", trailers.unwrap().get("sum").unwrap().clone());
            let (body, _) = chunks(300, Some(Ok(Frame::Trailers(fields.into()))));
            Response::new(StatusCode::OK, body)
        })
        .await;
        let mut request = get("/");
        *request.method_mut() = Method::POST;
        let (response, mut upload) = pair.client.send_request(request, false).unwrap();
        upload.send_data(Bytes::from(vec![1; 500_000]), false).unwrap();
        let mut sum = HeaderMap::new();
        sum.insert("sum", "42".parse().unwrap());
        upload.send_trailers(sum).unwrap();
        let mut body = response.await.unwrap().into_body();
        let mut bytes = 0;
        while let Some(chunk) = body.data().await {
            let count = chunk.unwrap().len();
            body.flow_control().release_capacity(count).unwrap();
            bytes += count;
        }
        assert_eq!(bytes, 300 * 4096);
        let trailers = body.trailers().await.unwrap().unwrap();
        assert_eq!((trailers["bytes"].as_bytes(), trailers["seen"].as_bytes()), (&b"500000"[..], &b"42"[..]));
    });
}

#[test]
fn a_client_that_does_not_read_holds_the_body_back() {
    local(async {
        let (body, polled) = chunks(100_000, None);
        let body = Rc::new(RefCell::new(Some(body)));
        let mut pair = pair(H2Settings::default(), async move |_| {
            Response::new(StatusCode::OK, body.borrow_mut().take().unwrap())
        })
        .await;
        let (response, _) = pair.client.send_request(get("/"), true).unwrap();
        let _unread = response.await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
        let bytes = polled.get() * 4096;
        let held = 65_535 + limits::RELAY_BUFFER_BYTES + limits::H2_GATHER_BYTES + 64 * 1024;
        assert!(bytes <= held, "{bytes} bytes taken from a body whose reader has a 64 KiB window");
    });
}

#[test]
fn a_handler_that_does_not_read_holds_the_client_back() {
    local(async {
        let settings = H2Settings { initial_stream_window_size: 65_535, ..H2Settings::default() };
        let mut pair = pair(settings, async |mut request: Request| {
            let _first = request.body.frame().await;
            std::future::pending::<()>().await;
            Response::new(StatusCode::OK, Body::empty())
        })
        .await;
        let mut request = get("/");
        *request.method_mut() = Method::POST;
        let (_response, mut upload) = pair.client.send_request(request, false).unwrap();
        let mut sent = 0;
        while let Ok(capacity) = timeout(Duration::from_millis(100), async {
            upload.reserve_capacity(16 * 1024);
            poll_fn(|cx| upload.poll_capacity(cx)).await.unwrap().unwrap()
        })
        .await
        {
            upload.send_data(Bytes::from(vec![0; capacity]), false).unwrap();
            sent += capacity;
        }
        assert!(sent <= 65_535, "sent {sent} bytes past a window of 65535 that nobody gave back");
    });
}

#[test]
fn a_reset_by_the_client_drops_the_handler() {
    local(async {
        struct Told(Rc<Cell<bool>>);
        impl Drop for Told {
            fn drop(&mut self) {
                self.0.set(true);
            }
        }
        let dropped = Rc::new(Cell::new(false));
        let flag = dropped.clone();
        let mut pair = pair(H2Settings::default(), async move |_| {
            let _told = Told(flag.clone());
            std::future::pending::<()>().await;
            Response::new(StatusCode::OK, Body::empty())
        })
        .await;
        let (response, mut stream) = pair.client.send_request(get("/"), false).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!dropped.get());
        stream.send_reset(h2::Reason::CANCEL);
        drop(response);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(dropped.get(), "the handler still runs for a client that gave up");
        drop(stream);
        drop(pair.client);
        let ended = pair.ended.await.unwrap();
        assert_eq!((ended.requests, ended.client_resets), (1, 1));
    });
}

#[test]
fn a_panic_ends_its_connection_and_is_told() {
    local(async {
        let mut pair = pair(H2Settings::default(), async |_| panic!("a bug")).await;
        let (response, _) = pair.client.send_request(get("/"), true).unwrap();
        assert!(response.await.is_err());
        assert_eq!(pair.ended.await.unwrap().error.unwrap().reason(), Reason::Internal);
    });
}

#[test]
fn a_body_that_fails_resets_the_stream() {
    local(async {
        let mut pair = pair(H2Settings::default(), async |_| {
            let (body, _) = chunks(1, Some(Err(Error::from(Reason::UpstreamClosed))));
            Response::new(StatusCode::OK, body)
        })
        .await;
        let (response, _) = pair.client.send_request(get("/"), true).unwrap();
        let failed = match response.await {
            Ok(response) => truncated(response.into_body()).await,
            // A reset overtakes a head that is still queued.
            Err(why) => why,
        };
        assert_eq!(failed.reason(), Some(h2::Reason::INTERNAL_ERROR));
    });
}

#[test]
fn a_drain_says_goaway_and_finishes_what_is_in_flight() {
    local(async {
        let mut pair = pair(H2Settings::default(), async |_| {
            tokio::time::sleep(Duration::from_millis(100)).await;
            Response::new(StatusCode::OK, Body::full("late"))
        })
        .await;
        let (response, _) = pair.client.send_request(get("/"), true).unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        pair.drain.start();
        assert_eq!(text(response.await.unwrap().into_body()).await, "late");
        let ended = pair.ended.await.unwrap();
        assert!(ended.error.is_none(), "{ended:?}");
        let refused = match pair.client.send_request(get("/"), true) {
            Ok((response, _)) => response.await.is_err(),
            Err(_) => true,
        };
        assert!(refused, "a drained connection took another request");
    });
}

#[test]
fn a_drain_before_the_preface_lets_a_request_on_its_way_be_answered() {
    local(async {
        let (mut near, far) = duplex(64 * 1024);
        let (ended, drain) = spawn_serve(far, H2Settings::default(), async |_| {
            Response::new(StatusCode::OK, Body::full("in time"))
        });
        drain.start();
        tokio::time::sleep(Duration::from_millis(20)).await;
        // GET / for authority "a" (RFC 7541 §6.1 and §6.2.1), which ends its stream.
        near.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        near.write_all(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x84\x86\x41\x01a").await.unwrap();
        let mut answer = Vec::new();
        while !answer.windows(7).any(|bytes| bytes == b"in time") {
            assert!(near.read_buf(&mut answer).await.unwrap() > 0, "closed: {}", answer.escape_ascii());
        }
        drop(near);
        ended.await.unwrap();
    });
}

#[test]
fn extended_connect_is_an_upgrade_and_a_tunnel() {
    local(async {
        let settings = H2Settings { allow_connect: true, ..H2Settings::default() };
        let mut pair = pair(settings, async |request: Request| {
            assert_eq!(request.head.method, Method::GET);
            assert_eq!(request.head.upgrade.as_deref(), Some("websocket"));
            Response::new(StatusCode::SWITCHING_PROTOCOLS, request.body)
        })
        .await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let mut request = get("/chat");
        *request.method_mut() = Method::CONNECT;
        request.extensions_mut().insert(h2::ext::Protocol::from_static("websocket"));
        let (response, mut stream) = pair.client.send_request(request, false).unwrap();
        let response = response.await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        stream.send_data(Bytes::from_static(b"ping"), false).unwrap();
        let mut body = response.into_body();
        assert_eq!(body.data().await.unwrap().unwrap(), "ping");
        stream.send_data(Bytes::new(), true).unwrap();
        assert_eq!(text(body).await, "", "the half-close comes through");
    });
}

#[test]
fn asking_for_the_body_answers_expect_continue() {
    local(async {
        let mut pair = pair(H2Settings::default(), async |request: Request| {
            assert!(request.head.headers.get("expect").is_none());
            let mut early = HeaderMap::new();
            early.insert("link", "</a.css>".parse().unwrap());
            request
                .interim
                .push(crate::body::ResponseHead { status: StatusCode::EARLY_HINTS, headers: early.into() });
            let (bytes, _) = collect(request.body).await.unwrap();
            Response::new(StatusCode::OK, Body::full(bytes))
        })
        .await;
        let mut request = get("/");
        *request.method_mut() = Method::POST;
        request.headers_mut().insert("expect", "100-continue".parse().unwrap());
        let (mut response, mut upload) = pair.client.send_request(request, false).unwrap();
        let mut interim = Vec::new();
        while interim.len() < 2 {
            let head = poll_fn(|cx| response.poll_informational(cx)).await.unwrap().unwrap();
            interim.push(head.status().as_u16());
        }
        assert_eq!(interim, [103, 100]);
        upload.send_data(Bytes::from_static(b"body"), true).unwrap();
        assert_eq!(text(response.await.unwrap().into_body()).await, "body");
    });
}
