//! `Site`: a place with a gateway.
//!
//! One rule: a site's gateway has one plain port for its clients and one mTLS port for the other
//! sites' gateways, and they differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Spec;
use super::invalid::Invalid;
use super::kind::Kind;
use super::name;

/// The name by which a route's parentRef means every site.
pub const EVERY_SITE: &str = "mesh";

/// A place (a cloud region, a data centre, an edge box) with one gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SiteSpec {
    /// Where the site is; failover by locality prefers what is near.
    #[serde(default)]
    pub locality: Locality,
    /// How the site's gateway is reached.
    pub gateway: Gateway,
}

/// Where a site is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Locality {
    /// The region, for example `us-east-1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The zone inside the region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The part of the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_zone: Option<String>,
}

/// How a site's gateway is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Gateway {
    /// The IP address or DNS name by which the other sites reach the gateway.
    pub address: String,
    /// The IP address that the gateway binds; by default `address` if that is an IP address, else
    /// `0.0.0.0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bind_address: Option<String>,
    /// The port for the site's own clients: plain HTTP/1.1 and HTTP/2.
    pub port: u16,
    /// The port for the other sites' gateways: mTLS.
    pub mesh_port: u16,
}

impl Gateway {
    /// The address to bind.
    pub fn bind(&self) -> &str {
        match &self.bind_address {
            Some(bind) => bind,
            None if self.address.parse::<std::net::IpAddr>().is_ok() => &self.address,
            None => "0.0.0.0",
        }
    }
}

impl Spec for SiteSpec {
    const KIND: Kind = Kind::Site;

    fn check(&self, site: &str) -> Result<(), Invalid> {
        name::check_label("metadata.name", site)?;
        if site == EVERY_SITE {
            return Err(Invalid::new(
                "metadata.name",
                "\"mesh\" is reserved: in a route's parentRefs it means every site",
            ));
        }
        let gateway = &self.gateway;
        name::check_address("spec.gateway.address", &gateway.address)?;
        if let Some(bind) = &gateway.bind_address
            && bind.parse::<std::net::IpAddr>().is_err()
        {
            return Err(Invalid::new("spec.gateway.bindAddress", format!("{bind:?} is not an IP address")));
        }
        name::check_port("spec.gateway.port", gateway.port)?;
        name::check_port("spec.gateway.meshPort", gateway.mesh_port)?;
        if gateway.port == gateway.mesh_port {
            return Err(Invalid::new(
                "spec.gateway.meshPort",
                format!("{} is already spec.gateway.port", gateway.mesh_port),
            ));
        }
        Ok(())
    }
}
