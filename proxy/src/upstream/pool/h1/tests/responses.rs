//! Which responses are understood, as what, and whether the connection may serve again.

use super::*;

type Expected = Result<(u16, &'static str, bool), Reason>;

fn expect(method: &Method, cases: &[(&str, &str, Expected)]) {
    for (rule, script, expected) in cases {
        let expected = expected.map(|(status, body, back)| (status, body.to_owned(), back));
        assert_eq!(answer(script.as_bytes(), method), expected, "{rule}: {script:?}");
    }
}

#[test]
fn bodies_end_where_their_framing_says() {
    expect(
        &Method::GET,
        &[
            ("RFC 9112 §6.2 length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", Ok((200, "hi", true))),
            ("RFC 9112 §6.2 zero", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", Ok((200, "", true))),
            (
                "RFC 9112 §7.1 chunks",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n",
                Ok((200, "hi", true)),
            ),
            (
                "RFC 9112 §7.1.2 trailers",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: y\r\n\r\n",
                Ok((200, "hi|x=y", true)),
            ),
            ("RFC 9112 §6.3 until close", "HTTP/1.1 200 OK\r\n\r\nhi", Ok((200, "hi", false))),
            ("RFC 9112 §6.3 204", "HTTP/1.1 204 No Content\r\n\r\n", Ok((204, "", true))),
            (
                "RFC 9110 §8.6 204 with a zero length",
                "HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n",
                Ok((204, "", true)),
            ),
            (
                "RFC 9112 §6.3 304",
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
                Ok((304, "", true)),
            ),
            ("RFC 9112 §4 no reason", "HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nhi", Ok((200, "hi", true))),
            (
                "RFC 9112 §4 unknown status",
                "HTTP/1.1 299 X\r\nContent-Length: 2\r\n\r\nhi",
                Ok((299, "hi", true)),
            ),
            (
                "RFC 9110 §15.2 interim",
                "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                Ok((200, "hi", true)),
            ),
        ],
    );
    expect(
        &Method::HEAD,
        &[
            ("RFC 9112 §6.3 HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Ok((200, "", true))),
            (
                "RFC 9112 §6.3 HEAD chunked",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                Ok((200, "", true)),
            ),
        ],
    );
}

#[test]
fn a_connection_in_doubt_does_not_come_back() {
    expect(
        &Method::GET,
        &[
            (
                "RFC 9112 §9.6 close",
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
                Ok((200, "hi", false)),
            ),
            (
                "RFC 9112 §9.3 HTTP/1.0",
                "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
                Ok((200, "hi", false)),
            ),
            (
                "RFC 9112 §9.3 HTTP/1.0 keep-alive",
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi",
                Ok((200, "hi", false)),
            ),
            (
                "RFC 9112 §9.6 chunked close",
                "HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                Ok((200, "", false)),
            ),
        ],
    );
    // Bytes that nobody asked for could be taken for the next response.
    for script in [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiX",
        "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
    ] {
        let (_, _, back) = answer_cut(script.as_bytes(), &Method::GET, false).expect("it is answered");
        assert!(!back, "{script:?}");
    }
}

#[test]
fn hostile_responses_are_protocol_errors() {
    let bad = Err(Reason::UpstreamProtocol);
    expect(
        &Method::GET,
        &[
            (
                "RFC 9112 §6.3 both",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                bad,
            ),
            (
                "RFC 9112 §6.3 two lengths",
                "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nhi",
                bad,
            ),
            ("RFC 9110 §8.6 sign", "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nhi", bad),
            (
                "RFC 9112 §6.3 both, without a body",
                "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
                bad,
            ),
            ("RFC 9112 §6.1 other coding", "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", bad),
            (
                "RFC 9112 §6.1 in HTTP/1.0",
                "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                bad,
            ),
            ("RFC 9112 §2.2 bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", bad),
            ("RFC 9112 §5.2 obs-fold", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", bad),
            ("RFC 9112 §5.1 space before colon", "HTTP/1.1 200 OK\r\nContent-Length : 2\r\n\r\nhi", bad),
            ("RFC 9112 §4 no version", "200 OK\r\n\r\n", bad),
            ("RFC 9112 §4 HTTP/2", "HTTP/2 200\r\n\r\n", bad),
            ("RFC 9112 §4 short status", "HTTP/1.1 20 OK\r\n\r\n", bad),
            ("RFC 9112 §4 status zero", "HTTP/1.1 000 OK\r\n\r\n", bad),
            ("RFC 9112 §7.1 chunk sign", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+1\r\n", bad),
            ("RFC 9112 §7.1 chunk end", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab", bad),
            (
                "RFC 9110 §15.2.2 unasked 101",
                "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
                bad,
            ),
            (
                "RFC 9110 §15.3.5 204 with a length",
                "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
                bad,
            ),
            (
                "RFC 9112 §6.1 204 with chunks",
                "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
                bad,
            ),
            (
                "RFC 9110 §15.2 interim with a length",
                "HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\n\r\n",
                bad,
            ),
            ("other protocol", "SSH-2.0-OpenSSH_9.2\r\n", bad),
        ],
    );
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(70_000));
    assert_eq!(answer_cut(endless.as_bytes(), &Method::GET, false), Err(Reason::UpstreamProtocol));
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(200));
    assert_eq!(answer_cut(many.as_bytes(), &Method::GET, false), Err(Reason::UpstreamProtocol));
    let flood = "HTTP/1.1 102 Processing\r\n\r\n".repeat(1000);
    assert_eq!(answer_cut(flood.as_bytes(), &Method::GET, false), Err(Reason::UpstreamProtocol));
}

#[test]
fn a_response_that_is_cut_short_is_an_error() {
    let closed = Err(Reason::UpstreamClosed);
    expect(
        &Method::GET,
        &[
            ("no byte", "", closed),
            ("within the head", "HTTP/1.1 200 OK\r\nContent-", Err(Reason::UpstreamProtocol)),
            ("RFC 9112 §8 within a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", closed),
            (
                "RFC 9112 §8 within chunks",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
                closed,
            ),
            (
                "RFC 9112 §8 before the last chunk",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
                closed,
            ),
            (
                "RFC 9112 §8 within trailers",
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: y\r\n",
                closed,
            ),
            ("after an interim response", "HTTP/1.1 103 Early Hints\r\n\r\n", closed),
        ],
    );
}

#[test]
fn interim_responses_are_passed_on_but_100() {
    run(async {
        let (connection, mut backend) = connect();
        backend
            .write_all(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n")
            .await
            .unwrap();
        let request = get();
        let interim = request.interim.clone();
        connection.send(request, Shelf::default().give_back()).await.unwrap();
        let first = std::future::poll_fn(|cx| interim.poll_next(cx)).await;
        assert_eq!(first.status, StatusCode::EARLY_HINTS);
        assert_eq!(first.headers.get("link"), Some(&HeaderValue::from_static("x")));
    });
}

#[test]
fn fields_for_this_hop_do_not_pass() {
    run(async {
        let (connection, mut backend) = connect();
        let head = "HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nX: 2\r\nContent-Length: 0\r\n\r\n";
        backend.write_all(head.as_bytes()).await.unwrap();
        let response = connection.send(get(), Shelf::default().give_back()).await.unwrap();
        let mut names: Vec<&str> = response.head.headers.keys().map(crate::fields::Name::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-length", "x"], "RFC 9110 §7.6.1");
    });
}

#[test]
fn a_connection_serves_many_requests() {
    run(async {
        let (mut connection, mut backend) = connect();
        let shelf = Shelf::default();
        for served in 0..5 {
            assert_eq!(connection.served(), served);
            assert!(connection.is_open());
            let exchange = connection.send(get(), shelf.give_back());
            let serve = async {
                read_head(&mut backend).await;
                backend.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").await.unwrap();
            };
            tokio::join!(exchange, serve).0.unwrap();
            connection = shelf.take().expect("it comes back with the whole response");
        }
    });
}

#[test]
fn an_idle_connection_notices_its_end_and_what_nobody_asked_for() {
    run(async {
        let (mut connection, mut backend) = used().await;
        assert!(connection.is_open());
        backend.write_all(b"HTTP/1.1 408 Request Timeout\r\n\r\n").await.unwrap();
        assert!(!connection.is_open(), "bytes beforehand are no answer");

        let (mut connection, backend) = used().await;
        drop(backend);
        std::future::poll_fn(|cx| connection.poll_closed(cx)).await;
        assert!(!connection.is_open(), "closed");
    });
}

#[test]
fn a_dropped_response_closes_the_connection() {
    run(async {
        let (connection, mut backend) = connect();
        let shelf = Shelf::default();
        backend.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi").await.unwrap();
        let response = connection.send(get(), shelf.give_back()).await.unwrap();
        drop(response);
        assert!(shelf.take().is_none(), "it does not come back");
        read_head(&mut backend).await;
        assert_eq!(backend.read(&mut [0]).await.unwrap(), 0, "the backend sees the end");
    });
}

#[test]
fn the_connection_comes_back_with_the_last_byte() {
    run(async {
        let (connection, mut backend) = connect();
        let shelf = Shelf::default();
        backend.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhi").await.unwrap();
        let mut response = connection.send(get(), shelf.give_back()).await.unwrap();
        assert_eq!(response.body.size(), Size::Exact(4));
        response.body.frame().await;
        assert!(shelf.take().is_none(), "not before");
        backend.write_all(b"ho").await.unwrap();
        response.body.frame().await;
        assert!(shelf.take().is_some(), "a known length needs no further poll");
        assert!(response.body.frame().await.is_none());
    });
}
