//! A compiled filter chain: its TLS and what is done with its bytes.

use std::rc::Rc;
use std::sync::Arc;

use xds::model::{
    DownstreamTransport, FilterChain, HttpConnectionManager, NetworkFilter, RouteConfigName, RouteSource,
};

use super::environment::Environment;
use crate::identity::ServerTls;
use crate::observe::record::{ConnectionFacts, Heads, Record};
use crate::policy::filter_state::{ConnectionObjects, Objects};
use crate::policy::http::HttpPolicy;
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
    /// What is kept about a connection before that.
    state: ConnectionObjects,
}

/// What is done with a connection's bytes.
#[derive(Debug)]
pub enum ChainAction {
    /// HTTP.
    Http(HttpChain),
    /// Passed on.
    Tcp(Arc<TcpPolicy>),
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
        };
        let state = ConnectionObjects::compile(&model.state, environment.shared.environment());
        let state = state.map_err(|error| error.to_string())?;
        Ok(Self { model: model.clone(), tls, action, state })
    }

    /// The facts of a connection with what this chain's filters keep about it.
    #[must_use]
    pub fn note(&self, facts: ConnectionFacts) -> ConnectionFacts {
        if self.state.is_empty() {
            return facts;
        }
        let keep = |facts: ConnectionFacts, objects: &Objects| {
            let attributes = facts.attributes.clone();
            let mut record = Record::begin(Rc::new(facts), "", Arc::default());
            record.attributes = attributes;
            objects.keep(&mut record, &Heads::default());
            let Record { connection, attributes, .. } = record;
            ConnectionFacts { attributes, ..Rc::unwrap_or_clone(connection) }
        };
        // Filters see a connection first when its handshake is still to come, as in Envoy.
        let ConnectionFacts { tls, .. } = facts.clone();
        let begun = keep(ConnectionFacts { tls: None, ..facts }, &self.state.begun);
        match tls {
            None => begun,
            tls => keep(ConnectionFacts { tls, ..begun }, &self.state.secured),
        }
    }
}
