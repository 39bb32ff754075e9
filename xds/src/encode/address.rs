//! Addresses, address blocks and localities.

use envoy_types::pb::envoy::config::core::v3 as pb;

use super::scalar::uint32;
use crate::model::{Address, Cidr, Locality, SocketAddress};

pub(super) fn address(address: &Address) -> pb::Address {
    let address = match address {
        Address::Socket(SocketAddress { host, port }) => {
            pb::address::Address::SocketAddress(pb::SocketAddress {
                address: host.to_string(),
                port_specifier: Some(pb::socket_address::PortSpecifier::PortValue(u32::from(*port))),
                ..Default::default()
            })
        }
        Address::Pipe(path) => pb::address::Address::Pipe(pb::Pipe { path: path.clone(), mode: 0 }),
    };
    pb::Address { address: Some(address) }
}

/// The same for UDP.
pub(super) fn udp(address: &Address) -> pb::Address {
    let mut address = self::address(address);
    if let Some(pb::address::Address::SocketAddress(socket)) = &mut address.address {
        socket.protocol = pb::socket_address::Protocol::Udp.into();
    }
    address
}

pub(super) fn cidr(block: &Cidr) -> pb::CidrRange {
    pb::CidrRange {
        address_prefix: block.network().to_string(),
        prefix_len: uint32(u32::from(block.prefix_len())),
    }
}

pub(super) fn locality(locality: &Locality) -> Option<pb::Locality> {
    let Locality { region, zone, sub_zone } = locality;
    let found = pb::Locality { region: region.clone(), zone: zone.clone(), sub_zone: sub_zone.clone() };
    Some(found).filter(|found| *found != pb::Locality::default())
}
