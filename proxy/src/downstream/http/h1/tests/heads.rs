//! Which heads are served, as what, and which are refused.

use super::*;

use crate::fields::Fields;

/// Asserts the status of the first response, sent at once and one byte in each segment.
fn expect(cases: &[(&str, &str, u16)]) {
    for (rule, sent, status) in cases {
        let (answer, _end) = converse(&settings(), echo_head, sent.as_bytes());
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{rule}: expected {status} for {sent:?}, got {answer:?}"
        );
        let slow = converse_slowly(&settings(), echo_head, sent.as_bytes());
        assert_eq!(slow, answer, "{rule}: one byte in each segment changes the answer for {sent:?}");
    }
}

#[test]
fn valid_heads_are_served() {
    expect(&[
        ("RFC 9112 §3 request line", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("RFC 9112 §2.2 empty line before", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("RFC 9110 §9.1 unknown method", "FROB / HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("RFC 9110 §9.3.7 OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("RFC 9112 §3.2.2 absolute form", "GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("RFC 9112 §3.2.2 https absolute form", "GET HTTPS://b/x HTTP/1.1\r\nHost: a\r\n\r\n", 200),
        ("RFC 9112 §3.2 host with port", "GET / HTTP/1.1\r\nHost: a:8080\r\n\r\n", 200),
        ("RFC 3986 §3.2.2 IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
        ("RFC 9110 §5.5 empty value", "GET / HTTP/1.1\r\nHost: a\r\nX:\r\n\r\n", 200),
        ("RFC 9110 §5.5 white space around", "GET / HTTP/1.1\r\nHost:   a \t\r\n\r\n", 200),
        ("RFC 9110 §5.5 obs-text", "GET / HTTP/1.1\r\nHost: a\r\nX: caf\u{e9}\r\n\r\n", 200),
        ("RFC 9112 §6.2 zero length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", 200),
        ("RFC 9110 §8.6 leading zeros", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 000\r\n\r\n", 200),
        (
            "RFC 9112 §7 coding in any case",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n",
            200,
        ),
        (
            "RFC 9110 §7.8 h2c is not taken up",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
            200,
        ),
    ]);
}

#[test]
fn start_lines_that_are_not_http_are_refused() {
    expect(&[
        ("RFC 9112 §3 lower-case version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §2.3 HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 426),
        ("RFC 9112 §2.3 HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 426),
        ("RFC 9112 §2.3 HTTP/0.9", "GET /\r\n\r\n", 400),
        ("RFC 9112 §3 two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3 trailing space", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2 space in target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2 tab as separator", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2 relative target", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 3986 §2 not ascii", "GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2 fragment", "GET /#x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2.2 other scheme", "GET ftp://b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 3986 §3.2.2 comma in the target's host", "GET http://a,b/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 3986 §3.2.2 quote in the target's host", "GET http://a'b/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 3986 §3.2.2 comma in connect", "CONNECT a,b:80 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2.2 no authority", "GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9110 §4.2.4 user information", "GET http://u@b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2.4 * without OPTIONS", "GET * HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2.3 CONNECT path", "CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9110 §9.3.6 CONNECT without port", "CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9110 §9.3.6 CONNECT bad port", "CONNECT a:99999 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9110 §9.1 method with colon", "GE:T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("TLS on a plain port", "\u{16}\u{3}\u{1}\u{2}", 400),
        ("RFC 9112 §2.2 many empty lines", "\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §2.2 leading space", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    ]);
}

#[test]
fn fields_open_to_two_readings_are_refused() {
    expect(&[
        ("RFC 9112 §2.2 bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400),
        ("RFC 9112 §2.2 bare LF in fields", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
        ("RFC 9112 §2.2 bare CR", "GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400),
        ("RFC 9112 §2.2 CR before the empty line", "GET / HTTP/1.1\r\nHost: a\r\n\r\r\n\r\n", 400),
        ("RFC 9110 §5.5 NUL", "GET / HTTP/1.1\r\nHost: a\r\nX: b\0c\r\n\r\n", 400),
        ("RFC 9112 §5.2 obs-fold", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
        ("RFC 9112 §5.2 obs-fold with tab", "GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n\tc\r\n\r\n", 400),
        ("RFC 9112 §5.1 space before colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (
            "RFC 9112 §5.1 space before colon of a length",
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length : 3\r\n\r\nabc",
            400,
        ),
        ("RFC 9110 §5.1 empty name", "GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", 400),
        ("RFC 9110 §5.1 no colon", "GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", 400),
        ("RFC 9110 §5.6.2 name with a slash", "GET / HTTP/1.1\r\nHost: a\r\nX/Y: b\r\n\r\n", 400),
        ("RFC 9112 §3.2 host missing", "GET / HTTP/1.1\r\n\r\n", 400),
        ("RFC 9112 §3.2 host missing in absolute form", "GET http://a/ HTTP/1.1\r\n\r\n", 400),
        ("RFC 9112 §3.2 host twice", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("RFC 9112 §3.2 host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
        ("RFC 9112 §3.2 host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("RFC 9112 §3.2 host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
        ("RFC 9112 §3.2 host with bad port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", 400),
        ("RFC 9112 §3.2 host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400),
        ("RFC 9112 §3.2 broken IPv6 host", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        ("RFC 9110 §7.6.1 host for one hop", "GET / HTTP/1.1\r\nHost: a\r\nConnection: host\r\n\r\n", 400),
        (
            "RFC 9110 §7.6.1 option that is no token",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: :path\r\n\r\n",
            400,
        ),
    ]);
}

#[test]
fn framing_open_to_two_readings_is_refused() {
    let post = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\nabc");
    let cases = [
        ("RFC 9112 §6.3 list of lengths", "Content-Length: 3, 3", 400),
        ("RFC 9112 §6.3 lengths that agree", "Content-Length: 3\r\nContent-Length: 3", 400),
        ("RFC 9112 §6.3 lengths that differ", "Content-Length: 3\r\nContent-Length: 4", 400),
        ("RFC 9110 §8.6 plus sign", "Content-Length: +3", 400),
        ("RFC 9110 §8.6 minus sign", "Content-Length: -3", 400),
        ("RFC 9110 §8.6 hexadecimal", "Content-Length: 0x3", 400),
        ("RFC 9110 §8.6 empty", "Content-Length:", 400),
        ("RFC 9110 §8.6 inner space", "Content-Length: 3 3", 400),
        ("RFC 9110 §8.6 over 2^64", "Content-Length: 18446744073709551616", 400),
        ("RFC 9112 §6.1 both", "Content-Length: 3\r\nTransfer-Encoding: chunked", 400),
        ("RFC 9112 §6.1 both, the other way", "Transfer-Encoding: chunked\r\nContent-Length: 3", 400),
        ("RFC 9112 §6.1 other coding", "Transfer-Encoding: gzip", 501),
        ("RFC 9112 §6.1 chunked not last", "Transfer-Encoding: chunked, gzip", 501),
        ("RFC 9112 §6.1 gzip, chunked", "Transfer-Encoding: gzip, chunked", 501),
        ("RFC 9112 §6.1 chunked twice", "Transfer-Encoding: chunked, chunked", 501),
        ("RFC 9112 §6.1 two fields", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", 501),
        ("RFC 9112 §6.1 identity", "Transfer-Encoding: identity", 501),
        ("RFC 9112 §6.1 empty coding", "Transfer-Encoding:", 501),
        ("RFC 9112 §7 quoted coding", "Transfer-Encoding: \"chunked\"", 501),
        ("RFC 9112 §7 coding with a vertical tab", "Transfer-Encoding: \u{b}chunked", 400),
        ("RFC 9112 §7 coding with a parameter", "Transfer-Encoding: chunked;x=1", 501),
    ];
    for (rule, fields, status) in cases {
        expect(&[(rule, &post(fields), status)]);
    }
    expect(&[
        (
            "RFC 9110 §9.3.6 CONNECT with a body",
            "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\n\r\nabc",
            400,
        ),
        (
            "RFC 9110 §9.3.6 CONNECT with chunks",
            "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            501,
        ),
    ]);
}

#[test]
fn heads_over_a_limit_are_answered_431() {
    let tight = H1Settings { head_bytes_max: 200, headers_count_max: 3, ..settings() };
    let long = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(300));
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(300));
    let endless = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(300));
    let many = "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n";
    for sent in [long.as_str(), &long_target, &endless, many] {
        let (answer, end) = converse(&tight, echo_head, sent.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 431 "), "expected 431 for {sent:?}, got {answer:?}");
        assert!(
            matches!(&end, End::Refused(error) if error.reason() == Reason::RequestHeadTooLarge),
            "the caller learns why: {end:?}"
        );
        assert_eq!(converse_slowly(&tight, echo_head, sent.as_bytes()), answer, "segments change nothing");
    }
    let fits = "GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\n\r\n";
    let (answer, _end) = converse(&tight, echo_head, fits.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 "), "three fields are accepted: {answer:?}");
    let more = H1Settings { headers_count_max: 300, ..settings() };
    let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(250));
    let (answer, _end) = converse(&more, ok, many.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200 "), "a raised limit holds: {answer:?}");
}

#[test]
fn a_refusal_says_its_reason_and_closes() {
    let (answer, end) = converse(&settings(), ok, b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(
        answer,
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 11\r\nconnection: close\r\n\r\nBad Request",
        "nothing is served after a request that could not be read"
    );
    assert!(matches!(end, End::Refused(error) if error.reason() == Reason::DownstreamProtocol));
}

#[test]
fn the_caller_can_word_refusals() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let noted = Rc::clone(&seen);
    let refusal: Rc<dyn Fn(&Refusal) -> Response> = Rc::new(move |refusal| {
        noted.borrow_mut().push((refusal.status, refusal.error.reason()));
        Response::new(refusal.status, Body::empty())
    });
    let worded = H1Settings { refusal: Some(refusal), ..settings() };
    let (answer, _end) = converse(&worded, ok, b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(answer, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    assert_eq!(*seen.borrow(), [(StatusCode::BAD_REQUEST, Reason::DownstreamProtocol)]);
}

#[test]
fn targets_and_fields_arrive_normalised() {
    let cases = [
        ("GET /p?q=1 HTTP/1.1\r\nHost: a\r\n\r\n", "GET http a /p?q=1 HTTP/1.1"),
        ("GET http://b:8080/p HTTP/1.1\r\nHost: a\r\n\r\n", "GET http b:8080 /p HTTP/1.1"),
        ("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", "GET http b / HTTP/1.1"),
        ("GET https://b?q HTTP/1.1\r\nHost: a\r\n\r\n", "GET https b /?q HTTP/1.1"),
        ("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS http b * HTTP/1.1"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Drop, keep-alive\r\nX-Drop: 1\r\nKeep-Alive: 5\r\n\
             Proxy-Connection: keep-alive\r\nX-Keep: 2\r\n\r\n",
            "GET http a / HTTP/1.1|x-keep=2",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nTE: gzip;q=0.5, trailers;q=1\r\nConnection: te\r\n\r\n",
            "GET http a / HTTP/1.1|te=trailers",
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nTE: gzip\r\n\r\n", "GET http a / HTTP/1.1"),
        ("GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n", "GET http a / HTTP/1.1"),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: content-length\r\nContent-Length: 0\r\n\r\n",
            "GET http a / HTTP/1.1|content-length=0",
        ),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n", "GET http a / HTTP/1.1|x=1|x=2"),
    ];
    for (sent, expected) in cases {
        let (answer, _end) = converse(&settings(), echo_head, sent.as_bytes());
        assert_eq!(body_of(&answer), expected, "as understood from {sent:?}");
    }
}

#[test]
fn http_10_is_served_only_where_it_is_accepted() {
    let sent = b"GET /x HTTP/1.0\r\n\r\n";
    let (answer, end) = converse(&settings(), echo_head, sent);
    assert!(answer.starts_with("HTTP/1.1 426 Upgrade Required\r\n"), "as Envoy: {answer:?}");
    assert!(matches!(end, End::Refused(error) if error.reason() == Reason::VersionNotSupported));

    let accepting = H1Settings { accept_http_10: true, ..settings() };
    let (answer, _end) = converse(&accepting, echo_head, sent);
    assert!(answer.starts_with("HTTP/1.0 200 OK\r\n"), "in its own version: {answer:?}");
    assert!(answer.contains("connection: close\r\n"), "it is closed after: {answer:?}");
    assert_eq!(body_of(&answer), "GET http  /x HTTP/1.0", "without a host the authority is empty");

    let named = H1Settings { default_host_for_http_10: Some("d".into()), ..accepting };
    let (answer, _end) = converse(&named, echo_head, sent);
    assert_eq!(body_of(&answer), "GET http d /x HTTP/1.0", "the default host stands in");
}

#[test]
fn http_10_keeps_the_connection_only_if_asked() {
    let accepting = H1Settings { accept_http_10: true, ..settings() };
    let twice = b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n";
    let (answer, _end) = converse(&accepting, ok, twice);
    assert_eq!(responses(&answer), 2, "{answer:?}");
    assert!(answer.contains("connection: keep-alive\r\n"), "kept ones say so: {answer:?}");
    let once = b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n";
    let (answer, _end) = converse(&accepting, ok, once);
    assert_eq!(responses(&answer), 1, "{answer:?}");
}

#[test]
fn http_10_gets_neither_chunks_nor_interim_responses() {
    let accepting = H1Settings { accept_http_10: true, ..settings() };
    let handler = async |request: Request| {
        request.interim.push(ResponseHead { status: StatusCode::EARLY_HINTS, headers: Fields::new() });
        Response::new(StatusCode::OK, frames(Size::Unknown, [data("a"), data("b")]))
    };
    let (answer, _end) = converse(&accepting, handler, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_eq!(
        answer, "HTTP/1.0 200 OK\r\nconnection: close\r\n\r\nab",
        "a body of unknown length ends with the connection"
    );
}

#[test]
fn http_10_with_transfer_encoding_is_refused() {
    let accepting = H1Settings { accept_http_10: true, ..settings() };
    let sent = b"POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    let (answer, _end) = converse(&accepting, ok, sent);
    assert!(answer.starts_with("HTTP/1.1 400 "), "RFC 9112 §6.1: {answer:?}");
}

#[test]
fn the_version_of_a_request_reaches_the_handler() {
    let handler = async |request: Request| {
        assert_eq!(request.head.version, Version::Http11);
        Response::new(StatusCode::OK, Body::empty())
    };
    let (answer, _end) = converse(&settings(), handler, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_eq!(answer, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
}
