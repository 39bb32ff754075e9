//! Models of addresses, sources, metadata, matchers and access logs.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::choices::Choices;
use crate::model::{
    AccessLog, AccessLogFilter, AccessLogFormat, AccessLogSink, Address, ApiType, Cidr, ClusterName,
    Comparison, ConfigSource, DataSource, FormatString, Fraction, HeaderMatcher, HeaderTest, Host, JsonValue,
    Locality, Metadata, MetadataKey, MetadataMatcher, ProxyProtocolVersion, Regex, RuntimeUInt32,
    SocketAddress, StringMatcher, StringPattern, TlvSelection, Value, ValueMatcher,
};

fn ip(from: &mut Choices<'_>) -> IpAddr {
    if from.flag() {
        let bits = u128::from(from.number()) << 64 | u128::from(from.number());
        IpAddr::V6(Ipv6Addr::from_bits(bits))
    } else {
        IpAddr::V4(Ipv4Addr::from_bits(from.number()))
    }
}

pub(super) fn listen_address(from: &mut Choices<'_>) -> Address {
    if from.flag() {
        return Address::Pipe(format!("/run/{}", from.name()));
    }
    let port = if from.flag() { from.port() } else { 0 };
    Address::Socket(SocketAddress { host: Host::Ip(ip(from)), port })
}

pub(super) fn connect_address(from: &mut Choices<'_>) -> Address {
    if from.flag() {
        return Address::Pipe(format!("@{}", from.name()));
    }
    Address::Socket(SocketAddress { host: Host::Ip(ip(from)), port: from.port() })
}

pub(super) fn resolve_address(from: &mut Choices<'_>) -> Address {
    let host =
        if from.flag() { Host::Name(format!("{}.example.com", from.name())) } else { Host::Ip(ip(from)) };
    Address::Socket(SocketAddress { host, port: from.port() })
}

pub(super) fn cidr(from: &mut Choices<'_>) -> Cidr {
    let address = ip(from);
    let bits = from.between(0, if address.is_ipv4() { 32 } else { 128 });
    Cidr::new(address, u8::try_from(bits).unwrap()).unwrap()
}

pub(super) fn locality(from: &mut Choices<'_>) -> Locality {
    Locality { region: from.text(), zone: from.text(), sub_zone: from.text() }
}

fn value(from: &mut Choices<'_>, depth: u8) -> Value {
    match from.between(0, if depth == 0 { 3 } else { 5 }) {
        0 => Value::Null,
        1 => Value::Number(f64::from(from.number()) / 3.0),
        2 => Value::String(from.text()),
        3 => Value::Bool(from.flag()),
        4 => Value::Struct(object(from, depth - 1)),
        _ => Value::List(from.list(3, |from| value(from, depth - 1))),
    }
}

pub(super) fn object(from: &mut Choices<'_>, depth: u8) -> BTreeMap<String, Value> {
    from.list(3, |from| (from.name(), value(from, depth))).into_iter().collect()
}

pub(super) fn metadata(from: &mut Choices<'_>) -> Metadata {
    Metadata(from.list(2, |from| (from.name(), object(from, 1))).into_iter().collect())
}

pub(super) fn ads(from: &mut Choices<'_>) -> ConfigSource {
    ConfigSource::Api {
        api_type: from.one_of(&[ApiType::Grpc, ApiType::DeltaGrpc]),
        cluster: ClusterName::new(from.name()),
        set_node_on_first_message_only: from.flag(),
        initial_metadata: from.list(2, |from| (from.name(), from.text())),
        initial_fetch_timeout: Some(std::time::Duration::from_secs(15)),
    }
}

pub(super) fn config_source(from: &mut Choices<'_>) -> ConfigSource {
    match (from.between(0, 2), ads(from)) {
        (0, _) => ConfigSource::Ads { initial_fetch_timeout: from.maybe(Choices::positive) },
        (
            1,
            ConfigSource::Api {
                api_type,
                cluster,
                set_node_on_first_message_only,
                initial_metadata,
                initial_fetch_timeout: _,
            },
        ) => ConfigSource::Api {
            api_type,
            cluster,
            set_node_on_first_message_only,
            initial_metadata,
            initial_fetch_timeout: from.maybe(Choices::positive),
        },
        _ => ConfigSource::Path { path: from.name(), watched_directory: from.maybe(Choices::name) },
    }
}

pub(super) fn data_source(from: &mut Choices<'_>) -> DataSource {
    match from.between(0, 3) {
        0 => DataSource::Inline(from.name().into_bytes()),
        1 => DataSource::File { path: from.name(), watched_directory: from.maybe(Choices::name) },
        2 => DataSource::Environment(from.name()),
        _ => DataSource::Inline(vec![0, 255, 7]),
    }
}

pub(super) fn fraction(from: &mut Choices<'_>) -> Fraction {
    let denominator = from.one_of(&[100, 10_000, 1_000_000]);
    Fraction { numerator: from.between(0, denominator), denominator }
}

pub(super) fn regex(from: &mut Choices<'_>) -> Regex {
    Regex::new(from.one_of(&["/a/.*", "(?i)x(y+)", "[0-9]{1,3}|b"])).unwrap()
}

/// An expression and a substitution whose groups exist.
pub(super) fn substitution(from: &mut Choices<'_>) -> (Regex, String) {
    let (regex, substitution) =
        from.one_of(&[("^/a/(.*)$", r"/b/\1"), ("x", "y"), ("(a)(b)", r"\2\1\\\0"), ("z", "$1")]);
    (Regex::new(regex).unwrap(), substitution.to_owned())
}

pub(super) fn string_matcher(from: &mut Choices<'_>) -> StringMatcher {
    let pattern = match from.between(0, 4) {
        0 => StringPattern::Exact(from.text()),
        1 => StringPattern::Prefix(from.name()),
        2 => StringPattern::Suffix(from.name()),
        3 => StringPattern::Contains(from.name()),
        _ => return StringMatcher { pattern: StringPattern::Regex(regex(from)), ignore_case: false },
    };
    StringMatcher { pattern, ignore_case: from.flag() }
}

pub(super) fn header_matcher(from: &mut Choices<'_>) -> HeaderMatcher {
    let name =
        if from.flag() { from.name() } else { from.one_of(&[":method", ":path", ":authority"]).to_owned() };
    let test = match from.between(0, 2) {
        0 => HeaderTest::Present(from.flag()),
        1 => HeaderTest::Text(string_matcher(from)),
        _ => HeaderTest::Range { start: -5, end: i64::from(from.number()) },
    };
    HeaderMatcher { name, test, invert: from.flag(), treat_missing_header_as_empty: from.flag() }
}

pub(super) fn metadata_key(from: &mut Choices<'_>) -> MetadataKey {
    MetadataKey { namespace: from.name(), path: from.some(3, Choices::name) }
}

pub(super) fn value_matcher(from: &mut Choices<'_>, depth: u8) -> ValueMatcher {
    match from.between(0, if depth == 0 { 5 } else { 7 }) {
        0 => ValueMatcher::Null,
        1 => ValueMatcher::Exact(f64::from(from.number()) / 3.0),
        2 => ValueMatcher::Range { start: -0.5, end: f64::from(from.number()) },
        3 => ValueMatcher::Text(string_matcher(from)),
        4 => ValueMatcher::Bool(from.flag()),
        5 => ValueMatcher::Present(from.flag()),
        6 => ValueMatcher::Item(Box::new(value_matcher(from, depth - 1))),
        _ => ValueMatcher::Any(vec![value_matcher(from, depth - 1), value_matcher(from, depth - 1)]),
    }
}

pub(super) fn metadata_matcher(from: &mut Choices<'_>) -> MetadataMatcher {
    MetadataMatcher { key: metadata_key(from), value: value_matcher(from, 2), invert: from.flag() }
}

pub(super) fn format(from: &mut Choices<'_>) -> FormatString {
    let formats = [
        "plain",
        "%REQ(X-A?:PATH):10% 100%%\n",
        "%START_TIME%",
        "%DOWNSTREAM_REMOTE_ADDRESS%|%RESPONSE_CODE%",
        "%RESP(X-B)%",
        "%DYNAMIC_METADATA(a.b:c:d):3%",
        "%FILTER_STATE(a.b:PLAIN)%%FILTER_STATE(a)%",
    ];
    FormatString::parse(from.one_of(&formats)).unwrap()
}

fn json(from: &mut Choices<'_>, depth: u8) -> JsonValue {
    match from.between(0, if depth == 0 { 3 } else { 5 }) {
        0 => JsonValue::Format(format(from)),
        1 => JsonValue::Number(f64::from(from.number())),
        2 => JsonValue::Bool(from.flag()),
        3 => JsonValue::Null,
        4 => JsonValue::Object(json_object(from, depth - 1)),
        _ => JsonValue::List(from.list(3, |from| json(from, depth - 1))),
    }
}

fn json_object(from: &mut Choices<'_>, depth: u8) -> BTreeMap<String, JsonValue> {
    from.list(3, |from| (from.name(), json(from, depth))).into_iter().collect()
}

fn runtime_uint32(from: &mut Choices<'_>) -> RuntimeUInt32 {
    RuntimeUInt32 { default: from.number(), key: from.name() }
}

pub(super) fn log_filter(from: &mut Choices<'_>, depth: u8) -> AccessLogFilter {
    let op = from.one_of(&[Comparison::Eq, Comparison::Ge, Comparison::Le, Comparison::Ne]);
    let two = |from: &mut Choices<'_>| vec![log_filter(from, depth - 1), log_filter(from, depth - 1)];
    match from.between(0, if depth == 0 { 7 } else { 9 }) {
        0 => AccessLogFilter::NotHealthCheck,
        1 => AccessLogFilter::StatusCode(op, runtime_uint32(from)),
        2 => AccessLogFilter::DurationMillis(op, runtime_uint32(from)),
        3 => AccessLogFilter::Runtime { share: fraction(from), key: from.name() },
        4 => AccessLogFilter::Header(header_matcher(from)),
        5 => AccessLogFilter::ResponseFlag(from.list(3, |from| from.one_of(&["UH", "NR", "DC"]).to_owned())),
        6 => AccessLogFilter::GrpcStatus {
            statuses: from.list(3, |from| from.between(0, 16)),
            exclude: from.flag(),
        },
        7 => AccessLogFilter::Metadata {
            key: metadata_key(from),
            value: value_matcher(from, 1),
            match_if_key_not_found: from.flag(),
        },
        8 => AccessLogFilter::And(two(from)),
        _ => AccessLogFilter::Or(two(from)),
    }
}

pub(super) fn body_format(from: &mut Choices<'_>) -> AccessLogFormat {
    if from.flag() {
        AccessLogFormat::Text { format: format(from), omit_empty_values: from.flag() }
    } else {
        AccessLogFormat::Json { fields: json_object(from, 1), omit_empty_values: from.flag() }
    }
}

pub(super) fn access_log(from: &mut Choices<'_>) -> AccessLog {
    AccessLog {
        sink: match from.between(0, 2) {
            0 => AccessLogSink::Stdout,
            1 => AccessLogSink::Stderr,
            _ => AccessLogSink::File(format!("/tmp/{}", from.name())),
        },
        format: match from.between(0, 2) {
            0 => AccessLogFormat::Default,
            1 => AccessLogFormat::Text { format: format(from), omit_empty_values: from.flag() },
            _ => AccessLogFormat::Json { fields: json_object(from, 1), omit_empty_values: from.flag() },
        },
        filter: from.maybe(|from| log_filter(from, 1)),
    }
}

pub(super) fn proxy_protocol_version(from: &mut Choices<'_>) -> ProxyProtocolVersion {
    from.one_of(&[ProxyProtocolVersion::V1, ProxyProtocolVersion::V2])
}

pub(super) fn tlv_selection(from: &mut Choices<'_>) -> TlvSelection {
    match from.between(0, 2) {
        0 => TlvSelection::None,
        1 => TlvSelection::All,
        _ => TlvSelection::Types(from.list(3, |from| from.one_of(&[1, 0x20, 0xe0, 0xff]))),
    }
}
