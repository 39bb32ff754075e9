//! A target: what our number must keep to, by itself or beside a peer's.

use serde::{Deserialize, Serialize};

use super::quantity::Quantity;

/// One target of a variant. It is judged by medians of the same run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// Of which number.
    pub quantity: Quantity,
    /// Beside whom: a contestant's name, `best peer`, or nobody for a plain number.
    #[serde(default)]
    pub of: Option<String>,
    /// The limit.
    #[serde(flatten)]
    pub limit: Limit,
}

/// The limit of a target.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Our number, or its ratio, must not be above this.
    AtMost(f64),
    /// Our number, or its ratio, must not be below this.
    AtLeast(f64),
}

/// The name that stands for whichever peer has the best number.
pub const BEST_PEER: &str = "best peer";

impl Limit {
    /// Whether a number keeps to it.
    pub fn is_met_by(self, number: f64) -> bool {
        match self {
            Limit::AtMost(limit) => number <= limit,
            Limit::AtLeast(limit) => number >= limit,
        }
    }

    /// The limit as the table shows it.
    pub fn show(self) -> String {
        match self {
            Limit::AtMost(limit) => format!("≤ {limit}"),
            Limit::AtLeast(limit) => format!("≥ {limit}"),
        }
    }
}
