//! A resource of any kind.
//!
//! One rule: a kind becomes a type in `parse` and nowhere else.

use std::sync::Arc;

use gateway_api::experimental::tcproutes::TcpRouteSpec;
use gateway_api::httproutes::HttpRouteSpec;
use serde_json::{Map, Value};

use super::document::{Document, Metadata};
use super::failover::FailoverSpec;
use super::invalid::Invalid;
use super::join_token::JoinTokenSpec;
use super::kind::{Kind, ObjectRef};
use super::service::ServiceSpec;
use super::site::SiteSpec;
use super::trust_domain::TrustDomainSpec;

/// A resource of any kind; cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// A `Site`.
    Site(Arc<Document<SiteSpec>>),
    /// A `Service`.
    Service(Arc<Document<ServiceSpec>>),
    /// An `HTTPRoute`.
    HttpRoute(Arc<Document<HttpRouteSpec>>),
    /// A `TCPRoute`.
    TcpRoute(Arc<Document<TcpRouteSpec>>),
    /// A `Failover`.
    Failover(Arc<Document<FailoverSpec>>),
    /// A `TrustDomain`.
    TrustDomain(Arc<Document<TrustDomainSpec>>),
    /// A `JoinToken`.
    JoinToken(Arc<Document<JoinTokenSpec>>),
}

impl Object {
    /// Reads and checks a document of whatever kind it says it is.
    pub fn parse(document: &Value) -> Result<Self, Invalid> {
        let Value::Object(fields) = document else {
            return Err(Invalid::new("", "a resource is a map with apiVersion, kind, metadata and spec"));
        };
        match kind_of(fields)? {
            Kind::Site => Document::parse(fields).map(|d| Self::Site(Arc::new(d))),
            Kind::Service => Document::parse(fields).map(|d| Self::Service(Arc::new(d))),
            Kind::HttpRoute => Document::parse(fields).map(|d| Self::HttpRoute(Arc::new(d))),
            Kind::TcpRoute => Document::parse(fields).map(|d| Self::TcpRoute(Arc::new(d))),
            Kind::Failover => Document::parse(fields).map(|d| Self::Failover(Arc::new(d))),
            Kind::TrustDomain => Document::parse(fields).map(|d| Self::TrustDomain(Arc::new(d))),
            Kind::JoinToken => Document::parse(fields).map(|d| Self::JoinToken(Arc::new(d))),
        }
    }

    /// Its kind and name.
    pub fn object_ref(&self) -> ObjectRef {
        ObjectRef::new(self.kind(), self.metadata().name.clone())
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Site(_) => Kind::Site,
            Self::Service(_) => Kind::Service,
            Self::HttpRoute(_) => Kind::HttpRoute,
            Self::TcpRoute(_) => Kind::TcpRoute,
            Self::Failover(_) => Kind::Failover,
            Self::TrustDomain(_) => Kind::TrustDomain,
            Self::JoinToken(_) => Kind::JoinToken,
        }
    }

    /// Its metadata.
    pub fn metadata(&self) -> &Metadata {
        match self {
            Self::Site(d) => &d.metadata,
            Self::Service(d) => &d.metadata,
            Self::HttpRoute(d) => &d.metadata,
            Self::TcpRoute(d) => &d.metadata,
            Self::Failover(d) => &d.metadata,
            Self::TrustDomain(d) => &d.metadata,
            Self::JoinToken(d) => &d.metadata,
        }
    }

    /// What it is, written by the control API.
    pub fn status(&self) -> Option<&Value> {
        match self {
            Self::Site(d) => d.status.as_ref(),
            Self::Service(d) => d.status.as_ref(),
            Self::HttpRoute(d) => d.status.as_ref(),
            Self::TcpRoute(d) => d.status.as_ref(),
            Self::Failover(d) => d.status.as_ref(),
            Self::TrustDomain(d) => d.status.as_ref(),
            Self::JoinToken(d) => d.status.as_ref(),
        }
    }

    /// The same resource with what the store knows about it.
    pub fn with(self, metadata: Metadata, status: Option<Value>) -> Self {
        match self {
            Self::Site(d) => Self::Site(renewed(d, metadata, status)),
            Self::Service(d) => Self::Service(renewed(d, metadata, status)),
            Self::HttpRoute(d) => Self::HttpRoute(renewed(d, metadata, status)),
            Self::TcpRoute(d) => Self::TcpRoute(renewed(d, metadata, status)),
            Self::Failover(d) => Self::Failover(renewed(d, metadata, status)),
            Self::TrustDomain(d) => Self::TrustDomain(renewed(d, metadata, status)),
            Self::JoinToken(d) => Self::JoinToken(renewed(d, metadata, status)),
        }
    }

    /// Whether both want the same.
    pub fn same_spec(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Site(a), Self::Site(b)) => a.spec == b.spec,
            (Self::Service(a), Self::Service(b)) => a.spec == b.spec,
            (Self::HttpRoute(a), Self::HttpRoute(b)) => a.spec == b.spec,
            (Self::TcpRoute(a), Self::TcpRoute(b)) => a.spec == b.spec,
            (Self::Failover(a), Self::Failover(b)) => a.spec == b.spec,
            (Self::TrustDomain(a), Self::TrustDomain(b)) => a.spec == b.spec,
            (Self::JoinToken(a), Self::JoinToken(b)) => a.spec == b.spec,
            _ => false,
        }
    }

    /// The document as it is sent and stored.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Site(d) => d.to_json(),
            Self::Service(d) => d.to_json(),
            Self::HttpRoute(d) => d.to_json(),
            Self::TcpRoute(d) => d.to_json(),
            Self::Failover(d) => d.to_json(),
            Self::TrustDomain(d) => d.to_json(),
            Self::JoinToken(d) => d.to_json(),
        }
    }
}

fn renewed<S: Clone>(
    document: Arc<Document<S>>,
    metadata: Metadata,
    status: Option<Value>,
) -> Arc<Document<S>> {
    Arc::new(Document { metadata, spec: document.spec.clone(), status })
}

/// The kind that a document says it is; its `apiVersion` must be that kind's.
fn kind_of(document: &Map<String, Value>) -> Result<Kind, Invalid> {
    let text = |key: &str| {
        document.get(key).and_then(Value::as_str).ok_or_else(|| Invalid::new(key, "missing, or not a string"))
    };
    let (api_version, name) = (text("apiVersion")?, text("kind")?);
    let kind = Kind::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|k| k.name()).collect();
        Invalid::new("kind", format!("{name:?} is not known: accepted are {}", known.join(", ")))
    })?;
    if api_version != kind.api_version() {
        return Err(Invalid::new(
            "apiVersion",
            format!("{api_version:?} is not the version of {kind}: accepted is {}", kind.api_version()),
        ));
    }
    Ok(kind)
}
