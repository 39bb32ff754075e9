//! A proxy, ours or Envoy, with several listeners and a backend for each, so that cases run beside each other and
//! every request that a backend sees belongs to one case.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::peers::peer;
use crate::ports::free_addr;
use crate::process::Process;
use crate::raw_backend::{Answer, RawBackend};
use crate::strict::Request;
use crate::{binaries, workspace};

const LANES: usize = 8;
const START: Duration = Duration::from_secs(30);

/// What the lanes of a proxy have in common.
#[derive(Clone, Copy)]
pub struct Plan<'a> {
    /// A listener of the bootstrap, as configuration is when nothing is said; `@NAME@`, `@PORT@` and `@CLUSTER@`
    /// stand for the lane's own.
    pub plain: &'a str,
    /// A listener that also serves HTTP/1.0 and passes trailers.
    pub old: &'a str,
    /// What a backend answers, given the case's own answer.
    pub script: fn(&Request, &Answer) -> Answer,
}

/// A running proxy.
pub struct Proxy {
    /// Its lanes.
    pub lanes: Vec<Lane>,
    process: Process,
    _dir: tempfile::TempDir,
}

/// Two listeners and the backend behind them.
pub struct Lane {
    /// The first listener of the plan.
    pub plain: SocketAddr,
    /// The second listener of the plan.
    pub old: SocketAddr,
    /// What stands behind both.
    pub backend: RawBackend,
    /// The case's own answer.
    pub told: Arc<Mutex<Answer>>,
}

impl Proxy {
    /// Ours.
    pub fn tombolo(plan: Plan<'_>) -> Self {
        Self::start("tombolo-proxy", &binaries::binary("tombolo-proxy"), plan)
    }

    /// Real Envoy, or nothing when it is missing (which was said).
    pub fn envoy(plan: Plan<'_>) -> Option<Self> {
        Some(Self::start("envoy", &peer("envoy")?, plan))
    }

    /// Carries all jobs out over all lanes and gives what came of them, in order; fails if the proxy has died.
    pub fn all<J: Sync, O: Send>(&mut self, jobs: &[J], run: impl Fn(&Lane, &J) -> O + Sync) -> Vec<O> {
        let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
        std::thread::scope(|scope| {
            for lane in &self.lanes {
                scope.spawn(|| {
                    loop {
                        let index = next.fetch_add(1, Ordering::SeqCst);
                        let Some(job) = jobs.get(index) else { return };
                        let outcome = run(lane, job);
                        done.lock().expect("nobody panics while holding it").push((index, outcome));
                    }
                });
            }
        });
        assert!(self.process.is_running(), "the proxy ended:\n{}", self.process.log());
        let mut done = done.into_inner().expect("every lane has ended");
        done.sort_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, outcome)| outcome).collect()
    }

    fn start(name: &str, binary: &Path, plan: Plan<'_>) -> Self {
        let lanes: Vec<Lane> = (0..LANES).map(|_| Lane::new(plan.script)).collect();
        let dir = workspace::temp_dir();
        let config = workspace::write(dir.path(), "bootstrap.yaml", &bootstrap(plan, &lanes));
        let mut process = Process::spawn(name, &mut binaries::proxy(binary, &config));
        for lane in &lanes {
            process.wait_accepts(lane.plain, START);
            process.wait_accepts(lane.old, START);
        }
        Self { lanes, process, _dir: dir }
    }
}

impl Lane {
    fn new(script: fn(&Request, &Answer) -> Answer) -> Self {
        let told = Arc::new(Mutex::new(Answer::default()));
        let answer = Arc::clone(&told);
        let backend = RawBackend::start(move |request| {
            let told = answer.lock().expect("nobody panics while holding it").clone();
            script(request, &told)
        });
        Self { plain: free_addr(), old: free_addr(), backend, told }
    }

    /// From now on, the case's own answer.
    pub fn tell(&self, answer: Answer) {
        *self.told.lock().expect("nobody panics while holding it") = answer;
    }
}

fn bootstrap(plan: Plan<'_>, lanes: &[Lane]) -> String {
    let (mut listeners, mut clusters) = (String::new(), String::new());
    for (index, lane) in lanes.iter().enumerate() {
        let cluster = format!("lane-{index}");
        for (addr, template, kind) in [(lane.plain, plan.plain, "plain"), (lane.old, plan.old, "old")] {
            listeners += &template
                .replace("@NAME@", &format!("{cluster}-{kind}"))
                .replace("@PORT@", &addr.port().to_string())
                .replace("@CLUSTER@", &cluster);
        }
        let port = lane.backend.addr().port().to_string();
        clusters += &include_str!("cluster.yaml").replace("@NAME@", &cluster).replace("@PORT@", &port);
    }
    format!("static_resources:\n  listeners:\n{listeners}  clusters:\n{clusters}")
}
