//! The worker threads: one current-thread runtime each, nothing shared on the request path.

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::Builder;
use tokio::task::LocalSet;

use crate::clock;
use crate::downstream::worker::{self, Shared};
use crate::drain::Draining;
use crate::observe::metrics::enter_worker;

/// Starts `count` workers; each ends when `draining` is stopped and its connections are gone.
///
/// # Errors
/// When the system refuses a thread or a runtime.
pub(super) fn start(
    count: usize,
    shared: &Arc<Shared>,
    draining: &Draining,
) -> Result<Vec<JoinHandle<()>>, String> {
    (0..count)
        .map(|index| {
            let (shared, draining) = (Arc::clone(shared), draining.clone());
            let runtime = Builder::new_current_thread()
                .enable_all()
                .on_thread_unpark(clock::tick)
                .build()
                .map_err(|error| format!("runtime of worker {index}: {error}"))?;
            std::thread::Builder::new()
                .name(format!("worker-{index}"))
                .spawn(move || {
                    enter_worker(index);
                    clock::enter_worker();
                    LocalSet::new().block_on(&runtime, worker::run(index, shared, draining));
                })
                .map_err(|error| format!("worker {index}: {error}"))
        })
        .collect()
}
