//! Upgrades, which a connection manager and a route allow in the same words.

use envoy_types::pb::google::protobuf::BoolValue;

use super::headers;
use super::path::{Invalid, Path};
use super::scalar::switch;
use crate::model::UpgradeConfig;

/// An upgrade; its type is compared without case.
pub(super) fn upgrade(
    path: &Path<'_>,
    upgrade_type: &str,
    enabled: &Option<BoolValue>,
) -> Result<UpgradeConfig, Invalid> {
    let at = path.field("upgrade_type");
    let upgrade_type = headers::value(&at, &at.non_empty(upgrade_type)?)?.to_ascii_lowercase();
    Ok(UpgradeConfig { upgrade_type, enabled: switch(enabled, true) })
}

/// Refuses a type that is listed twice.
pub(super) fn distinct(path: &Path<'_>, upgrades: &[UpgradeConfig]) -> Result<(), Invalid> {
    path.unique("upgrade", upgrades.iter().map(|config| config.upgrade_type.as_str()))
}
