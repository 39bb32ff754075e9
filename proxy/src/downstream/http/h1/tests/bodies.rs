//! Bodies in both directions: framing, trailers, `Expect`, back-pressure, early answers.

use super::*;

use crate::fields::Fields;

const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\n";

fn echoed(sent: &str) -> String {
    let (answer, _end) = converse(&settings(), echo_body, sent.as_bytes());
    assert_eq!(
        converse_slowly(&settings(), echo_body, sent.as_bytes()),
        answer,
        "one byte in each segment changes the answer for {sent:?}"
    );
    answer
}

fn chunked(body: &str) -> String {
    format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{body}")
}

#[test]
fn a_body_of_declared_length_arrives() {
    let answer = echoed(&format!("{HEAD}Content-Length: 5\r\n\r\nhello"));
    assert_eq!(body_of(&answer), "hello", "RFC 9112 §6.2");
}

#[test]
fn chunks_arrive_joined_without_extensions() {
    let cases = [
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", "hello"),
        ("0005\r\nhello\r\n000\r\n\r\n", "hello"),
        ("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("5;name=value\r\nhello\r\n0;last\r\n\r\n", "hello"),
        ("5;name=\"a;b\"\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5 ; name\r\nhello\r\n0\r\n\r\n", "hello"),
        ("0\r\n\r\n", ""),
    ];
    for (body, expected) in cases {
        let answer = echoed(&chunked(body));
        assert!(answer.starts_with("HTTP/1.1 200 "), "RFC 9112 §7.1: {body:?} gave {answer:?}");
        assert_eq!(body_of(&answer), expected, "RFC 9112 §7.1: {body:?}");
    }
}

#[test]
fn chunks_open_to_two_readings_are_refused() {
    let cases = [
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5\r\nhelloX\r\n0\r\n\r\n",
        "5\r\nhello0\r\n\r\n",
        "+5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        " 5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
        ";x\r\nhello\r\n0\r\n\r\n",
        "g\r\nhello\r\n0\r\n\r\n",
        "10000000000000000\r\nhello\r\n0\r\n\r\n",
        "5;a\rb\r\nhello\r\n0\r\n\r\n",
        "5;a\0\r\nhello\r\n0\r\n\r\n",
        "5_0\r\nhello\r\n0\r\n\r\n",
        "0\r\nX: y\n\r\n",
        "0\r\nX : y\r\n\r\n",
        "0\r\n folded\r\n\r\n",
        "0\r\nno colon\r\n\r\n",
    ];
    for body in cases {
        let answer = echoed(&chunked(body));
        assert!(answer.starts_with("HTTP/1.1 400 "), "RFC 9112 §7.1: {body:?} gave {answer:?}");
        assert!(answer.contains("connection: close\r\n"), "nothing after it is read: {answer:?}");
        assert_eq!(responses(&answer), 1, "{answer:?}");
    }
}

#[test]
fn chunk_framing_over_its_limits_is_refused() {
    let line = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(2000));
    let many = format!("{}0\r\n\r\n", format!("1;{}\r\nh\r\n", "x".repeat(900)).repeat(20));
    for body in [line, many] {
        let (answer, _end) = converse(&settings(), echo_body, chunked(&body).as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer:?}");
    }
    let trailers = format!("0\r\n{}\r\n", "x: y\r\n".repeat(4000));
    let (answer, _end) = converse(&settings(), echo_body, chunked(&trailers).as_bytes());
    assert!(answer.starts_with("HTTP/1.1 431 "), "trailers have the head's status: {answer:?}");
}

#[test]
fn request_trailers_arrive_without_what_frames_or_routes() {
    let body =
        "5\r\nhello\r\n0\r\nChecksum: 1\r\nContent-Length: 9\r\nHost: evil\r\nTransfer-Encoding: x\r\n\r\n";
    assert_eq!(body_of(&echoed(&chunked(body))), "hello|checksum=1", "RFC 9110 §6.5.1");
}

#[test]
fn trailers_are_dropped_where_they_are_not_enabled() {
    let off = H1Settings { enable_trailers: false, ..settings() };
    let (answer, _end) = converse(&off, echo_body, chunked("2\r\nhi\r\n0\r\nChecksum: 1\r\n\r\n").as_bytes());
    assert_eq!(body_of(&answer), "hi");
    let trailing = async |_: Request| {
        let mut trailers = Fields::new();
        trailers.insert("checksum", HeaderValue::from_static("1"));
        Response::new(StatusCode::OK, frames(Size::Unknown, [data("hi"), Ok(Frame::Trailers(trailers))]))
    };
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (answer, _end) = converse(&off, trailing, get);
    assert_eq!(body_of(&answer), "2\r\nhi\r\n0\r\n\r\n");
    let (answer, _end) = converse(&settings(), trailing, get);
    assert_eq!(body_of(&answer), "2\r\nhi\r\n0\r\nchecksum: 1\r\n\r\n", "enabled they pass");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let handler = async |request: Request| {
        // The first takes longest: order must come from the connection, not from speed.
        if request.head.path.as_str() == "/1" {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Response::new(StatusCode::OK, Body::full(request.head.path.as_str().to_owned()))
    };
    let sent: String = (1..=5).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n")).collect();
    let (answer, _end) = converse(&settings(), handler, sent.as_bytes());
    let order: Vec<&str> = answer.split("\r\n\r\n/").skip(1).map(|rest| &rest[..1]).collect();
    assert_eq!(order, ["1", "2", "3", "4", "5"], "RFC 9112 §9.3.2: {answer:?}");
}

#[test]
fn a_request_after_a_body_is_read_from_its_first_byte() {
    let sent = format!("{HEAD}Content-Length: 3\r\n\r\nabc{}", chunked("3\r\ndef\r\n0\r\n\r\n"));
    let (answer, _end) = converse(&settings(), echo_body, sent.as_bytes());
    assert_eq!(responses(&answer), 2, "{answer:?}");
    assert!(answer.contains("abc") && answer.ends_with("def"), "{answer:?}");
}

#[test]
fn expect_is_answered_when_the_body_is_asked_for() {
    run(async {
        let drain = Drain::new();
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let talk = async {
            client
                .write_all(format!("{HEAD}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n").as_bytes())
                .await
                .unwrap();
            let interim = read_until(&mut client, "\r\n\r\n").await;
            assert_eq!(interim, "HTTP/1.1 100 Continue\r\n\r\n", "RFC 9110 §10.1.1");
            client.write_all(b"hi").await.unwrap();
            let answer = read_until(&mut client, "hi").await;
            assert!(!answer.contains("connection: close"), "the connection goes on: {answer:?}");
            drop(client);
        };
        let settings = settings();
        tokio::join!(serve(Stream::from(server), &settings, drain.watch(), echo_body), talk);
    });
}

#[test]
fn expect_is_not_answered_if_nobody_asks_for_the_body() {
    let sent = format!("{HEAD}Expect: 100-continue\r\nContent-Length: 200000\r\n\r\n");
    let (answer, _end) = converse(&settings(), ok, sent.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "no 100 before it: {answer:?}");
    assert!(
        answer.contains("connection: close\r\n"),
        "whether the body comes is unknown, so the connection ends: {answer:?}"
    );
}

#[test]
fn expect_is_not_answered_if_the_body_is_here_already() {
    let sent = format!("{HEAD}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    let (answer, _end) = converse(&settings(), echo_body, sent.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 "), "RFC 9110 §10.1.1: {answer:?}");
}

#[test]
fn expect_does_not_reach_the_handler() {
    let sent = format!("{HEAD}Expect: 100-continue\r\nContent-Length: 2\r\n\r\nhi");
    let (answer, _end) = converse(&settings(), echo_head, sent.as_bytes());
    assert!(!body_of(&answer).contains("expect"), "{answer:?}");
}

#[test]
fn interim_responses_come_before_the_final_one() {
    let handler = async |request: Request| {
        let mut headers = Fields::new();
        headers.insert("link", HeaderValue::from_static("</a.css>"));
        request.interim.push(ResponseHead { status: StatusCode::EARLY_HINTS, headers });
        tokio::time::sleep(Duration::from_millis(10)).await;
        request.interim.push(ResponseHead { status: StatusCode::PROCESSING, headers: Fields::new() });
        Response::new(StatusCode::OK, Body::empty())
    };
    let (answer, _end) = converse(&settings(), handler, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        answer,
        "HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    );
}

#[test]
fn a_small_unread_body_is_skipped_and_the_connection_kept() {
    let sent = format!(
        "{HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
    );
    let (answer, _end) = converse(&settings(), ok, sent.as_bytes());
    assert_eq!(responses(&answer), 2, "{answer:?}");
    assert!(!answer.contains("connection: close"), "{answer:?}");
}

#[test]
fn a_large_unread_body_ends_the_connection() {
    let sent = format!("{HEAD}Content-Length: 100000\r\n\r\n{}", "x".repeat(100_000));
    let (answer, end) = converse(&settings(), ok, sent.as_bytes());
    assert!(answer.ends_with("connection: close\r\n\r\nok"), "the answer arrives: {answer:?}");
    assert!(matches!(end, End::Closed), "{end:?}");
}

#[test]
fn a_response_may_begin_before_the_request_ended() {
    run(async {
        let drain = Drain::new();
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let relay = async |request: Request| {
            let mut response = Response::new(StatusCode::OK, Body::empty());
            response.body = request.body;
            response
        };
        let talk = async {
            client.write_all(chunked("2\r\nab\r\n").as_bytes()).await.unwrap();
            let first = read_until(&mut client, "ab\r\n").await;
            assert!(first.contains("transfer-encoding: chunked"), "{first:?}");
            client.write_all(b"2\r\ncd\r\n0\r\n\r\n").await.unwrap();
            assert_eq!(read_until(&mut client, "0\r\n\r\n").await, "2\r\ncd\r\n0\r\n\r\n", "full duplex");
            client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
            read_until(&mut client, "\r\n\r\n").await;
            drop(client);
        };
        let settings = settings();
        tokio::join!(serve(Stream::from(server), &settings, drain.watch(), relay), talk);
    });
}

#[test]
fn a_body_that_nobody_polls_holds_the_client_back() {
    run(async {
        let drain = Drain::new();
        let (mut client, server) = tokio::io::duplex(1024);
        let handler = async |_request: Request| {
            std::future::pending::<()>().await;
            Response::new(StatusCode::OK, Body::empty())
        };
        let talk = async {
            client.write_all(format!("{HEAD}Content-Length: 9000000\r\n\r\n").as_bytes()).await.unwrap();
            let mut taken = 0;
            while let Ok(Ok(count)) =
                tokio::time::timeout(Duration::from_secs(1), client.write(&[0; 1024])).await
            {
                taken += count;
            }
            assert!(taken <= 64 * 1024, "{taken} bytes were taken that nobody asked for");
        };
        let settings = settings();
        tokio::select! {
            end = serve(Stream::from(server), &settings, drain.watch(), handler) => panic!("{end:?}"),
            () = talk => {}
        }
    });
}

#[test]
fn responses_without_a_body_say_so_as_their_status_demands() {
    let cases: [(&str, u16, Body, &str); 6] = [
        ("GET", 204, Body::empty(), "HTTP/1.1 204 No Content\r\n\r\n"),
        ("GET", 304, Body::empty(), "HTTP/1.1 304 Not Modified\r\n\r\n"),
        ("GET", 200, Body::empty(), "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"),
        ("HEAD", 200, Body::full("hello"), "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        ("HEAD", 200, frames(Size::Unknown, [data("x")]), "HTTP/1.1 200 OK\r\n\r\n"),
        ("GET", 599, Body::empty(), "HTTP/1.1 599 Unknown\r\ncontent-length: 0\r\n\r\n"),
    ];
    for (method, status, body, expected) in cases {
        let body = RefCell::new(Some(body));
        let handler = async |_: Request| {
            Response::new(StatusCode::from_u16(status).unwrap(), body.take().expect("asked once"))
        };
        let (answer, _end) =
            converse(&settings(), handler, format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(answer, expected, "RFC 9110 §8.6: {method} {status}");
    }
}

#[test]
fn a_declared_length_survives_head_and_304() {
    for (method, status) in [("HEAD", 200), ("GET", 304)] {
        let handler = async |_: Request| {
            let mut response = Response::new(StatusCode::from_u16(status).unwrap(), Body::empty());
            response.head.headers.insert("content-length", HeaderValue::from_static("77"));
            response
        };
        let (answer, _end) =
            converse(&settings(), handler, format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert!(answer.contains("content-length: 77\r\n"), "RFC 9110 §8.6: {answer:?}");
    }
}

#[test]
fn fields_of_this_hop_set_by_a_handler_do_not_go_out() {
    let handler = async |_: Request| {
        let mut response = Response::new(StatusCode::OK, Body::full("ok"));
        for (name, value) in [
            ("content-length", "7"),
            ("transfer-encoding", "chunked"),
            ("connection", "x"),
            ("keep-alive", "5"),
        ] {
            response.head.headers.insert(name, HeaderValue::from_static(value));
        }
        response
    };
    let (answer, _end) = converse(&settings(), handler, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", "the body decides its framing");
}

#[test]
fn large_bodies_arrive_whole() {
    let text = "0123456789abcdef".repeat(40_000);
    let sent = format!("{HEAD}Content-Length: {}\r\n\r\n{text}", text.len());
    let (answer, _end) = converse(&settings(), echo_body, sent.as_bytes());
    assert!(body_of(&answer) == text, "{} of {} bytes came back", body_of(&answer).len(), text.len());
}

#[test]
fn a_body_longer_or_shorter_than_declared_is_cut() {
    for body in [[data("abc"), data("def")], [data("a"), data("b")]] {
        let body = RefCell::new(Some(frames(Size::Exact(4), body)));
        let handler = async |_: Request| Response::new(StatusCode::OK, body.take().expect("asked once"));
        let (answer, end) = converse(&settings(), handler, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(matches!(end, End::Cut(_)), "{end:?}");
        assert!(body_of(&answer).len() < 4, "the client can tell: {answer:?}");
    }
}
