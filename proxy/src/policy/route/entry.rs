//! A route: which requests it takes, what becomes of them.

use std::sync::Arc;

use http::StatusCode;
use xds::model;

use super::action::{Action, Around, Cluster, Forward, Levels};
use super::level::{Level, Outer};
use super::matcher::Matcher;
use super::mutation::Mutations;
use super::rewrite::set_authority;
use crate::body::RequestHead;
use crate::error::Invalid;
use crate::observe::record::Record;
use crate::policy::draw::Draw;
use crate::policy::filter::{self, Overrides};
use crate::policy::reply::Reply;

/// A compiled route.
#[derive(Debug)]
pub struct Route {
    /// Its name; may be empty.
    pub name: Arc<str>,
    /// What it does.
    pub action: Action,
    /// Changes of the request's fields.
    pub request: Mutations,
    /// Changes of the response's fields.
    pub response: Mutations,
    /// Which requests.
    pub(super) matcher: Matcher,
    overrides: Arc<Overrides>,
}

impl Route {
    pub(super) fn compile(
        model: &model::Route,
        host: &Level,
        overrides: &Arc<Overrides>,
        around: Around<'_>,
        outer: &Outer<'_>,
    ) -> Result<Self, Invalid> {
        let model::Route { name, matches, action, request_headers, response_headers, filters } = model;
        let own = Level::compile(request_headers, response_headers, outer.shared.environment())?;
        // Later stages win: by default the most general one is last.
        let mut order = [&own, host, &outer.table];
        if outer.specific_wins {
            order.reverse();
        }
        let levels = Levels {
            request: order.iter().map(|level| Arc::clone(&level.request)).collect(),
            response: order.iter().map(|level| Arc::clone(&level.response)).collect(),
            overrides: filter::within(overrides, filters, outer.shared)?,
        };
        let (request, response) = levels.mutations();
        Ok(Self {
            name: name.as_str().into(),
            action: Action::compile(action, &levels, around, outer.shared, outer.body_bytes_max)?,
            request,
            response,
            overrides: Arc::clone(&levels.overrides),
            matcher: Matcher::compile(matches).map_err(|invalid| invalid.within("match"))?,
        })
    }

    /// Whether the route sends requests to a cluster.
    #[must_use]
    pub fn forwards(&self) -> bool {
        matches!(self.action, Action::Forward(_))
    }

    /// The cluster that the route names; `draw` splits.
    #[must_use]
    pub fn cluster(&self, head: &RequestHead, draw: Draw<'_>) -> Option<Arc<str>> {
        match &self.action {
            Action::Forward(forward) => forward.target.choose(head, draw).map(|cluster| cluster.name),
            Action::Redirect(_) | Action::Direct { .. } => None,
        }
    }

    /// What is said about filters here; `draw` splits between clusters.
    #[must_use]
    pub fn overrides(&self, draw: Draw<'_>) -> &Overrides {
        match &self.action {
            Action::Forward(forward) => forward.target.overrides(draw).unwrap_or(&self.overrides),
            Action::Redirect(_) | Action::Direct { .. } => &self.overrides,
        }
    }

    /// The local answer of a redirect or direct response; `None` for a route that forwards.
    #[must_use]
    pub fn reply(&self, head: &RequestHead) -> Option<Reply> {
        const DETAILS: &str = "direct_response";
        match &self.action {
            Action::Forward(_) => None,
            Action::Redirect(redirect) => {
                let location = redirect.location(head, &self.matcher.path);
                Some(Reply::redirect(redirect.status, &location, DETAILS))
            }
            // Envoy points a 201 and every 3xx at the request's own address.
            Action::Direct { status, body } => {
                let points = *status == StatusCode::CREATED || status.is_redirection();
                let reply = if points {
                    let own = format!("{}://{}{}", head.scheme.as_str(), head.authority, head.path);
                    Reply::redirect(*status, &own, DETAILS)
                } else {
                    Reply::status(*status, DETAILS)
                };
                Some(Reply { body: body.clone(), ..reply })
            }
        }
    }

    /// Makes the head the one that `cluster` is to see: mutations, then authority, then path, as Envoy does.
    /// `envoy_fields` keeps what is rewritten in `x-envoy-original-*`.
    pub fn shape_request(
        &self,
        forward: &Forward,
        cluster: &Cluster<'_>,
        head: &mut RequestHead,
        record: &Record,
        envoy_fields: bool,
    ) {
        if let Some(authority) = cluster.authority {
            head.authority = authority.clone();
        }
        cluster.request.unwrap_or(&self.request).apply_to_request(head, record);
        if let Some(authority) = forward.host_rewrite.authority(head) {
            set_authority(head, authority, forward.append_forwarded_host, envoy_fields);
        }
        forward.path_rewrite.apply(head, &self.matcher.path, envoy_fields);
    }
}
