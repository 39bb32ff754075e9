//! `Service`: something that answers, with its instances at sites and how they are treated.
//!
//! One rule: a field that the service's protocol gives no meaning is refused, not ignored.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Spec;
use super::invalid::Invalid;
use super::kind::Kind;
use super::name;
use super::protocol::Protocol;
use super::service_policy::{CircuitBreaker, HealthCheck, LoadBalancing, Outlier, Retry};
use super::span::Span;
use crate::limits;

/// A service of the mesh.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServiceSpec {
    /// What its instances speak.
    pub protocol: Protocol,
    /// The hostnames that every gateway answers for with this service, beside those of HTTPRoutes.
    /// By default `<name>.mesh`; an empty list means reachable by HTTPRoutes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hosts: Option<Vec<String>>,
    /// For `tcp`: the port that every gateway opens for it. For the others: the port that a
    /// route's backendRef may name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Where it runs.
    #[serde(default)]
    pub instances: Vec<Instance>,
    /// The sites whose gateways may use it; by default all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visible_to: Option<Vec<String>>,
    /// How instances are probed; by default a TCP connect every 2s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// When an instance or a site that fails requests is set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outlier: Option<Outlier>,
    /// How one of several instances is chosen; by default round robin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancing: Option<LoadBalancing>,
    /// How failed requests are tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// How long a whole request may take; by default without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How long a connect may take; by default 2s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_timeout: Option<Span>,
    /// How much may be under way at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
    /// TLS towards the instances; by default plain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<InstanceTls>,
}

/// One running copy of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Instance {
    /// The site at which it runs.
    pub site: String,
    /// Its IP address or DNS name, as the site's gateway reaches it.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// Its share of the site's traffic, 1 to 128; by default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
}

impl Instance {
    /// Its share, the default filled in.
    pub fn share(&self) -> u32 {
        self.weight.unwrap_or(1)
    }
}

/// TLS towards instances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct InstanceTls {
    /// The name asked for (SNI) and required in the instance's certificate.
    pub server_name: String,
    /// The certificate authorities that may have signed the instance's certificate, PEM.
    pub trusted_ca: String,
}

impl ServiceSpec {
    /// The hostnames that every gateway answers for.
    pub fn hosts_or_default(&self, name: &str) -> Vec<String> {
        match &self.hosts {
            Some(hosts) => hosts.clone(),
            None if self.protocol.is_http() => vec![format!("{name}.mesh")],
            None => Vec::new(),
        }
    }

    /// Whether the gateway of `site` may use the service.
    pub fn is_visible_to(&self, site: &str) -> bool {
        self.visible_to.as_ref().is_none_or(|sites| sites.iter().any(|s| s == site))
    }

    /// The instances at `site`.
    pub fn instances_at<'a>(&'a self, site: &'a str) -> impl Iterator<Item = &'a Instance> {
        self.instances.iter().filter(move |i| i.site == site)
    }

    fn check_hosts(&self) -> Result<(), Invalid> {
        let Some(hosts) = &self.hosts else {
            return Ok(());
        };
        if !self.protocol.is_http() && !hosts.is_empty() {
            return Err(Invalid::new(
                "spec.hosts",
                "a tcp service has no hostnames: it is reached by spec.port",
            ));
        }
        let mut seen = BTreeSet::new();
        for (i, host) in hosts.iter().enumerate() {
            let field = format!("spec.hosts[{i}]");
            name::check_hostname(&field, host)?;
            if !seen.insert(host) {
                return Err(Invalid::new(field, format!("{host:?} stands twice")));
            }
        }
        Ok(())
    }

    fn check_instances(&self) -> Result<(), Invalid> {
        if self.instances.len() > limits::SERVICE_INSTANCES_MAX {
            return Err(Invalid::new(
                "spec.instances",
                format!(
                    "{} instances: accepted are at most {}",
                    self.instances.len(),
                    limits::SERVICE_INSTANCES_MAX
                ),
            ));
        }
        let mut seen = BTreeSet::new();
        for (i, instance) in self.instances.iter().enumerate() {
            let field = format!("spec.instances[{i}]");
            name::check_label(&format!("{field}.site"), &instance.site)?;
            name::check_address(&format!("{field}.address"), &instance.address)?;
            name::check_port(&format!("{field}.port"), instance.port)?;
            if !(1..=128).contains(&instance.share()) {
                return Err(Invalid::new(
                    format!("{field}.weight"),
                    format!("{} is not a weight: accepted are 1 to 128", instance.share()),
                ));
            }
            if !seen.insert((&instance.site, &instance.address, instance.port)) {
                return Err(Invalid::new(
                    field,
                    format!("{}:{} at {} stands twice", instance.address, instance.port, instance.site),
                ));
            }
        }
        Ok(())
    }

    fn check_tcp_has_no_http_fields(&self) -> Result<(), Invalid> {
        if self.protocol.is_http() {
            return Ok(());
        }
        for (field, is_set) in [("retry", self.retry.is_some()), ("timeout", self.timeout.is_some())] {
            if is_set {
                return Err(Invalid::new(format!("spec.{field}"), "has no meaning for a tcp service"));
            }
        }
        Ok(())
    }
}

impl Spec for ServiceSpec {
    const KIND: Kind = Kind::Service;

    fn check(&self, service: &str) -> Result<(), Invalid> {
        name::check_label("metadata.name", service)?;
        self.check_hosts()?;
        self.check_instances()?;
        self.check_tcp_has_no_http_fields()?;
        if let Some(port) = self.port {
            name::check_port("spec.port", port)?;
        }
        for (i, site) in self.visible_to.iter().flatten().enumerate() {
            name::check_label(&format!("spec.visibleTo[{i}]"), site)?;
        }
        if let Some(health_check) = &self.health_check {
            health_check.check(self.protocol).map_err(|e| e.within("spec.healthCheck"))?;
        }
        if let Some(outlier) = &self.outlier {
            outlier.check().map_err(|e| e.within("spec.outlier"))?;
        }
        if let Some(load_balancing) = &self.load_balancing {
            load_balancing.check(self.protocol).map_err(|e| e.within("spec.loadBalancing"))?;
        }
        if let Some(retry) = &self.retry {
            retry.check(self.protocol).map_err(|e| e.within("spec.retry"))?;
        }
        if let Some(connect_timeout) = self.connect_timeout {
            positive("spec.connectTimeout", connect_timeout)?;
        }
        if let Some(tls) = &self.tls {
            name::check_dns_name("spec.tls.serverName", &tls.server_name)?;
            super::pem::check_authorities("spec.tls.trustedCa", &tls.trusted_ca)?;
        }
        Ok(())
    }
}

/// A wait of nothing would fail everything.
fn positive(field: &str, span: Span) -> Result<(), Invalid> {
    if span.0.is_zero() {
        return Err(Invalid::new(field, "0s: accepted is more than nothing"));
    }
    Ok(())
}
