//! What of an endpoint is hashed into a ring or table.

use xds::model::Value;

use crate::upstream::host::Host;

/// `hash_key` in the endpoint's `envoy.lb` metadata, else its hostname if wanted, else its address.
pub(super) fn of(host: &Host, by_hostname: bool) -> String {
    if let Some(Value::String(key)) = host.metadata().of("envoy.lb").and_then(|fields| fields.get("hash_key"))
        && !key.is_empty()
    {
        return key.clone();
    }
    if by_hostname && !host.hostname().is_empty() {
        return host.hostname().to_owned();
    }
    host.address().to_string()
}
