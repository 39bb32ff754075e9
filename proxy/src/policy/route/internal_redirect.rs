//! Which redirects of upstreams are followed here, and the request that follows one. The order of the tests is
//! Envoy's, for each counts by itself.

use std::sync::Arc;

use http::header::CONTENT_LENGTH;
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use xds::model::{InternalRedirectPolicy, InternalRedirectPredicate};

use crate::body::{RequestHead, ResponseHead, Scheme, Text};
use crate::policy::facts;
use crate::policy::http::HttpMetric;

const ORIGINAL_URL: HeaderName = HeaderName::from_static("x-envoy-original-url");

/// A route's policy.
#[derive(Debug)]
pub struct InternalRedirects {
    model: InternalRedirectPolicy,
    copied: Vec<HeaderName>,
}

/// The redirects that a request has behind it.
#[derive(Debug, Default, Clone)]
pub struct History {
    count: u32,
    /// From which route to which.
    taken: Vec<(Arc<str>, Arc<str>)>,
}

/// A request that would follow a redirect.
#[derive(Debug)]
pub struct Redirected {
    /// Its head.
    pub head: Box<RequestHead>,
    /// Whether its body is left out.
    pub drops_body: bool,
    from_http: bool,
}

impl InternalRedirects {
    pub(super) fn compile(model: &InternalRedirectPolicy) -> Result<Self, String> {
        let name = |name: &String| {
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("{name:?} is not a header name"))
        };
        let copied = model.response_headers_to_copy.iter().map(name).collect::<Result<_, _>>()?;
        Ok(Self { model: model.clone(), copied })
    }

    /// Whether a response of this status may be followed.
    #[must_use]
    pub fn takes(&self, status: StatusCode) -> bool {
        self.model.redirect_response_codes.contains(&status)
    }

    /// The request that follows `response`, the answer to `sent`; `encrypted` is the client's connection.
    ///
    /// # Errors
    /// What to count where it cannot be followed.
    pub fn follow(
        &self,
        sent: &RequestHead,
        encrypted: bool,
        response: &ResponseHead,
        history: &History,
    ) -> Result<Redirected, HttpMetric> {
        let location = facts::text(&response.headers, header::LOCATION.as_str()).unwrap_or_default();
        let target: Uri = location.parse().map_err(|_| HttpMetric::InternalRedirectBadLocation)?;
        let (Some(scheme), Some(authority)) = (target.scheme_str(), target.authority()) else {
            return Err(HttpMetric::InternalRedirectBadLocation);
        };
        let from_http = sent.scheme == Scheme::Http || !encrypted;
        if !self.model.allow_cross_scheme_redirect && from_http != (scheme == "http") {
            return Err(HttpMetric::InternalRedirectUnsafeScheme);
        }
        let scheme = match scheme {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(HttpMetric::InternalRedirectBadLocation),
        };
        if history.count >= self.model.max_internal_redirects {
            return Err(HttpMetric::InternalRedirectTooMany);
        }
        let mut head = Box::new(RequestHead {
            scheme,
            authority: Text::from(authority.as_str()),
            path: Text::from(target.path_and_query().map_or("/", |path| path.as_str())),
            ..sent.clone()
        });
        for name in &self.copied {
            head.headers.remove(name);
            for value in response.headers.get_all(name) {
                head.headers.append(name.clone(), value.clone());
            }
        }
        // RFC 9110 §15.4.4: what is seen elsewhere is asked for, not sent.
        let drops_body = response.status == StatusCode::SEE_OTHER
            && head.method != Method::GET
            && head.method != Method::HEAD;
        if drops_body {
            head.method = Method::GET;
            head.headers.remove(CONTENT_LENGTH);
        }
        let before = if from_http { "http" } else { "https" };
        let original = format!("{before}://{}{}", sent.authority, sent.path);
        if let Ok(original) = HeaderValue::try_from(original) {
            head.headers.insert(ORIGINAL_URL, original);
        }
        Ok(Redirected { head, drops_body, from_http })
    }

    /// Whether a redirect from the route called `from` to that called `to` is allowed; if so, it is remembered.
    ///
    /// # Errors
    /// What to count where it is not.
    pub fn accept(
        &self,
        redirected: &Redirected,
        from: &Arc<str>,
        to: &Arc<str>,
        history: &mut History,
    ) -> Result<(), HttpMetric> {
        let to_https = redirected.head.scheme == Scheme::Https;
        for predicate in &self.model.predicates {
            let holds = match predicate {
                InternalRedirectPredicate::PreviousRoutes => {
                    !history.taken.iter().any(|(before, after)| before == from && after == to)
                }
                InternalRedirectPredicate::AllowListedRoutes(names) => {
                    names.iter().any(|name| **name == **to)
                }
                InternalRedirectPredicate::SafeCrossScheme => !(redirected.from_http && to_https),
            };
            if !holds {
                return Err(HttpMetric::InternalRedirectPredicate);
            }
        }
        history.count += 1;
        history.taken.push((Arc::clone(from), Arc::clone(to)));
        Ok(())
    }
}
