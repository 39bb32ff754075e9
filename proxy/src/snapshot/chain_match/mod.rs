//! Which filter chain takes a connection.
//!
//! The rule is Envoy's: criteria are judged one after another, and at each only the chains with the most specific
//! match stay. There is no way back: a chain that wins by its port and loses by its server name does not give
//! the connection to a chain without a port. Data in, choice out.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use xds::model::{Cidr, FilterChainMatch, SourceType, Tlv, TransportProtocol};

/// What is known of a connection when its chain is chosen. An address is `None` on Unix domain sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// Where the client meant to connect to: the local address, or what a listener filter found.
    pub destination: Option<SocketAddr>,
    /// Who is at the other end of the socket.
    pub direct_source: Option<SocketAddr>,
    /// Who asked, if a PROXY header says so; else the same.
    pub source: Option<SocketAddr>,
    /// TLS or not, as far as a listener filter looked.
    pub transport: TransportProtocol,
    /// SNI, lower case.
    pub server_name: Option<String>,
    /// ALPN as offered, or what the HTTP inspector found, in the client's order.
    pub application_protocols: Vec<String>,
    /// What a PROXY header says beside the addresses and may be passed on.
    pub tlvs: Option<Arc<[Tlv]>>,
}

impl Arrival {
    /// A connection of which only the addresses are known.
    #[must_use]
    pub fn new(destination: Option<SocketAddr>, source: Option<SocketAddr>) -> Self {
        Self {
            destination,
            direct_source: source,
            source,
            transport: TransportProtocol::RawBuffer,
            server_name: None,
            application_protocols: Vec::new(),
            tlvs: None,
        }
    }
}

/// The chains of one listener, ready to be matched.
#[derive(Debug, Clone, Default)]
pub struct ChainMatcher {
    chains: Vec<FilterChainMatch>,
    /// Chains by server name (a wildcard by its suffix, `.example.com`; those without names under the empty name),
    /// when no criterion of higher rank is in use; else absent.
    by_name: Option<HashMap<String, Vec<usize>>>,
}

/// Two chains that both match some connection equally well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overlap {
    /// The index of the first.
    pub first: usize,
    /// The index of the second.
    pub second: usize,
}

impl ChainMatcher {
    /// Prepares the matches of a listener's chains.
    ///
    /// # Errors
    /// Two chains between which no rule decides.
    pub fn new(chains: Vec<FilterChainMatch>) -> Result<Self, Overlap> {
        check_overlaps(&chains)?;
        let names_first =
            chains.iter().all(|chain| chain.destination_port.is_none() && chain.prefix_ranges.is_empty());
        let by_name = names_first.then(|| {
            let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
            for (index, chain) in chains.iter().enumerate() {
                for name in keys(&chain.server_names, |name| name_key(name)) {
                    by_name.entry(name.unwrap_or_default().to_owned()).or_default().push(index);
                }
            }
            by_name
        });
        Ok(Self { chains, by_name })
    }

    /// The index of the chain that takes `arrival`; `None` leaves it to the default chain.
    #[must_use]
    pub fn choose(&self, arrival: &Arrival) -> Option<usize> {
        let mut left = Left { chains: &self.chains, indexes: self.by_destination_and_name(arrival) };
        left.keep_best(|chain| exact(chain.transport_protocol.as_ref(), &arrival.transport));
        left.keep_best(|chain| best_protocol(&chain.application_protocols, &arrival.application_protocols));
        left.keep_best(|chain| best_prefix(&chain.direct_source_prefix_ranges, arrival.direct_source));
        let local = is_same_ip_or_loopback(arrival);
        left.keep_best(|chain| match chain.source_type {
            SourceType::Any => Some(0),
            SourceType::SameIpOrLoopback => local.then_some(1),
            SourceType::External => (!local).then_some(1),
        });
        left.keep_best(|chain| best_prefix(&chain.source_prefix_ranges, arrival.source));
        let port = arrival.source.map_or(0, |source| source.port());
        left.keep_best(|chain| match chain.source_ports.as_slice() {
            [] => Some(0),
            ports => ports.contains(&port).then_some(1),
        });
        left.indexes.first().copied()
    }

    fn by_destination_and_name(&self, arrival: &Arrival) -> Vec<usize> {
        let name = arrival.server_name.as_deref().unwrap_or_default();
        if let Some(by_name) = &self.by_name {
            return name_candidates(name).find_map(|key| by_name.get(key)).cloned().unwrap_or_default();
        }
        let mut left = Left { chains: &self.chains, indexes: (0..self.chains.len()).collect() };
        let port = arrival.destination.map(|destination| destination.port());
        left.keep_best(|chain| match (chain.destination_port, port) {
            (None, _) => Some(0),
            (Some(wanted), Some(port)) => (wanted == port).then_some(1),
            (Some(_), None) => None,
        });
        left.keep_best(|chain| best_prefix(&chain.prefix_ranges, arrival.destination));
        left.keep_best(|chain| best_name(&chain.server_names, name));
        left.indexes
    }
}

/// The chains that are still in the running.
struct Left<'a> {
    chains: &'a [FilterChainMatch],
    indexes: Vec<usize>,
}

impl Left<'_> {
    /// Keeps the chains whose match is the most specific; `None` is no match at all.
    fn keep_best(&mut self, specificity: impl Fn(&FilterChainMatch) -> Option<usize>) {
        let best = self.indexes.iter().filter_map(|&index| specificity(&self.chains[index])).max();
        self.indexes.retain(|&index| best.is_some() && specificity(&self.chains[index]) == best);
    }
}

fn exact<T: PartialEq>(wanted: Option<&T>, found: &T) -> Option<usize> {
    match wanted {
        None => Some(0),
        Some(wanted) => (wanted == found).then_some(1),
    }
}

/// Two equally long prefixes that hold the same address are the same prefix.
fn best_prefix(ranges: &[Cidr], address: Option<SocketAddr>) -> Option<usize> {
    if ranges.is_empty() {
        return Some(0);
    }
    // Where there is no IP address, Envoy looks for this one.
    let ip = address.map_or(IpAddr::V4(Ipv4Addr::BROADCAST), |address| address.ip().to_canonical());
    let holding = ranges.iter().filter(|range| range.contains(ip));
    holding.map(|range| usize::from(range.prefix_len()) + 1).max()
}

/// The longer the key that matches, the closer the name.
fn best_name(names: &[String], name: &str) -> Option<usize> {
    if names.is_empty() {
        return Some(0);
    }
    // The exact name is the longest of the candidates, and no two candidates are of one length.
    name_candidates(name)
        .filter(|key| !key.is_empty())
        .find(|key| names.iter().any(|wanted| name_key(wanted) == *key))
        .map(str::len)
}

/// What a configured name is looked up by: a wildcard by its suffix.
fn name_key(name: &str) -> &str {
    name.strip_prefix('*').unwrap_or(name)
}

/// `a.b.c`: itself, `.b.c`, `.c`, and the empty name of chains without names. The closest first.
fn name_candidates(name: &str) -> impl Iterator<Item = &str> {
    let exact = (!name.is_empty()).then_some(name);
    let suffixes = name.match_indices('.').filter(|&(at, _)| at > 0 && at + 1 < name.len());
    exact.into_iter().chain(suffixes.map(|(at, _)| &name[at..])).chain([""])
}

/// The first protocol that the client offers decides.
fn best_protocol(wanted: &[String], offered: &[String]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    let place = offered.iter().position(|protocol| wanted.contains(protocol))?;
    Some(offered.len() - place)
}

fn is_same_ip_or_loopback(arrival: &Arrival) -> bool {
    match (arrival.source, arrival.destination) {
        // Only processes of this host reach a Unix domain socket.
        (None, _) => true,
        (Some(source), destination) => {
            let ip = source.ip().to_canonical();
            ip.is_loopback() || destination.is_some_and(|destination| destination.ip().to_canonical() == ip)
        }
    }
}

/// One combination of criteria; a chain stands for the product of its lists.
type Key<'a> = (
    (Option<u16>, Option<Cidr>),
    Option<&'a str>,
    Option<TransportProtocol>,
    Option<&'a str>,
    (Option<Cidr>, SourceType, Option<Cidr>, Option<u16>),
);

fn check_overlaps(chains: &[FilterChainMatch]) -> Result<(), Overlap> {
    let mut seen: HashMap<Key<'_>, usize> = HashMap::new();
    for (second, chain) in chains.iter().enumerate() {
        for key in combinations(chain) {
            match seen.insert(key, second) {
                Some(first) if first != second => return Err(Overlap { first, second }),
                _ => {}
            }
        }
    }
    Ok(())
}

fn combinations(chain: &FilterChainMatch) -> impl Iterator<Item = Key<'_>> {
    let FilterChainMatch {
        destination_port,
        prefix_ranges,
        server_names,
        transport_protocol,
        application_protocols,
        direct_source_prefix_ranges,
        source_type,
        source_prefix_ranges,
        source_ports,
    } = chain;
    let sources = move || {
        keys(direct_source_prefix_ranges, |range| *range).into_iter().flat_map(move |direct| {
            keys(source_prefix_ranges, |range| *range).into_iter().flat_map(move |source| {
                keys(source_ports, |port| *port)
                    .into_iter()
                    .map(move |port| (direct, *source_type, source, port))
            })
        })
    };
    keys(prefix_ranges, |range| *range).into_iter().flat_map(move |destination| {
        keys(server_names, |name| name.as_str()).into_iter().flat_map(move |name| {
            keys(application_protocols, |protocol| protocol.as_str()).into_iter().flat_map(move |protocol| {
                sources().map(move |source| {
                    ((*destination_port, destination), name, *transport_protocol, protocol, source)
                })
            })
        })
    })
}

/// A list's entries as keys; an empty list is one key that stands for any.
fn keys<'a, T, K>(list: &'a [T], key: impl Fn(&'a T) -> K) -> Vec<Option<K>> {
    if list.is_empty() { vec![None] } else { list.iter().map(|entry| Some(key(entry))).collect() }
}

#[cfg(test)]
mod tests;
