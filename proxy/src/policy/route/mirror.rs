//! Copies of requests for other clusters: which requests, for whom, and what is changed in them.

use std::sync::Arc;

use http::{HeaderName, HeaderValue};
use xds::model::{self, RequestMirror, RuntimeFraction};

use crate::body::{RequestHead, Text};
use crate::error::Invalid;
use crate::observe::access_log::Environment;
use crate::observe::record::Record;
use crate::policy::draw::Draw;
use crate::policy::field_change::Change;
use crate::policy::port::port_start;

const INTERNAL: HeaderName = HeaderName::from_static("x-envoy-internal");

/// Who gets copies of requests, and how they look.
#[derive(Debug)]
pub struct Mirror {
    target: Target,
    share: Option<RuntimeFraction>,
    host: Host,
    changes: Vec<Change>,
}

#[derive(Debug)]
enum Target {
    Cluster(Arc<str>),
    Header(HeaderName),
}

#[derive(Debug)]
enum Host {
    Keep,
    Shadow,
    Literal(Text),
}

impl Mirror {
    /// Compiles a list of `request_mirror_policies`.
    ///
    /// # Errors
    /// Names the policy and field that cannot be used.
    pub(super) fn compile_all(
        models: &[RequestMirror],
        environment: &Environment,
    ) -> Result<Vec<Self>, Invalid> {
        let compile = |(index, model)| {
            Self::compile(model, environment)
                .map_err(|invalid: Invalid| invalid.within(&format!("request_mirror_policies[{index}]")))
        };
        models.iter().enumerate().map(compile).collect()
    }

    fn compile(model: &RequestMirror, environment: &Environment) -> Result<Self, Invalid> {
        let RequestMirror { target, share, shadow_host, request_headers, host_rewrite_literal } = model;
        Ok(Self {
            target: match target {
                model::MirrorTarget::Cluster(name) => Target::Cluster(name.as_str().into()),
                model::MirrorTarget::Header(name) => HeaderName::from_bytes(name.as_bytes())
                    .map(Target::Header)
                    .map_err(|_| Invalid::new("cluster_header", format!("{name:?} is not a header name")))?,
            },
            share: share.clone(),
            host: match (host_rewrite_literal.as_str(), shadow_host) {
                ("", true) => Host::Shadow,
                ("", false) => Host::Keep,
                (literal, _) => Host::Literal(Text::from(literal)),
            },
            changes: Change::compile_all("request_headers_mutations", request_headers, environment)?,
        })
    }

    /// The cluster that gets a copy of the request with this head, if one does.
    #[must_use]
    pub fn cluster(&self, head: &RequestHead, draw: Draw<'_>) -> Option<Arc<str>> {
        if self.share.as_ref().is_some_and(|share| !draw.is_in(share)) {
            return None;
        }
        match &self.target {
            Target::Cluster(name) => Some(Arc::clone(name)),
            Target::Header(header) => {
                let name = std::str::from_utf8(head.headers.get(header)?.as_bytes()).ok()?;
                (!name.is_empty()).then(|| name.into())
            }
        }
    }

    /// The copy's head.
    #[must_use]
    pub fn head(&self, head: &RequestHead, record: &Record) -> Box<RequestHead> {
        let mut head = Box::new(head.clone());
        for change in &self.changes {
            change.change_request(&mut head, record);
        }
        match &self.host {
            Host::Keep => {}
            Host::Shadow => head.authority = shadow(&head.authority),
            Host::Literal(authority) => head.authority = authority.clone(),
        }
        head.headers.insert(INTERNAL, HeaderValue::from_static("true"));
        head
    }
}

/// `-shadow` in front of the port, or at the end where there is none, as Envoy does.
fn shadow(authority: &str) -> Text {
    let (host, port) = authority.split_at(port_start(authority).unwrap_or(authority.len()));
    Text::from(format!("{host}-shadow{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_stands_in_front_of_a_port() {
        for (authority, expected) in [
            ("a.test", "a.test-shadow"),
            ("a.test:80", "a.test-shadow:80"),
            ("[::1]:80", "[::1]-shadow:80"),
            ("[::1]", "[::1]-shadow"),
        ] {
            assert_eq!(shadow(authority).as_str(), expected);
        }
    }
}
