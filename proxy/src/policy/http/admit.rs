//! The first look at a request: is its head acceptable, and what does it look like to routes and upstreams.
//!
//! The order is Envoy's connection manager's; every step before the route depends on it.

use http::{Method, StatusCode};

use super::authority;
use super::compile::HttpPolicy;
use super::forwarded::Origin;
use super::path;
use super::stats::HttpMetric;
use crate::body::{RequestHead, Text, Version};
use crate::error::Reason;
use crate::fields::Name;
use crate::observe::record::{ConnectionFacts, Place, Record, ip_text};
use crate::policy::facts;
use crate::policy::reply::Reply;

/// What admission found out.
#[derive(Debug)]
pub struct Admitted {
    /// The client, by `x-forwarded-for` where that is trusted.
    pub client: Place,
    /// The port cut off a CONNECT's authority: routes do not see it, the upstream does.
    pub connect_port: Option<Text>,
}

impl HttpPolicy {
    /// Normalises the head and gives it the fields that say where it comes from.
    ///
    /// # Errors
    /// The answer, if the request is not acceptable.
    pub fn admit(
        &self,
        head: &mut RequestHead,
        connection: &ConnectionFacts,
        rng: &mut fastrand::Rng,
    ) -> Result<Admitted, Reply> {
        self.check_version(head)?;
        self.check_underscores(head)?;
        if head.authority.is_empty() {
            return Err(Reply::status(StatusCode::BAD_REQUEST, "missing_host_header"));
        }
        self.normalize_path(head)?;
        let connect_port = self.normalize_authority(head, connection);
        let Origin { client, internal } = self.note_origin(head, connection)?;
        self.remove_envoy_fields(head, internal);
        super::sanitize::check_referer(head);
        self.note_hop(head, connection, &client, internal);
        self.give_request_id(head, internal, rng);
        self.forward_client_cert(head, connection);
        self.check_strictly(head)?;
        Ok(Admitted { client, connect_port })
    }

    /// Changes the fields of a request before anything else looks at them.
    pub fn change_early(&self, head: &mut RequestHead, record: &Record) {
        self.early_changes.iter().for_each(|change| change.change_request(head, record));
    }

    fn check_version(&self, head: &mut RequestHead) -> Result<(), Reply> {
        if head.version != Version::Http10 {
            return Ok(());
        }
        if !self.http1.accept_http_10 {
            return Err(Reply {
                body: "Upgrade Required".into(),
                reason: Some(Reason::VersionNotSupported),
                ..Reply::status(StatusCode::UPGRADE_REQUIRED, "low_version")
            });
        }
        if head.authority.is_empty() && !self.http1.default_host_for_http_10.is_empty() {
            head.authority = Text::from(self.http1.default_host_for_http_10.as_str());
        }
        Ok(())
    }

    fn check_underscores(&self, head: &mut RequestHead) -> Result<(), Reply> {
        use xds::model::UnderscoreHeaders as U;
        if self.headers_with_underscores == U::Allow {
            return Ok(());
        }
        let names = head.headers.keys().filter(|name| name.as_str().contains('_'));
        let names: Vec<Name> = names.cloned().collect();
        if !names.is_empty() && self.headers_with_underscores == U::RejectRequest {
            let refused = Reply::status(StatusCode::BAD_REQUEST, "http.unexpected_underscore");
            return Err(Reply { body: "Bad Request".into(), ..refused });
        }
        for name in names {
            head.headers.remove(name);
        }
        Ok(())
    }

    fn normalize_path(&self, head: &mut RequestHead) -> Result<(), Reply> {
        if head.method == Method::CONNECT && head.path.is_empty() {
            return Ok(());
        }
        if !head.path.starts_with('/') {
            self.stats.counters.inc(HttpMetric::RqNonRelativePath);
            return Err(Reply::status(StatusCode::NOT_FOUND, "absolute_path_rejected"));
        }
        const DETAILS: &str = "path_normalization_failed";
        match path::normalize(&head.path, self.path) {
            path::Normalized::Same => Ok(()),
            path::Normalized::Changed(path) => {
                head.path = Text::from(path);
                Ok(())
            }
            path::Normalized::Redirect(path) => {
                self.stats.counters.inc(HttpMetric::RqRedirectedWithNormalizedPath);
                Err(Reply::redirect(StatusCode::TEMPORARY_REDIRECT, &path, DETAILS))
            }
            path::Normalized::Refused => {
                self.stats.counters.inc(HttpMetric::RqFailedPathNormalization);
                Err(Reply::status(StatusCode::BAD_REQUEST, DETAILS))
            }
        }
    }

    fn normalize_authority(&self, head: &mut RequestHead, connection: &ConnectionFacts) -> Option<Text> {
        if self.strip_trailing_host_dot
            && let Some(cut) = authority::without_trailing_dot(&head.authority)
        {
            head.authority = Text::from(cut);
        }
        let (host, port) =
            authority::without_port(&head.authority, self.strip_port, connection.local.port())?;
        let (host, port) = (Text::from(host), Text::from(port));
        head.authority = host;
        (head.method == Method::CONNECT).then_some(port)
    }

    /// Fields about this hop: `via`, and at the edge the client's address for those inside.
    fn note_hop(&self, head: &mut RequestHead, connection: &ConnectionFacts, client: &Place, internal: bool) {
        if let Some(via) = &self.via {
            super::response::append_via(&mut head.headers, via);
        }
        if self.use_remote_address
            && !internal
            && let Some(ip) = client.ip()
        {
            let known = connection.remote_text().filter(|_| *client == connection.remote);
            let text = known.cloned().unwrap_or_else(|| ip_text(ip));
            head.headers.insert("x-envoy-external-address", text);
        }
    }

    /// `strict_check_headers`: fields that must be well formed if they are there.
    fn check_strictly(&self, head: &RequestHead) -> Result<(), Reply> {
        for name in &self.strict_check {
            let Some(value) = facts::text(&head.headers, name) else { continue };
            if !super::strict::is_valid(name, value) {
                return Err(Reply {
                    body: format!("invalid header '{name}' with value '{value}'").into(),
                    ..Reply::status(StatusCode::BAD_REQUEST, "request_headers_failed_strict_check")
                });
            }
        }
        Ok(())
    }
}
