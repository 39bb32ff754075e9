//! A request as matchers and formats see it.

use http::header;

use crate::body::RequestHead;
use crate::fields::{Fields, Name};
use crate::observe::record::{Heads, RequestView};

/// The request's head for lookups.
#[must_use]
pub fn view(head: &RequestHead) -> RequestView<'_> {
    RequestView {
        method: head.method.as_str(),
        path: &head.path,
        authority: &head.authority,
        scheme: head.scheme.as_str(),
        headers: &head.headers,
    }
}

/// The heads of a request without response.
#[must_use]
pub fn heads(head: &RequestHead) -> Heads<'_> {
    Heads { request: Some(view(head)), response: None, trailers: None, local_reply_body: "" }
}

/// The path without query and fragment.
#[must_use]
pub fn path_only(path: &str) -> &str {
    let end = memchr::memchr2(b'?', b'#', path.as_bytes()).unwrap_or(path.len());
    &path[..end]
}

/// Whether the request is gRPC: `content-type: application/grpc`, alone or with a `+suffix`.
#[must_use]
pub fn is_grpc(headers: &Fields) -> bool {
    let Some(content_type) = headers.get(header::CONTENT_TYPE) else { return false };
    content_type
        .as_bytes()
        .strip_prefix(b"application/grpc")
        .is_some_and(|rest| matches!(rest.first(), None | Some(b'+')))
}

/// The value of a header as text; `None` when it is missing or not UTF-8.
#[must_use]
pub fn text<'a>(headers: &'a Fields, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| std::str::from_utf8(value.as_bytes()).ok())
}

/// Whether any `x-envoy-*` field is there that `wanted` names. One pass over the names costs less than looking up
/// each field that might be.
#[must_use]
pub fn has_envoy_fields(headers: &Fields, wanted: impl Fn(&[u8]) -> bool) -> bool {
    headers.keys().any(|name| is_envoy_field(name) && wanted(name.as_bytes()))
}

/// Removes those of the `x-envoy-*` fields that `unwanted` names, in one pass.
pub fn remove_envoy_fields(headers: &mut Fields, unwanted: impl Fn(&[u8]) -> bool) {
    headers.retain(|name, _| !(is_envoy_field(name) && unwanted(name.as_bytes())));
}

fn is_envoy_field(name: &Name) -> bool {
    name.as_bytes().starts_with(b"x-envoy-")
}

/// The value of a query parameter as it stands in `path`; the first of its name counts.
#[must_use]
pub fn query_parameter<'a>(path: &'a str, name: &str) -> Option<&'a str> {
    let (_, query) = path.split_once('?')?;
    let query = query.split_once('#').map_or(query, |(query, _)| query);
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then_some(value)
    })
}

/// The value of a cookie, without the quotes around it; spaces around it are its own, as in Envoy.
#[must_use]
pub fn cookie<'a>(headers: &'a Fields, name: &str) -> Option<&'a str> {
    headers.get_all(header::COOKIE).find_map(|field| {
        let text = std::str::from_utf8(field.as_bytes()).ok()?;
        text.split(';').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
            (key.trim_start() == name).then_some(bare)
        })
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn grpc_is_told_by_its_content_type() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/json", false),
        ] {
            let mut headers = Fields::new();
            headers.insert("content-type", HeaderValue::from_static(content_type));
            assert_eq!(is_grpc(&headers), expected, "{content_type}");
        }
    }

    #[test]
    fn query_parameters_are_found_undecoded() {
        for (path, expected) in [
            ("/p?a=1&a=2", Some("1")),
            ("/p?b=1&a", Some("")),
            ("/p?ba=1", None),
            ("/p", None),
            ("/p?a=%20#x", Some("%20")),
        ] {
            assert_eq!(query_parameter(path, "a"), expected, "{path}");
        }
    }

    #[test]
    fn a_cookie_is_found_in_any_field() {
        let mut headers = Fields::new();
        headers.append("cookie", HeaderValue::from_static("x=1; session=\"abc\""));
        headers.append("cookie", HeaderValue::from_static("y=2"));
        assert_eq!(cookie(&headers, "session"), Some("abc"));
        assert_eq!(cookie(&headers, "y"), Some("2"));
        assert_eq!(cookie(&headers, "z"), None);
    }
}
