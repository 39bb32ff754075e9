//! Envoy format strings: `%COMMAND(argument):length%` in access logs and header values.
//!
//! Parsed once; whoever renders one only looks values up.

use std::fmt::Write as _;

use super::MetadataKey;

/// A parsed format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormatString {
    source: String,
    parts: Vec<FormatPart>,
}

/// A piece of a format string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FormatPart {
    /// Text as it stands.
    Literal(String),
    /// A value to look up.
    Command(Command),
}

/// An operator with its optional length limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What to look up.
    pub operator: Operator,
    /// Longest rendering in bytes.
    pub max_length: Option<usize>,
}

/// The command operators of Envoy that are supported here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is Envoy's command of the same name")]
pub enum Operator {
    RequestHeader {
        name: String,
        fallback: Option<String>,
    },
    ResponseHeader {
        name: String,
        fallback: Option<String>,
    },
    ResponseTrailer {
        name: String,
        fallback: Option<String>,
    },
    /// `START_TIME` with its strftime format; `None` is ISO 8601 with milliseconds.
    StartTime(Option<String>),
    BytesReceived,
    BytesSent,
    Protocol,
    ResponseCode,
    ResponseCodeDetails,
    ResponseFlags,
    ResponseFlagsLong,
    Duration,
    RequestDuration,
    ResponseDuration,
    ResponseTxDuration,
    RequestHeadersBytes,
    ResponseHeadersBytes,
    RouteName,
    VirtualClusterName,
    UpstreamHost,
    UpstreamCluster,
    UpstreamLocalAddress,
    UpstreamRemoteAddress,
    UpstreamRemoteAddressWithoutPort,
    UpstreamRequestAttemptCount,
    UpstreamTransportFailureReason,
    UpstreamProtocol,
    DownstreamRemoteAddress,
    DownstreamRemoteAddressWithoutPort,
    DownstreamRemotePort,
    DownstreamDirectRemoteAddress,
    DownstreamDirectRemoteAddressWithoutPort,
    DownstreamLocalAddress,
    DownstreamLocalAddressWithoutPort,
    DownstreamLocalPort,
    DownstreamPeerUriSan,
    DownstreamLocalUriSan,
    DownstreamPeerSubject,
    DownstreamPeerIssuer,
    DownstreamPeerSerial,
    DownstreamPeerFingerprint256,
    DownstreamTlsVersion,
    DownstreamTlsCipher,
    DownstreamTransportFailureReason,
    RequestedServerName,
    ConnectionId,
    ConnectionTerminationDetails,
    StreamId,
    GrpcStatus,
    GrpcStatusNumber,
    /// The body of an answer that is made here, before it is put into a format; empty elsewhere.
    LocalReplyBody,
    Hostname,
    Environment(String),
    FilterChainName,
    /// A value of the dynamic metadata, or a whole namespace of it.
    DynamicMetadata(MetadataKey),
    /// An object that filters keep.
    FilterState {
        key: String,
        form: FilterStateForm,
    },
}

/// How an object is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterStateForm {
    /// As its text.
    Plain,
    /// As its message in JSON.
    Typed,
}

impl FormatString {
    /// Parses `source`; `%%` is a percent sign.
    ///
    /// # Errors
    /// Names the command that is unknown or the place of an unbalanced `%`.
    pub fn parse(source: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = source;
        while let Some(at) = rest.find('%') {
            literal.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                literal.push('%');
                rest = after;
                continue;
            }
            let (command, after) = command(rest)
                .map_err(|reason| format!("at byte {}: {reason}", source.len() - rest.len() - 1))?;
            if !literal.is_empty() {
                parts.push(FormatPart::Literal(std::mem::take(&mut literal)));
            }
            parts.push(FormatPart::Command(command));
            rest = after;
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(FormatPart::Literal(literal));
        }
        Ok(Self { source: source.to_owned(), parts })
    }

    /// The pieces in order.
    #[must_use]
    pub fn parts(&self) -> &[FormatPart] {
        &self.parts
    }

    /// The string as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The text, when no command stands in it.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [FormatPart::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// `NAME[(argument)][:length]%…` → the command and what follows its closing percent sign.
fn command(text: &str) -> Result<(Command, &str), String> {
    let name_len =
        text.find(|char: char| !(char.is_ascii_uppercase() || char == '_' || char.is_ascii_digit()));
    let (name, mut rest) = text.split_at(name_len.unwrap_or(text.len()));
    let mut argument = None;
    if let Some(inside) = rest.strip_prefix('(') {
        let end = inside.find(')').ok_or_else(|| format!("%{name}( has no closing parenthesis"))?;
        argument = Some(&inside[..end]);
        rest = &inside[end + 1..];
    }
    let mut max_length = None;
    if let Some(digits) = rest.strip_prefix(':') {
        let end = digits.find('%').unwrap_or(digits.len());
        let length =
            digits[..end].parse().map_err(|_| format!("%{name} has a length that is not a number"))?;
        max_length = Some(length);
        rest = &digits[end..];
    }
    let after = rest.strip_prefix('%').ok_or_else(|| format!("%{name} has no closing percent sign"))?;
    let operator = operator(name, argument)?;
    Ok((Command { operator, max_length }, after))
}

fn operator(name: &str, argument: Option<&str>) -> Result<Operator, String> {
    use Operator as O;
    let found = match (name, argument) {
        ("REQ", Some(arg)) => {
            let (name, fallback) = header(arg)?;
            O::RequestHeader { name, fallback }
        }
        ("RESP", Some(arg)) => {
            let (name, fallback) = header(arg)?;
            O::ResponseHeader { name, fallback }
        }
        ("TRAILER", Some(arg)) => {
            let (name, fallback) = header(arg)?;
            O::ResponseTrailer { name, fallback }
        }
        ("START_TIME", arg) => O::StartTime(arg.map(str::to_owned)),
        ("ENVIRONMENT", Some(arg)) => O::Environment(arg.to_owned()),
        ("GRPC_STATUS", None | Some("CAMEL_STRING")) => O::GrpcStatus,
        ("GRPC_STATUS", Some("NUMBER")) => O::GrpcStatusNumber,
        ("DYNAMIC_METADATA", Some(arg)) => O::DynamicMetadata(metadata_key(arg)?),
        ("FILTER_STATE", Some(arg)) => filter_state(arg)?,
        ("REQ" | "RESP" | "TRAILER" | "ENVIRONMENT" | "DYNAMIC_METADATA" | "FILTER_STATE", None) => {
            return Err(format!("%{name} needs an argument"));
        }
        (_, Some(arg)) => return Err(format!("%{name}({arg})% is not supported, or takes no argument")),
        (plain, None) => plain_operator(plain)?,
    };
    Ok(found)
}

fn plain_operator(name: &str) -> Result<Operator, String> {
    PLAIN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, operator)| operator.clone())
        .ok_or_else(|| {
            let mut known = String::new();
            for (name, _) in PLAIN {
                let _ = write!(known, " {name}");
            }
            format!("%{name}% is not a supported command; known besides REQ, RESP, TRAILER, START_TIME, ENVIRONMENT, GRPC_STATUS, DYNAMIC_METADATA, FILTER_STATE:{known}")
        })
}

const PLAIN: &[(&str, Operator)] = &[
    ("BYTES_RECEIVED", Operator::BytesReceived),
    ("BYTES_SENT", Operator::BytesSent),
    ("PROTOCOL", Operator::Protocol),
    ("RESPONSE_CODE", Operator::ResponseCode),
    ("RESPONSE_CODE_DETAILS", Operator::ResponseCodeDetails),
    ("RESPONSE_FLAGS", Operator::ResponseFlags),
    ("RESPONSE_FLAGS_LONG", Operator::ResponseFlagsLong),
    ("DURATION", Operator::Duration),
    ("REQUEST_DURATION", Operator::RequestDuration),
    ("RESPONSE_DURATION", Operator::ResponseDuration),
    ("RESPONSE_TX_DURATION", Operator::ResponseTxDuration),
    ("REQUEST_HEADERS_BYTES", Operator::RequestHeadersBytes),
    ("RESPONSE_HEADERS_BYTES", Operator::ResponseHeadersBytes),
    ("ROUTE_NAME", Operator::RouteName),
    ("VIRTUAL_CLUSTER_NAME", Operator::VirtualClusterName),
    ("UPSTREAM_HOST", Operator::UpstreamHost),
    ("UPSTREAM_CLUSTER", Operator::UpstreamCluster),
    ("UPSTREAM_LOCAL_ADDRESS", Operator::UpstreamLocalAddress),
    ("UPSTREAM_REMOTE_ADDRESS", Operator::UpstreamRemoteAddress),
    ("UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::UpstreamRemoteAddressWithoutPort),
    ("UPSTREAM_REQUEST_ATTEMPT_COUNT", Operator::UpstreamRequestAttemptCount),
    ("UPSTREAM_TRANSPORT_FAILURE_REASON", Operator::UpstreamTransportFailureReason),
    ("UPSTREAM_PROTOCOL", Operator::UpstreamProtocol),
    ("DOWNSTREAM_REMOTE_ADDRESS", Operator::DownstreamRemoteAddress),
    ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", Operator::DownstreamRemoteAddressWithoutPort),
    ("DOWNSTREAM_REMOTE_PORT", Operator::DownstreamRemotePort),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS", Operator::DownstreamDirectRemoteAddress),
    ("DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT", Operator::DownstreamDirectRemoteAddressWithoutPort),
    ("DOWNSTREAM_LOCAL_ADDRESS", Operator::DownstreamLocalAddress),
    ("DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT", Operator::DownstreamLocalAddressWithoutPort),
    ("DOWNSTREAM_LOCAL_PORT", Operator::DownstreamLocalPort),
    ("DOWNSTREAM_PEER_URI_SAN", Operator::DownstreamPeerUriSan),
    ("DOWNSTREAM_LOCAL_URI_SAN", Operator::DownstreamLocalUriSan),
    ("DOWNSTREAM_PEER_SUBJECT", Operator::DownstreamPeerSubject),
    ("DOWNSTREAM_PEER_ISSUER", Operator::DownstreamPeerIssuer),
    ("DOWNSTREAM_PEER_SERIAL", Operator::DownstreamPeerSerial),
    ("DOWNSTREAM_PEER_FINGERPRINT_256", Operator::DownstreamPeerFingerprint256),
    ("DOWNSTREAM_TLS_VERSION", Operator::DownstreamTlsVersion),
    ("DOWNSTREAM_TLS_CIPHER", Operator::DownstreamTlsCipher),
    ("DOWNSTREAM_TRANSPORT_FAILURE_REASON", Operator::DownstreamTransportFailureReason),
    ("REQUESTED_SERVER_NAME", Operator::RequestedServerName),
    ("CONNECTION_ID", Operator::ConnectionId),
    ("CONNECTION_TERMINATION_DETAILS", Operator::ConnectionTerminationDetails),
    ("STREAM_ID", Operator::StreamId),
    ("GRPC_STATUS_NUMBER", Operator::GrpcStatusNumber),
    ("LOCAL_REPLY_BODY", Operator::LocalReplyBody),
    ("HOSTNAME", Operator::Hostname),
    ("FILTER_CHAIN_NAME", Operator::FilterChainName),
];

/// `KEY`, `KEY:PLAIN` or `KEY:TYPED`.
fn filter_state(argument: &str) -> Result<Operator, String> {
    let (key, form) = argument.split_once(':').unwrap_or((argument, "TYPED"));
    let form = match form {
        "PLAIN" => FilterStateForm::Plain,
        "TYPED" => FilterStateForm::Typed,
        other => return Err(format!("({argument}) asks for the form {other:?}; accepted: PLAIN, TYPED")),
    };
    if key.is_empty() {
        return Err(format!("({argument}) has an empty key"));
    }
    Ok(Operator::FilterState { key: key.to_owned(), form })
}

/// `NAMESPACE:KEY:KEY…`; without a key the whole namespace.
fn metadata_key(argument: &str) -> Result<MetadataKey, String> {
    let mut parts = argument.split(':').map(str::to_owned);
    let namespace = parts.next().unwrap_or_default();
    let path: Vec<String> = parts.collect();
    if namespace.is_empty() || path.iter().any(String::is_empty) {
        return Err(format!("({argument}) has an empty namespace or key"));
    }
    Ok(MetadataKey { namespace, path })
}

/// `NAME` or `NAME?FALLBACK`, lower-cased.
fn header(argument: &str) -> Result<(String, Option<String>), String> {
    let (name, fallback) = match argument.split_once('?') {
        Some((name, fallback)) => (name, Some(fallback.to_ascii_lowercase())),
        None => (argument, None),
    };
    if name.is_empty() || fallback.as_deref() == Some("") {
        return Err(format!("a header name is missing in ({argument})"));
    }
    Ok((name.to_ascii_lowercase(), fallback))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_keeps_its_argument_fallback_and_length() {
        let format = FormatString::parse("a %REQ(X-A?:PATH):5% 100%%").unwrap();
        assert_eq!(
            format.parts(),
            [
                FormatPart::Literal("a ".into()),
                FormatPart::Command(Command {
                    operator: Operator::RequestHeader { name: "x-a".into(), fallback: Some(":path".into()) },
                    max_length: Some(5),
                }),
                FormatPart::Literal(" 100%".into()),
            ]
        );
    }

    #[test]
    fn a_grpc_status_is_shown_in_a_known_form_only() {
        let operator = |source: &str| {
            FormatString::parse(source).map(|format| match format.parts() {
                [FormatPart::Command(command)] => command.operator.clone(),
                parts => panic!("{parts:?}"),
            })
        };
        assert_eq!(operator("%GRPC_STATUS%"), Ok(Operator::GrpcStatus));
        assert_eq!(operator("%GRPC_STATUS(CAMEL_STRING)%"), Ok(Operator::GrpcStatus));
        assert_eq!(operator("%GRPC_STATUS(NUMBER)%"), Ok(Operator::GrpcStatusNumber));
        assert!(operator("%GRPC_STATUS(SNAKE_STRING)%").unwrap_err().contains("SNAKE_STRING"));
    }

    #[test]
    fn a_metadata_key_is_split_at_colons() {
        let format = FormatString::parse("%DYNAMIC_METADATA(a.b:c d:e):7%").unwrap();
        let key = MetadataKey { namespace: "a.b".to_owned(), path: vec!["c d".to_owned(), "e".to_owned()] };
        let command = Command { operator: Operator::DynamicMetadata(key), max_length: Some(7) };
        assert_eq!(format.parts(), [FormatPart::Command(command)]);
        assert!(
            FormatString::parse("%DYNAMIC_METADATA(a:)%").unwrap_err().contains("empty namespace or key")
        );
        assert!(FormatString::parse("%DYNAMIC_METADATA%").unwrap_err().contains("needs an argument"));
    }

    #[test]
    fn an_object_of_the_filter_state_is_shown_in_a_known_form_only() {
        let parsed = |source: &str| FormatString::parse(source).map(|format| format.parts().to_vec());
        let command = |form| {
            let operator = Operator::FilterState { key: "a.b".to_owned(), form };
            Ok(vec![FormatPart::Command(Command { operator, max_length: None })])
        };
        assert_eq!(parsed("%FILTER_STATE(a.b)%"), command(FilterStateForm::Typed));
        assert_eq!(parsed("%FILTER_STATE(a.b:TYPED)%"), command(FilterStateForm::Typed));
        assert_eq!(parsed("%FILTER_STATE(a.b:PLAIN)%"), command(FilterStateForm::Plain));
        assert!(parsed("%FILTER_STATE(a.b:FIELD:c)%").unwrap_err().contains("accepted: PLAIN, TYPED"));
        assert!(parsed("%FILTER_STATE(:PLAIN)%").unwrap_err().contains("empty key"));
    }

    #[test]
    fn an_unknown_command_is_named() {
        assert!(FormatString::parse("%NO_SUCH%").unwrap_err().contains("NO_SUCH"));
        assert!(FormatString::parse("%PROTOCOL").unwrap_err().contains("closing percent"));
    }
}
