//! Sessions that stay at an endpoint (`envoy.extensions.filters.http.stateful_session.v3`).

use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::TypedExtensionConfig;
use envoy_types::pb::envoy::extensions::filters::http::stateful_session::v3 as pb;
use envoy_types::pb::envoy::extensions::http::stateful_session::cookie::v3::CookieBasedSessionState;
use envoy_types::pb::envoy::extensions::http::stateful_session::header::v3::HeaderBasedSessionState;
use envoy_types::pb::envoy::r#type::http::v3::{Cookie, CookieAttribute};
use pb::stateful_session_per_route::Override;

use super::super::path::{Invalid, Path, absent};
use super::super::{any, headers};
use crate::model::{SessionState, StatefulSession, StatefulSessionPerRoute};

/// The filter in a chain.
pub(super) fn filter(path: &Path<'_>, filter: &pb::StatefulSession) -> Result<StatefulSession, Invalid> {
    let pb::StatefulSession { session_state, strict, stat_prefix, status_on_strict_destination_not_found } =
        filter;
    absent!(path; stat_prefix);
    if !matches!(status_on_strict_destination_not_found, 0 | 503) {
        return path
            .field("status_on_strict_destination_not_found")
            .refuse(format!("{status_on_strict_destination_not_found} is not supported here; 503 is"));
    }
    let at = path.field("session_state");
    let state = session_state.as_ref().map(|state| self::state(&at, state)).transpose()?;
    Ok(StatefulSession { state, strict: *strict })
}

/// The filter on a host or route.
pub(super) fn per_route(
    path: &Path<'_>,
    settings: &pb::StatefulSessionPerRoute,
) -> Result<StatefulSessionPerRoute, Invalid> {
    let pb::StatefulSessionPerRoute { r#override } = settings;
    match r#override {
        Some(Override::Disabled(true)) => Ok(StatefulSessionPerRoute::Disabled),
        Some(Override::Disabled(false)) => path.field("disabled").refuse("must be true or left out"),
        Some(Override::StatefulSession(session)) => {
            filter(&path.field("stateful_session"), session).map(StatefulSessionPerRoute::Session)
        }
        None => path.refuse("is empty; accepted: disabled, stateful_session"),
    }
}

fn state(path: &Path<'_>, state: &TypedExtensionConfig) -> Result<SessionState, Invalid> {
    let TypedExtensionConfig { name, typed_config } = state;
    let path = path.field("typed_config");
    let config = path.required(typed_config)?;
    if let Some(CookieBasedSessionState { cookie }) = any::unpack_if(&path, config)? {
        let path = path.field("cookie");
        return self::cookie(&path, path.required(&cookie)?);
    }
    if let Some(HeaderBasedSessionState { name }) = any::unpack_if(&path, config)? {
        return headers::name(&path.field("name"), &name).map(SessionState::Header);
    }
    any::unknown(&path, name, config, "CookieBasedSessionState, HeaderBasedSessionState")
}

fn cookie(path: &Path<'_>, cookie: &Cookie) -> Result<SessionState, Invalid> {
    let Cookie { name, ttl, path: below, attributes } = cookie;
    let attribute = |at: &Path<'_>, CookieAttribute { name, value }: &CookieAttribute| {
        headers::attribute(at, name, value)
    };
    let ttl = path.field("ttl").optional(ttl)?.unwrap_or_default();
    Ok(SessionState::Cookie {
        name: headers::value(&path.field("name"), &path.field("name").non_empty(name)?)?,
        // Whole seconds, as in Envoy.
        ttl: Duration::from_secs(ttl.as_secs()),
        path: headers::value(&path.field("path"), below)?,
        attributes: path.field("attributes").each(attributes, attribute)?,
    })
}
