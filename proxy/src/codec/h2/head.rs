//! Heads of HTTP/2 messages ⇄ ours (RFC 9113 §8.2 and §8.3, RFC 8441).
//!
//! `h2` has already refused connection-specific fields, upper-case names, missing or repeated pseudo fields and a
//! wrong `content-length`. What is left to decide here: one authority, one cookie field, upgrades.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, COOKIE, HOST, HeaderMap, HeaderValue};
use http::{Method, StatusCode, Uri, request, response, uri};

use super::limit::HeadLimit;
use crate::body::{RequestHead, ResponseHead, Scheme, Size, Text, Version};
use crate::error::{Error, Reason};
use crate::fields::Fields;

/// Our head for a request that arrived. `connection_scheme` serves where `h2` drops `:scheme`, which it does for a
/// request that names its host by `host` alone.
///
/// # Errors
/// `RequestHeadTooLarge` past `limit`, `DownstreamProtocol` for a head without one valid authority.
pub fn from_request(
    parts: request::Parts,
    connection_scheme: Scheme,
    limit: HeadLimit,
) -> Result<Box<RequestHead>, Error> {
    let request::Parts { method, uri, mut headers, extensions, .. } = parts;
    if let Some(excess) = limit.excess(request_pseudo_bytes(&method, &uri), &headers) {
        return Err(Error::new(Reason::RequestHeadTooLarge, format!("http/2 request with {excess}")));
    }
    let upgrade = extensions
        .get::<h2::ext::Protocol>()
        .map(|protocol| Text::from(protocol.as_str().to_ascii_lowercase()));
    let tunnel_to_authority = method == Method::CONNECT && upgrade.is_none();
    let authority = authority(&uri, &mut headers)?;
    let scheme = match uri.scheme_str() {
        Some("http") => Scheme::Http,
        Some("https") => Scheme::Https,
        Some(other) => {
            return Err(malformed(format!("http/2 request with :scheme {other:?}, http or https accepted")));
        }
        None => connection_scheme,
    };
    let path = if tunnel_to_authority { Text::default() } else { path(&method, &uri)? };
    join_cookies(&mut headers)?;
    // RFC 8441 is HTTP/1.1's upgrade in other words; inside the proxy an upgrade is a GET that asks for a protocol.
    let method = if upgrade.is_some() { Method::GET } else { method };
    let headers = headers.into();
    Ok(Box::new(RequestHead { method, scheme, authority, path, version: Version::Http2, headers, upgrade }))
}

fn request_pseudo_bytes(method: &Method, uri: &Uri) -> usize {
    let field = |name: &str, value: Option<&str>| value.map_or(0, |value| name.len() + value.len());
    field(":method", Some(method.as_str()))
        + field(":scheme", uri.scheme_str())
        + field(":authority", uri.authority().map(uri::Authority::as_str))
        + field(":path", uri.path_and_query().map(uri::PathAndQuery::as_str))
}

/// `:authority` wins over `host`, as in Envoy; without it there must be exactly one `host`.
fn authority(uri: &Uri, headers: &mut HeaderMap) -> Result<Text, Error> {
    let authority = match uri.authority() {
        Some(authority) => {
            headers.remove(HOST);
            Text::from(authority.as_str())
        }
        None => {
            let mut hosts = headers.get_all(HOST).iter();
            let (Some(host), None) = (hosts.next(), hosts.next()) else {
                return Err(malformed("http/2 request without one :authority or host"));
            };
            let text = Text::from_utf8(Bytes::copy_from_slice(host.as_bytes()))
                .filter(|text| text.parse::<uri::Authority>().is_ok())
                .ok_or_else(|| malformed(format!("http/2 request with host {host:?}")))?;
            headers.remove(HOST);
            text
        }
    };
    if authority.contains('@') {
        // RFC 9113 §8.3.1: no userinfo, which would let two readers see two hosts.
        return Err(malformed("http/2 request with userinfo in its authority"));
    }
    Ok(authority)
}

fn path(method: &Method, uri: &Uri) -> Result<Text, Error> {
    let path = uri.path_and_query().map_or("", uri::PathAndQuery::as_str);
    if path.starts_with('/') || (path == "*" && method == Method::OPTIONS) {
        Ok(Text::from(path))
    } else {
        Err(malformed(format!("http/2 request with :path {path:?}, an absolute path accepted")))
    }
}

/// RFC 9113 §8.2.3: cookie crumbs are one field for everybody who is not HTTP/2.
fn join_cookies(headers: &mut HeaderMap) -> Result<(), Error> {
    let mut crumbs = headers.get_all(COOKIE).iter();
    if crumbs.by_ref().nth(1).is_none() {
        return Ok(());
    }
    let crumbs: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    let joined = HeaderValue::from_maybe_shared(Bytes::from(crumbs.join(&b"; "[..])))
        .map_err(|_| malformed("http/2 request with cookies that cannot be joined"))?;
    headers.insert(COOKIE, joined);
    Ok(())
}

fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Reason::DownstreamProtocol, detail)
}

/// The message for a request that leaves. An upgrade becomes an extended CONNECT (RFC 8441 §5).
///
/// # Errors
/// `DownstreamProtocol` when authority or path cannot stand in HTTP/2.
pub fn to_request(head: RequestHead) -> Result<http::Request<()>, Error> {
    let RequestHead { method, scheme, authority, path, version: _, headers, upgrade } = head;
    let mut parts = uri::Parts::default();
    parts.authority =
        Some(uri::Authority::from_maybe_shared(authority.as_bytes().clone()).map_err(|_| {
            malformed(format!("authority {:?} cannot be sent over http/2", authority.as_str()))
        })?);
    if method != Method::CONNECT || upgrade.is_some() {
        parts.scheme = Some(match scheme {
            Scheme::Http => uri::Scheme::HTTP,
            Scheme::Https => uri::Scheme::HTTPS,
        });
        parts.path_and_query = Some(
            uri::PathAndQuery::from_maybe_shared(path.as_bytes().clone())
                .map_err(|_| malformed(format!("path {:?} cannot be sent over http/2", path.as_str())))?,
        );
    }
    let uri = Uri::from_parts(parts).map_err(|why| malformed(format!("request target: {why}")))?;
    let mut request = http::Request::new(());
    *request.version_mut() = http::Version::HTTP_2;
    *request.uri_mut() = uri;
    *request.headers_mut() = leaving(headers);
    *request.method_mut() = if upgrade.is_some() { Method::CONNECT } else { method };
    if let Some(protocol) = upgrade {
        request.extensions_mut().insert(h2::ext::Protocol::from(protocol.as_str()));
    }
    Ok(request)
}

/// Fields whose value is another one for each message.
const ONCE_ONLY: [&str; 3] = ["x-request-id", "x-envoy-upstream-service-time", "traceparent"];

/// Fields as `h2` takes them. A value that will not come again must not push others out of the peer's table, nor be
/// put into ours: it is sent as a literal that is never indexed (RFC 7541 §6.2.3).
fn leaving(fields: Fields) -> HeaderMap {
    let mut map = HeaderMap::from(fields);
    for name in ONCE_ONLY {
        if let Some(value) = map.get_mut(name) {
            value.set_sensitive(true);
        }
    }
    map
}

/// Our head for a response that arrived to a request which asked for an upgrade or not.
///
/// # Errors
/// `UpstreamProtocol` past `limit`, and for 101, which HTTP/2 does not have.
pub fn from_response(
    parts: response::Parts,
    asked_upgrade: bool,
    limit: HeadLimit,
) -> Result<ResponseHead, Error> {
    let response::Parts { status, headers, .. } = parts;
    if let Some(excess) = limit.excess(":status200".len(), &headers) {
        return Err(Error::new(Reason::UpstreamProtocol, format!("http/2 response with {excess}")));
    }
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::new(Reason::UpstreamProtocol, "http/2 response with status 101"));
    }
    let status =
        if asked_upgrade && status == StatusCode::OK { StatusCode::SWITCHING_PROTOCOLS } else { status };
    Ok(ResponseHead { status, headers: headers.into() })
}

/// The message for a response that leaves; 101 becomes 200 (RFC 8441 §5).
#[must_use]
pub fn to_response(head: ResponseHead) -> http::Response<()> {
    let ResponseHead { status, headers } = head;
    let mut response = http::Response::new(());
    *response.version_mut() = http::Version::HTTP_2;
    *response.status_mut() = if status == StatusCode::SWITCHING_PROTOCOLS { StatusCode::OK } else { status };
    *response.headers_mut() = leaving(headers);
    response
}

/// The message for an interim response; `None` for what may not be sent as one: 101, or a final status.
#[must_use]
pub fn to_interim(head: ResponseHead) -> Option<http::Response<()>> {
    let ResponseHead { status, headers } = head;
    if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
        return None;
    }
    let mut response = http::Response::new(());
    *response.status_mut() = status;
    *response.headers_mut() = headers.into();
    Some(response)
}

/// What a head says about the length of the body behind it.
#[must_use]
pub fn declared_size(headers: &Fields, ended: bool) -> Size {
    if ended {
        return Size::Exact(0);
    }
    headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok())
        .map_or(Size::Unknown, Size::Exact)
}
