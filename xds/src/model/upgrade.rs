//! Upgrades, allowed by a connection manager or by a route.

/// An upgrade that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpgradeConfig {
    /// Lower case, e.g. `websocket` or `connect`.
    pub upgrade_type: String,
    /// Whether it is on.
    pub enabled: bool,
}
