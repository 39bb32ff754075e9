//! `TCPRoute`: the Gateway API's experimental kind: a port of gateways, forwarded by weight.
//!
//! One rule: a TCPRoute says its port in every parentRef, as nothing else tells its connections
//! from others'.

use gateway_api::experimental::tcproutes::{TcpRouteParentRefs, TcpRouteRulesBackendRefs, TcpRouteSpec};

use super::document::Spec;
use super::invalid::Invalid;
use super::kind::Kind;
use super::name;
use super::parent::{Backend, Parent};

impl Spec for TcpRouteSpec {
    const KIND: Kind = Kind::TcpRoute;

    fn check(&self, route: &str) -> Result<(), Invalid> {
        name::check_dns_name("metadata.name", route)?;
        if self.use_default_gateways.is_some() {
            return Err(Invalid::new(
                "spec.useDefaultGateways",
                "not supported: name the gateways in spec.parentRefs",
            ));
        }
        let parents = self.parent_refs.as_deref().unwrap_or_default();
        if parents.is_empty() {
            return Err(Invalid::new("spec.parentRefs", "missing: a TCPRoute needs the port of a gateway"));
        }
        for (i, reference) in parents.iter().enumerate() {
            let field = format!("spec.parentRefs[{i}]");
            parent(reference).check(&field)?;
            if port(reference).is_none() {
                return Err(Invalid::new(
                    format!("{field}.port"),
                    "missing or no port: accepted are 1 to 65535",
                ));
            }
        }
        let [rule] = self.rules.as_slice() else {
            return Err(Invalid::new(
                "spec.rules",
                format!("{} rules: a TCPRoute has one", self.rules.len()),
            ));
        };
        if rule.backend_refs.iter().all(|b| backend(b).share() == 0) {
            return Err(Invalid::new(
                "spec.rules[0].backendRefs",
                "no backend with a weight: connections would have nowhere to go",
            ));
        }
        for (i, reference) in rule.backend_refs.iter().enumerate() {
            backend(reference).check(&format!("spec.rules[0].backendRefs[{i}]"))?;
        }
        Ok(())
    }
}

/// The parent that a reference of a TCPRoute names.
pub fn parent(reference: &TcpRouteParentRefs) -> Parent<'_> {
    Parent {
        group: reference.group.as_deref(),
        kind: reference.kind.as_deref(),
        name: &reference.name,
        namespace: reference.namespace.as_deref(),
        port: reference.port,
        section_name: reference.section_name.as_deref(),
    }
}

/// The backend that a reference of a TCPRoute names.
pub fn backend(reference: &TcpRouteRulesBackendRefs) -> Backend<'_> {
    Backend {
        group: reference.group.as_deref(),
        kind: reference.kind.as_deref(),
        name: &reference.name,
        namespace: reference.namespace.as_deref(),
        port: reference.port,
        weight: reference.weight,
    }
}

/// The gateway port that a parentRef names.
pub fn port(reference: &TcpRouteParentRefs) -> Option<u16> {
    reference.port.and_then(|p| u16::try_from(p).ok()).filter(|p| *p != 0)
}

/// Whether the route is attached to the gateway of `site`.
pub fn is_attached(route: &TcpRouteSpec, site: &str) -> bool {
    route.parent_refs.iter().flatten().any(|p| parent(p).covers(site))
}
