//! The process' environment as `DataSource`s may name it.
//!
//! One rule: whoever starts the process reads the environment and hands it in; nothing here looks for itself.

use std::collections::BTreeMap;
use std::fmt;

/// Variables by name. They may hold keys, so their values never print.
#[derive(Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The value of `name`.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl From<BTreeMap<String, String>> for Variables {
    fn from(variables: BTreeMap<String, String>) -> Self {
        Self(variables)
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Variables({})", self.0.len())
    }
}
