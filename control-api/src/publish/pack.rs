//! Small pieces of protobuf.
//!
//! One rule: nothing here knows what it packs.

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::r#type::matcher::v3 as matcher;
use envoy_types::pb::google::protobuf::{Any, BoolValue, Duration, UInt32Value};
use prost::Name;

/// A message with its type.
pub fn any<M: Name>(message: &M) -> Any {
    Any { type_url: format!("type.googleapis.com/{}", M::full_name()), value: message.encode_to_vec() }
}

/// An extension with its configuration.
pub fn extension<M: Name>(name: &str, message: &M) -> core::TypedExtensionConfig {
    core::TypedExtensionConfig { name: name.into(), typed_config: Some(any(message)) }
}

/// A duration.
pub fn duration(duration: std::time::Duration) -> Option<Duration> {
    Some(Duration { seconds: duration.as_secs() as i64, nanos: duration.subsec_nanos() as i32 })
}

/// A number that is there.
pub fn number(value: u32) -> Option<UInt32Value> {
    Some(UInt32Value { value })
}

/// A truth that is there.
pub fn boolean(value: bool) -> Option<BoolValue> {
    Some(BoolValue { value })
}

/// Equal to `text`.
pub fn exactly(text: &str) -> matcher::StringMatcher {
    use matcher::string_matcher::MatchPattern;
    matcher::StringMatcher { match_pattern: Some(MatchPattern::Exact(text.into())), ..Default::default() }
}

/// Matched as a whole by `pattern`.
pub fn matching(pattern: &str) -> matcher::StringMatcher {
    use matcher::string_matcher::MatchPattern;
    matcher::StringMatcher {
        match_pattern: Some(MatchPattern::SafeRegex(regex(pattern))),
        ..Default::default()
    }
}

/// A regular expression.
pub fn regex(pattern: &str) -> matcher::RegexMatcher {
    matcher::RegexMatcher { regex: pattern.into(), ..Default::default() }
}

/// A TCP address; `host` is an IP address, or a name where names are looked up.
pub fn address(host: &str, port: u16) -> core::Address {
    use core::address::Address;
    use core::socket_address::PortSpecifier;
    core::Address {
        address: Some(Address::SocketAddress(core::SocketAddress {
            address: host.into(),
            port_specifier: Some(PortSpecifier::PortValue(port.into())),
            ..Default::default()
        })),
    }
}

/// "By the stream that brought this."
pub fn ads() -> core::ConfigSource {
    use core::config_source::ConfigSourceSpecifier;
    core::ConfigSource {
        resource_api_version: core::ApiVersion::V3.into(),
        config_source_specifier: Some(ConfigSourceSpecifier::Ads(core::AggregatedConfigSource {})),
        ..Default::default()
    }
}
