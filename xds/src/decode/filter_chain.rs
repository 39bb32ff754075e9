//! Filter chains: which connections, which transport, the terminal filter. Two chains may not take the same
//! connection with the same precision.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::core::v3 as core;
use envoy_types::pb::envoy::config::listener::v3 as pb;
use envoy_types::pb::envoy::extensions::transport_sockets::quic::v3::QuicDownstreamTransport;
use envoy_types::pb::envoy::extensions::transport_sockets::raw_buffer::v3::RawBuffer;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3::DownstreamTlsContext;
use pb::filter_chain_match::ConnectionSourceType;

use super::address;
use super::any;
use super::network_filter;
use super::path::{Invalid, Path, absent, off};
use super::quic;
use super::tls;
use crate::model::{DownstreamTransport, FilterChain, FilterChainMatch, SourceType, TransportProtocol};

/// The chains of a listener and the one for connections that match none.
pub(super) fn filter_chains(
    path: &Path<'_>,
    chains: &[pb::FilterChain],
    default: &Option<pb::FilterChain>,
    may_be_empty: bool,
) -> Result<(Vec<FilterChain>, Option<FilterChain>), Invalid> {
    let at = path.field("filter_chains");
    if chains.is_empty() && default.is_none() && !may_be_empty {
        return at.refuse("must not be empty; or set default_filter_chain");
    }
    let chains = at.each(chains, filter_chain)?;
    disjoint(&at, &chains)?;
    let at = path.field("default_filter_chain");
    let default = default.as_ref().map(|chain| filter_chain(&at, chain)).transpose()?;
    if default.as_ref().is_some_and(|chain| chain.matches != FilterChainMatch::default()) {
        return at
            .field("filter_chain_match")
            .refuse("is not accepted here; this chain takes what matches none");
    }
    Ok((chains, default))
}

fn filter_chain(path: &Path<'_>, chain: &pb::FilterChain) -> Result<FilterChain, Invalid> {
    let pb::FilterChain {
        filter_chain_match,
        filters,
        use_proxy_proto,
        // Free fields, which no filter here reads.
        metadata: _,
        transport_socket,
        transport_socket_connect_timeout,
        name,
    } = chain;
    // Deprecated in favour of the proxy_protocol listener filter, which is supported.
    off!(path; use_proxy_proto);
    let (filters, filter) = network_filter::filters(&path.field("filters"), filters)?;
    let at = path.field("filter_chain_match");
    let wait = path.field("transport_socket_connect_timeout").optional(transport_socket_connect_timeout)?;
    Ok(FilterChain {
        name: name.clone(),
        matches: match filter_chain_match {
            Some(matches) => chain_match(&at, matches)?,
            None => FilterChainMatch::default(),
        },
        transport: transport(&path.field("transport_socket"), transport_socket)?,
        filters,
        filter,
        transport_socket_connect_timeout: wait.unwrap_or_default(),
    })
}

fn transport(
    path: &Path<'_>,
    socket: &Option<core::TransportSocket>,
) -> Result<DownstreamTransport, Invalid> {
    let Some(core::TransportSocket { name, config_type }) = socket else {
        return Ok(DownstreamTransport::Plain);
    };
    let path = path.field("typed_config");
    let core::transport_socket::ConfigType::TypedConfig(config) = path.required(config_type)?;
    if let Some(context) = any::unpack_if::<DownstreamTlsContext>(&path, config)? {
        return tls::downstream(&path, &context).map(|tls| DownstreamTransport::Tls(Box::new(tls)));
    }
    if let Some(transport) = any::unpack_if::<QuicDownstreamTransport>(&path, config)? {
        return quic::transport(&path, &transport).map(|tls| DownstreamTransport::Quic(Box::new(tls)));
    }
    if let Some(RawBuffer {}) = any::unpack_if(&path, config)? {
        return Ok(DownstreamTransport::Plain);
    }
    any::unknown(&path, name, config, "DownstreamTlsContext, QuicDownstreamTransport, RawBuffer")
}

fn chain_match(path: &Path<'_>, matches: &pb::FilterChainMatch) -> Result<FilterChainMatch, Invalid> {
    let pb::FilterChainMatch {
        destination_port,
        prefix_ranges,
        address_suffix,
        suffix_len,
        direct_source_prefix_ranges,
        source_type,
        source_prefix_ranges,
        source_ports,
        server_names,
        transport_protocol,
        application_protocols,
    } = matches;
    absent!(path; address_suffix, suffix_len);
    path.field("server_names").unique("server name", server_names.iter().map(String::as_str))?;
    path.field("application_protocols")
        .unique("protocol", application_protocols.iter().map(String::as_str))?;
    let at = path.field("destination_port");
    let protocols = path.field("application_protocols");
    Ok(FilterChainMatch {
        destination_port: destination_port.as_ref().map(|port| at.port(port.value)).transpose()?,
        prefix_ranges: distinct(&path.field("prefix_ranges"), prefix_ranges, address::cidr)?,
        server_names: path.field("server_names").each(server_names, |at, name| server_name(at, name))?,
        transport_protocol: match transport_protocol.as_str() {
            "" => None,
            "tls" => Some(TransportProtocol::Tls),
            "raw_buffer" => Some(TransportProtocol::RawBuffer),
            "quic" => Some(TransportProtocol::Quic),
            other => {
                let path = path.field("transport_protocol");
                return path.refuse(format!("{other:?} is not supported; accepted: tls, quic, raw_buffer"));
            }
        },
        application_protocols: protocols.each(application_protocols, |at, name| at.non_empty(name))?,
        direct_source_prefix_ranges: distinct(
            &path.field("direct_source_prefix_ranges"),
            direct_source_prefix_ranges,
            address::cidr,
        )?,
        source_type: match path.field("source_type").known(*source_type)? {
            ConnectionSourceType::Any => SourceType::Any,
            ConnectionSourceType::SameIpOrLoopback => SourceType::SameIpOrLoopback,
            ConnectionSourceType::External => SourceType::External,
        },
        source_prefix_ranges: distinct(
            &path.field("source_prefix_ranges"),
            source_prefix_ranges,
            address::cidr,
        )?,
        source_ports: distinct(&path.field("source_ports"), source_ports, |at, port| at.port(*port))?,
    })
}

/// Values of which none stands twice: Envoy takes a repeated one for a second chain with the same match.
fn distinct<T, U: PartialEq + std::fmt::Display>(
    path: &Path<'_>,
    values: &[T],
    convert: impl Fn(&Path<'_>, &T) -> Result<U, Invalid>,
) -> Result<Vec<U>, Invalid> {
    let values = path.each(values, convert)?;
    for (index, value) in values.iter().enumerate() {
        if values[..index].contains(value) {
            return path.index(index).refuse(format!("{value} is listed twice"));
        }
    }
    Ok(values)
}

/// `host` or `*.host`, lower-cased.
fn server_name(path: &Path<'_>, name: &str) -> Result<String, Invalid> {
    let name = path.non_empty(name)?.to_ascii_lowercase();
    let host = name.strip_prefix("*.").unwrap_or(&name);
    if host.is_empty() || host.contains('*') {
        return path
            .refuse(format!("{name:?} is not accepted; a star may only stand for the whole first label"));
    }
    Ok(name)
}

/// Refuses two chains that would both be the best match of some connection. Chains are compared only with those
/// that share a port and a server name, so that thousands of them stay cheap.
fn disjoint(path: &Path<'_>, chains: &[FilterChain]) -> Result<(), Invalid> {
    let mut buckets: HashMap<(Option<u16>, &str), Vec<usize>> = HashMap::new();
    for (index, chain) in chains.iter().enumerate() {
        let names: Vec<&str> = match chain.matches.server_names.as_slice() {
            [] => vec![""],
            names => names.iter().map(String::as_str).collect(),
        };
        for name in names {
            let bucket = buckets.entry((chain.matches.destination_port, name)).or_default();
            let twin = bucket.iter().find(|other| overlap(&chains[**other].matches, &chain.matches));
            if let Some(twin) = twin.filter(|twin| **twin != index) {
                let reason = format!("matches the same connections as filter_chains[{twin}]");
                return path.index(index).field("filter_chain_match").refuse(reason);
            }
            bucket.push(index);
        }
    }
    Ok(())
}

/// Whether the rest of two matches share a value at every step; an empty list is a value of its own.
fn overlap(a: &FilterChainMatch, b: &FilterChainMatch) -> bool {
    fn shared<T: PartialEq>(a: &[T], b: &[T]) -> bool {
        a.is_empty() && b.is_empty() || a.iter().any(|value| b.contains(value))
    }
    a.transport_protocol == b.transport_protocol
        && a.source_type == b.source_type
        && shared(&a.prefix_ranges, &b.prefix_ranges)
        && shared(&a.application_protocols, &b.application_protocols)
        && shared(&a.direct_source_prefix_ranges, &b.direct_source_prefix_ranges)
        && shared(&a.source_prefix_ranges, &b.source_prefix_ranges)
        && shared(&a.source_ports, &b.source_ports)
}
