//! The error in a NACK: one text for people, and each refused resource by name for programs.
//!
//! The text is what every control plane shows; the details are [`ResourceError`] messages, which a control plane
//! that does not know them passes over. The one rule: both are bounded, a NACK never outgrows what it answers.

use envoy_types::pb::envoy::service::discovery::v3::{ResourceError, ResourceName};
use envoy_types::pb::google::protobuf::Any;
use envoy_types::pb::google::rpc::Status;
use prost::{Message as _, Name as _};

use super::limits::{NACK_DETAILS_MAX, NACK_MESSAGE_BYTES_MAX};

/// gRPC's `INVALID_ARGUMENT`.
const INVALID_ARGUMENT: i32 = 3;

/// A resource that was not applied, and why. The name is empty where the resource could not be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// The resource's name.
    pub name: String,
    /// What is wrong with it, with the field's path where it has one.
    pub error: String,
}

/// The `error_detail` that reports these rejections; `None` for none, which acknowledges.
pub fn error_detail(rejections: &[Rejection]) -> Option<Status> {
    if rejections.is_empty() {
        return None;
    }
    let mut message = String::new();
    for rejection in rejections {
        if !message.is_empty() {
            message.push_str("; ");
        }
        if !rejection.name.is_empty() {
            message.push_str(&rejection.name);
            message.push_str(": ");
        }
        message.push_str(&rejection.error);
        if message.len() > NACK_MESSAGE_BYTES_MAX {
            message.truncate(message.floor_char_boundary(NACK_MESSAGE_BYTES_MAX));
            message.push('…');
            break;
        }
    }
    let details = match rejections.len() {
        0..=NACK_DETAILS_MAX => rejections.iter().map(packed).collect(),
        // Half a list would read as if the others had been applied.
        _ => Vec::new(),
    };
    Some(Status { code: INVALID_ARGUMENT, message, details })
}

/// The rejections that an `error_detail` names, if it names them all: then what else was sent has been applied.
pub fn rejections(detail: &Status) -> Option<Vec<Rejection>> {
    if detail.details.is_empty() || detail.details.len() > NACK_DETAILS_MAX {
        return None;
    }
    let named = detail.details.iter().map(|any| {
        let error = ResourceError::decode(any.value.as_slice()).ok()?;
        let name = error.resource_name?.name;
        let known = any.type_url == ResourceError::type_url() && !name.is_empty();
        known.then(|| Rejection { name, error: error.error_detail.unwrap_or_default().message })
    });
    named.collect()
}

fn packed(rejection: &Rejection) -> Any {
    let end = rejection.error.floor_char_boundary(NACK_MESSAGE_BYTES_MAX / 16);
    let error = ResourceError {
        resource_name: Some(ResourceName {
            name: rejection.name.clone(),
            dynamic_parameter_constraints: None,
        }),
        error_detail: Some(Status {
            code: INVALID_ARGUMENT,
            message: rejection.error[..end].to_owned(),
            details: Vec::new(),
        }),
    };
    Any { type_url: ResourceError::type_url(), value: error.encode_to_vec() }
}
