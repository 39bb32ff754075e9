//! Objects that filters keep about a request or connection.

use envoy_types::pb::envoy::config::core::v3::{
    DataSource, SubstitutionFormatString, data_source, substitution_format_string::Format,
};
use envoy_types::pb::envoy::extensions::filters::common::set_filter_state::v3 as pb;
use envoy_types::pb::envoy::extensions::filters::network::set_filter_state::v3 as network;
use envoy_types::pb::envoy::r#type::matcher::v3 as text;
use pb::filter_state_value::{Key, Value};

use super::access_log;
use super::matcher;
use crate::model::{ConnectionState, FilterStateMatcher, FilterStateValue};

pub(super) fn value(value: &FilterStateValue) -> pb::FilterStateValue {
    let FilterStateValue { key, factory, value, skip_if_empty } = value;
    let format = access_log::format(value).unwrap_or_else(|| SubstitutionFormatString {
        format: Some(Format::TextFormatSource(DataSource {
            specifier: Some(data_source::Specifier::InlineString(String::new())),
            ..Default::default()
        })),
        ..Default::default()
    });
    pb::FilterStateValue {
        factory_key: factory.name().to_owned(),
        skip_if_empty: *skip_if_empty,
        key: Some(Key::ObjectKey(key.clone())),
        value: Some(Value::FormatString(format)),
        ..Default::default()
    }
}

pub(super) fn matcher(matcher: &FilterStateMatcher) -> text::FilterStateMatcher {
    let FilterStateMatcher { key, text } = matcher;
    let test = text::filter_state_matcher::Matcher::StringMatch(matcher::string(text));
    text::FilterStateMatcher { key: key.clone(), matcher: Some(test) }
}

pub(super) fn connection(state: &ConnectionState) -> network::Config {
    let ConnectionState { on_new_connection, on_downstream_tls_handshake } = state;
    network::Config {
        on_new_connection: on_new_connection.iter().map(value).collect(),
        on_downstream_tls_handshake: on_downstream_tls_handshake.iter().map(value).collect(),
        ..Default::default()
    }
}
