//! The life of the data plane process: start, serve, drain, end.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use xds::model::{Address, Admin, Bootstrap};

use super::options::{Mode, Options};
use super::{log, machine, memory, parent, validate, workers};
use crate::admin::{About, Commands, Lifecycle, Logging, Phase, State};
use crate::config::bootstrap;
use crate::config::manager::{Manager, Readiness};
use crate::downstream::worker;
use crate::drain::Drain;
use crate::identity::Secrets;
use crate::identity::source::ca::CaSource;
use crate::observe::metrics::{Registry, set_workers};
use crate::policy::tcp::TcpScopes;
use crate::runtime::LiveRuntime;
use crate::snapshot::{Environment, Live};

/// Threads of the runtime that does everything but requests.
const BACKGROUND_THREADS: usize = 2;

/// How long the end of the process may take once everything was told to stop.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// Admin commands waiting to be carried out.
const COMMANDS_QUEUED_MAX: usize = 16;

/// Runs the data plane until it is told to end. Errors are printed, one line each, and give exit code 1.
#[must_use]
pub fn run(options: &Options) -> ExitCode {
    let outcome = match options.mode {
        Mode::Validate => validate::validate(options).and_then(|()| {
            let place =
                options.config_path.as_ref().map_or("--config-yaml".into(), |path| path.to_string_lossy());
            writeln!(std::io::stdout(), "configuration '{place}' OK")
                .map_err(|error| format!("standard output: {error}"))
        }),
        Mode::Serve | Mode::InitOnly => serve(options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where that cannot be written there is nobody to tell, but the exit code.
            let _nobody_to_tell = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What tells the process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn receive() -> Result<Self, String> {
        let receive = |kind| signal(kind).map_err(|error| format!("signals cannot be received: {error}"));
        Ok(Self {
            terminate: receive(SignalKind::terminate())?,
            interrupt: receive(SignalKind::interrupt())?,
        })
    }
}

/// What lives as long as the process.
struct Process {
    registry: Arc<Registry>,
    secrets: Arc<Secrets>,
    live: Arc<Live>,
    lifecycle: Arc<Lifecycle>,
    runtime: Arc<LiveRuntime>,
    /// Connections and listeners.
    traffic: Drain,
    /// Everything else: outlives the traffic.
    services: Drain,
}

fn serve(options: &Options) -> Result<(), String> {
    let log = Arc::new(log::init(options)?);
    let loaded = bootstrap::load(&validate::sources(options)).map_err(|error| error.to_string())?;
    memory::give_back();
    let count = options.workers();
    set_workers(count);
    let background = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(BACKGROUND_THREADS)
        .thread_name("background")
        .enable_all()
        .build()
        .map_err(|error| format!("background runtime: {error}"))?;
    let process = Process {
        registry: Arc::new(Registry::default()),
        secrets: Arc::new(Secrets::new(machine::variables().into())),
        live: Arc::new(Live::new()),
        lifecycle: Arc::new(Lifecycle::default()),
        runtime: Arc::new(LiveRuntime::new(&loaded.model.runtime)),
        traffic: Drain::new(),
        services: Drain::new(),
    };
    process.lifecycle.enter(Phase::Initializing);
    let _inside = background.enter();
    // Before anything listens, so that who accepts connections also drains them.
    let signals = Signals::receive()?;
    let model = loaded.model.clone();
    process.identity(options, &background)?;
    let (commands, inbox) = mpsc::channel(COMMANDS_QUEUED_MAX);
    process.admin(options, &model, count, log, commands, &background)?;
    let environment = Environment {
        secrets: Arc::clone(&process.secrets),
        registry: Arc::clone(&process.registry),
        shared: Arc::new(
            validate::policy_shared(options, &process.registry, Arc::clone(&process.runtime))?
                .of(&model.node.cluster, process.lifecycle.standing()),
        ),
        tcp: Arc::new(TcpScopes::new(Arc::clone(&process.registry))),
        workers: count,
        background: Some(background.handle().clone()),
    };
    let manager = Manager::start(loaded, Arc::clone(&process.live), environment)?;
    let readiness = manager.readiness();
    background.spawn(manager.run(process.services.watch()));
    let shared = Arc::new(worker::Shared::new(Arc::clone(&process.live), count, options.drain_time()));
    let threads = workers::start(count, &shared, &process.traffic.watch())?;
    background.block_on(process.until_told_to_end(options, signals, readiness, inbox));
    process.traffic.stop();
    join(threads);
    process.services.stop();
    background.shutdown_timeout(STOP_GRACE);
    Ok(())
}

fn join(threads: Vec<std::thread::JoinHandle<()>>) {
    let end = Instant::now() + STOP_GRACE;
    for thread in threads {
        while !thread.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
        if thread.is_finished() && thread.join().is_err() {
            tracing::error!("a worker ended by a panic");
        }
    }
}

impl Process {
    /// Joins the mesh when the command line says how; never waits for it.
    fn identity(&self, options: &Options, background: &Runtime) -> Result<(), String> {
        let Some(url) = options.identity_url.clone() else { return Ok(()) };
        let needs = |flag: &str| format!("--identity-url needs {flag}");
        let source = CaSource {
            url,
            trust_bundle: options.trust_bundle.clone().ok_or_else(|| needs("--trust-bundle"))?,
            join_token_file: options.join_token_file.clone(),
            directory: options.identity_dir.clone().ok_or_else(|| needs("--identity-dir"))?,
        };
        let (secrets, draining) = (Arc::clone(&self.secrets), self.services.watch());
        background.spawn(async move {
            let validity = match source.first(&secrets).await {
                Ok(validity) => Some(validity),
                Err(error) => {
                    tracing::warn!(error, "no SVID yet; trying again");
                    None
                }
            };
            source.keep(secrets, validity, draining).await;
        });
        Ok(())
    }

    fn admin(
        &self,
        options: &Options,
        model: &Bootstrap,
        concurrency: usize,
        logging: Arc<dyn Logging>,
        commands: mpsc::Sender<Commands>,
        background: &Runtime,
    ) -> Result<(), String> {
        let Some(Admin { address: Some(address), .. }) = &model.admin else { return Ok(()) };
        let Address::Socket(socket_address) = address else {
            return Err(format!(
                "admin.address: {address}: a Unix socket is not supported for the admin server"
            ));
        };
        let ip = socket_address
            .ip()
            .ok_or_else(|| format!("admin.address: {address}: an IP address is needed"))?;
        let listener = background.block_on(TcpListener::bind(ip)).map_err(|error| {
            format!("admin.address: {address}: cannot listen: {error}; change admin.address or end what listens there")
        })?;
        if let Some(path) = &options.admin_address_path {
            let bound = listener.local_addr().map_err(|error| error.to_string())?;
            std::fs::write(path, bound.to_string())
                .map_err(|error| format!("--admin-address-path {}: {error}", path.display()))?;
        }
        let state = State {
            registry: Arc::clone(&self.registry),
            live: Arc::clone(&self.live),
            secrets: Arc::clone(&self.secrets),
            lifecycle: Arc::clone(&self.lifecycle),
            runtime: Arc::clone(&self.runtime),
            about: About {
                version: concat!("tombolo/", env!("CARGO_PKG_VERSION")).to_owned(),
                started_at: SystemTime::now(),
                started: Instant::now(),
                concurrency,
                node: model.node.clone(),
                command_line: options.as_json(),
            },
            commands,
            logging,
        };
        background.spawn(crate::admin::serve(listener, Arc::new(state), self.services.watch()));
        Ok(())
    }

    /// Serves until a signal, the admin server or the parent says that it is over; drains then.
    async fn until_told_to_end(
        &self,
        options: &Options,
        signals: Signals,
        mut readiness: tokio::sync::watch::Receiver<Readiness>,
        mut commands: mpsc::Receiver<Commands>,
    ) {
        let Signals { mut terminate, mut interrupt } = signals;
        let parent_gone = parent::gone(options.exit_with_parent);
        tokio::pin!(parent_gone);
        loop {
            tokio::select! {
                ready = readiness.wait_for(|ready| *ready == Readiness::Ready),
                    if self.lifecycle.phase() == Phase::Initializing =>
                {
                    if ready.is_err() {
                        return tracing::error!("the configuration's owner has ended");
                    }
                    drop(ready);
                    self.lifecycle.enter(Phase::Live);
                    tracing::info!("all of the first configuration is in use");
                    if options.mode == Mode::InitOnly {
                        return;
                    }
                }
                _ = terminate.recv() => break,
                _ = interrupt.recv() => return,
                () = &mut parent_gone => return,
                Some(command) = commands.recv() => match command {
                    Commands::Quit => break,
                    Commands::DrainListeners { graceful } => {
                        self.lifecycle.enter(Phase::Draining);
                        if graceful { self.traffic.start() } else { self.traffic.stop() }
                    }
                },
            }
        }
        self.lifecycle.enter(Phase::Draining);
        self.traffic.start();
        tracing::info!("draining");
        tokio::select! {
            () = self.traffic.finished() => {}
            () = tokio::time::sleep(options.drain_time()) => tracing::warn!("the drain took too long; ending"),
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
