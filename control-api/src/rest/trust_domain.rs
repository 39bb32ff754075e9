//! `TrustDomain` as it is served.
//!
//! One rule: its existence is the permission; deleting it takes the permission away at once.

use super::resource::Resource;
use crate::resource::trust_domain::TrustDomainSpec;

/// `TrustDomain` as it is served.
pub const RESOURCE: Resource = Resource::of::<TrustDomainSpec>(
    "Another trust domain, by its name; identities that its bundle vouches for may call through every gateway's mesh port.",
);
