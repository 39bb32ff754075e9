//! Listeners and their filter chains (`envoy.config.listener.v3`).

use std::time::Duration;

use super::{
    AccessLog, Address, Cidr, ConnectionFilter, DataSource, DownstreamTls, HttpConnectionManager,
    ListenerName, ProxyProtocolFilter, TcpProxy, UdpProxy,
};

/// A listener.
#[derive(Debug, Clone, PartialEq)]
pub struct Listener {
    /// Its name, unique.
    pub name: ListenerName,
    /// Where it listens; the host is an IP address.
    pub address: Address,
    /// More places with the same chains.
    pub additional_addresses: Vec<Address>,
    /// Chains, the best match wins.
    pub filter_chains: Vec<FilterChain>,
    /// For connections that match no chain; without it they are closed.
    pub default_filter_chain: Option<FilterChain>,
    /// What looks at a connection before a chain is chosen, in order.
    pub listener_filters: Vec<ListenerFilter>,
    /// How long listener filters may take; zero means for ever. Envoy's default is 15 s.
    pub listener_filters_timeout: Duration,
    /// Whether a connection whose listener filters timed out goes on with what is known.
    pub continue_on_listener_filters_timeout: bool,
    /// Soft limit of buffered bytes per connection; Envoy's default is 1 MiB.
    pub per_connection_buffer_limit_bytes: u32,
    /// Logs of connections.
    pub access_log: Vec<AccessLog>,
    /// Name in metrics instead of the address.
    pub stat_prefix: String,
    /// What the listener is for.
    pub traffic_direction: TrafficDirection,
    /// Whether each worker has a socket of its own (`enable_reuse_port`, default true).
    pub reuse_port: bool,
    /// Whether it binds at all (`bind_to_port`, default true).
    pub bind_to_port: bool,
    /// Whether accepted connections are spread evenly over workers (`exact_balance`).
    pub exact_balance: bool,
    /// Length of the kernel's queue (`tcp_backlog_size`).
    pub tcp_backlog_size: u32,
    /// QUIC over UDP instead of TCP (`udp_listener_config.quic_options`).
    pub quic: Option<QuicOptions>,
    /// Datagrams to endpoints instead of connections: then there is neither a chain nor a listener filter (`udp_proxy`).
    pub udp: Option<UdpProxy>,
    /// Drain only when the listener is removed or changed, not by `/healthcheck/fail` (`MODIFY_ONLY`).
    pub drain_modify_only: bool,
}

/// How a listener speaks QUIC; `None` is this proxy's default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuicOptions {
    /// Most requests at once on a connection.
    pub max_concurrent_streams: Option<u32>,
    /// Bytes a client may send ahead on one stream.
    pub initial_stream_window_size: Option<u32>,
    /// Bytes a client may send ahead on the connection.
    pub initial_connection_window_size: Option<u32>,
    /// A connection that is silent for so long is forgotten; Envoy's default is 5 min.
    pub idle_timeout: Duration,
    /// How long a handshake may take; Envoy's default is 20 s.
    pub handshake_timeout: Duration,
    /// Whether clients may move on purpose (`send_disable_active_migration`, default false).
    pub active_migration: bool,
}

impl Default for QuicOptions {
    fn default() -> Self {
        Self {
            max_concurrent_streams: None,
            initial_stream_window_size: None,
            initial_connection_window_size: None,
            idle_timeout: Duration::from_secs(300),
            handshake_timeout: Duration::from_secs(20),
            active_migration: true,
        }
    }
}

/// A listener without sockets: how a program that is its own proxy, such as a gRPC client, finds its way
/// (`api_listener`).
#[derive(Debug, Clone, PartialEq)]
pub struct ApiListener {
    /// Its name, unique among all listeners.
    pub name: ListenerName,
    /// Where a proxy in the program's place would listen; nothing is bound.
    pub address: Option<Address>,
    /// Routes and filters of the program's requests.
    pub manager: HttpConnectionManager,
}

impl Listener {
    /// `tcp_backlog_size` unless given: the kernel cuts it to `net.core.somaxconn`, which is Envoy's default.
    pub const TCP_BACKLOG_SIZE: u32 = i32::MAX as u32;
}

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrafficDirection {
    /// Not said.
    Unspecified,
    /// Towards the workload.
    Inbound,
    /// From the workload.
    Outbound,
}

/// What looks at a connection before a chain is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenerFilter {
    /// Reads SNI and ALPN from a ClientHello.
    TlsInspector,
    /// Tells HTTP/1 from HTTP/2 on plain text.
    HttpInspector,
    /// Expects a PROXY protocol header, version 1 or 2.
    ProxyProtocol(Box<ProxyProtocolFilter>),
    /// Takes the address a redirected connection was meant for.
    OriginalDst,
}

/// A chain: which connections, which TLS, what is done with the bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct FilterChain {
    /// Its name; empty if unnamed.
    pub name: String,
    /// Which connections.
    pub matches: FilterChainMatch,
    /// How bytes travel.
    pub transport: DownstreamTransport,
    /// What looks at a connection before the terminal filter has it, in order.
    pub filters: Vec<ConnectionFilter>,
    /// The terminal filter.
    pub filter: NetworkFilter,
    /// How long the transport handshake may take; zero means the default of 15 s.
    pub transport_socket_connect_timeout: Duration,
}

/// How a downstream connection's bytes travel.
#[derive(Debug, Clone, PartialEq)]
pub enum DownstreamTransport {
    /// As they are.
    Plain,
    /// In TLS.
    Tls(Box<DownstreamTls>),
    /// In QUIC, which has TLS inside.
    Quic(Box<DownstreamTls>),
}

/// What is done with a connection's bytes.
#[derive(Debug, Clone, PartialEq)]
pub enum NetworkFilter {
    /// HTTP.
    Http(Box<HttpConnectionManager>),
    /// Passed on as they are.
    Tcp(Box<TcpProxy>),
    /// Sent back as they are (`echo`).
    Echo,
    /// Not read: the connection gets these bytes and is closed (`direct_response`).
    Direct(Option<DataSource>),
}

/// Which connections a chain takes; an empty list or `None` matches all. Precedence is Envoy's: destination
/// port, destination address, server name, transport protocol, application protocol, directly connected
/// source, source type, source address, source port.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FilterChainMatch {
    /// Destination port.
    pub destination_port: Option<u16>,
    /// Destination address blocks.
    pub prefix_ranges: Vec<Cidr>,
    /// Server names, lower case; `*.example.com` matches below, never `example.com` itself.
    pub server_names: Vec<String>,
    /// As a listener filter found it.
    pub transport_protocol: Option<TransportProtocol>,
    /// ALPN protocols, any of them.
    pub application_protocols: Vec<String>,
    /// Address blocks of the immediate peer.
    pub direct_source_prefix_ranges: Vec<Cidr>,
    /// Local, external or any source.
    pub source_type: SourceType,
    /// Source address blocks.
    pub source_prefix_ranges: Vec<Cidr>,
    /// Source ports.
    pub source_ports: Vec<u16>,
}

/// What a listener filter found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TransportProtocol {
    /// TLS.
    Tls,
    /// QUIC.
    Quic,
    /// Anything else.
    RawBuffer,
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SourceType {
    /// Any.
    #[default]
    Any,
    /// The same address, or loopback.
    SameIpOrLoopback,
    /// Elsewhere.
    External,
}
