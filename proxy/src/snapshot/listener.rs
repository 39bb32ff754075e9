//! A compiled listener: sockets, chains and counters.

use std::sync::Arc;

use xds::model::{self, Address, FilterChain, ListenerFilter};

use super::chain::Chain;
use super::chain_match::ChainMatcher;
use super::environment::Environment;
use super::sockets::{SocketKind, Sockets};
use crate::observe::listener::ListenerStats;
use crate::observe::metrics::{Counters, Scope};
use crate::observe::proxy_protocol::ProxyProtocolMetric;
use crate::policy::udp::UdpPolicy;

/// A listener that serves.
#[derive(Debug)]
pub struct Listener {
    /// What it was made of.
    pub model: Arc<model::Listener>,
    /// Its sockets, one entry for each address; empty with `bind_to_port: false`.
    pub sockets: Vec<Arc<Sockets>>,
    /// Chooses among the chains.
    pub matcher: ChainMatcher,
    /// Chains in the model's order.
    pub chains: Vec<Arc<Chain>>,
    /// For connections that match none.
    pub default_chain: Option<Arc<Chain>>,
    /// Counters.
    pub stats: Arc<ListenerStats>,
    /// What is done with datagrams.
    pub udp: Option<Arc<UdpPolicy>>,
    /// Counters of PROXY headers, if one is expected.
    pub proxy_protocol: Option<Arc<Counters<ProxyProtocolMetric>>>,
}

impl Listener {
    /// Compiles `model`; chains and sockets of `previous` that did not change are taken over.
    ///
    /// # Errors
    /// The field's path and the reason; nothing of `previous` is changed then.
    pub(super) fn compile(
        model: &Arc<model::Listener>,
        previous: Option<&Arc<Self>>,
        environment: &Environment,
    ) -> Result<Self, String> {
        let mut old: Vec<Arc<Chain>> = previous
            .map(|previous| previous.chains.iter().chain(&previous.default_chain).cloned().collect())
            .unwrap_or_default();
        let mut chains = Vec::with_capacity(model.filter_chains.len());
        let matches = model.filter_chains.iter().map(|chain| chain.matches.clone()).collect();
        let matcher = ChainMatcher::new(matches).map_err(|overlap| {
            format!(
                "filter_chains[{}].filter_chain_match: filter_chains[{}] matches the same connections equally well",
                overlap.second, overlap.first
            )
        })?;
        for (index, chain) in model.filter_chains.iter().enumerate() {
            let compiled = take_or_compile(chain, &mut old, environment);
            chains.push(compiled.map_err(|reason| format!("filter_chains[{index}].{reason}"))?);
        }
        let default_chain = model
            .default_filter_chain
            .as_ref()
            .map(|chain| take_or_compile(chain, &mut old, environment))
            .transpose()
            .map_err(|reason| format!("default_filter_chain.{reason}"))?;
        let sockets = bind(model, previous, environment)?;
        let stats = match previous {
            Some(previous) => Arc::clone(&previous.stats),
            None => Arc::new(ListenerStats::register(&stat_name(model), &environment.registry)),
        };
        let same = |previous: &&Arc<Self>| previous.model.udp == model.udp;
        let udp = match previous.filter(same) {
            Some(previous) => previous.udp.clone(),
            None => model.udp.as_ref().map(|udp| Arc::new(UdpPolicy::compile(udp, &environment.shared))),
        };
        let proxy_protocol = model.listener_filters.iter().find_map(|filter| match filter {
            ListenerFilter::ProxyProtocol(filter) => Some(filter),
            ListenerFilter::TlsInspector | ListenerFilter::HttpInspector | ListenerFilter::OriginalDst => {
                None
            }
        });
        let proxy_protocol = proxy_protocol.map(|filter| {
            let scope = Scope::new("proxy_proto", "envoy_proxy_protocol_prefix", filter.stat_prefix.as_str());
            environment.shared.counters(scope)
        });
        Ok(Self {
            model: Arc::clone(model),
            sockets,
            matcher,
            chains,
            default_chain,
            stats,
            udp,
            proxy_protocol,
        })
    }

    /// Lets clients connect.
    ///
    /// # Errors
    /// The address and what the system said.
    pub(super) fn listen(&self) -> Result<(), String> {
        self.sockets.iter().try_for_each(|sockets| sockets.listen(&self.model))
    }
}

fn take_or_compile(
    model: &FilterChain,
    old: &mut Vec<Arc<Chain>>,
    environment: &Environment,
) -> Result<Arc<Chain>, String> {
    match old.iter().position(|chain| chain.model == *model) {
        Some(index) => Ok(old.swap_remove(index)),
        None => Chain::compile(model, environment).map(Arc::new),
    }
}

fn bind(
    model: &model::Listener,
    previous: Option<&Arc<Listener>>,
    environment: &Environment,
) -> Result<Vec<Arc<Sockets>>, String> {
    if !model.bind_to_port || environment.background.is_none() {
        return Ok(Vec::new());
    }
    let old = previous.map_or(&[][..], |previous| &previous.sockets);
    let reuse_port = model.reuse_port && !model.exact_balance;
    std::iter::once(&model.address)
        .chain(&model.additional_addresses)
        .map(|address| {
            let udp = model.quic.is_some() || model.udp.is_some();
            let kept = old.iter().find(|s| {
                let same = matches!(s.kind, SocketKind::Udp(_)) == udp && s.reuse_port == reuse_port;
                s.configured == *address && same
            });
            match kept {
                Some(sockets) => Ok(Arc::clone(sockets)),
                None => Sockets::bind(address, model, environment.workers).map(Arc::new),
            }
        })
        .collect()
}

/// Envoy's name of a listener in metrics: `stat_prefix`, else the address with `_` for `:`.
fn stat_name(model: &model::Listener) -> String {
    if !model.stat_prefix.is_empty() {
        return model.stat_prefix.clone();
    }
    match &model.address {
        Address::Socket(address) => address.to_string().replace(':', "_"),
        Address::Pipe(path) => path.replace(['/', ':'], "_"),
    }
}
