//! `JoinToken`: a one-time secret with which a site's proxy gets its first certificate.
//!
//! One rule: the secret is shown once, in the answer that creates it; only its hash is kept.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Spec;
use super::invalid::Invalid;
use super::kind::Kind;
use super::name;
use super::span::Span;
use crate::limits;

/// A token for one proxy of one site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct JoinTokenSpec {
    /// The site that the proxy will speak for.
    pub site: String,
    /// How long the token can be used, up to 168h; by default 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
}

/// What has become of a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct JoinTokenStatus {
    /// Until when it can be used (RFC 3339).
    pub expires_at: String,
    /// When it was used (RFC 3339); then it is worthless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<String>,
    /// The secret; only in the answer to the request that created the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl JoinTokenSpec {
    /// How long the token can be used.
    pub fn ttl(&self) -> Duration {
        self.ttl.map_or(limits::JOIN_TOKEN_TTL_DEFAULT, |s| s.0)
    }
}

impl Spec for JoinTokenSpec {
    const KIND: Kind = Kind::JoinToken;

    fn check(&self, token: &str) -> Result<(), Invalid> {
        name::check_label("metadata.name", token)?;
        name::check_label("spec.site", &self.site)?;
        if self.ttl().is_zero() || self.ttl() > limits::JOIN_TOKEN_TTL_MAX {
            return Err(Invalid::new(
                "spec.ttl",
                format!("{}: accepted are up to {}", Span(self.ttl()), Span(limits::JOIN_TOKEN_TTL_MAX)),
            ));
        }
        Ok(())
    }
}
