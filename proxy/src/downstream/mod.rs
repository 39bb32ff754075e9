//! 1. Bytes arrive: from a listening socket to requests and byte streams.

pub mod accept;

pub mod original_dst;

pub mod proxy_protocol;

pub mod sniff;

pub mod inspect;

pub mod handshake;

pub mod http;

mod chain_drains;

mod local;

mod turns;

mod connection;

#[cfg(feature = "http3")]
mod quic;

mod udp;

pub mod worker;

#[cfg(test)]
mod sizes;
