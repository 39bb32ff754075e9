//! What a TCP proxy decides about a connection: where it goes, how often that is tried, how long it may last.

mod stats;

use std::sync::Arc;
use std::time::Duration;

use xds::model::{self, ClusterName, FilterStateFactory, HashSource, TcpTarget};

use crate::error::Invalid;
use crate::observe::access_log::{AccessLogs, Outputs};
use crate::observe::attributes::Attributes;
use crate::observe::metrics::Counters;
use crate::observe::record::Record;
use crate::runtime::LiveRuntime;
use crate::upstream::xx_hash64;

pub use stats::{TcpMetric, TcpScopes};

/// A compiled TCP proxy; immutable and shared by all workers.
#[derive(Debug)]
pub struct TcpPolicy {
    /// Counters under its `stat_prefix`.
    pub stats: Arc<Counters<TcpMetric>>,
    /// A line per connection.
    pub access_log: AccessLogs,
    /// What overrules defaults of the configuration.
    pub runtime: Arc<LiveRuntime>,
    /// Longest silence of both sides; `None` is for ever.
    pub idle_timeout: Option<Duration>,
    /// Longest life of a connection; `None` is for ever.
    pub max_duration: Option<Duration>,
    /// How many endpoints are tried; at least 1.
    pub connect_attempts_max: u32,
    target: TcpTarget,
    hash: Option<HashSource>,
}

impl TcpPolicy {
    /// Compiles `model`; its counters come from `scopes`, its logs go to `outputs`.
    ///
    /// # Errors
    /// Names the field that cannot be used.
    pub fn compile(model: &model::TcpProxy, scopes: &TcpScopes, outputs: &Outputs) -> Result<Self, Invalid> {
        let model::TcpProxy {
            stat_prefix,
            target,
            idle_timeout,
            max_connect_attempts,
            max_downstream_connection_duration,
            access_log,
            hash_policy,
        } = model;
        for (index, policy) in hash_policy.iter().enumerate() {
            if !matches!(policy.source, HashSource::SourceIp | HashSource::FilterState(_)) {
                let path = format!("hash_policy[{index}]");
                return Err(Invalid::new(path, "a TCP proxy can hash by source_ip and filter_state only"));
            }
        }
        Ok(Self {
            stats: scopes.stats(stat_prefix),
            access_log: AccessLogs::compile(access_log, outputs)?,
            runtime: Arc::clone(&outputs.environment().runtime),
            idle_timeout: *idle_timeout,
            max_duration: *max_downstream_connection_duration,
            connect_attempts_max: (*max_connect_attempts).max(1),
            target: target.clone(),
            hash: hash_policy.first().map(|policy| policy.source.clone()),
        })
    }

    /// The cluster of the next connection, the one that a filter noted first; `draw` is any number.
    #[must_use]
    pub fn cluster<'a>(&'a self, draw: u64, attributes: &'a Attributes) -> &'a str {
        match (attributes.text_of(FilterStateFactory::TcpCluster), &self.target) {
            (Some(name), _) => name,
            (None, TcpTarget::Cluster(name)) => name.as_str(),
            (None, TcpTarget::Weighted(clusters)) => by_weight(clusters, draw).as_str(),
        }
    }

    /// The hash of a connection, computed as Envoy does; `None` lets the balancer draw.
    #[must_use]
    pub fn hash(&self, record: &Record) -> Option<u64> {
        match self.hash.as_ref()? {
            HashSource::SourceIp => {
                let ip = record.connection.remote.ip()?;
                Some(xx_hash64(ip.to_string().as_bytes(), 0))
            }
            HashSource::FilterState(key) => {
                record.attributes.hashable(key).map(|text| xx_hash64(text.as_bytes(), 0))
            }
            HashSource::Header { .. } | HashSource::Cookie { .. } | HashSource::QueryParameter(_) => None,
        }
    }
}

fn by_weight(clusters: &[(ClusterName, u32)], draw: u64) -> &ClusterName {
    let total: u64 = clusters.iter().map(|(_, weight)| u64::from(*weight)).sum();
    let mut left = draw.checked_rem(total).unwrap_or_default();
    for (name, weight) in clusters {
        match left.checked_sub(u64::from(*weight)) {
            Some(rest) => left = rest,
            None => return name,
        }
    }
    // Only weights that add up to zero get here; the model has none.
    &clusters[0].0
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use xds::model::HashPolicy;

    use super::*;
    use crate::observe::access_log::Environment;
    use crate::observe::metrics::Registry;
    use crate::observe::record::{ConnectionFacts, Place};
    use crate::policy::samples::connection;

    fn model(target: TcpTarget) -> model::TcpProxy {
        model::TcpProxy {
            stat_prefix: "tcp".to_owned(),
            target,
            idle_timeout: None,
            max_connect_attempts: 1,
            max_downstream_connection_duration: None,
            access_log: Vec::new(),
            hash_policy: Vec::new(),
        }
    }

    fn compile(model: &model::TcpProxy) -> Result<TcpPolicy, Invalid> {
        let scopes = TcpScopes::new(Arc::new(Registry::default()));
        TcpPolicy::compile(model, &scopes, &Outputs::new(Environment::default()).unwrap())
    }

    #[test]
    fn connections_are_shared_by_weight() {
        let weighted = [("a", 1), ("none", 0), ("b", 3)].map(|(name, weight)| (name.into(), weight));
        let policy = compile(&model(TcpTarget::Weighted(weighted.to_vec()))).unwrap();
        let drawn: Vec<&str> = (0..8).map(|draw| policy.cluster(draw, &Attributes::NONE)).collect();
        assert_eq!(drawn, ["a", "b", "b", "b", "a", "b", "b", "b"]);
    }

    #[test]
    fn a_noted_cluster_comes_first() {
        let policy = compile(&model(TcpTarget::Cluster("a".into()))).unwrap();
        let mut attributes = Attributes::default();
        let factory = FilterStateFactory::TcpCluster;
        attributes.keep(&factory.name().into(), factory, "b");
        assert_eq!(policy.cluster(0, &attributes), "b");
        assert_eq!(policy.cluster(0, &Attributes::NONE), "a");
    }

    #[test]
    fn a_hash_depends_on_the_address_and_not_on_the_port() {
        let by = |source| HashPolicy { source, terminal: false };
        let with = |hash_policy| model::TcpProxy { hash_policy, ..model(TcpTarget::Cluster("a".into())) };
        let from = |place: Place| {
            let connection = ConnectionFacts { remote: place, ..connection("192.0.2.1:1") };
            Record::begin(Rc::new(connection), "", Arc::default())
        };
        let place = |text: &str| from(Place::Ip(text.parse().unwrap()));
        let policy = compile(&with(vec![by(HashSource::SourceIp)])).unwrap();
        assert_eq!(policy.hash(&place("192.0.2.1:1")), policy.hash(&place("192.0.2.1:2")));
        assert_ne!(policy.hash(&place("192.0.2.1:1")), policy.hash(&place("192.0.2.2:1")));
        assert_eq!(policy.hash(&from(Place::Pipe("".into()))), None);
        assert_eq!(compile(&with(Vec::new())).unwrap().hash(&place("192.0.2.1:1")), None);
        let by_header = by(HashSource::Header { name: "x".to_owned(), rewrite: None });
        assert_eq!(compile(&with(vec![by_header])).unwrap_err().path, "hash_policy[0]");
        let policy = compile(&with(vec![by(HashSource::FilterState("k".to_owned()))])).unwrap();
        let mut record = place("192.0.2.1:1");
        assert_eq!(policy.hash(&record), None);
        record.attributes.keep(&"k".into(), FilterStateFactory::HashableText, "foo");
        assert_eq!(policy.hash(&record), Some(xx_hash64(b"foo", 0)));
    }
}
