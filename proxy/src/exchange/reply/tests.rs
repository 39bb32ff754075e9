use http::StatusCode;

use super::{Asked, of_error, response};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::policy::reply::Reply;

const PLAIN: Asked = Asked { grpc: false, head: false, complete: true, retried: false };

#[test]
fn errors_are_answered_in_envoys_words() {
    let incomplete = Asked { complete: false, ..PLAIN };
    let retried = Asked { retried: true, ..PLAIN };
    for (reason, asked, status, text) in [
        (Reason::NoRoute, PLAIN, 404, ""),
        (Reason::NoHealthyUpstream, PLAIN, 503, "no healthy upstream"),
        (
            Reason::ConnectFailed,
            PLAIN,
            503,
            "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure",
        ),
        (
            Reason::ConnectFailed,
            retried,
            503,
            "upstream connect error or disconnect/reset before headers. retried and the latest reset reason: \
             remote connection failure",
        ),
        (Reason::UpstreamTimeout, retried, 504, "upstream request timeout"),
        (Reason::MaxDuration, PLAIN, 504, "downstream duration timeout"),
        (Reason::MaxDuration, incomplete, 408, "downstream duration timeout"),
        (Reason::StreamIdleTimeout, PLAIN, 504, "stream timeout"),
        (Reason::StreamIdleTimeout, incomplete, 408, "stream timeout"),
        (Reason::UpgradeNotAllowed, PLAIN, 403, ""),
    ] {
        let reply = of_error(&Error::from(reason), asked);
        assert_eq!((reply.status.as_u16(), &*reply.body), (status, text.as_bytes()), "{reason:?}");
    }
}

#[test]
fn grpc_requests_get_trailers_only() {
    let grpc = Asked { grpc: true, ..PLAIN };
    for (reason, status, message) in [
        (Reason::NoRoute, "12", None),
        (Reason::NoHealthyUpstream, "14", Some("no healthy upstream")),
        (Reason::MaxDuration, "4", Some("downstream duration timeout")),
        (Reason::UpgradeNotAllowed, "7", None),
    ] {
        let reply = of_error(&Error::from(reason), grpc);
        let response = response(&reply, Fields::new(), grpc);
        let headers = &response.head.headers;
        assert_eq!(
            (response.head.status, &headers["content-type"]),
            (StatusCode::OK, &"application/grpc".parse().unwrap())
        );
        assert_eq!(headers["grpc-status"], status, "{reason:?}");
        assert_eq!(headers.get("grpc-message").map(|value| value.to_str().unwrap()), message, "{reason:?}");
        assert!(response.body.is_done());
    }
}

#[test]
fn a_grpc_message_is_percent_encoded() {
    let reply = Reply { body: "50% é\n".into(), ..Reply::status(StatusCode::NOT_FOUND, "") };
    let response = response(&reply, Fields::new(), Asked { grpc: true, ..PLAIN });
    assert_eq!(response.head.headers["grpc-message"], "50%25 %C3%A9%0A");
}

#[test]
fn head_requests_get_the_length_without_the_body() {
    let reply = Reply { body: "hello".into(), ..Reply::status(StatusCode::OK, "") };
    let mut fields = Fields::new();
    fields.insert("content-type", "text/html".parse().unwrap());
    let response = response(&reply, fields, Asked { head: true, ..PLAIN });
    assert_eq!(response.head.headers["content-length"], "5");
    assert_eq!(response.head.headers["content-type"], "text/html", "a route's type is kept");
    assert!(response.body.is_done());
}
