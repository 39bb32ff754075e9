//! What a service is told: fields, and attributes of a request and its response.

use std::collections::BTreeMap;

use xds::model::{Address, ForwardRules, Half, ProcessorAttribute, Value};

use super::modes::at;
use crate::body::{RequestHead, ResponseHead};
use crate::fields::Fields;
use crate::observe::record::{Record, RequestView};
use crate::policy::facts::path_only;

/// Names with their values.
type Told = Vec<(String, Vec<u8>)>;

/// What a service is told.
#[derive(Debug)]
pub struct Telling {
    forward: ForwardRules,
    attributes: [Vec<ProcessorAttribute>; 2],
}

impl Telling {
    /// Fields as `forward` has it, and these attributes of each half.
    #[must_use]
    pub fn new(forward: ForwardRules, attributes: [Vec<ProcessorAttribute>; 2]) -> Self {
        Self { forward, attributes }
    }

    /// The fields of a request's head.
    #[must_use]
    pub fn of_request(&self, head: &RequestHead) -> Told {
        let mut told = Vec::with_capacity(head.headers.len() + 4);
        self.tell(&mut told, ":authority", head.authority.as_bytes());
        self.tell(&mut told, ":path", head.path.as_bytes());
        self.tell(&mut told, ":method", head.method.as_str().as_bytes());
        self.tell(&mut told, ":scheme", head.scheme.as_str().as_bytes());
        self.tell_all(&mut told, &head.headers);
        told
    }

    /// The fields of a response's head.
    #[must_use]
    pub fn of_response(&self, head: &ResponseHead) -> Told {
        let mut told = Vec::with_capacity(head.headers.len() + 1);
        self.tell(&mut told, ":status", head.status.as_str().as_bytes());
        self.tell_all(&mut told, &head.headers);
        told
    }

    /// The fields of trailers.
    #[must_use]
    pub fn of_trailers(&self, trailers: &Fields) -> Told {
        let mut told = Vec::with_capacity(trailers.len());
        self.tell_all(&mut told, trailers);
        told
    }

    fn tell_all(&self, told: &mut Told, fields: &Fields) {
        for (name, value) in fields {
            self.tell(told, name.as_str(), value.as_bytes());
        }
    }

    fn tell(&self, told: &mut Told, name: &str, value: &[u8]) {
        let (allowed, disallowed) = (&self.forward.allowed, &self.forward.disallowed);
        let wanted = allowed.is_empty() || allowed.iter().any(|names| names.is_match(name));
        if wanted && !disallowed.iter().any(|names| names.is_match(name)) {
            told.push((name.to_owned(), value.to_vec()));
        }
    }

    /// Whether there are attributes to tell of the half.
    #[must_use]
    pub fn has_attributes(&self, half: Half) -> bool {
        !self.attributes[at(half)].is_empty()
    }

    /// The attributes that there are; `cluster` is the one that the route names, before the request is forwarded.
    #[must_use]
    pub fn attributes(
        &self,
        half: Half,
        record: &Record,
        request: Option<RequestView<'_>>,
        cluster: Option<&str>,
    ) -> BTreeMap<String, Value> {
        let found = self.attributes[at(half)].iter().filter_map(|attribute| {
            let value = value(*attribute, record, request.as_ref(), cluster)?;
            Some((attribute.name().to_owned(), value))
        });
        found.collect()
    }
}

fn value(
    attribute: ProcessorAttribute,
    record: &Record,
    request: Option<&RequestView<'_>>,
    cluster: Option<&str>,
) -> Option<Value> {
    use ProcessorAttribute as A;
    let connection = &*record.connection;
    match attribute {
        A::ResponseCode => (record.status != 0).then(|| number(record.status)),
        A::RequestProtocol => Some(text(record.protocol)),
        A::SourceAddress => Some(text(&record.remote.to_string())),
        A::SourcePort => record.remote.port().map(number),
        A::DestinationAddress => Some(text(&connection.local.to_string())),
        A::DestinationPort => connection.local.port().map(number),
        A::ConnectionMtls => Some(Value::Bool(connection.tls.as_ref().is_some_and(|tls| tls.peer.is_some()))),
        A::ConnectionRequestedServerName => Some(text(connection.server_name.as_deref().unwrap_or_default())),
        A::ConnectionTlsVersion => connection.tls.as_ref().map(|tls| text(tls.version)),
        A::UpstreamAddress => record.upstream.as_ref().map(|upstream| text(&upstream.host.to_string())),
        A::UpstreamPort => match &record.upstream.as_ref()?.host {
            Address::Socket(address) => Some(number(address.port)),
            _ => None,
        },
        A::RouteName => present(&record.route),
        A::ClusterName => present(cluster.unwrap_or(&record.cluster)),
        of_request => self::of_request(of_request, request?),
    }
}

fn of_request(attribute: ProcessorAttribute, request: &RequestView<'_>) -> Option<Value> {
    use ProcessorAttribute as A;
    let field = |name: &str| {
        let value = request.headers.get(name)?;
        std::str::from_utf8(value.as_bytes()).ok().map(text)
    };
    match attribute {
        A::RequestPath => Some(text(request.path)),
        A::RequestUrlPath => Some(text(path_only(request.path))),
        A::RequestQuery => {
            let query = request.path.split_once('?').map_or("", |(_, query)| query);
            Some(text(query.split('#').next().unwrap_or_default()))
        }
        A::RequestHost => Some(text(request.authority)),
        A::RequestScheme => Some(text(request.scheme)),
        A::RequestMethod => Some(text(request.method)),
        A::RequestReferer => field("referer"),
        A::RequestUserAgent => field("user-agent"),
        A::RequestId => field("x-request-id"),
        _ => None,
    }
}

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

fn present(found: &str) -> Option<Value> {
    (!found.is_empty()).then(|| text(found))
}

fn number(number: u16) -> Value {
    Value::Number(f64::from(number))
}
