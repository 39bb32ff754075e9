//! Virtual hosts: who is sent to https, and which route takes a request.

use std::ops::Range;
use std::sync::Arc;

use xds::model::{self, MatchTree, RequireTls};

use super::action::{Action, Around};
use super::entry::Route;
use super::index::Index;
use super::level::{Level, Outer};
use crate::body::RequestHead;
use crate::error::Invalid;
use crate::observe::attributes::Attributes;
use crate::policy::descriptor::DescriptorRules;
use crate::policy::draw::Draw;
use crate::policy::facts::{self, path_only};
use crate::policy::filter;
use crate::policy::filter::local_rate_limit::RouteRules;
use crate::policy::match_data::RequestData;

/// A compiled virtual host.
#[derive(Debug)]
pub struct VirtualHost {
    /// Its name.
    pub name: Arc<str>,
    /// Whether upstreams see `x-envoy-attempt-count`.
    pub attempt_count_in_request: bool,
    /// Whether clients see it.
    pub attempt_count_in_response: bool,
    require_tls: RequireTls,
    rate_limits: DescriptorRules,
    routes: Vec<Route>,
    /// Chooses those that are asked; `None` where all are.
    matcher: Option<MatchTree<Range<usize>>>,
    /// `None` where few routes are asked faster one by one.
    index: Option<Index>,
}

impl VirtualHost {
    pub(super) fn compile(model: &model::VirtualHost, outer: &Outer<'_>) -> Result<Self, Invalid> {
        let model::VirtualHost {
            name,
            domains: _, // Added to the table's domains by the caller.
            routes,
            matcher,
            require_tls,
            request_headers,
            response_headers,
            include_request_attempt_count,
            include_attempt_count_in_response,
            retry_policy,
            rate_limits,
            request_mirrors,
            filters,
        } = model;
        let level = Level::compile(request_headers, response_headers, outer.shared.environment())?;
        let overrides = filter::within(&outer.overrides, filters, outer.shared)?;
        let mirrors = if request_mirrors.is_empty() { outer.mirrors } else { request_mirrors };
        let around = Around { retry: retry_policy.as_ref(), mirrors };
        let mut all = Vec::with_capacity(routes.len());
        let mut add = |routes: &[model::Route]| {
            let first = all.len();
            for (index, route) in routes.iter().enumerate() {
                let route = Route::compile(route, &level, &overrides, around, outer);
                all.push(route.map_err(|invalid| invalid.within(&format!("routes[{index}]")))?);
            }
            Ok(first..all.len())
        };
        add(routes)?;
        let matcher = matcher.as_ref().map(|tree| tree.try_map(&mut |routes| add(routes))).transpose();
        let matcher = matcher.map_err(|invalid: Invalid| invalid.within("matcher"))?;
        Ok(Self {
            name: name.as_str().into(),
            attempt_count_in_request: *include_request_attempt_count,
            attempt_count_in_response: *include_attempt_count_in_response,
            require_tls: *require_tls,
            rate_limits: DescriptorRules::compile(rate_limits)?,
            index: Index::compile(all.iter().map(|route| &route.matcher.path)).filter(|_| matcher.is_none()),
            routes: all,
            matcher,
        })
    }

    /// The first route, in the order of the configuration, that takes the request.
    pub(super) fn find(&self, head: &RequestHead, draw: Draw<'_>, attributes: &Attributes) -> Option<&Route> {
        let path = path_only(&head.path);
        let takes = |route: &Route| {
            route.matcher.is_match(head, path, draw, attributes) && route.action.is_open(draw)
        };
        if let Some(tree) = &self.matcher {
            let routes = tree.find(&RequestData { request: facts::view(head), attributes })?;
            return self.routes[routes.clone()].iter().find(|route| takes(route));
        }
        match &self.index {
            None => self.routes.iter().find(|route| takes(route)),
            Some(index) => {
                index.first(path, |route| takes(&self.routes[route])).map(|route| &self.routes[route])
            }
        }
    }

    /// What the requests of `route`, one of this host's, are counted by.
    #[must_use]
    pub fn rate_limits<'a>(&'a self, route: &'a Route) -> Option<RouteRules<'a>> {
        let Action::Forward(forward) = &route.action else { return None };
        let include_host = forward.rate_limits_of_host;
        Some(RouteRules { route: &forward.rate_limits, include_host, host: &self.rate_limits })
    }

    pub(super) fn demands_tls(&self, head: &RequestHead) -> bool {
        let who = match self.require_tls {
            RequireTls::None => false,
            RequireTls::ExternalOnly => facts::text(&head.headers, "x-envoy-internal") != Some("true"),
            RequireTls::All => true,
        };
        // By what the client used towards the first proxy, which is what a redirect can change.
        who && facts::text(&head.headers, "x-forwarded-proto").is_some_and(|scheme| scheme != "https")
    }
}
