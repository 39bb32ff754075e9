//! What is written, and what becomes of requests that meet a closing backend.

use super::*;

use crate::fields::Fields;

/// What a backend reads of `request` if it answers only once everything was sent.
fn written(request: Request) -> String {
    run(send_and_read(request))
}

async fn send_and_read(request: Request) -> String {
    let (connection, mut backend) = connect();
    let exchange = connection.send(request, Shelf::default().give_back());
    let serve = async {
        let mut read = vec![0; 1 << 16];
        tokio::time::sleep(Duration::from_millis(10)).await;
        let count = backend.read(&mut read).await.unwrap();
        backend.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        String::from_utf8(read[..count].to_vec()).unwrap()
    };
    let (answer, text) = tokio::join!(exchange, serve);
    answer.unwrap();
    text
}

fn with(mut request: Request, fields: &[(&'static str, &'static str)]) -> Request {
    for (name, value) in fields {
        request.head.headers.append(*name, HeaderValue::from_static(value));
    }
    request
}

#[test]
fn requests_are_framed_by_their_bodies() {
    let trailers = || {
        let mut trailers = Fields::new();
        trailers.insert("x", HeaderValue::from_static("y"));
        trailers.insert("content-length", HeaderValue::from_static("9"));
        Ok(Frame::Trailers(trailers))
    };
    let cases = [
        (get(), "GET /p HTTP/1.1\r\nhost: a\r\n\r\n"),
        (request(Method::DELETE, Body::empty()), "DELETE /p HTTP/1.1\r\nhost: a\r\n\r\n"),
        (
            request(Method::OPTIONS, Body::empty()),
            "OPTIONS /p HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n",
        ),
        (request(Method::POST, Body::empty()), "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"),
        (
            request(Method::POST, Body::full("hi")),
            "POST /p HTTP/1.1\r\nhost: a\r\ncontent-length: 2\r\n\r\nhi",
        ),
        (
            request(Method::PUT, streamed(Size::Exact(4), [data("hi"), data("ho")])),
            "PUT /p HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\nhiho",
        ),
        (
            request(Method::PUT, streamed(Size::Unknown, [data("hi"), data("ho!"), trailers()])),
            "PUT /p HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n3\r\nho!\r\n0\r\nx: y\r\n\r\n",
        ),
        (
            with(get(), &[("te", "trailers"), ("x", "1"), ("x", "2")]),
            "GET /p HTTP/1.1\r\nhost: a\r\nte: trailers\r\nx: 1\r\nx: 2\r\nconnection: te\r\n\r\n",
        ),
        (
            with(
                get(),
                &[("connection", "x"), ("transfer-encoding", "chunked"), ("keep-alive", "1"), ("host", "b")],
            ),
            "GET /p HTTP/1.1\r\nhost: a\r\n\r\n",
        ),
        (with(get(), &[("content-length", "0")]), "GET /p HTTP/1.1\r\nhost: a\r\ncontent-length: 0\r\n\r\n"),
    ];
    for (request, expected) in cases {
        assert_eq!(written(request), expected, "RFC 9112 §6");
    }
}

#[test]
fn a_request_that_would_split_is_not_sent_and_costs_no_connection() {
    run(async {
        let (connection, _backend) = connect();
        let shelf = Shelf::default();
        let mut bad = get();
        bad.head.authority = Text::from("a\r\nX: y");
        let failed = connection.send(bad, shelf.give_back()).await.unwrap_err();
        assert_eq!(failed.error.reason(), Reason::DownstreamProtocol);
        assert!(shelf.take().is_some(), "the connection is as good as before");
    });
}

#[test]
fn a_request_that_met_a_closing_connection_comes_back_whole() {
    run(async {
        let (connection, backend) = used().await;
        drop(backend);
        let post = with(request(Method::POST, Body::full("hi")), &[("x", "1")]);
        let failed = connection.send(post, Shelf::default().give_back()).await.unwrap_err();
        assert_eq!(failed.error.reason(), Reason::UpstreamClosed);
        let unsent = failed.unsent.expect("RFC 9112 §9.3.1: it may be tried elsewhere");
        assert_eq!(
            send_and_read(*unsent).await,
            "POST /p HTTP/1.1\r\nhost: a\r\nx: 1\r\ncontent-length: 2\r\n\r\nhi"
        );
    });
}

#[test]
fn a_request_that_may_have_been_seen_does_not_come_back() {
    run(async {
        let (fresh, backend) = connect();
        drop(backend);
        let failed = fresh.send(get(), Shelf::default().give_back()).await.unwrap_err();
        assert!(failed.unsent.is_none(), "a fresh connection that closes is no keep-alive race");

        let (connection, mut backend) = used().await;
        backend.write_all(b"HTTP/1.1 2").await.unwrap();
        drop(backend);
        let failed = connection.send(get(), Shelf::default().give_back()).await.unwrap_err();
        assert!(failed.unsent.is_none(), "a response had begun");

        let (connection, backend) = used().await;
        drop(backend);
        let post = request(Method::POST, streamed(Size::Unknown, [data("hi")]));
        let failed = connection.send(post, Shelf::default().give_back()).await.unwrap_err();
        assert!(failed.unsent.is_none(), "its body is gone");
    });
}

#[test]
fn an_early_answer_arrives_although_the_body_is_not_taken() {
    run(async {
        let (here, mut backend) = tokio::io::duplex(256);
        let connection = H1Connection::new(Stream::from(here), settings());
        let shelf = Shelf::default();
        let big = request(
            Method::POST,
            streamed(Size::Exact(4096), std::iter::repeat_with(|| data("x")).take(4096)),
        );
        backend.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
        let mut response = connection.send(big, shelf.give_back()).await.unwrap();
        assert_eq!(response.head.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_eq!(read_body(&mut response.body).await, Ok("no".to_owned()));
        assert!(shelf.take().is_none(), "half a request is on the connection");
    });
}

#[test]
fn a_backend_that_answers_and_stops_reading_is_heard() {
    run(async {
        let (connection, mut backend) = connect();
        let waiting = Scripted { frames: [data("hi")].into_iter().collect(), ends: false };
        let upload = request(Method::POST, Body::source(Size::Unknown, Box::new(waiting)));
        backend.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        drop(backend);
        let response = connection.send(upload, Shelf::default().give_back()).await.unwrap();
        assert_eq!(response.head.status, StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn a_request_body_that_fails_fails_the_exchange_with_its_own_reason() {
    run(async {
        let (connection, mut backend) = connect();
        let failing =
            streamed(Size::Unknown, [data("hi"), Err(Error::new(Reason::DownstreamClosed, "gone"))]);
        let failed =
            connection.send(request(Method::POST, failing), Shelf::default().give_back()).await.unwrap_err();
        assert_eq!(failed.error.reason(), Reason::DownstreamClosed);
        let mut read = String::new();
        backend.read_to_string(&mut read).await.unwrap();
        assert!(!read.contains("0\r\n\r\n"), "the backend must not take it for complete: {read:?}");
    });
}

#[test]
fn the_upload_goes_on_while_the_response_is_read() {
    run(async {
        let (here, mut backend) = tokio::io::duplex(64);
        let connection = H1Connection::new(Stream::from(here), settings());
        let shelf = Shelf::default();
        let upload = request(
            Method::POST,
            streamed(Size::Exact(1000), std::iter::repeat_with(|| data("0123456789")).take(100)),
        );
        let serve = async {
            read_head(&mut backend).await;
            backend.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await.unwrap();
            let mut taken = 0;
            while taken < 1000 {
                taken += backend.read(&mut [0; 50]).await.unwrap();
            }
            backend.write_all(b"4\r\ndone\r\n0\r\n\r\n").await.unwrap();
        };
        let exchange = async {
            let mut response = connection.send(upload, shelf.give_back()).await.unwrap();
            read_body(&mut response.body).await
        };
        let (body, ()) = tokio::join!(exchange, serve);
        assert_eq!(body, Ok("done".to_owned()));
        assert!(shelf.take().is_some(), "both directions ended well");
    });
}

fn upgrade(body: Body) -> Request {
    let mut request = get();
    request.head.upgrade = Some(Text::from_static("websocket"));
    request.head.headers.insert("sec-websocket-key", HeaderValue::from_static("key"));
    request.body = body;
    request
}

#[test]
fn a_granted_upgrade_is_a_tunnel_both_ways() {
    run(async {
        let (connection, mut backend) = connect();
        let shelf = Shelf::default();
        let exchange = connection.send(upgrade(streamed(Size::Unknown, [data("up")])), shelf.give_back());
        let serve = async {
            let head = read_head(&mut backend).await;
            assert_eq!(
                head,
                "GET /p HTTP/1.1\r\nhost: a\r\nsec-websocket-key: key\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n"
            );
            backend
                .write_all(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\ndown")
                .await
                .unwrap();
            let mut up = String::new();
            backend.read_to_string(&mut up).await.unwrap();
            assert_eq!(up, "up", "raw, and the client's half-close arrives");
            backend.write_all(b" late").await.unwrap();
            drop(backend);
        };
        let download = async {
            let mut response = exchange.await.unwrap();
            assert_eq!(response.head.status, StatusCode::SWITCHING_PROTOCOLS);
            read_body(&mut response.body).await
        };
        let (down, ()) = tokio::join!(download, serve);
        assert_eq!(down, Ok("down late".to_owned()), "the download outlives the upload");
        assert!(shelf.take().is_none(), "a tunnel is no connection to reuse");
    });
}

#[test]
fn a_tunnel_ends_its_upload_when_the_download_is_dropped() {
    run(async {
        let (connection, mut backend) = connect();
        let waiting = Scripted { frames: [data("up")].into_iter().collect(), ends: false };
        let request = upgrade(Body::source(Size::Unknown, Box::new(waiting)));
        let answer = b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
        backend.write_all(answer).await.unwrap();
        let response = connection.send(request, Shelf::default().give_back()).await.unwrap();
        tokio::task::yield_now().await;
        drop(response);
        read_head(&mut backend).await;
        let mut rest = Vec::new();
        backend.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"up", "then the end");
    });
}

#[test]
fn no_byte_of_a_tunnel_is_sent_before_it_is_granted() {
    run(async {
        let (connection, mut backend) = connect();
        let shelf = Shelf::default();
        let exchange = connection.send(upgrade(streamed(Size::Unknown, [data("up")])), shelf.give_back());
        let serve = async {
            read_head(&mut backend).await;
            backend.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno").await.unwrap();
            let early = tokio::time::timeout(Duration::from_secs(1), backend.read(&mut [0])).await;
            assert!(early.is_err(), "a refused tunnel's bytes would be read as a request: {early:?}");
        };
        let (answer, ()) = tokio::join!(exchange, serve);
        let mut response = answer.unwrap();
        assert_eq!(read_body(&mut response.body).await, Ok("no".to_owned()));
        assert!(shelf.take().is_some(), "the connection speaks HTTP still");
    });
}

#[test]
fn a_101_to_something_else_is_a_protocol_error() {
    for head in [
        "HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n",
        "HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n",
        "HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n",
    ] {
        run(async {
            let (connection, mut backend) = connect();
            backend.write_all(head.as_bytes()).await.unwrap();
            let failed =
                connection.send(upgrade(Body::empty()), Shelf::default().give_back()).await.unwrap_err();
            assert_eq!(failed.error.reason(), Reason::UpstreamProtocol, "RFC 9110 §15.2.2: {head:?}");
        });
    }
}

#[test]
fn connect_is_written_in_authority_form() {
    run(async {
        let (connection, mut backend) = connect();
        let mut connect = request(Method::CONNECT, streamed(Size::Unknown, [data("raw")]));
        connect.head.authority = Text::from_static("b:443");
        connect.head.path = Text::default();
        backend.write_all(b"HTTP/1.1 200 OK\r\n\r\nback").await.unwrap();
        let mut response = connection.send(connect, Shelf::default().give_back()).await.unwrap();
        let read = async {
            assert_eq!(read_head(&mut backend).await, "CONNECT b:443 HTTP/1.1\r\nhost: b:443\r\n\r\n");
            let mut raw = String::new();
            backend.read_to_string(&mut raw).await.unwrap();
            drop(backend);
            raw
        };
        let (raw, down) = tokio::join!(read, read_body(&mut response.body));
        assert_eq!((raw.as_str(), down), ("raw", Ok("back".to_owned())), "RFC 9110 §9.3.6");
    });
}

#[test]
fn an_extended_connect_becomes_an_upgrade_with_a_key() {
    run(async {
        let (connection, mut backend) = connect();
        let mut connect = upgrade(Body::empty());
        connect.head.method = Method::CONNECT;
        connect.head.version = Version::Http2;
        connect.head.headers.remove("sec-websocket-key");
        let answer =
            b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n";
        backend.write_all(answer).await.unwrap();
        let response = connection.send(connect, Shelf::default().give_back()).await.unwrap();
        let head = read_head(&mut backend).await;
        assert!(head.starts_with("GET /p HTTP/1.1\r\n"), "RFC 8441 §5: {head:?}");
        assert!(head.contains("sec-websocket-key: "), "RFC 6455 §4.1: {head:?}");
        assert!(!response.head.headers.contains_key("sec-websocket-accept"), "its client sent no key");
    });
}

#[test]
fn trailers_are_dropped_where_they_are_not_enabled() {
    run(async {
        let (here, mut backend) = tokio::io::duplex(1 << 16);
        let connection = H1Connection::new(Stream::from(here), Rc::new(H1ClientSettings::default()));
        backend
            .write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n")
            .await
            .unwrap();
        let mut response = connection.send(get(), Shelf::default().give_back()).await.unwrap();
        assert_eq!(read_body(&mut response.body).await, Ok("hi".to_owned()));
    });
}
