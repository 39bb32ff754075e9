//! A compiled filter chain: its TLS and what is done with its bytes.

use std::sync::Arc;

use bytes::Bytes;
use xds::model::{
    DownstreamTransport, FilterChain, HttpConnectionManager, NetworkFilter, RouteConfigName, RouteSource,
};

use super::environment::Environment;
use crate::identity::ServerTls;
use crate::policy::http::HttpPolicy;
use crate::policy::network::{ConnectionRules, direct_response};
use crate::policy::route::RouteTable;
use crate::policy::tcp::TcpPolicy;

/// A chain. Connections hold it; a chain that left the configuration ends with its last connection.
#[derive(Debug)]
pub struct Chain {
    /// What it was made of.
    pub model: FilterChain,
    /// TLS, unless plain.
    pub tls: Option<Arc<ServerTls>>,
    /// What is done with the bytes.
    pub action: ChainAction,
    /// What is decided about a connection before that.
    pub rules: ConnectionRules,
}

/// What is done with a connection's bytes.
#[derive(Debug)]
pub enum ChainAction {
    /// HTTP.
    Http(HttpChain),
    /// Passed on.
    Tcp(Arc<TcpPolicy>),
    /// Sent back.
    Echo,
    /// Not read; these are sent.
    Direct(Bytes),
}

/// What a connection that speaks HTTP is served by.
#[derive(Debug, Clone)]
pub struct HttpChain {
    /// The connection manager as configured.
    pub manager: Arc<HttpConnectionManager>,
    /// The connection manager as it decides.
    pub policy: Arc<HttpPolicy>,
    /// Where its routes are.
    pub routes: RouteRef,
}

/// Where a chain's routes are.
#[derive(Debug, Clone)]
pub enum RouteRef {
    /// In the chain.
    Inline(Arc<RouteTable>),
    /// In the snapshot, by name.
    Rds(RouteConfigName),
}

impl Chain {
    /// Compiles a chain.
    ///
    /// # Errors
    /// The field's path within the chain and the reason.
    pub(super) fn compile(model: &FilterChain, environment: &Environment) -> Result<Self, String> {
        if cfg!(not(feature = "http3")) && matches!(model.transport, DownstreamTransport::Quic(_)) {
            return Err("transport_socket: QUIC is not part of this build (feature http3)".to_owned());
        }
        let tls = match &model.transport {
            DownstreamTransport::Plain => None,
            DownstreamTransport::Tls(tls) | DownstreamTransport::Quic(tls) => {
                let tls = ServerTls::new((**tls).clone(), Arc::clone(&environment.secrets));
                tls.check().map_err(|reason| format!("transport_socket.{reason}"))?;
                Some(Arc::new(tls))
            }
        };
        let action = match &model.filter {
            NetworkFilter::Http(http) => {
                let routes = match &http.routes {
                    RouteSource::Inline(table) => RouteRef::Inline(Arc::new(
                        RouteTable::compile(table, &environment.shared)
                            .map_err(|error| format!("route_config.{error}"))?,
                    )),
                    RouteSource::Rds { name, .. } => RouteRef::Rds(name.clone()),
                };
                let policy =
                    HttpPolicy::compile(http, &environment.shared).map_err(|error| error.to_string())?;
                ChainAction::Http(HttpChain {
                    manager: Arc::new((**http).clone()),
                    policy: Arc::new(policy),
                    routes,
                })
            }
            NetworkFilter::Tcp(tcp) => {
                let outputs = environment.shared.outputs();
                let policy =
                    TcpPolicy::compile(tcp, &environment.tcp, outputs).map_err(|error| error.to_string())?;
                ChainAction::Tcp(Arc::new(policy))
            }
            NetworkFilter::Echo => ChainAction::Echo,
            NetworkFilter::Direct(response) => {
                let bytes = direct_response(response.as_ref(), &environment.shared);
                ChainAction::Direct(bytes.map_err(|error| error.to_string())?)
            }
        };
        let rules = ConnectionRules::compile(&model.filters, &environment.shared);
        let rules = rules.map_err(|error| error.to_string())?;
        Ok(Self { model: model.clone(), tls, action, rules })
    }
}
