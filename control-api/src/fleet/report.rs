//! What is known of a proxy, as the operator reads it.
//!
//! One rule: "current" means that the proxy has acknowledged exactly what it is told now.

use schemars::JsonSchema;
use serde::Serialize;
use xds::wire::resource::ResourceType;
use xds::wire::server::status::{Refusal, TypeStatus};
use xds::wire::server::world::{Resources, World};

use super::blame;
use super::proxy::Known;
use crate::clock;
use crate::limits;
use crate::publish;
use crate::resource::kind::ObjectRef;

/// A proxy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProxyReport {
    /// Its SPIFFE ID, by its certificate.
    pub id: String,
    /// Its site.
    pub site: String,
    /// Its node id, as it says.
    pub node: String,
    /// Its program and version, as it says.
    pub agent: String,
    /// Where it connects from.
    pub address: String,
    /// Whether its stream is open; else the rest is its last state.
    pub connected: bool,
    /// When it connected (RFC 3339).
    pub since: String,
    /// `delta` or `sotw`.
    pub mode: &'static str,
    /// When the certificate that it connected with ends (RFC 3339).
    pub certificate_expires_at: String,
    /// Whether it has acknowledged everything that it is told now.
    pub current: bool,
    /// The revision of the mesh that it serves, when it is current.
    pub revision: Option<u64>,
    /// By type.
    pub types: Vec<TypeReport>,
}

/// One type of xDS resource at one proxy.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TypeReport {
    /// The type, for example `Cluster`.
    pub r#type: &'static str,
    /// The version that it is told: the revision at which this type last changed for this proxy.
    pub told: String,
    /// The version that it acknowledged last.
    pub acknowledged: Option<String>,
    /// Whether it holds what it is told.
    pub current: bool,
    /// How many resources it holds.
    pub resources: usize,
    /// What it refused, until it accepts something in its place.
    pub refusal: Option<RefusalReport>,
}

/// A refusal (NACK).
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusalReport {
    /// The version that was refused.
    pub version: String,
    /// The proxy's words.
    pub message: String,
    /// The refused resources.
    pub resources: Vec<RefusedReport>,
}

/// One refused xDS resource.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RefusedReport {
    /// Its name.
    pub name: String,
    /// The proxy's words.
    pub error: String,
    /// The resources to look at (`HTTPRoute/shop`).
    pub objects: Vec<String>,
}

/// The report on a proxy that is told `told` at a revision of the mesh, made from `published`.
pub fn report(
    known: &Known,
    told: Option<&(u64, std::sync::Arc<World>)>,
    published: &publish::Resources,
) -> ProxyReport {
    let nothing = World::default();
    let world = told.map_or(&nothing, |(_, world)| world);
    let types: Vec<_> = known
        .status
        .types
        .iter()
        .map(|(of, status)| type_report(*of, status, world.resources(*of), published))
        .collect();
    // A proxy that has not asked yet has nothing, whatever it is told.
    let has_asked = known.status.types.contains_key(&ResourceType::Listener);
    let current = known.is_connected && told.is_some() && has_asked && types.iter().all(|t| t.current);
    let proxy = &known.proxy;
    ProxyReport {
        id: proxy.id.to_string(),
        site: proxy.id.gateway_site().unwrap_or_default().to_string(),
        node: proxy.node.clone(),
        agent: proxy.agent.clone(),
        address: proxy.address.to_string(),
        connected: known.is_connected,
        since: clock::text(proxy.since),
        mode: if proxy.is_delta { "delta" } else { "sotw" },
        certificate_expires_at: clock::text(proxy.certificate_not_after),
        current,
        revision: told.filter(|_| current).map(|(revision, _)| *revision),
        types,
    }
}

fn type_report(
    of: ResourceType,
    status: &TypeStatus,
    told: &Resources,
    published: &publish::Resources,
) -> TypeReport {
    let holds = |name: &String, version: &String| status.held.get(name) == Some(version);
    let wanted = told.items().iter().filter(|(name, _)| status.interest.covers(name));
    let has_all = wanted.clone().all(|(name, item)| holds(name, &item.version));
    let has_no_more = !of.is_root() || status.held.keys().all(|name| told.items().contains_key(name));
    TypeReport {
        r#type: of.message_name().rsplit('.').next().unwrap_or_default(),
        told: told.version().to_string(),
        acknowledged: status.acknowledged.clone(),
        current: has_all && has_no_more && status.refusal.is_none(),
        resources: status.held.len(),
        refusal: status.refusal.as_ref().map(|refusal| refusal_report(of, refusal, published)),
    }
}

fn refusal_report(of: ResourceType, refusal: &Refusal, published: &publish::Resources) -> RefusalReport {
    let objects = |name: &str, error: &str| -> Vec<ObjectRef> {
        let key = (of.type_url(), name.to_string());
        published.by_name.get(&key).map(|p| blame::origins(of, p, error)).unwrap_or_default()
    };
    let resources = refusal
        .resources
        .iter()
        .map(|refused| RefusedReport {
            name: refused.name.clone(),
            error: bounded(&refused.error),
            objects: objects(&refused.name, &refused.error).iter().map(ObjectRef::to_string).collect(),
        })
        .collect();
    RefusalReport { version: refusal.version.clone(), message: bounded(&refusal.message), resources }
}

/// A proxy's words, as long as is useful.
fn bounded(text: &str) -> String {
    text[..text.floor_char_boundary(limits::NACK_BYTES_MAX)].to_string()
}
