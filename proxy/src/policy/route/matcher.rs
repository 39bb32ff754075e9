//! Whether a request is a route's: path, headers, query, cookies, gRPC, share, metadata, filter state.

use http::Method;
use xds::model::{
    CookieMatcher, FilterStateMatcher, MetadataMatcher, QueryMatcher, RouteMatch, RuntimeFraction,
};

use super::path::PathTest;
use crate::body::RequestHead;
use crate::error::Invalid;
use crate::observe::attributes::Attributes;
use crate::policy::draw::Draw;
use crate::policy::facts;
use crate::policy::header_tests::HeaderTests;

/// A compiled match.
#[derive(Debug)]
pub(super) struct Matcher {
    pub(super) path: PathTest,
    headers: HeaderTests,
    query: Vec<QueryMatcher>,
    cookies: Vec<CookieMatcher>,
    grpc: bool,
    share: Option<RuntimeFraction>,
    metadata: Vec<MetadataMatcher>,
    objects: Vec<FilterStateMatcher>,
}

impl Matcher {
    pub(super) fn compile(model: &RouteMatch) -> Result<Self, Invalid> {
        let RouteMatch {
            path,
            case_sensitive,
            headers,
            query_parameters,
            cookies,
            grpc,
            runtime_fraction,
            dynamic_metadata,
            filter_state,
        } = model;
        Ok(Self {
            path: PathTest::compile(path, *case_sensitive),
            headers: HeaderTests::compile(headers)?,
            query: query_parameters.clone(),
            cookies: cookies.clone(),
            grpc: *grpc,
            share: runtime_fraction.clone(),
            metadata: dynamic_metadata.clone(),
            objects: filter_state.clone(),
        })
    }

    /// `path` is the head's, without query: it is cut once for all routes.
    pub(super) fn is_match(
        &self,
        head: &RequestHead,
        path: &str,
        draw: Draw<'_>,
        attributes: &Attributes,
    ) -> bool {
        self.path.is_match(path, head.method == Method::CONNECT)
            && self.share.as_ref().is_none_or(|share| draw.is_in(share))
            && (!self.grpc || facts::is_grpc(&head.headers))
            && self.headers.all_pass(head)
            && self
                .query
                .iter()
                .all(|matcher| matcher.is_match(facts::query_parameter(&head.path, &matcher.name)))
            && self
                .cookies
                .iter()
                .all(|matcher| matcher.is_match(facts::cookie(&head.headers, &matcher.name)))
            && self.metadata.iter().all(|matcher| matcher.is_match(attributes.metadata()))
            && self.objects.iter().all(|FilterStateMatcher { key, text }| {
                attributes.object(key).is_some_and(|object| text.is_match(&object.text))
            })
    }
}
