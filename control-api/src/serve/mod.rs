//! The control API as a running thing: opened, listening, ended.
//!
//! Two listeners: REST for the operator, plain and on loopback only; and TLS for proxies, with
//! discovery, signing and the trust bundle.
//!
//! One rule: `serve` returns when everything answers, or with the one reason why it does not.

pub mod accept;
pub mod sweep;
pub mod tls;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use self::accept::Service;
use self::tls::OwnCertificate;
use crate::auth::AdminToken;
use crate::ca::{Authority, key_file};
use crate::discovery;
use crate::discovery::publisher::Publisher;
use crate::error::Error;
use crate::fleet::Fleet;
use crate::limits;
use crate::resource::invalid::Invalid;
use crate::resource::name;
use crate::rest;
use crate::rest::state::App;
use crate::store::Store;

/// How a control API is to run.
#[derive(Clone, Debug)]
pub struct ControlOptions {
    /// Where the store, the authority and the admin token are kept.
    pub data_dir: PathBuf,
    /// The SPIFFE trust domain of the mesh; it cannot change later.
    pub trust_domain: String,
    /// Where REST listens; loopback only. Port 0 takes any.
    pub rest: SocketAddr,
    /// Where proxies connect, for discovery and signing. Port 0 takes any.
    pub discovery: SocketAddr,
    /// DNS names and IP addresses by which proxies may reach it, beside localhost.
    pub names: Vec<String>,
    /// How long SVIDs of proxies are valid.
    pub svid_ttl: Duration,
}

impl ControlOptions {
    /// The defaults, with state in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            trust_domain: "tombolo.local".into(),
            rest: SocketAddr::from(([127, 0, 0, 1], 7600)),
            discovery: SocketAddr::from(([127, 0, 0, 1], 7601)),
            names: Vec::new(),
            svid_ttl: limits::SVID_TTL_DEFAULT,
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        name::check_trust_domain("trust_domain", &self.trust_domain)?;
        if !self.rest.ip().is_loopback() {
            let message = format!(
                "{}: REST is plain HTTP and listens on a loopback address only; reach it by ssh from elsewhere",
                self.rest
            );
            return Err(Invalid::new("rest", message));
        }
        if !(limits::SVID_TTL_MIN..=limits::SVID_TTL_MAX).contains(&self.svid_ttl) {
            let (min, max) = (limits::SVID_TTL_MIN, limits::SVID_TTL_MAX);
            let message = format!("{:?}: accepted are {min:?} to {max:?}", self.svid_ttl);
            return Err(Invalid::new("svid_ttl", message));
        }
        for (i, name) in self.names.iter().enumerate() {
            name::check_address(&format!("names[{i}]"), name)?;
        }
        Ok(())
    }

    fn all_names(&self) -> Vec<String> {
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(String::from).to_vec();
        let bound = self.discovery.ip();
        if !bound.is_unspecified() {
            names.push(bound.to_string());
        }
        names.extend(self.names.iter().cloned());
        names.sort();
        names.dedup();
        names
    }
}

/// A control API that answers.
pub struct Running {
    /// Where REST listens.
    pub rest: SocketAddr,
    /// Where proxies connect.
    pub discovery: SocketAddr,
    /// The file with the admin token, readable by the owner only.
    pub admin_token: PathBuf,
    /// The file with the mesh's trust bundle: what proxies trust from the beginning.
    pub bundle: PathBuf,
    stop: CancellationToken,
    /// Who forgets to shut down leaves nothing running all the same.
    _ends_with_us: DropGuard,
    tasks: TaskTracker,
    store: Arc<Store>,
}

impl Running {
    /// Stops accepting, lets what is under way finish for a while, and closes the store.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        let ended = async {
            self.tasks.wait().await;
            // Work on the blocking pool goes on without its task; it holds the store a moment longer.
            while Arc::strong_count(&self.store) > 1 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        if tokio::time::timeout(limits::SHUTDOWN_TIMEOUT, ended).await.is_err() {
            tracing::warn!("connections were still open at the end");
        }
        // The last one closes the file, here and now.
        drop(self.store);
    }
}

/// Opens the data directory, or makes it, and listens.
pub async fn serve(options: ControlOptions) -> Result<Running, Error> {
    options.check().map_err(Error::Option)?;
    // The ports before everything else: who cannot have them leaves nothing behind.
    let rest_listener = bind(options.rest, "REST", "rest").await?;
    let discovery_listener = bind(options.discovery, "proxies", "discovery").await?;
    key_file::make_private_directory(&options.data_dir)?;
    let path = |name: &str| options.data_dir.join(name);
    // Then the store: it is locked, so two processes never make two authorities.
    let store = Arc::new(Store::open(&path("store.redb"), &options.trust_domain)?);
    let now = SystemTime::now();
    let authority = Authority::open(&path("ca"), &options.trust_domain, options.svid_ttl, now)?;
    let authority = Arc::new(authority);
    let admin_token = AdminToken::open(&path("admin-token"))?;
    key_file::write_public(&path("bundle.pem"), authority.bundle())?;
    let names = options.all_names();
    let (own, renew_at) = OwnCertificate::issue(&authority, &names).map_err(Error::Tls)?;
    let own = Arc::new(own);
    let config = tls::server_config(&authority, Arc::clone(&own)).map_err(Error::Tls)?;

    let publisher = Arc::new(Publisher::new(Arc::clone(&store), authority.bundle()));
    let fleet = Arc::new(Fleet::default());
    let app = App::new(&store, &authority, &publisher, &fleet, admin_token);
    let stop = CancellationToken::new();
    let running = Running {
        rest: local_address(&rest_listener, options.rest),
        discovery: local_address(&discovery_listener, options.discovery),
        admin_token: path("admin-token"),
        bundle: path("bundle.pem"),
        _ends_with_us: stop.clone().drop_guard(),
        stop,
        tasks: TaskTracker::new(),
        store: Arc::clone(&store),
    };
    running.own(publisher.clone().run());
    running.own(sweep::run(Arc::clone(&store)));
    running.own(tls::keep_renewed(own, authority, names, renew_at));
    let operators = running.service(rest::operator_router(app.clone()), None);
    running.own(accept::run(rest_listener, operators));
    let ads = discovery::server(store, publisher, fleet);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let proxies =
        running.service(rest::proxy_router(app, ads), Some((acceptor, options.trust_domain.as_str().into())));
    running.own(accept::run(discovery_listener, proxies));
    tracing::info!(rest = %running.rest, discovery = %running.discovery, "control API answers");
    Ok(running)
}

impl Running {
    /// Runs a task until the end.
    fn own(&self, task: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task => {}
            }
        });
    }

    fn service(&self, router: axum::Router, tls: Option<(TlsAcceptor, Arc<str>)>) -> Service {
        Service { router, tls, stop: self.stop.clone(), tasks: self.tasks.clone() }
    }
}

async fn bind(address: SocketAddr, purpose: &'static str, option: &str) -> Result<TcpListener, Error> {
    TcpListener::bind(address).await.map_err(|error| Error::Bind {
        address,
        purpose,
        reason: error.to_string(),
        remedy: format!("end what holds it, or choose another with the option {option}"),
    })
}

fn local_address(listener: &TcpListener, asked: SocketAddr) -> SocketAddr {
    listener.local_addr().unwrap_or(asked)
}

#[cfg(test)]
mod tests;
