//! A scenario file: what is measured, so that a number can be reproduced by its name.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::load::Load;
use super::quantity::Quantity;
use super::setup::Setup;
use super::target::Target;

/// Every scenario, in the order in which `all` runs them.
pub const NAMES: &[&str] = &[
    "http1-keepalive",
    "http1-rate",
    "h2-http1",
    "h2-h2",
    "grpc-unary",
    "mtls-keepalive",
    "mtls-handshake",
    "tcp-stream",
    "body-1mb",
    "body-16mb",
    "idle-10k",
    "many-short",
    "websocket",
    "routes-and-filters",
    "two-gateways",
];

/// One file of `bench/scenarios/`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What is measured, in words.
    pub about: String,
    /// More rounds than this tell nothing new.
    #[serde(default = "unlimited")]
    pub rounds_max: u32,
    /// The tables, one each.
    pub variants: Vec<Variant>,
}

/// One table of a scenario.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// What tells it from the others.
    pub name: String,
    /// What is counted.
    #[serde(default = "request")]
    pub unit: String,
    /// How the contestants are set up.
    pub setup: Setup,
    /// What is asked of them.
    pub load: Load,
    /// Time before the measurement begins.
    #[serde(default)]
    pub warm_up_millis: u64,
    /// Time of the measurement.
    #[serde(default)]
    pub measured_millis: u64,
    /// The numbers shown; the first is the one that is compared.
    pub shown: Vec<Quantity>,
    /// Who is measured besides us and the peers: `floor`, `direct`.
    #[serde(default)]
    pub beside: Vec<String>,
    /// Peers that cannot do this, with the reason.
    #[serde(default)]
    pub cannot: BTreeMap<String, String>,
    /// What we want to keep to.
    #[serde(default)]
    pub targets: Vec<Target>,
}

fn request() -> String {
    "request".to_owned()
}

fn unlimited() -> u32 {
    u32::MAX
}

impl Scenario {
    /// Reads `bench/scenarios/<name>.json`.
    pub fn read(name: &str) -> Result<Self, String> {
        let path = folder().join("scenarios").join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
        let scenario: Self = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        match scenario.variants.iter().find(|variant| variant.shown.is_empty()) {
            Some(variant) => Err(format!("{}: variant {:?} shows no number", path.display(), variant.name)),
            None => Ok(scenario),
        }
    }
}

impl Variant {
    /// The number that is compared.
    pub fn compared(&self) -> Quantity {
        self.shown[0]
    }
}

/// The folder of this crate, where scenarios and peers lie: as cargo says, or else where it was compiled.
pub fn folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into()).into()
}

/// The folder of the workspace.
pub fn workspace() -> PathBuf {
    folder().parent().expect("the crate lies inside the workspace").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_a_file_that_can_be_read_and_every_file_a_name() {
        for name in NAMES {
            let scenario = Scenario::read(name).unwrap_or_else(|reason| panic!("{reason}"));
            assert!(!scenario.variants.is_empty(), "{name} has no variants");
        }
        let files = std::fs::read_dir(folder().join("scenarios")).expect("the folder is there");
        for file in files {
            let path = file.expect("it can be listed").path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or("");
            assert!(NAMES.contains(&name), "{} is no scenario", path.display());
        }
    }

    #[test]
    fn a_target_is_of_a_number_that_is_measured() {
        for name in NAMES {
            for variant in Scenario::read(name).expect("it is read above").variants {
                for target in &variant.targets {
                    assert!(variant.shown.contains(&target.quantity), "{name} {}: {target:?}", variant.name);
                }
            }
        }
    }
}
