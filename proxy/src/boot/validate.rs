//! `--mode validate`: reads and compiles a bootstrap, binds nothing, connects nowhere.

use std::sync::Arc;

use super::machine;
use super::options::Options;
use crate::config::bootstrap::{self, Sources};
use crate::config::manager::Manager;
use crate::identity::Secrets;
use crate::observe::access_log::Outputs;
use crate::observe::metrics::{Registry, Scope};
use crate::policy::http::Shared;
use crate::policy::tcp::TcpScopes;
use crate::runtime::LiveRuntime;
use crate::snapshot::{Environment, Live};

/// Where the bootstrap comes from.
pub(super) fn sources(options: &Options) -> Sources {
    Sources {
        path: options.config_path.clone(),
        text: options.config_yaml.clone(),
        service_node: options.service_node.clone(),
        service_cluster: options.service_cluster.clone(),
        service_zone: options.service_zone.clone(),
    }
}

/// What compiled policy shares in this process.
///
/// # Errors
/// When the system gives no thread for the access logs.
pub(super) fn policy_shared(
    options: &Options,
    registry: &Arc<Registry>,
    runtime: Arc<LiveRuntime>,
) -> Result<Shared, String> {
    let outputs = Outputs::new(machine::environment(options, runtime))
        .map_err(|error| format!("access logs: {error}"))?;
    let scope = Scope::new("access_log_file", "", "");
    registry.add_counters(scope, outputs.counters());
    Ok(Shared::new(Arc::clone(registry), Arc::new(outputs)))
}

/// Checks the configuration.
///
/// # Errors
/// The first thing that is wrong: file, field path, what was found, what is accepted.
pub(super) fn validate(options: &Options) -> Result<(), String> {
    let loaded = bootstrap::load(&sources(options)).map_err(|error| error.to_string())?;
    let registry = Arc::new(Registry::default());
    let runtime = LiveRuntime::new(&loaded.model.runtime);
    let environment = Environment {
        secrets: Arc::new(Secrets::new(machine::variables().into())),
        shared: Arc::new(policy_shared(options, &registry, Arc::new(runtime))?),
        tcp: Arc::new(TcpScopes::new(Arc::clone(&registry))),
        registry,
        workers: 1,
        background: None,
    };
    Manager::check(loaded, Arc::new(Live::new()), environment)
}
