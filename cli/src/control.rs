//! `tombolo control`: runs the control API.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use control_api::{ControlOptions, serve};
use proxy::boot::parent;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

/// Run the control API.
#[derive(Debug, Args)]
pub(crate) struct Control {
    /// Where the store, the CA and the admin token are kept.
    #[arg(long, value_name = "DIR", env = "TOMBOLO_CONTROL_DIR")]
    control_dir: PathBuf,
    /// SPIFFE trust domain of the mesh; cannot change later.
    #[arg(long, default_value = "tombolo.local")]
    trust_domain: String,
    /// Where REST listens; a loopback address.
    #[arg(long, default_value = "127.0.0.1:7600")]
    rest: SocketAddr,
    /// Where proxies connect.
    #[arg(long, default_value = "127.0.0.1:7601")]
    discovery: SocketAddr,
    /// More DNS names and IP addresses by which proxies reach it.
    #[arg(long = "name", value_name = "NAME")]
    names: Vec<String>,
    /// How long SVIDs of proxies are valid, seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    svid_ttl_s: u64,
    /// Log filter, e.g. info or control_api=debug.
    #[arg(long, default_value = "info")]
    log_level: String,
    /// Ends when standard input is closed, so that no child outlives its parent.
    #[arg(long, hide = true)]
    exit_with_parent: bool,
}

impl Control {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let filter = tracing_subscriber::EnvFilter::try_new(&self.log_level)
            .map_err(|error| format!("--log-level: {error}"))?;
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(false)
            .with_writer(std::io::stderr)
            // A log that cannot be written, on a disk that is full, is no reason to panic.
            .log_internal_errors(false)
            .init();
        // Before anything answers, so that who may be asked may also be ended as it should.
        let failed = |error: std::io::Error| format!("signals cannot be received: {error}");
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let running = serve(ControlOptions {
            trust_domain: self.trust_domain,
            rest: self.rest,
            discovery: self.discovery,
            names: self.names,
            svid_ttl: Duration::from_secs(self.svid_ttl_s),
            ..ControlOptions::new(self.control_dir)
        })
        .await
        .map_err(|error| error.to_string())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            () = parent::gone(self.exit_with_parent) => {}
        }
        running.shutdown().await;
        Ok(())
    }
}
