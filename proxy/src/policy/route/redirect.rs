//! Where a redirect leads: Envoy's exact `location`.

use http::StatusCode;
use xds::model::{self, RedirectPath};

use super::path::PathTest;
use super::rewrite::PathRewrite;
use crate::body::RequestHead;
use crate::policy::facts;

/// A compiled redirect.
#[derive(Debug)]
pub struct Redirect {
    scheme: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    path: Path,
    /// 301, 302, 303, 307 or 308.
    pub status: StatusCode,
    strip_query: bool,
}

#[derive(Debug)]
enum Path {
    Replace(String),
    /// Also "as it is".
    Rewrite(PathRewrite),
}

impl Redirect {
    pub(super) fn compile(model: &model::Redirect) -> Self {
        let model::Redirect { scheme, host, port, path, status, strip_query } = model;
        let path = match path {
            RedirectPath::Keep => Path::Rewrite(PathRewrite::None),
            RedirectPath::Replace(path) => Path::Replace(path.clone()),
            RedirectPath::Prefix(prefix) if prefix.is_empty() => Path::Rewrite(PathRewrite::None),
            RedirectPath::Prefix(prefix) => Path::Rewrite(PathRewrite::Prefix(prefix.clone())),
            RedirectPath::Regex { regex, substitution } => {
                Path::Rewrite(PathRewrite::Regex(regex.clone(), substitution.clone()))
            }
        };
        Self {
            scheme: scheme.clone(),
            host: host.clone(),
            port: *port,
            path,
            status: *status,
            strip_query: *strip_query,
        }
    }

    pub(super) fn location(&self, head: &RequestHead, test: &PathTest) -> String {
        let scheme = self.scheme.as_deref().unwrap_or(head.scheme.as_str());
        let host = self.host.as_deref().unwrap_or_else(|| self.request_host(head, scheme));
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{host}{port}{}", self.location_path(head, test))
    }

    fn location_path(&self, head: &RequestHead, test: &PathTest) -> String {
        let request = &*head.path;
        let mut path = match &self.path {
            // A query in the configured path wins over the request's and is never stripped.
            Path::Replace(path) if path.contains('?') => return path.clone(),
            Path::Replace(path) => {
                let query = request.find('?').map_or("", |at| &request[at..]);
                format!("{path}{query}")
            }
            Path::Rewrite(rewrite) => rewrite.rewrite(request, test).unwrap_or_else(|| request.to_owned()),
        };
        if self.strip_query
            && let Some(query) = path.find('?')
        {
            path.truncate(query);
        }
        path
    }

    /// The request's host, its port cut off when a new port comes, or when it is the default port of a scheme
    /// that is left behind.
    fn request_host<'a>(&self, head: &'a RequestHead, scheme: &str) -> &'a str {
        let authority = &*head.authority;
        let colon = if authority.starts_with('[') {
            authority.rfind("]:").map(|at| at + 1)
        } else {
            authority.rfind(':')
        };
        let Some(colon) = colon else { return authority };
        // Envoy goes by `x-forwarded-proto`, so that http://host:80 keeps its port when it came over TLS.
        let before = facts::text(&head.headers, "x-forwarded-proto").unwrap_or_default();
        let default = match before {
            "https" => ":443",
            "http" => ":80",
            _ => "",
        };
        let leaves_default = scheme != before && &authority[colon..] == default;
        if self.port.is_some() || leaves_default { &authority[..colon] } else { authority }
    }
}
