//! Sessions that stay at an endpoint (`envoy.filters.http.stateful_session`): its address is with the client, in a
//! cookie or a field.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::SET_COOKIE;
use http::{HeaderName, HeaderValue};
use prost::Message as _;
use xds::model::{SessionState, StatefulSession};

use crate::body::RequestHead;
use crate::error::Invalid;
use crate::fields::Fields;
use crate::policy::{cookie, facts};
use crate::upstream::Session;

/// The filter, in a chain or on a host or route.
#[derive(Debug)]
pub struct Sessions {
    state: Option<State>,
    strict: bool,
}

#[derive(Debug)]
enum State {
    Cookie { name: String, ttl: Duration, path: String, attributes: String },
    Header(HeaderName),
}

/// What Envoy keeps in a cookie.
#[derive(Clone, PartialEq, prost::Message)]
struct Kept {
    #[prost(string, tag = "1")]
    address: String,
    /// Seconds on the proxy's own clock; zero is never.
    #[prost(uint64, tag = "2")]
    expires: u64,
}

impl Sessions {
    /// Compiles `model`.
    ///
    /// # Errors
    /// When a field's name is none.
    pub fn compile(model: &StatefulSession) -> Result<Self, Invalid> {
        let StatefulSession { state, strict } = model;
        let state = match state {
            None => None,
            Some(SessionState::Header(name)) => {
                let name = HeaderName::from_bytes(name.as_bytes());
                Some(State::Header(name.map_err(|error| Invalid::new("session_state", error.to_string()))?))
            }
            Some(SessionState::Cookie { name, ttl, path, attributes }) => {
                let text = cookie::attributes(attributes);
                Some(State::Cookie { name: name.clone(), ttl: *ttl, path: path.clone(), attributes: text })
            }
        };
        Ok(Self { state, strict: *strict })
    }

    /// The session of a request at `now`; `None` if it can have none.
    #[must_use]
    pub fn of_request(&self, head: &RequestHead, now: Duration) -> Option<Session> {
        let address = match self.state.as_ref()? {
            State::Header(name) => {
                let value = head.headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
                String::from_utf8(BASE64.decode(value).unwrap_or_default()).ok()
            }
            State::Cookie { path, .. } if !is_below(&head.path, path) => return None,
            State::Cookie { name, .. } => {
                let value = facts::cookie(&head.headers, name).unwrap_or_default();
                kept(&BASE64.decode(value).unwrap_or_default(), now)
            }
        };
        let address = address.filter(|address| !address.is_empty());
        Some(Session { address, strict: self.strict })
    }

    /// Tells the client of the endpoint that it came to at `now`, unless it knows.
    pub fn tell(&self, session: &Session, endpoint: &str, fields: &mut Fields, now: Duration) {
        if session.address.as_deref() == Some(endpoint) {
            return;
        }
        match &self.state {
            None => {}
            Some(State::Header(name)) => {
                if let Ok(value) = HeaderValue::try_from(BASE64.encode(endpoint)) {
                    fields.insert(name.clone(), value);
                }
            }
            Some(State::Cookie { name, ttl, path, attributes }) => {
                let expires = if ttl.is_zero() { 0 } else { (now + *ttl).as_secs() };
                let kept = Kept { address: endpoint.to_owned(), expires };
                let mut cookie = format!("{name}=\"{}\"", BASE64.encode(kept.encode_to_vec()));
                if !ttl.is_zero() {
                    cookie.push_str(&format!("; Max-Age={}", ttl.as_secs()));
                }
                if !path.is_empty() {
                    cookie.push_str("; Path=");
                    cookie.push_str(path);
                }
                cookie.push_str(attributes);
                cookie.push_str("; HttpOnly");
                if let Ok(cookie) = HeaderValue::try_from(cookie) {
                    fields.append(SET_COOKIE, cookie);
                }
            }
        }
    }
}

/// The address in a cookie, unless it is too old.
fn kept(bytes: &[u8], now: Duration) -> Option<String> {
    match Kept::decode(bytes) {
        Ok(Kept { expires, .. }) if expires != 0 && now.as_secs() > expires => None,
        Ok(Kept { address, .. }) => Some(address),
        // The form of older Envoys: nothing but the address.
        Err(_) => String::from_utf8(bytes.to_vec()).ok(),
    }
}

/// Whether a request's path is a cookie's, or below it (RFC 6265 §5.1.4).
fn is_below(path: &str, cookie: &str) -> bool {
    let Some(rest) = path.strip_prefix(cookie) else { return false };
    cookie.is_empty() || cookie.ends_with('/') || rest.is_empty() || rest.starts_with(['/', '?', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::samples::get;

    fn cookie(ttl: u64, path: &str) -> Sessions {
        let state = SessionState::Cookie {
            name: "s".to_owned(),
            ttl: Duration::from_secs(ttl),
            path: path.to_owned(),
            attributes: vec![("SameSite".to_owned(), "Lax".to_owned()), ("Secure".to_owned(), String::new())],
        };
        Sessions::compile(&StatefulSession { state: Some(state), strict: false }).unwrap()
    }

    const NOW: Duration = Duration::from_secs(1000);

    /// The cookie that a client without one gets.
    fn told(sessions: &Sessions, endpoint: &str) -> String {
        let session = sessions.of_request(&get("h", "/p", &[]), NOW).unwrap();
        let mut fields = Fields::new();
        sessions.tell(&session, endpoint, &mut fields, NOW);
        fields.get(SET_COOKIE).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn a_cookie_brings_its_session_back_until_it_is_too_old() {
        let sessions = cookie(60, "/p");
        let cookie = told(&sessions, "127.0.0.1:80");
        assert!(cookie.ends_with("\"; Max-Age=60; Path=/p; SameSite=Lax; Secure; HttpOnly"), "{cookie}");
        let head = get("h", "/p?q", &[("cookie", cookie.split(';').next().unwrap())]);
        let address = |now| sessions.of_request(&head, now).unwrap().address;
        assert_eq!(address(NOW + Duration::from_secs(60)).as_deref(), Some("127.0.0.1:80"));
        assert_eq!(address(NOW + Duration::from_secs(61)), None);
    }

    #[test]
    fn a_client_that_knows_its_endpoint_is_told_nothing() {
        let sessions = cookie(0, "");
        let session = Session { address: Some("127.0.0.1:80".to_owned()), strict: false };
        let mut fields = Fields::new();
        sessions.tell(&session, "127.0.0.1:80", &mut fields, NOW);
        assert!(fields.is_empty());
        sessions.tell(&session, "127.0.0.1:81", &mut fields, NOW);
        assert!(fields.contains_key(SET_COOKIE));
    }

    #[test]
    fn only_requests_below_a_cookies_path_have_a_session() {
        for (path, cookie, expected) in [
            ("/a", "", true),
            ("/a", "/", true),
            ("/a", "/a", true),
            ("/a/b", "/a", true),
            ("/a?b", "/a", true),
            ("/ab", "/a", false),
            ("/a", "/a/", false),
            ("/a/b", "/a/", true),
            ("/b", "/a", false),
        ] {
            assert_eq!(is_below(path, cookie), expected, "{path} below {cookie}");
        }
    }

    #[test]
    fn a_field_holds_the_address_in_base64() {
        let state = Some(SessionState::Header("x-session".to_owned()));
        let sessions = Sessions::compile(&StatefulSession { state, strict: true }).unwrap();
        let of = |value: &str| sessions.of_request(&get("h", "/", &[("x-session", value)]), NOW).unwrap();
        assert_eq!(of("MTI3LjAuMC4xOjgw").address.as_deref(), Some("127.0.0.1:80"));
        assert!(of("MTI3LjAuMC4xOjgw").strict);
        assert_eq!(of("no base64").address, None);
        let mut fields = Fields::new();
        sessions.tell(&of("no base64"), "127.0.0.1:80", &mut fields, NOW);
        assert_eq!(fields.get("x-session").unwrap(), "MTI3LjAuMC4xOjgw");
    }
}
