//! Endpoints that a request names itself (Envoy's `override_host`): an endpoint picker in front of the proxy has chosen
//! them, and the balancer is asked only when none of them is there.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use xds::model::LoadBalancing;

use super::host::Host;
use crate::fields::Fields;

/// The addresses a request names, in order; each is used for one attempt.
#[derive(Debug, Default)]
pub struct Named {
    addresses: Vec<String>,
    used: Cell<usize>,
}

/// The endpoint of a request's session, as far as the client knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Its address.
    pub address: Option<String>,
    /// Whether no other endpoint will do.
    pub strict: bool,
}

impl Named {
    /// What `headers` say under `names`: of several fields with one name the first counts.
    #[must_use]
    pub fn read(names: &[String], headers: &Fields) -> Self {
        let texts = names.iter().filter_map(|name| headers.get(name.as_str())?.to_str().ok());
        let addresses = texts.flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty());
        Self { addresses: addresses.map(str::to_owned).collect(), used: Cell::new(0) }
    }

    /// The next one that is among `hosts`, whatever its health: who named it knows better.
    pub(super) fn next<'h>(&self, hosts: &'h HashMap<String, Arc<Host>>) -> Option<&'h Arc<Host>> {
        while let Some(address) = self.addresses.get(self.used.get()) {
            self.used.set(self.used.get() + 1);
            if let Some(host) = hosts.get(address) {
                return Some(host);
            }
        }
        None
    }
}

/// Where requests may name endpoints: under which words.
pub(super) fn by_address(settings: &LoadBalancing, hosts: &[Arc<Host>]) -> HashMap<String, Arc<Host>> {
    if settings.override_headers.is_empty() {
        return HashMap::new();
    }
    addresses(hosts)
}

/// Endpoints by their addresses.
pub(super) fn addresses(hosts: &[Arc<Host>]) -> HashMap<String, Arc<Host>> {
    hosts.iter().map(|host| (host.address().to_string(), Arc::clone(host))).collect()
}
