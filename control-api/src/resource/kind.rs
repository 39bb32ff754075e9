//! The kinds of resources, with their groups and the names they have in paths.
//!
//! One rule: a kind is one row of one table here; nothing else spells these names.

use std::fmt;

/// A kind of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A place with a gateway.
    Site,
    /// Something that answers, with its instances at sites.
    Service,
    /// Gateway API HTTPRoute.
    HttpRoute,
    /// Gateway API TCPRoute.
    TcpRoute,
    /// Where a service's traffic goes when a site cannot serve it.
    Failover,
    /// Another trust domain whose identities are accepted.
    TrustDomain,
    /// A one-time secret with which a site's proxy gets its first certificate.
    JoinToken,
}

impl Kind {
    /// All kinds, in the order in which one may refer to the one before.
    pub const ALL: [Self; 7] = [
        Self::Site,
        Self::Service,
        Self::HttpRoute,
        Self::TcpRoute,
        Self::Failover,
        Self::TrustDomain,
        Self::JoinToken,
    ];

    /// The `kind` of a document.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The `apiVersion` of a document.
    pub fn api_version(self) -> &'static str {
        self.row().1
    }

    /// The collection's name in REST paths.
    pub fn plural(self) -> &'static str {
        self.row().2
    }

    /// The kind of that `kind` name, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.name() == name)
    }

    fn row(self) -> (&'static str, &'static str, &'static str) {
        const OURS: &str = "tombolo.dev/v1alpha1";
        match self {
            Self::Site => ("Site", OURS, "sites"),
            Self::Service => ("Service", OURS, "services"),
            Self::HttpRoute => ("HTTPRoute", "gateway.networking.k8s.io/v1", "httproutes"),
            Self::TcpRoute => ("TCPRoute", "gateway.networking.k8s.io/v1alpha2", "tcproutes"),
            Self::Failover => ("Failover", OURS, "failovers"),
            Self::TrustDomain => ("TrustDomain", OURS, "trustdomains"),
            Self::JoinToken => ("JoinToken", OURS, "jointokens"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names one resource: `Service/cart`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its `metadata.name`.
    pub name: String,
}

impl ObjectRef {
    /// The resource of `kind` called `name`.
    pub fn new(kind: Kind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind, self.name)
    }
}
