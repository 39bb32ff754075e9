//! `TrustDomain`: another trust domain whose identities are accepted.
//!
//! One rule: an identity is believed only when its own trust domain's authorities signed it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Spec;
use super::invalid::Invalid;
use super::kind::Kind;
use super::name;

/// Another trust domain; its `metadata.name` is the trust domain's name. Identities of it may call
/// through every gateway's mesh port as long as this resource exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TrustDomainSpec {
    /// The trust domain's certificate authorities, PEM.
    pub bundle: String,
}

impl Spec for TrustDomainSpec {
    const KIND: Kind = Kind::TrustDomain;

    fn check(&self, trust_domain: &str) -> Result<(), Invalid> {
        name::check_trust_domain("metadata.name", trust_domain)?;
        super::pem::check_authorities("spec.bundle", &self.bundle)
    }
}
