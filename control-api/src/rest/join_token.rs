//! `JoinToken` as it is served: its creation shows a secret once.
//!
//! One rule: the secret stands in the answer that creates the token and nowhere else.

use std::time::SystemTime;

use serde_json::Value;

use super::reply::Failure;
use super::resource::Resource;
use crate::ca::token;
use crate::clock;
use crate::resource::join_token::{JoinTokenSpec, JoinTokenStatus};
use crate::resource::object::Object;
use crate::resource::world::World;
use crate::store::Request;

/// `JoinToken` as it is served.
pub const RESOURCE: Resource = Resource::of::<JoinTokenSpec>(
    "A one-time secret with which a site's proxy gets its first certificate from POST /v1/sign. The answer that creates it holds the secret in `status.secret`; it cannot be read again.",
);

/// The request that creates a token, with its secret; or, for a token that is there already, one
/// that changes at most its labels.
pub fn request(world: &World, object: Object, now: SystemTime) -> Result<(Request, Option<String>), Failure> {
    let Object::JoinToken(document) = &object else {
        return Ok((Request::Apply(object), None));
    };
    if let Some(old) = world.find(&object.object_ref()) {
        if !old.same_spec(&object) {
            return Err(Failure::new("conflict", "exists already: a join token cannot be changed")
                .about(&object.object_ref()));
        }
        return Ok((Request::Apply(object), None));
    }
    let secret = token::generate(&document.metadata.name);
    let status =
        JoinTokenStatus { expires_at: clock::text(now + document.spec.ttl()), used_at: None, secret: None };
    let status = serde_json::to_value(status).expect("a status holds only strings");
    let metadata = document.metadata.clone();
    let request = Request::CreateToken(object.with(metadata, Some(status)), token::hash(&secret));
    Ok((request, Some(secret)))
}

/// Writes a secret into the answer that creates its token.
pub fn show_secret(document: &mut Value, secret: Option<String>) {
    if let Some(secret) = secret {
        document["status"]["secret"] = secret.into();
    }
}
