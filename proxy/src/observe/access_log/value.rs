//! Looking one command operator up in a record.

use std::borrow::Cow;
use std::time::Duration;

use xds::model::{self, Address, FilterStateForm, Host, MetadataKey, Operator, SocketAddress};

use super::clock::TimeFormat;
use crate::fields::Fields;
use crate::observe::field::Field;
use crate::observe::record::{Heads, Place, Record};

/// A value with its type, which JSON keeps.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value<'a> {
    /// There is none: `-` in text, `null` in JSON.
    Missing,
    Text(Cow<'a, str>),
    Number(u64),
    /// Never null.
    Metadata(Cow<'a, model::Value>),
    /// A text in quotes, in text too.
    Quoted(&'a str),
}

/// A compiled operator.
#[derive(Debug, Clone)]
pub(super) enum Lookup {
    Request(Field, Option<Field>),
    Response(Field, Option<Field>),
    Trailer(Field, Option<Field>),
    Started(TimeFormat),
    LocalReplyBody,
    Metadata(MetadataKey),
    Object(String, FilterStateForm),
    Plain(Operator),
}

impl Lookup {
    pub(super) fn find<'a>(&'a self, record: &'a Record, heads: &Heads<'a>) -> Value<'a> {
        let either = |first: Option<Cow<'a, str>>, second: &dyn Fn() -> Option<Cow<'a, str>>| {
            first.or_else(second).map_or(Value::Missing, Value::Text)
        };
        match self {
            Self::Request(field, fallback) => {
                let Some(request) = heads.request.as_ref() else { return Value::Missing };
                either(field.of_request(request), &|| fallback.as_ref()?.of_request(request))
            }
            Self::Response(field, fallback) => of(heads.response, field, fallback.as_ref()),
            Self::Trailer(field, fallback) => of(heads.trailers, field, fallback.as_ref()),
            Self::LocalReplyBody => Value::Text(Cow::Borrowed(heads.local_reply_body)),
            Self::Metadata(key) => metadata(key, record),
            Self::Object(key, form) => {
                let Some(object) = record.attributes.object(key) else { return Value::Missing };
                match form {
                    FilterStateForm::Plain => Value::Text(Cow::Borrowed(&object.text)),
                    FilterStateForm::Typed => object.message().map_or(Value::Missing, Value::Quoted),
                }
            }
            Self::Started(format) => Value::Text(Cow::Owned(format.render(record.started_at))),
            Self::Plain(operator) => plain(operator, record),
        }
    }
}

fn of<'a>(fields: Option<&'a Fields>, field: &Field, fallback: Option<&Field>) -> Value<'a> {
    let Some(fields) = fields else { return Value::Missing };
    field
        .of_fields(fields)
        .or_else(|| fallback.and_then(|fallback| fallback.of_fields(fields)))
        .map_or(Value::Missing, Value::Text)
}

/// A value of the dynamic metadata; without a path all of the namespace.
fn metadata<'a>(key: &MetadataKey, record: &'a Record) -> Value<'a> {
    let metadata = record.attributes.metadata();
    let MetadataKey { namespace, path } = key;
    let found = if path.is_empty() {
        metadata.of(namespace).map(|fields| Cow::Owned(model::Value::Struct(fields.clone())))
    } else {
        metadata.value(namespace, path).map(Cow::Borrowed)
    };
    found.filter(|value| **value != model::Value::Null).map_or(Value::Missing, Value::Metadata)
}

fn plain<'a>(operator: &Operator, record: &'a Record) -> Value<'a> {
    use Operator as O;
    match operator {
        O::BytesReceived => Value::Number(record.bytes_received),
        O::BytesSent => Value::Number(record.bytes_sent),
        O::Protocol => text(record.protocol),
        O::ResponseCode => Value::Number(u64::from(record.status)),
        O::ResponseCodeDetails => text(&record.details),
        // Envoy shows flags as `-` in JSON too: the list is empty, not missing.
        O::ResponseFlags => owned(Some(record.flags.short().unwrap_or_else(|| "-".to_owned()))),
        O::ResponseFlagsLong => owned(Some(record.flags.long().unwrap_or_else(|| "-".to_owned()))),
        O::Duration => millis(record.finished),
        O::RequestDuration => millis(record.request_received),
        O::ResponseDuration => millis(record.response_started),
        O::ResponseTxDuration => {
            let end = record.finished.zip(record.response_started);
            millis(end.map(|(finished, started)| finished.saturating_sub(started)))
        }
        O::RequestHeadersBytes => Value::Number(record.request_headers_bytes),
        O::ResponseHeadersBytes => Value::Number(record.response_headers_bytes),
        O::RouteName => text(&record.route),
        // Virtual clusters are refused by the configuration, so that no request has one.
        O::VirtualClusterName => Value::Missing,
        O::GrpcStatus => owned(record.grpc_status.map(grpc_name)),
        O::GrpcStatusNumber => {
            record.grpc_status.map_or(Value::Missing, |status| Value::Number(u64::from(status)))
        }
        O::StreamId => {
            let id = record.request_id.as_ref().and_then(|id| std::str::from_utf8(id.as_bytes()).ok());
            id.map_or(Value::Missing, text)
        }
        O::RequestHeader { .. }
        | O::ResponseHeader { .. }
        | O::ResponseTrailer { .. }
        | O::StartTime(_)
        | O::LocalReplyBody
        | O::DynamicMetadata(_)
        | O::FilterState { .. }
        | O::Hostname
        | O::Environment(_) => unreachable!("compiled into lookups and literals of their own"),
        other => upstream(other, record),
    }
}

fn upstream<'a>(operator: &Operator, record: &'a Record) -> Value<'a> {
    use Operator as O;
    let host = record.upstream.as_ref().map(|upstream| &upstream.host);
    match operator {
        O::UpstreamHost | O::UpstreamRemoteAddress => owned(host.map(Address::to_string)),
        O::UpstreamRemoteAddressWithoutPort => owned(host.map(without_port)),
        O::UpstreamCluster => text(&record.cluster),
        O::UpstreamLocalAddress => {
            let local = record.upstream.as_ref().and_then(|upstream| upstream.local);
            owned(local.map(|address| address.to_string()))
        }
        O::UpstreamRequestAttemptCount => Value::Number(u64::from(record.attempts)),
        O::UpstreamTransportFailureReason => text(&record.upstream_failure),
        O::UpstreamProtocol => text(record.upstream.as_ref().map_or("", |upstream| upstream.protocol)),
        other => downstream(other, record),
    }
}

fn downstream<'a>(operator: &Operator, record: &'a Record) -> Value<'a> {
    use Operator as O;
    let connection = &*record.connection;
    match operator {
        O::DownstreamRemoteAddress => owned(Some(record.remote.to_string())),
        O::DownstreamRemoteAddressWithoutPort => address(&record.remote),
        O::DownstreamRemotePort => port(&record.remote),
        O::DownstreamDirectRemoteAddress => owned(Some(connection.direct_remote.to_string())),
        O::DownstreamDirectRemoteAddressWithoutPort => address(&connection.direct_remote),
        O::DownstreamLocalAddress => owned(Some(connection.local.to_string())),
        O::DownstreamLocalAddressWithoutPort => address(&connection.local),
        O::DownstreamLocalPort => port(&connection.local),
        O::RequestedServerName => text(connection.server_name.as_deref().unwrap_or_default()),
        O::ConnectionId => Value::Number(connection.id),
        O::ConnectionTerminationDetails => text(&record.termination),
        // A connection whose TLS handshake failed never becomes a request; its reason is the listener's to log.
        O::DownstreamTransportFailureReason => Value::Missing,
        O::FilterChainName => text(&connection.filter_chain),
        other => tls(other, record),
    }
}

fn tls<'a>(operator: &Operator, record: &'a Record) -> Value<'a> {
    use Operator as O;
    let Some(tls) = record.connection.tls.as_ref() else { return Value::Missing };
    match operator {
        O::DownstreamTlsVersion => return text(tls.version),
        O::DownstreamTlsCipher => return text(tls.cipher),
        O::DownstreamLocalUriSan => return owned(joined_texts(&tls.local_uri_sans)),
        _ => {}
    }
    let Some(peer) = tls.peer.as_ref() else { return Value::Missing };
    match operator {
        O::DownstreamPeerUriSan => owned(joined_texts(&peer.uri_sans)),
        O::DownstreamPeerSubject => text(&peer.subject),
        O::DownstreamPeerIssuer => text(&peer.issuer),
        O::DownstreamPeerSerial => text(&peer.serial),
        O::DownstreamPeerFingerprint256 => text(&peer.sha256),
        _ => Value::Missing,
    }
}

fn text(text: &str) -> Value<'_> {
    if text.is_empty() { Value::Missing } else { Value::Text(Cow::Borrowed(text)) }
}

fn owned<'a>(text: Option<String>) -> Value<'a> {
    text.map_or(Value::Missing, |text| Value::Text(Cow::Owned(text)))
}

fn millis<'a>(duration: Option<Duration>) -> Value<'a> {
    duration.map_or(Value::Missing, |duration| {
        Value::Number(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    })
}

fn address<'a>(place: &Place) -> Value<'a> {
    owned(Some(place.ip().map_or_else(|| place.to_string(), |ip| ip.to_string())))
}

fn port<'a>(place: &Place) -> Value<'a> {
    place.port().map_or(Value::Missing, |port| Value::Number(u64::from(port)))
}

fn joined_texts(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(","))
}

/// The host alone; a pipe's path as it is.
fn without_port(address: &Address) -> String {
    match address {
        Address::Socket(SocketAddress { host: Host::Ip(ip), .. }) => ip.to_string(),
        Address::Socket(SocketAddress { host: Host::Name(name), .. }) => name.clone(),
        Address::Pipe(path) => path.clone(),
    }
}

/// The status' name as Envoy prints it; unknown ones as the number.
fn grpc_name(status: u32) -> String {
    const NAMES: [&str; 17] = [
        "OK",
        "Canceled",
        "Unknown",
        "InvalidArgument",
        "DeadlineExceeded",
        "NotFound",
        "AlreadyExists",
        "PermissionDenied",
        "ResourceExhausted",
        "FailedPrecondition",
        "Aborted",
        "OutOfRange",
        "Unimplemented",
        "Internal",
        "Unavailable",
        "DataLoss",
        "Unauthenticated",
    ];
    let named = usize::try_from(status).ok().and_then(|status| NAMES.get(status));
    named.map_or_else(|| status.to_string(), |name| (*name).to_owned())
}
