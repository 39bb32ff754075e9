//! `Failover`: where a service's traffic goes when a site cannot serve it.
//!
//! One rule: the own site always comes first; only what comes after is told here.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Spec;
use super::invalid::Invalid;
use super::kind::Kind;
use super::name;
use crate::limits;

/// Failover of one service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct FailoverSpec {
    /// The service.
    pub service: String,
    /// The sites that may take over, the preferred first, each only when all before it cannot.
    /// A site that does not stand here never takes over. By default every site, by locality: the
    /// same zone, then the same region, then all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<String>>,
    /// By how much a site can take more than its share before traffic moves on, in percent: at
    /// 140, a site keeps all of its traffic until fewer than 72% of its instances are healthy.
    /// 100 to 100000; by default 140.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overprovisioning_percent: Option<u32>,
}

impl FailoverSpec {
    /// The overprovisioning factor, the default filled in.
    pub fn overprovisioning(&self) -> u32 {
        self.overprovisioning_percent.unwrap_or(140)
    }
}

impl Spec for FailoverSpec {
    const KIND: Kind = Kind::Failover;

    fn check(&self, failover: &str) -> Result<(), Invalid> {
        name::check_label("metadata.name", failover)?;
        name::check_label("spec.service", &self.service)?;
        let mut seen = BTreeSet::new();
        for (i, site) in self.order.iter().flatten().enumerate() {
            let field = format!("spec.order[{i}]");
            name::check_label(&field, site)?;
            if !seen.insert(site) {
                return Err(Invalid::new(field, format!("{site:?} stands twice")));
            }
        }
        if self.order.as_ref().is_some_and(|o| o.len() >= limits::PRIORITIES_MAX) {
            return Err(Invalid::new(
                "spec.order",
                format!("accepted are fewer than {} sites", limits::PRIORITIES_MAX),
            ));
        }
        if !(100..=100_000).contains(&self.overprovisioning()) {
            return Err(Invalid::new(
                "spec.overprovisioningPercent",
                format!("{}: accepted are 100 to 100000", self.overprovisioning()),
            ));
        }
        Ok(())
    }
}
