//! Upgrades and CONNECT: granted, refused, cut.

use super::*;

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n";

async fn grant(request: Request) -> Response {
    assert_eq!(request.head.upgrade.as_deref(), Some("websocket"), "lower case, typed");
    assert!(!request.head.headers.contains_key("upgrade"), "not a field any more");
    let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS, Body::empty());
    response.body = request.body;
    response
}

#[test]
fn a_granted_upgrade_relays_raw_bytes_and_the_half_close() {
    let sent = [UPGRADE, b"early"].concat();
    let (answer, end) = converse(&settings(), grant, &sent);
    assert_eq!(
        answer, "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nearly",
        "RFC 9110 §7.8"
    );
    assert!(matches!(end, End::Tunnel), "{end:?}");
    assert_eq!(converse_slowly(&settings(), grant, &sent), answer);
}

#[test]
fn connect_is_a_tunnel_if_it_is_answered_2xx() {
    let handler = async |request: Request| {
        assert_eq!((request.head.authority.as_str(), request.head.path.as_str()), ("b:443", ""));
        let mut response = Response::new(StatusCode::OK, Body::empty());
        response.body = request.body;
        response
    };
    let (answer, _end) =
        converse(&settings(), handler, b"CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\nraw\n\n");
    assert_eq!(answer, "HTTP/1.1 200 OK\r\n\r\nraw\n\n", "RFC 9110 §9.3.6: no framing fields");
}

#[test]
fn bytes_after_a_refused_tunnel_are_never_read_as_a_request() {
    for head in [UPGRADE, b"CONNECT b:443 HTTP/1.1\r\nHost: b:443\r\n\r\n"] {
        let handler = async |request: Request| {
            assert_ne!(request.head.path.as_str(), "/smuggled");
            Response::new(StatusCode::FORBIDDEN, Body::empty())
        };
        let sent = [head, b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"].concat();
        let (answer, _end) = converse(&settings(), handler, &sent);
        assert_eq!(answer, "HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    }
}

#[test]
fn a_client_that_goes_away_after_a_refused_tunnel_is_noticed() {
    let handler = async |_request| {
        let mut response = Response::new(StatusCode::OK, Body::empty());
        let frames = Stuck(vec![Ok(Frame::Data(Bytes::from_static(b"begun")))]);
        response.body = Body::source(Size::Unknown, Box::new(frames));
        response
    };
    let (answer, end) = converse(&settings(), handler, UPGRADE);
    assert!(answer.ends_with("begun\r\n"), "{answer}");
    assert!(matches!(end, End::Cut(_)), "{end:?}");
}

/// Gives its frames and then waits for ever.
struct Stuck(Vec<Result<Frame, Error>>);

impl Source for Stuck {
    fn poll_frame(
        &mut self,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame, Error>>> {
        self.0.pop().map_or(std::task::Poll::Pending, |frame| std::task::Poll::Ready(Some(frame)))
    }
}

#[test]
fn a_tunnel_has_no_bytes_before_it_is_granted() {
    let handler = async |mut request: Request| {
        let early = tokio::time::timeout(Duration::from_millis(100), request.body.frame()).await;
        assert!(early.is_err(), "bytes before the grant: {early:?}");
        let mut response = Response::new(StatusCode::SWITCHING_PROTOCOLS, Body::empty());
        response.body = request.body;
        response
    };
    let (answer, _end) = converse(&settings(), handler, &[UPGRADE, b"x"].concat());
    assert!(answer.ends_with("\r\n\r\nx"), "{answer:?}");
}

#[test]
fn switching_without_being_asked_is_not_passed_on() {
    let handler = async |_: Request| Response::new(StatusCode::SWITCHING_PROTOCOLS, Body::empty());
    let (answer, _end) = converse(&settings(), handler, GET);
    assert!(answer.starts_with("HTTP/1.1 502 "), "{answer:?}");
}

#[test]
fn an_upgrade_with_a_body_is_not_taken_up() {
    let handler = async |request: Request| {
        assert_eq!(request.head.upgrade, None, "RFC 9110 §7.8: ignored");
        echo_body(request).await
    };
    let sent =
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: foo\r\nContent-Length: 2\r\n\r\nhi";
    let (answer, _end) = converse(&settings(), handler, sent);
    assert!(answer.ends_with("hi"), "{answer:?}");
}

#[test]
fn an_aborted_tunnel_ends_both_sides() {
    let handler = async |_: Request| {
        let broken = Err(Error::new(Reason::UpstreamClosed, "gone"));
        Response::new(StatusCode::SWITCHING_PROTOCOLS, frames(Size::Unknown, [data("a"), broken]))
    };
    let (answer, end) = converse(&settings(), handler, UPGRADE);
    assert!(answer.ends_with("\r\n\r\na"), "{answer:?}");
    assert!(matches!(end, End::Cut(_)), "{end:?}");
}
