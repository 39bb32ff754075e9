//! Addresses, address blocks and localities (`envoy.config.core.v3`). Only literal IPs where Envoy binds or
//! connects without a lookup; TCP and Unix sockets only.

use std::net::IpAddr;

use envoy_types::pb::envoy::config::core::v3 as pb;
use envoy_types::pb::google::protobuf::UInt32Value;

use super::path::{Invalid, Path, absent};
use crate::model::{Address, Cidr, Host, Locality, SocketAddress};

/// The longest path that fits `sockaddr_un` with its closing zero.
const PIPE_PATH_BYTES_MAX: usize = 107;

/// Which hosts and ports are accepted where.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Literal IPs; port 0 lets the system choose.
    Listen,
    /// The same for UDP.
    ListenUdp,
    /// Literal IPs with a port.
    Connect,
    /// Literal IPs or names, with a port; no Unix sockets.
    Resolve,
}

/// An address.
pub(super) fn address(path: &Path<'_>, address: &pb::Address, usage: Use) -> Result<Address, Invalid> {
    let pb::Address { address } = address;
    match address {
        Some(pb::address::Address::SocketAddress(socket)) => {
            socket_address(&path.field("socket_address"), socket, usage).map(Address::Socket)
        }
        Some(pb::address::Address::Pipe(pipe)) if usage == Use::Resolve => path
            .field("pipe")
            .refuse(format!("{:?} cannot be resolved by DNS; use a STATIC or EDS cluster", pipe.path)),
        Some(pb::address::Address::Pipe(pipe)) if usage == Use::ListenUdp => path
            .field("pipe")
            .refuse(format!("{:?} does not carry datagrams; accepted: socket_address", pipe.path)),
        Some(pb::address::Address::Pipe(pipe)) => pipe_address(&path.field("pipe"), pipe),
        Some(pb::address::Address::EnvoyInternalAddress(_)) => {
            path.field("envoy_internal_address").unsupported()
        }
        None => path.refuse("is empty; accepted: socket_address, pipe"),
    }
}

fn pipe_address(path: &Path<'_>, pipe: &pb::Pipe) -> Result<Address, Invalid> {
    let pb::Pipe { path: file, mode } = pipe;
    absent!(path; mode);
    let at = path.field("path");
    if file.len() > PIPE_PATH_BYTES_MAX {
        return at.refuse(format!("has {} bytes; at most {PIPE_PATH_BYTES_MAX} are accepted", file.len()));
    }
    at.non_empty(file).map(Address::Pipe)
}

fn socket_address(path: &Path<'_>, socket: &pb::SocketAddress, usage: Use) -> Result<SocketAddress, Invalid> {
    let pb::SocketAddress {
        protocol,
        address,
        resolver_name,
        ipv4_compat,
        network_namespace_filepath,
        port_specifier,
    } = socket;
    absent!(path; resolver_name, ipv4_compat, network_namespace_filepath);
    match path.field("protocol").known(*protocol)? {
        pb::socket_address::Protocol::Tcp if usage == Use::ListenUdp => {
            return path.field("protocol").refuse("TCP does not carry datagrams; accepted: UDP");
        }
        pb::socket_address::Protocol::Udp if usage == Use::Listen => {
            let reason = "UDP is not supported here without udp_listener_config.quic_options or a UDP proxy; accepted: TCP";
            return path.field("protocol").refuse(reason);
        }
        pb::socket_address::Protocol::Udp if usage != Use::ListenUdp => {
            return path.field("protocol").refuse("UDP is not supported here; accepted: TCP");
        }
        pb::socket_address::Protocol::Tcp | pb::socket_address::Protocol::Udp => {}
    }
    let port = match port_specifier {
        Some(pb::socket_address::PortSpecifier::PortValue(0))
            if matches!(usage, Use::Listen | Use::ListenUdp) =>
        {
            0
        }
        Some(pb::socket_address::PortSpecifier::PortValue(port)) => path.field("port_value").port(*port)?,
        Some(pb::socket_address::PortSpecifier::NamedPort(_)) => {
            return path.field("named_port").unsupported();
        }
        None => return path.field("port_value").refuse("is required"),
    };
    Ok(SocketAddress { host: host(&path.field("address"), address, usage)?, port })
}

fn host(path: &Path<'_>, text: &str, usage: Use) -> Result<Host, Invalid> {
    if let Ok(ip) = text.parse() {
        return Ok(Host::Ip(ip));
    }
    path.non_empty(text)?;
    if usage != Use::Resolve {
        let hint =
            if usage == Use::Connect { "; names need a STRICT_DNS or LOGICAL_DNS cluster" } else { "" };
        return path.refuse(format!("{text:?} is not an IP address{hint}"));
    }
    let plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.');
    if text.len() > 253 || !text.chars().all(plain) {
        return path.refuse(format!("{text:?} is neither an IP address nor a DNS name"));
    }
    Ok(Host::Name(text.to_owned()))
}

/// A block of addresses.
pub(super) fn cidr(path: &Path<'_>, range: &pb::CidrRange) -> Result<Cidr, Invalid> {
    let pb::CidrRange { address_prefix, prefix_len } = range;
    let at = path.field("address_prefix");
    let ip: IpAddr =
        address_prefix.parse().map_err(|_| at.invalid(format!("{address_prefix:?} is not an IP address")))?;
    let UInt32Value { value } = prefix_len.unwrap_or_default();
    u8::try_from(value).ok().and_then(|len| Cidr::new(ip, len)).ok_or_else(|| {
        let bits = if ip.is_ipv4() { 32 } else { 128 };
        path.field("prefix_len").invalid(format!("{value} is not accepted; 0 to {bits} are for {ip}"))
    })
}

/// A locality; unset is the empty one.
pub(super) fn locality(locality: &Option<pb::Locality>) -> Locality {
    let Some(pb::Locality { region, zone, sub_zone }) = locality else { return Locality::default() };
    Locality { region: region.clone(), zone: zone.clone(), sub_zone: sub_zone.clone() }
}
