//! `google.protobuf.Any`: which message it holds, and the message.

use envoy_types::pb::google::protobuf::Any;
use prost::{Message, Name};

use super::path::{Invalid, Path};

/// The package of the types of HTTP filters.
pub(super) const HTTP_FILTERS: &str = "envoy.extensions.filters.http.";

/// The name of the message that `any` holds, without the `package` in which it has to be.
pub(super) fn name_in<'a>(package: &str, any: &'a Any) -> Option<&'a str> {
    any.type_url.rsplit('/').next()?.strip_prefix(package)
}

/// Whether `any` holds an `M`.
pub(super) fn holds<M: Name>(any: &Any) -> bool {
    let name = any.type_url.rsplit('/').next().unwrap_or_default();
    name.strip_suffix(M::NAME).and_then(|package| package.strip_suffix('.')) == Some(M::PACKAGE)
}

/// The message in `any`, which [`holds`] an `M`.
pub(super) fn unpack<M: Message + Default>(path: &Path<'_>, any: &Any) -> Result<M, Invalid> {
    M::decode(any.value.as_slice())
        .map_err(|error| path.invalid(format!("does not hold a well-formed {}: {error}", any.type_url)))
}

/// The message in `any` if it is an `M`.
pub(super) fn unpack_if<M: Message + Default + Name>(
    path: &Path<'_>,
    any: &Any,
) -> Result<Option<M>, Invalid> {
    if holds::<M>(any) { unpack(path, any).map(Some) } else { Ok(None) }
}

/// Refuses an extension of a type that is not supported.
pub(super) fn unknown<T>(path: &Path<'_>, name: &str, any: &Any, accepted: &str) -> Result<T, Invalid> {
    let Any { type_url, value: _ } = any;
    if type_url.is_empty() {
        return path.refuse(format!("{name:?} has no type URL; accepted: {accepted}"));
    }
    path.refuse(format!("{name:?} has the type {type_url:?}, which is not supported; accepted: {accepted}"))
}
