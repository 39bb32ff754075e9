//! Runtime values: layers of keys that overrule defaults while a proxy runs (`LayeredRuntime`,
//! `envoy.service.runtime.v3.Runtime`).

use std::collections::BTreeMap;

use super::{ConfigSource, Fraction, Value};

/// A layer; of the layers that set a key, the last one wins.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeLayer {
    /// A name of its own, shown by the admin server.
    pub name: String,
    /// Where its values come from.
    pub source: RuntimeSource,
}

/// Where a layer's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum RuntimeSource {
    /// They stand here.
    Static(BTreeMap<String, Value>),
    /// `/runtime_modify` sets them; one layer at most is of this kind.
    Admin,
    /// A control plane sends them (RTDS).
    Rtds {
        /// The resource's name.
        resource: String,
        /// Where it is fetched.
        source: ConfigSource,
    },
}

/// The values of a layer, as RTDS sends them; none is null or a list, and objects are keys within keys.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeValues {
    /// The resource's name.
    pub name: String,
    /// Values by key.
    pub values: BTreeMap<String, Value>,
}

/// A share with a key whose runtime value, if there is one, stands in its place (`RuntimeFractionalPercent`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeFraction {
    /// Without such a value.
    pub default: Fraction,
    /// Empty for none.
    pub key: String,
}

/// A switch with a key whose runtime value, if there is one, stands in its place (`RuntimeFeatureFlag`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeSwitch {
    /// Without such a value.
    pub default: bool,
    /// Empty for none.
    pub key: String,
}

impl RuntimeSwitch {
    /// A switch that is on and stays on.
    pub const ON: Self = Self { default: true, key: String::new() };
}

/// A number with a key whose runtime value, if there is one, stands in its place (`RuntimeUInt32`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeUInt32 {
    /// Without such a value.
    pub default: u32,
    /// Never empty.
    pub key: String,
}
