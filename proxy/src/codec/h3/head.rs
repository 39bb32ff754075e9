//! Heads of HTTP/3 messages ⇄ ours (RFC 9114 §4.2 and §4.3).
//!
//! What RFC 9114 asks of a head is what RFC 9113 asks, but `h3` refuses less than `h2` does. One rule: a head that passed
//! here is one that could have come by HTTP/2.

use http::header::{CONNECTION, HeaderName, TE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;

use crate::body::{RequestHead, ResponseHead, Scheme, Version};
use crate::codec::h2::{self as h2_heads, HeadLimit};
use crate::error::{Error, Reason};

/// Fields that only a connection of HTTP/1.1 has (RFC 9114 §4.2).
const FORBIDDEN: [HeaderName; 5] = [
    CONNECTION,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
];

/// Our head for a request that arrived.
///
/// # Errors
/// `RequestHeadTooLarge` past `limit`, `DownstreamProtocol` for a head that RFC 9114 calls malformed.
pub fn from_request(parts: Parts, limit: HeadLimit) -> Result<Box<RequestHead>, Error> {
    if let Some(name) = FORBIDDEN.iter().find(|name| parts.headers.contains_key(*name)) {
        return Err(malformed(format!("http/3 request with the field {name}")));
    }
    if parts.headers.get(TE).is_some_and(|te| te != "trailers") {
        return Err(malformed("http/3 request with te other than trailers".to_owned()));
    }
    if parts.extensions.get::<h3::ext::Protocol>().is_some() {
        // Extended CONNECT is not offered (RFC 9220 §3).
        return Err(malformed("http/3 request with :protocol".to_owned()));
    }
    let mut head = h2_heads::from_request(parts, Scheme::Https, limit)?;
    head.version = Version::Http3;
    Ok(head)
}

/// The message for a response that leaves.
#[must_use]
pub fn to_response(head: ResponseHead) -> http::Response<()> {
    let mut response = h2_heads::to_response(head);
    *response.version_mut() = http::Version::HTTP_3;
    response
}

fn malformed(detail: String) -> Error {
    Error::new(Reason::DownstreamProtocol, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: HeadLimit = HeadLimit { bytes_max: 60 * 1024, fields_max: 100 };

    fn parts(fields: &[(&'static str, &'static str)]) -> Parts {
        let mut request = http::Request::builder().uri("https://a.test/x");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_request_arrives_as_it_would_by_http2() {
        let head =
            from_request(parts(&[("te", "trailers"), ("cookie", "a"), ("cookie", "b")]), LIMIT).unwrap();
        assert_eq!((head.version, head.scheme, &*head.authority), (Version::Http3, Scheme::Https, "a.test"));
        assert_eq!(head.headers.get(http::header::COOKIE).unwrap(), "a; b");
    }

    #[test]
    fn fields_of_a_connection_are_refused() {
        for field in [
            ("connection", "close"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "1"),
            ("proxy-connection", "close"),
            ("upgrade", "x"),
            ("te", "gzip"),
        ] {
            let refused = from_request(parts(&[field]), LIMIT).expect_err(field.0);
            assert_eq!(refused.reason(), Reason::DownstreamProtocol);
        }
    }
}
