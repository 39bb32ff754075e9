//! Where a route is attached: every site's gateway, or named sites' gateways.
//!
//! One rule: a parentRef names the gateway of a site by the site's name, or `mesh` for every site.

use super::invalid::Invalid;
use super::name;
use super::site::EVERY_SITE;

/// A route's parentRef, as both route kinds have it.
#[derive(Clone, Copy, Debug)]
pub struct Parent<'a> {
    /// The API group of the parent.
    pub group: Option<&'a str>,
    /// The kind of the parent.
    pub kind: Option<&'a str>,
    /// The site's name, or `mesh`.
    pub name: &'a str,
    /// Refused unless `default`.
    pub namespace: Option<&'a str>,
    /// The gateway's port.
    pub port: Option<i32>,
    /// Refused.
    pub section_name: Option<&'a str>,
}

impl Parent<'_> {
    /// Checks everything but the port, whose meaning the route kinds do not share.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        match (self.group, self.kind) {
            (None | Some("gateway.networking.k8s.io"), None | Some("Gateway")) => {}
            (Some("tombolo.dev"), Some("Site")) => {}
            (group, kind) => {
                return Err(Invalid::new(
                    format!("{field}.kind"),
                    format!(
                        "{}/{}: accepted are gateway.networking.k8s.io/Gateway and tombolo.dev/Site",
                        group.unwrap_or("gateway.networking.k8s.io"),
                        kind.unwrap_or("Gateway")
                    ),
                ));
            }
        }
        check_namespace(&format!("{field}.namespace"), self.namespace)?;
        if let Some(section) = self.section_name {
            return Err(Invalid::new(
                format!("{field}.sectionName"),
                format!("{section:?}: a site's gateway has no named sections; leave it out"),
            ));
        }
        name::check_label(&format!("{field}.name"), self.name)
    }

    /// Whether the route is attached to the gateway of `site` by this parent.
    pub fn covers(&self, site: &str) -> bool {
        self.name == EVERY_SITE || self.name == site
    }
}

/// A route's backendRef, as both route kinds have it.
#[derive(Clone, Copy, Debug)]
pub struct Backend<'a> {
    /// The API group of the backend.
    pub group: Option<&'a str>,
    /// The kind of the backend.
    pub kind: Option<&'a str>,
    /// The service's name.
    pub name: &'a str,
    /// Refused unless `default`.
    pub namespace: Option<&'a str>,
    /// The service's port, if the service has one.
    pub port: Option<i32>,
    /// The share of requests.
    pub weight: Option<i32>,
}

/// The largest weight of a backend (Gateway API).
const WEIGHT_MAX: i32 = 1_000_000;

impl Backend<'_> {
    /// Checks everything that needs no other resource.
    pub fn check(&self, field: &str) -> Result<(), Invalid> {
        let group_is_ours = matches!(self.group, None | Some("" | "tombolo.dev"));
        if !group_is_ours || !matches!(self.kind, None | Some("Service")) {
            return Err(Invalid::new(
                format!("{field}.kind"),
                "accepted is kind Service, of group \"\" or tombolo.dev",
            ));
        }
        check_namespace(&format!("{field}.namespace"), self.namespace)?;
        if !(0..=WEIGHT_MAX).contains(&self.share_signed()) {
            return Err(Invalid::new(
                format!("{field}.weight"),
                format!("{}: accepted are 0 to {WEIGHT_MAX}", self.share_signed()),
            ));
        }
        name::check_label(&format!("{field}.name"), self.name)
    }

    /// The share of requests, the default filled in.
    pub fn share(&self) -> u32 {
        self.share_signed().clamp(0, WEIGHT_MAX) as u32
    }

    fn share_signed(&self) -> i32 {
        self.weight.unwrap_or(1)
    }
}

fn check_namespace(field: &str, namespace: Option<&str>) -> Result<(), Invalid> {
    match namespace {
        None | Some("default") => Ok(()),
        Some(other) => Err(Invalid::new(field, format!("{other:?}: there are no namespaces; leave it out"))),
    }
}
