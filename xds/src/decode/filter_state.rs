//! Objects that filters keep about a request or connection.

use envoy_types::pb::envoy::extensions::filters::common::set_filter_state::v3 as pb;
use envoy_types::pb::envoy::extensions::filters::network::set_filter_state::v3 as network;
use envoy_types::pb::envoy::r#type::matcher::v3 as text;
use pb::filter_state_value::{Key, SharedWithUpstream, Value};
use text::filter_state_matcher::Matcher;

use super::log_format;
use super::matcher;
use super::path::{Invalid, Path, absent};
use crate::model::{
    AccessLogFormat, ConnectionState, FilterStateFactory, FilterStateMatcher, FilterStateValue, FormatString,
};

/// An object.
pub(super) fn value(path: &Path<'_>, value: &pb::FilterStateValue) -> Result<FilterStateValue, Invalid> {
    let pb::FilterStateValue {
        factory_key,
        // Deprecated, and without effect in Envoy too.
        read_only: _,
        shared_with_upstream,
        skip_if_empty,
        key,
        value,
    } = value;
    // Any of them may be asked for: only internal listeners' connections look at it, and there are none here.
    path.field("shared_with_upstream").known::<SharedWithUpstream>(*shared_with_upstream)?;
    let at = path.field("object_key");
    let key = match key {
        Some(Key::ObjectKey(key)) => at.non_empty(key)?,
        None => return at.refuse("is required"),
    };
    let (at, name) = match factory_key.as_str() {
        "" => (at, key.as_str()),
        name => (path.field("factory_key"), name),
    };
    let known = FilterStateFactory::ALL;
    let Some((_, factory)) = known.iter().find(|(known, _)| *known == name) else {
        let accepted: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        return at.refuse(format!("{name:?} is no supported factory; accepted: {}", accepted.join(", ")));
    };
    let at = path.field("format_string");
    let format = match value {
        Some(Value::FormatString(format)) => format,
        None => return at.refuse("is required"),
    };
    let value = match log_format::log_format(&at, format)? {
        // An empty format is an empty text here, and no line of a log.
        AccessLogFormat::Default => AccessLogFormat::Text {
            format: FormatString::parse("").map_err(|reason| at.invalid(reason))?,
            omit_empty_values: format.omit_empty_values,
        },
        other => other,
    };
    Ok(FilterStateValue { key, factory: *factory, value, skip_if_empty: *skip_if_empty })
}

/// A test on an object.
pub(super) fn matcher(
    path: &Path<'_>,
    matcher: &text::FilterStateMatcher,
) -> Result<FilterStateMatcher, Invalid> {
    let text::FilterStateMatcher { key, matcher } = matcher;
    let text = match matcher {
        Some(Matcher::StringMatch(found)) => matcher::string(&path.field("string_match"), found)?,
        Some(Matcher::AddressMatch(_)) => return path.field("address_match").unsupported(),
        None => return path.refuse("is empty; accepted: string_match"),
    };
    Ok(FilterStateMatcher { key: path.field("key").non_empty(key)?, text })
}

/// What is kept about a connection.
pub(super) fn connection(path: &Path<'_>, config: &network::Config) -> Result<ConnectionState, Invalid> {
    let network::Config { on_new_connection, on_downstream_tls_handshake, on_downstream_data } = config;
    absent!(path; on_downstream_data);
    Ok(ConnectionState {
        on_new_connection: path.field("on_new_connection").each(on_new_connection, value)?,
        on_downstream_tls_handshake: path
            .field("on_downstream_tls_handshake")
            .each(on_downstream_tls_handshake, value)?,
    })
}
