use std::time::Duration;

use h2::server::{self, SendResponse};
use http::Method;
use tokio::io::duplex;
use tokio::task::spawn_local;

use super::*;
use crate::body::{RequestHead, Scheme, Version};

type Accepted = (http::Request<h2::RecvStream>, SendResponse<Bytes>);

fn local<F: Future>(test: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let bounded = async { timeout(Duration::from_secs(20), test).await.expect("the test hangs") };
    tokio::task::LocalSet::new().block_on(&runtime, bounded)
}

/// A connection to a raw server that gives each request to `serve`, until `serve` answers false.
async fn connect<F>(builder: server::Builder, mut serve: impl FnMut(Accepted) -> F + 'static) -> H2Connection
where
    F: Future<Output = ()> + 'static,
{
    let (near, far) = duplex(64 * 1024);
    spawn_local(async move {
        let mut connection = builder.handshake::<_, Bytes>(far).await.unwrap();
        while let Some(Ok(accepted)) = connection.accept().await {
            spawn_local(serve(accepted));
        }
    });
    let connection = H2Connection::handshake(near.into(), &H2ClientSettings::default()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(10)).await;
    connection
}

fn request(method: Method, body: Body) -> Request {
    let head = RequestHead {
        method,
        scheme: Scheme::Http,
        authority: "a.test".into(),
        path: "/x".into(),
        version: Version::Http11,
        headers: crate::fields::Fields::new(),
        upgrade: None,
    };
    Request { head: Box::new(head), body, interim: Interim::default() }
}

async fn read(body: &mut Body) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    while let Some(frame) = body.frame().await {
        if let Frame::Data(bytes) = frame? {
            all.extend_from_slice(&bytes);
        }
    }
    Ok(all)
}

/// Sends back what arrives, as it arrives.
async fn echo((request, mut respond): Accepted) {
    let mut body = request.into_body();
    let mut send = respond.send_response(http::Response::new(()), false).unwrap();
    while let Some(Ok(bytes)) = body.data().await {
        let _released = body.flow_control().release_capacity(bytes.len());
        let _sent = send.send_data(bytes, false);
    }
    let _sent = send.send_data(Bytes::new(), true);
}

/// A body fed by hand.
struct Channel(tokio::sync::mpsc::UnboundedReceiver<Result<Frame, Error>>);

impl Source for Channel {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        self.0.poll_recv(cx)
    }
}

fn channel() -> (tokio::sync::mpsc::UnboundedSender<Result<Frame, Error>>, Body) {
    let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
    (sender, Body::source(Size::Unknown, Box::new(Channel(receiver))))
}

#[test]
fn requests_share_the_connection() {
    local(async {
        let connection = connect(server::Builder::new(), echo).await;
        let sends = (0..50_u8).map(|count| {
            let connection = connection.clone();
            spawn_local(async move {
                let response = connection.send(request(Method::POST, Body::full(vec![count; 100]))).await;
                read(&mut response.unwrap().body).await.unwrap()
            })
        });
        for (count, sent) in sends.collect::<Vec<_>>().into_iter().enumerate() {
            assert_eq!(sent.await.unwrap(), vec![u8::try_from(count).unwrap(); 100]);
        }
        assert_eq!(connection.active(), 0);
    });
}

#[test]
fn a_streamed_body_and_its_echo_run_side_by_side() {
    local(async {
        let connection = connect(server::Builder::new(), echo).await;
        let (feed, body) = channel();
        let mut response = connection.send(request(Method::POST, body)).await.unwrap();
        for text in ["one", "two"] {
            feed.send(Ok(Frame::Data(Bytes::from(text)))).unwrap();
            match response.body.frame().await {
                Some(Ok(Frame::Data(bytes))) => assert_eq!(bytes, text),
                other => panic!("expected an echo, got {other:?}"),
            }
        }
        assert_eq!(connection.active(), 1);
        drop(feed);
        assert!(response.body.frame().await.is_none());
    });
}

#[test]
fn dropping_the_response_resets_the_stream() {
    local(async {
        let reset = Rc::new(RefCell::new(None));
        let seen = reset.clone();
        let connection = connect(server::Builder::new(), move |(_, mut respond): Accepted| {
            let seen = seen.clone();
            async move {
                let mut send = respond.send_response(http::Response::new(()), false).unwrap();
                *seen.borrow_mut() = Some(poll_fn(|cx| send.poll_reset(cx)).await.unwrap());
            }
        })
        .await;
        let response = connection.send(request(Method::GET, Body::empty())).await.unwrap();
        drop(response);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(*reset.borrow(), Some(h2::Reason::CANCEL));
        assert_eq!(connection.active(), 0);
        assert!(connection.capacity() > 0, "one cancelled stream does not end the connection");
    });
}

#[test]
fn resets_say_whether_a_retry_is_sound() {
    local(async {
        for (code, reason) in [
            (h2::Reason::REFUSED_STREAM, Reason::UpstreamRefused),
            (h2::Reason::INTERNAL_ERROR, Reason::UpstreamReset),
            (h2::Reason::CANCEL, Reason::UpstreamReset),
        ] {
            let connection = connect(server::Builder::new(), move |(_, mut respond): Accepted| async move {
                respond.send_reset(code);
            })
            .await;
            let failed = connection.send(request(Method::GET, Body::empty())).await.unwrap_err();
            assert_eq!(failed.reason(), reason, "{code:?}: {failed}");
        }
    });
}

#[test]
fn the_endpoints_stream_limit_is_the_capacity() {
    local(async {
        let mut builder = server::Builder::new();
        builder.max_concurrent_streams(2);
        let connection = connect(builder, echo).await;
        let (_feed, body) = channel();
        let first = connection.send(request(Method::POST, body)).await.unwrap();
        assert_eq!(connection.capacity(), 1);
        let (_feed, body) = channel();
        let _second = connection.send(request(Method::POST, body)).await.unwrap();
        assert_eq!(connection.capacity(), 0);
        drop(first);
        connection.changed().await;
        assert_eq!(connection.capacity(), 1);
    });
}

#[test]
fn goaway_stops_new_streams_and_finishes_old_ones() {
    local(async {
        let (near, far) = duplex(64 * 1024);
        spawn_local(async move {
            let mut connection = server::handshake(far).await.unwrap();
            let (_, mut respond) = connection.accept().await.unwrap().unwrap();
            connection.graceful_shutdown();
            spawn_local(async move {
                tokio::time::sleep(Duration::from_millis(50)).await;
                let mut send = respond.send_response(http::Response::new(()), false).unwrap();
                send.send_data(Bytes::from_static(b"late"), true).unwrap();
            });
            while connection.accept().await.is_some() {}
        });
        let connection = H2Connection::handshake(near.into(), &H2ClientSettings::default()).await.unwrap();
        let first = connection.clone();
        let first = spawn_local(async move {
            let mut response = first.send(request(Method::GET, Body::empty())).await.unwrap();
            read(&mut response.body).await.unwrap()
        });
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(connection.capacity(), 0, "no stream may be opened after GOAWAY");
        let refused = connection.send(request(Method::GET, Body::empty())).await.unwrap_err();
        assert_eq!(refused.reason(), Reason::UpstreamRefused, "{refused}");
        assert_eq!(first.await.unwrap(), b"late");
        connection.closed().await;
    });
}

#[test]
fn an_endpoint_that_goes_away_fails_the_request() {
    local(async {
        let (near, far) = duplex(64 * 1024);
        spawn_local(async move {
            let mut connection = server::handshake(far).await.unwrap();
            let _accepted = connection.accept().await.unwrap().unwrap();
            // Both drop here, without GOAWAY.
        });
        let connection = H2Connection::handshake(near.into(), &H2ClientSettings::default()).await.unwrap();
        let failed = connection.send(request(Method::GET, Body::empty())).await.unwrap_err();
        assert_eq!(failed.reason(), Reason::UpstreamClosed, "{failed}");
        connection.closed().await;
        assert_eq!(connection.capacity(), 0);
    });
}

#[test]
fn a_request_body_that_fails_is_the_error_of_the_request() {
    local(async {
        let connection = connect(server::Builder::new(), |(request, respond): Accepted| async move {
            let _respond = respond;
            let mut body = request.into_body();
            while let Some(Ok(_)) = body.data().await {}
        })
        .await;
        let (feed, body) = channel();
        feed.send(Ok(Frame::Data(Bytes::from_static(b"part")))).unwrap();
        feed.send(Err(Error::from(Reason::DownstreamClosed))).unwrap();
        let failed = connection.send(request(Method::POST, body)).await.unwrap_err();
        assert_eq!(failed.reason(), Reason::DownstreamClosed);
    });
}

#[test]
fn interim_responses_come_before_the_final_one() {
    local(async {
        let connection = connect(server::Builder::new(), |(_, mut respond): Accepted| async move {
            let early = http::Response::builder().status(103).body(()).unwrap();
            respond.send_informational(early).unwrap();
            respond.send_response(http::Response::new(()), true).unwrap();
        })
        .await;
        let request = request(Method::GET, Body::empty());
        let interim = request.interim.clone();
        connection.send(request).await.unwrap();
        let head = poll_fn(|cx| interim.poll_next(cx)).await;
        assert_eq!(head.status.as_u16(), 103);
    });
}

#[test]
fn an_upgrade_is_an_extended_connect_and_its_halves_end_apart() {
    local(async {
        let mut builder = server::Builder::new();
        builder.enable_connect_protocol();
        let connection = connect(builder, |(request, mut respond): Accepted| async move {
            assert_eq!(request.method(), Method::CONNECT);
            let protocol = request.extensions().get::<h2::ext::Protocol>().unwrap();
            assert_eq!(protocol.as_str(), "websocket");
            let mut send = respond.send_response(http::Response::new(()), false).unwrap();
            send.send_data(Bytes::from_static(b"bye"), true).unwrap();
            let mut body = request.into_body();
            let mut all = Vec::new();
            while let Some(Ok(bytes)) = body.data().await {
                all.extend_from_slice(&bytes);
            }
            assert_eq!(all, b"still here");
        })
        .await;
        let (feed, body) = channel();
        let mut request = request(Method::GET, body);
        request.head.upgrade = Some("websocket".into());
        let mut response = connection.send(request).await.unwrap();
        assert_eq!(response.head.status, StatusCode::SWITCHING_PROTOCOLS);
        assert_eq!(read(&mut response.body).await.unwrap(), b"bye");
        feed.send(Ok(Frame::Data(Bytes::from_static(b"still here")))).unwrap();
        drop(feed);
        tokio::time::sleep(Duration::from_millis(20)).await;
    });
}

#[test]
fn an_upgrade_is_refused_when_the_endpoint_cannot() {
    local(async {
        let connection = connect(server::Builder::new(), echo).await;
        let mut request = request(Method::GET, Body::empty());
        request.head.upgrade = Some("websocket".into());
        let failed = connection.send(request).await.unwrap_err();
        assert_eq!(failed.reason(), Reason::UpstreamProtocol, "{failed}");
    });
}

#[test]
fn a_slow_reader_holds_no_more_than_its_window() {
    local(async {
        let sent = Rc::new(Cell::new(0));
        let count = sent.clone();
        let connection = connect(server::Builder::new(), move |(_, mut respond): Accepted| {
            let count = count.clone();
            async move {
                let mut send = respond.send_response(http::Response::new(()), false).unwrap();
                loop {
                    send.reserve_capacity(16 * 1024);
                    let Some(Ok(capacity)) = poll_fn(|cx| send.poll_capacity(cx)).await else { return };
                    send.send_data(Bytes::from(vec![0; capacity]), false).unwrap();
                    count.set(count.get() + capacity);
                }
            }
        })
        .await;
        let mut response = connection.send(request(Method::GET, Body::empty())).await.unwrap();
        let _first = response.body.frame().await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        let window = limits::H2_STREAM_WINDOW_BYTES as usize;
        assert!(sent.get() <= window, "{} bytes sent into a window of {window}", sent.get());
        for _ in 0..100 {
            response.body.frame().await.unwrap().unwrap();
        }
        assert!(sent.get() > window, "reading on gives the window back");
    });
}
