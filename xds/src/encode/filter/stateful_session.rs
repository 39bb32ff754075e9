//! Sessions that stay at an endpoint.

use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::extensions::filters::http::stateful_session::v3 as pb;
use envoy_types::pb::envoy::extensions::http::stateful_session::cookie::v3::CookieBasedSessionState;
use envoy_types::pb::envoy::extensions::http::stateful_session::header::v3::HeaderBasedSessionState;
use envoy_types::pb::envoy::r#type::http::v3::{Cookie, CookieAttribute};
use pb::stateful_session_per_route::Override;

use super::super::scalar;
use crate::model::{SessionState, StatefulSession, StatefulSessionPerRoute};

pub(super) fn filter(filter: &StatefulSession) -> pb::StatefulSession {
    let StatefulSession { state, strict } = filter;
    pb::StatefulSession {
        session_state: state.as_ref().map(self::state),
        strict: *strict,
        ..Default::default()
    }
}

pub(super) fn per_route(settings: &StatefulSessionPerRoute) -> pb::StatefulSessionPerRoute {
    let said = match settings {
        StatefulSessionPerRoute::Disabled => Override::Disabled(true),
        StatefulSessionPerRoute::Session(session) => Override::StatefulSession(filter(session)),
    };
    pb::StatefulSessionPerRoute { r#override: Some(said) }
}

fn state(state: &SessionState) -> TypedExtensionConfig {
    let (name, config) = match state {
        SessionState::Cookie { name, ttl, path, attributes } => {
            let attribute = |(name, value): &(String, String)| CookieAttribute {
                name: name.clone(),
                value: value.clone(),
            };
            let cookie = Cookie {
                name: name.clone(),
                ttl: scalar::span(*ttl),
                path: path.clone(),
                attributes: attributes.iter().map(attribute).collect(),
            };
            let state = CookieBasedSessionState { cookie: Some(cookie) };
            ("envoy.http.stateful_session.cookie", scalar::any(&state))
        }
        SessionState::Header(name) => {
            let state = HeaderBasedSessionState { name: name.clone() };
            ("envoy.http.stateful_session.header", scalar::any(&state))
        }
    };
    TypedExtensionConfig { name: name.to_owned(), typed_config: Some(config) }
}
