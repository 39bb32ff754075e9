//! What a filter chain decides about a connection before its terminal filter has it: whether it is let in, and what is
//! kept about it.
//!
//! One rule: rules are asked in the order in which they are configured, and the first that refuses ends it.

mod limit;

mod rate;

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use xds::model::{ConnectionFilter, DataSource, FilterStateFactory};

use crate::error::Invalid;
use crate::limits::DIRECT_RESPONSE_BYTES_MAX;
use crate::observe::record::{ConnectionFacts, Heads, Record};
use crate::policy::filter_state::{ConnectionObjects, Objects};
use crate::policy::http::Shared;
use crate::policy::source;
use crate::runtime::LiveRuntime;

pub use limit::Refusal;
use limit::{OpenLimit, Place};
use rate::PaceLimit;

/// A chain's rules, in order.
#[derive(Debug, Default)]
pub struct ConnectionRules {
    rules: Vec<Rule>,
    runtime: Arc<LiveRuntime>,
}

#[derive(Debug)]
enum Rule {
    State(ConnectionObjects),
    Limit(Arc<OpenLimit>),
    Rate(PaceLimit),
    SniCluster(Arc<str>),
}

/// A connection's places under the limits that let it in; dropping them gives them back.
#[derive(Debug)]
pub struct Held {
    _places: Option<Box<[Place]>>,
}

impl ConnectionRules {
    /// Compiles `models`.
    ///
    /// # Errors
    /// Names the filter that cannot be used.
    pub fn compile(models: &[ConnectionFilter], shared: &Shared) -> Result<Self, Invalid> {
        let rule = |model: &ConnectionFilter| {
            Ok(match model {
                ConnectionFilter::State(state) => {
                    Rule::State(ConnectionObjects::compile(state, shared.environment())?)
                }
                ConnectionFilter::Limit(limit) => Rule::Limit(Arc::new(OpenLimit::new(limit, shared))),
                ConnectionFilter::Rate(limit) => Rule::Rate(PaceLimit::new(limit, shared)),
                ConnectionFilter::SniCluster => {
                    Rule::SniCluster(FilterStateFactory::TcpCluster.name().into())
                }
            })
        };
        let rules = models.iter().map(rule).collect::<Result<_, Invalid>>()?;
        Ok(Self { rules, runtime: Arc::clone(&shared.environment().runtime) })
    }

    /// Whether a connection is let in at `now`.
    ///
    /// # Errors
    /// The limit that refuses it.
    pub fn admit(&self, now: Duration) -> Result<Held, Refusal> {
        let mut held = Vec::new();
        for rule in &self.rules {
            match rule {
                Rule::Limit(limit) if self.runtime.load().is_on(limit.enabled()) => held.push(limit.enter()?),
                Rule::Rate(limit) if self.runtime.load().is_on(limit.enabled()) => limit.take(now)?,
                Rule::Limit(_) | Rule::Rate(_) | Rule::State(_) | Rule::SniCluster(_) => {}
            }
        }
        Ok(Held { _places: (!held.is_empty()).then(|| held.into()) })
    }

    /// The facts of a connection with what the rules keep about it. `early_name` is the server name as far as it was
    /// known before the handshake.
    #[must_use]
    pub fn note(&self, facts: ConnectionFacts, early_name: Option<Arc<str>>) -> ConnectionFacts {
        let keeps = |rule: &Rule| match rule {
            Rule::State(objects) => !objects.is_empty(),
            Rule::SniCluster(_) => true,
            Rule::Limit(_) | Rule::Rate(_) => false,
        };
        if !self.rules.iter().any(keeps) {
            return facts;
        }
        // Filters see a connection first when its handshake is still to come, as in Envoy.
        let ConnectionFacts { tls, server_name, .. } = facts.clone();
        let begun = ConnectionFacts { tls: None, server_name: early_name, ..facts };
        let begun = self.rules.iter().fold(begun, |facts, rule| match rule {
            Rule::State(objects) => keep(facts, &objects.begun),
            Rule::SniCluster(key) => with_server_name(facts, key),
            Rule::Limit(_) | Rule::Rate(_) => facts,
        });
        let secured = ConnectionFacts { tls, server_name, ..begun };
        if secured.tls.is_none() {
            return secured;
        }
        self.rules.iter().fold(secured, |facts, rule| match rule {
            Rule::State(objects) => keep(facts, &objects.secured),
            Rule::SniCluster(_) | Rule::Limit(_) | Rule::Rate(_) => facts,
        })
    }
}

fn keep(facts: ConnectionFacts, objects: &Objects) -> ConnectionFacts {
    let attributes = facts.attributes.clone();
    let mut record = Record::begin(Rc::new(facts), "", Arc::default());
    record.attributes = attributes;
    objects.keep(&mut record, &Heads::default());
    let Record { connection, attributes, .. } = record;
    ConnectionFacts { attributes, ..Rc::unwrap_or_clone(connection) }
}

fn with_server_name(mut facts: ConnectionFacts, key: &Arc<str>) -> ConnectionFacts {
    if let Some(name) = facts.server_name.clone().filter(|name| !name.is_empty()) {
        facts.attributes.keep(key, FilterStateFactory::TcpCluster, &name);
    }
    facts
}

/// The bytes that a `direct_response` filter sends.
///
/// # Errors
/// When they cannot be read or are too many.
pub fn direct_response(response: Option<&DataSource>, shared: &Shared) -> Result<Bytes, Invalid> {
    let Some(response) = response else { return Ok(Bytes::new()) };
    let invalid = |reason| Invalid::new("direct_response.response", reason);
    let bytes = source::read(response, shared.environment()).map_err(invalid)?;
    if bytes.len() > DIRECT_RESPONSE_BYTES_MAX {
        let found = bytes.len();
        return Err(invalid(format!("has {found} bytes; at most {DIRECT_RESPONSE_BYTES_MAX} are accepted")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use xds::model::{ConnectionLimit, ConnectionRateLimit, RuntimeSwitch, TokenBucket};

    use super::*;
    use crate::observe::access_log::{Environment, Outputs};
    use crate::observe::metrics::Registry;
    use crate::policy::samples::connection;

    fn shared() -> Shared {
        let outputs = Outputs::new(Environment::default()).unwrap();
        Shared::new(Arc::new(Registry::default()), Arc::new(outputs))
    }

    fn limit(max_connections: u64) -> ConnectionFilter {
        ConnectionFilter::Limit(ConnectionLimit {
            stat_prefix: "limit".to_owned(),
            max_connections,
            delay: Duration::from_secs(7),
            enabled: RuntimeSwitch::ON,
        })
    }

    fn rate(share_key: &str, max_tokens: u32, default: bool) -> ConnectionFilter {
        let fill_interval = Duration::from_secs(3600);
        ConnectionFilter::Rate(ConnectionRateLimit {
            stat_prefix: "rate".to_owned(),
            token_bucket: TokenBucket { max_tokens, tokens_per_fill: 1, fill_interval },
            enabled: RuntimeSwitch { default, key: "rate.enabled".to_owned() },
            share_key: share_key.to_owned(),
        })
    }

    fn compile(filters: &[ConnectionFilter], shared: &Shared) -> ConnectionRules {
        ConnectionRules::compile(filters, shared).unwrap()
    }

    #[test]
    fn a_place_is_given_back_when_its_connection_ends() {
        let rules = compile(&[limit(2)], &shared());
        let (one, two) = (rules.admit(Duration::ZERO), rules.admit(Duration::ZERO));
        assert!(one.is_ok() && two.is_ok());
        let refusal = rules.admit(Duration::ZERO).unwrap_err();
        assert_eq!(refusal.delay(), Duration::from_secs(7));
        drop(one);
        assert!(
            rules.admit(Duration::ZERO).is_err(),
            "who is refused has a place until it is closed, as in Envoy"
        );
        drop(refusal);
        assert!(rules.admit(Duration::ZERO).is_ok());
    }

    #[test]
    fn the_first_rule_that_refuses_is_the_last_that_is_asked() {
        let shared = shared();
        let rules = compile(&[rate("", 1, true), limit(1)], &shared);
        let held = rules.admit(Duration::ZERO).unwrap();
        assert!(rules.admit(Duration::ZERO).is_err());
        drop(held);
        assert!(rules.admit(Duration::ZERO).is_err(), "the token was taken");
        let metric = |name: &str| {
            let samples = shared.registry().samples();
            samples.iter().find(|sample| sample.name == name).map(|sample| format!("{:?}", sample.value))
        };
        assert_eq!(metric("limited_connections").as_deref(), Some("Counter(0)"), "the limit refused nobody");
    }

    #[test]
    fn buckets_are_shared_by_key_and_content() {
        let shared = shared();
        let rules = |key: &str, tokens| compile(&[rate(key, tokens, true)], &shared);
        let (one, same, other) = (rules("k", 1), rules("k", 1), rules("k", 2));
        let (own, another) = (rules("", 1), rules("", 1));
        assert!(one.admit(Duration::ZERO).is_ok() && same.admit(Duration::ZERO).is_err());
        assert!(other.admit(Duration::ZERO).is_ok(), "another bucket under the same key");
        assert!(own.admit(Duration::ZERO).is_ok() && another.admit(Duration::ZERO).is_ok());
    }

    #[test]
    fn what_is_switched_off_lets_everybody_in() {
        let rules = compile(&[rate("", 1, false)], &shared());
        assert!((0..9).all(|_| rules.admit(Duration::ZERO).is_ok()));
    }

    #[test]
    fn the_server_name_that_was_known_early_is_the_cluster() {
        let rules = compile(&[ConnectionFilter::SniCluster], &shared());
        let late = || ConnectionFacts { server_name: Some("late".into()), ..connection("192.0.2.1:1") };
        let noted = rules.note(late(), Some("early".into()));
        assert_eq!(noted.attributes.text_of(FilterStateFactory::TcpCluster), Some("early"));
        assert_eq!(noted.server_name.as_deref(), Some("late"));
        let noted = rules.note(late(), None);
        assert_eq!(noted.attributes.text_of(FilterStateFactory::TcpCluster), None);
    }
}
