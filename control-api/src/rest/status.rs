//! The state of the mesh: sites, proxies, versions, refusals, certificates.
//!
//! One rule: it is put together when asked, from what proxies really acknowledged.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::state::App;
use crate::clock;
use crate::fleet::report::{ProxyReport, report};
use crate::resource::kind::{Kind, ObjectRef};
use crate::resource::object::Object;

/// The state of the mesh.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MeshStatus {
    /// The control API's version.
    pub version: &'static str,
    /// The mesh's trust domain.
    pub trust_domain: String,
    /// The store's revision.
    pub revision: u64,
    /// The authority's certificates.
    pub authority: AuthorityStatus,
    /// The sites.
    pub sites: Vec<SiteStatus>,
    /// The proxies that are or were connected.
    pub proxies: Vec<ProxyReport>,
}

/// When the authority's certificates end (RFC 3339).
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuthorityStatus {
    /// The root.
    pub root_expires_at: String,
    /// The issuing one.
    pub issuing_expires_at: String,
}

/// A site.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SiteStatus {
    /// Its name.
    pub name: String,
    /// Its gateway's address for clients.
    pub gateway: String,
    /// Its gateway's address for other gateways.
    pub mesh: String,
    /// How many of its proxies are connected.
    pub connected: usize,
    /// Whether some are and all of them are current.
    pub current: bool,
}

/// `GET /status`.
pub async fn get(State(app): State<App>) -> Json<MeshStatus> {
    let world = app.store.world();
    let proxies = reports(&app);
    let sites = world.sites().map(|site| {
        let gateway = &site.spec.gateway;
        let here = proxies.iter().filter(|p| p.connected && p.site == site.metadata.name);
        SiteStatus {
            name: site.metadata.name.clone(),
            gateway: format!("{}:{}", gateway.address, gateway.port),
            mesh: format!("{}:{}", gateway.address, gateway.mesh_port),
            connected: here.clone().count(),
            current: here.clone().count() > 0 && here.clone().all(|p| p.current),
        }
    });
    Json(MeshStatus {
        version: env!("CARGO_PKG_VERSION"),
        trust_domain: world.trust_domain.to_string(),
        revision: world.revision,
        authority: AuthorityStatus {
            root_expires_at: clock::text(app.authority.root_not_after()),
            issuing_expires_at: clock::text(app.authority.issuing_not_after()),
        },
        sites: sites.collect(),
        proxies,
    })
}

/// A report on every proxy that is or was connected.
pub fn reports(app: &App) -> Vec<ProxyReport> {
    let known = app.fleet.known();
    known
        .iter()
        .map(|known| {
            let has_refusal = known.status.types.values().any(|t| t.refusal.is_some());
            // Only a refusal needs to know what resources were made from.
            let published =
                if has_refusal { app.publisher.published(&known.proxy.id) } else { Default::default() };
            report(known, app.publisher.told(&known.proxy.id).as_ref(), &published)
        })
        .collect()
}

/// A resource's document with what became of it at the proxies. Join tokens have a status of their
/// own.
pub fn decorated(object: &Object, reports: &[ProxyReport]) -> Value {
    let mut document = object.to_json();
    if object.kind() != Kind::JoinToken {
        document["status"] = status(&object.object_ref(), object.metadata().generation, reports);
    }
    document
}

fn status(object: &ObjectRef, generation: Option<u64>, reports: &[ProxyReport]) -> Value {
    let name = object.to_string();
    let mut refusals = Vec::new();
    let mut refusing: BTreeSet<&str> = BTreeSet::new();
    for proxy in reports {
        for of in &proxy.types {
            let refused = of.refusal.iter().flat_map(|r| &r.resources);
            for resource in refused.filter(|r| r.objects.contains(&name)) {
                refusing.insert(&proxy.id);
                refusals.push(json!({"proxy": proxy.id, "site": proxy.site, "type": of.r#type,
                    "resource": resource.name, "message": resource.error}));
            }
        }
    }
    let connected = reports.iter().filter(|p| p.connected).count();
    let current = reports.iter().filter(|p| p.current).count();
    let (status, reason, message) = if let Some(first) = refusals.first() {
        let message = format!("refused by {}: {}", first["site"], first["message"]);
        ("False", "Refused", message)
    } else if connected == 0 {
        ("Unknown", "NoProxies", "no proxy is connected".into())
    } else if current < connected {
        ("Unknown", "Pending", format!("{current} of {connected} proxies are current"))
    } else {
        ("True", "Programmed", format!("live on all {connected} connected proxies"))
    };
    json!({
        "observedGeneration": generation,
        "conditions": [
            {"type": "Accepted", "status": "True", "reason": "Accepted", "message": ""},
            {"type": "Programmed", "status": status, "reason": reason, "message": message},
        ],
        "refusals": refusals,
    })
}
