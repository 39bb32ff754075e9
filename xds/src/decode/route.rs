//! Routes (`envoy.config.route.v3.Route`): what matches, what is done.

use std::collections::BTreeSet;

use envoy_types::pb::envoy::config::route::v3 as pb;
use http::StatusCode;
use pb::route::Action;

use super::filter;
use super::forward;
use super::headers;
use super::path::{Invalid, Path, absent};
use super::redirect;
use super::route_match;
use super::source;
use crate::model::{DataSource, DirectResponse, Route, RouteAction};

/// What the routes of one table share.
pub(super) struct Shared<'a> {
    /// The longest direct response.
    pub(super) body_bytes_max: u32,
    /// Cluster specifier plugins that are ignored, and with them the routes that name one.
    pub(super) ignored_plugins: BTreeSet<&'a str>,
}

/// A route; `None` for one that is ignored.
pub(super) fn route(
    path: &Path<'_>,
    route: &pb::Route,
    shared: &Shared<'_>,
) -> Result<Option<Route>, Invalid> {
    #[rustfmt::skip]
    let pb::Route {
        name, r#match, typed_per_filter_config, request_headers_to_add, request_headers_to_remove,
        response_headers_to_add, response_headers_to_remove, action,
        // Free fields, which no filter here reads, and the name of a span, of which none is made.
        metadata: _, decorator: _,
        // Refused when set.
        tracing, per_request_buffer_limit_bytes, stat_prefix, request_body_buffer_limit, route_specifiers,
    } = route;
    absent!(path; tracing, per_request_buffer_limit_bytes, stat_prefix, request_body_buffer_limit,
        route_specifiers);
    let filters = filter::overrides(path, typed_per_filter_config)?;
    let at = path.field("match");
    let (request_headers, response_headers) = headers::mutations(
        path,
        (request_headers_to_add, request_headers_to_remove),
        (response_headers_to_add, response_headers_to_remove),
    )?;
    let matches = route_match::route_match(&at, at.required(r#match)?)?;
    let action = self::action(path, action, shared)?;
    let name = name.clone();
    Ok(action.map(|action| Route { name, matches, action, request_headers, response_headers, filters }))
}

fn action(
    path: &Path<'_>,
    action: &Option<Action>,
    shared: &Shared<'_>,
) -> Result<Option<RouteAction>, Invalid> {
    let action = match action {
        Some(Action::Route(action)) => {
            let forward = forward::forward(&path.field("route"), action, &shared.ignored_plugins)?;
            return Ok(forward.map(|forward| RouteAction::Forward(Box::new(forward))));
        }
        Some(Action::Redirect(action)) => {
            RouteAction::Redirect(redirect::redirect(&path.field("redirect"), action)?)
        }
        Some(Action::DirectResponse(action)) => {
            let at = path.field("direct_response");
            RouteAction::DirectResponse(direct_response(&at, action, shared.body_bytes_max)?)
        }
        Some(Action::FilterAction(_)) => return path.field("filter_action").unsupported(),
        Some(Action::NonForwardingAction(_)) => return path.field("non_forwarding_action").unsupported(),
        None => return path.refuse("has no action; accepted: route, redirect, direct_response"),
    };
    Ok(Some(action))
}

fn direct_response(
    path: &Path<'_>,
    response: &pb::DirectResponseAction,
    body_bytes_max: u32,
) -> Result<DirectResponse, Invalid> {
    let pb::DirectResponseAction { status, body, body_format } = response;
    absent!(path; body_format);
    let at = path.field("status");
    let code = at.within(*status, &(200..=599))?;
    let status = u16::try_from(code).ok().and_then(|code| StatusCode::from_u16(code).ok());
    let at_body = path.field("body");
    let body = body.as_ref().map(|body| source::data_source(&at_body, body, None)).transpose()?;
    if let Some(DataSource::Inline(bytes)) = &body
        && bytes.len() > body_bytes_max as usize
    {
        let found = bytes.len();
        return at_body.refuse(format!(
            "has {found} bytes; max_direct_response_body_size_bytes allows {body_bytes_max}"
        ));
    }
    Ok(DirectResponse { status: status.ok_or_else(|| at.invalid("is not a status"))?, body })
}
