//! The load generator, a process of its own on one core.
//!
//! One rule: it talks to its parent in lines. It writes `begin` and `end` and waits each time for a line in
//! return, while the parent reads the clocks; last it writes its counts as JSON. Every load ends by itself, by
//! count or by time.

mod tally;
mod target;

mod echoes;
mod http1;
mod http2;
mod idle;
mod messages;
mod rate;

mod clock;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

pub use self::clock::Counts;
use self::tally::Tally;
use self::target::Target;
use crate::work::load::Load;
use crate::work::scenario::Variant;

/// No load asks for more than this, however fast the contestant is.
const REQUESTS_MAX: u64 = 20_000_000;

/// How long a load may take beyond the times it was given: connecting, handshakes, a slow contestant.
const GRACE: Duration = Duration::from_secs(180);

/// How it is started.
#[derive(clap::Args)]
pub struct Options {
    /// Where to.
    #[arg(long)]
    addr: SocketAddr,
    /// Where the certificates are.
    #[arg(long)]
    folder: PathBuf,
    /// The variant, as JSON.
    #[arg(long)]
    variant: String,
    /// Ask so often and end, in steps that wait for all answers, instead of for a time.
    #[arg(long)]
    count: Option<u64>,
}

/// Carries the load out.
pub fn run(options: &Options) -> Result<(), String> {
    let variant: Variant = serde_json::from_str(&options.variant).map_err(|e| format!("--variant: {e}"))?;
    end_after(Duration::from_millis(variant.warm_up_millis + variant.measured_millis) + GRACE);
    if let Load::Rate { connections, per_second, .. } = variant.load {
        let counts = rate::run(options.addr, connections, per_second, &variant)?;
        return clock::tell(&counts);
    }
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    let local = tokio::task::LocalSet::new();
    let counts = local.block_on(&runtime, carry_out(options, &variant))?;
    clock::tell(&counts)
}

async fn carry_out(options: &Options, variant: &Variant) -> Result<Counts, String> {
    let target = Rc::new(Target::new(options.addr, &options.folder, variant)?);
    let tally = Rc::new(Tally::new(options.count.unwrap_or(REQUESTS_MAX), options.count.is_some()));
    if let Load::Idle { connections, .. } = variant.load {
        let settle = Duration::from_millis(variant.measured_millis);
        return idle::run(&target, &tally, connections, settle).await;
    }
    let mut asking = tokio::task::JoinSet::new();
    let connections = if options.count.is_some() { 1 } else { connections(&variant.load) };
    for _ in 0..connections {
        asking.spawn_local(keep_asking(target.clone(), tally.clone(), variant.load.clone()));
    }
    if options.count.is_some() {
        clock::counted(&tally, asking).await
    } else {
        clock::timed(variant, &tally, asking).await
    }
}

fn connections(load: &Load) -> usize {
    match load {
        Load::Requests { connections, .. }
        | Load::Streams { connections, .. }
        | Load::Rate { connections, .. }
        | Load::Messages { connections, .. }
        | Load::Echoes { connections, .. }
        | Load::Idle { connections, .. } => *connections,
        Load::Nothing | Load::Demo => 0,
    }
}

/// One connection after another, until there is nothing more to ask for.
async fn keep_asking(target: Rc<Target>, tally: Rc<Tally>, load: Load) {
    loop {
        let asked = match &load {
            Load::Requests { close: false, .. } => http1::keep_alive(&target, &tally).await,
            Load::Requests { close: true, .. } => http1::one_each(&target, &tally).await,
            Load::Streams { streams, .. } => http2::keep_alive(&target, &tally, *streams).await,
            Load::Messages { message_bytes, .. } => messages::exchange(&target, &tally, *message_bytes).await,
            Load::Echoes { message_bytes, .. } => echoes::exchange(&target, &tally, *message_bytes).await,
            Load::Rate { .. } | Load::Idle { .. } | Load::Nothing | Load::Demo => return,
        };
        match asked {
            Ok(()) => return,
            Err(reason) => tally.failed(&reason.to_string()),
        }
        // A proxy that refuses every connection is not to be asked a million times.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Ends this process when it has taken far too long: nobody waits for a load that hangs.
fn end_after(time: Duration) {
    std::thread::spawn(move || {
        std::thread::sleep(time);
        eprintln!("load: not done after {time:?}");
        std::process::exit(3);
    });
}
