//! Mixed traffic for a long time on one process: does its memory stay, and is everything given back?
//!
//! One rule: every load is one of the scenarios, through a listener of its own, all at the same time; whoever fails
//! once has failed.

mod configuration;
mod lane;
mod watch;

use lane::Lane;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::contestant::{self, certs};
use crate::process::child::Running;
use crate::process::folder::Folder;
use crate::process::ports::{addr, free_port};
use crate::process::{guard, pin};
use crate::trial::conversation;
use crate::trial::stage::{self, Pins};

/// The scenarios whose first variant is asked for.
const MIXED: &[&str] = &[
    "http1-keepalive",
    "many-short",
    "body-1mb",
    "h2-http1",
    "h2-h2",
    "grpc-unary",
    "mtls-keepalive",
    "mtls-handshake",
    "tcp-stream",
    "websocket",
];

const START_DEADLINE: Duration = Duration::from_secs(60);

/// How long the process may take to notice that all peers are gone.
const END_DEADLINE: Duration = Duration::from_secs(60);

/// By how much resident memory may have grown.
const GROWTH_MAX: f64 = 0.05;

/// How long, and of which binary.
#[derive(clap::Args)]
pub struct Options {
    /// Minutes of traffic; the first fifth is warm-up.
    #[arg(long, default_value_t = 30.0)]
    minutes: f64,
    /// The profile tombolo-proxy is built with.
    #[arg(long, default_value = "dist")]
    profile: String,
    /// Use this binary of tombolo-proxy instead of building one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// The core of the proxy.
    #[arg(long, default_value_t = 0)]
    proxy_core: usize,
    /// The core of loads and backends.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
}

/// A scenario and how often it was answered.
type Answered = (&'static str, u64);

/// Runs the loads and judges what was seen.
pub fn run(options: &Options) -> Result<(), String> {
    let tombolo = contestant::tombolo(options.binary.as_ref(), &options.profile)?;
    let folder = Folder::new()?;
    guard::watch_folder(folder.path());
    certs::write(&folder)?;
    let pins = Pins { proxy: options.proxy_core, load: options.load_core };
    let lanes = MIXED.iter().copied().map(Lane::of).collect::<Result<Vec<_>, _>>()?;
    let admin = free_port()?;
    let file = configuration::write(&lanes, admin, &folder)?;
    let mut backends = Vec::new();
    for lane in &lanes {
        backends.push(stage::backend(&lane.variant.load, lane.backends, pins, &folder)?);
    }
    let proxy = start(tombolo.binary(), &file, &lanes, pins, &folder)?;
    let before = watch::open_files(proxy.pid());
    let whole = Duration::from_secs_f64(options.minutes * 60.0);
    println!("{} lanes, {:.0} s, {} open files before", lanes.len(), whole.as_secs_f64(), before.len());
    let (answered, seen) = traffic(&lanes, &proxy, whole, &folder)?;
    drop(backends);
    watch::all_given_back(proxy.pid(), admin, &before, END_DEADLINE)?;
    println!("all connections and files are given back");
    println!("{}", watch::table(&answered));
    let (early, late) = seen.early_and_late()?;
    let growth = late / early - 1.0;
    println!("resident: {early:.1} MB after warm-up, {late:.1} MB at the end ({:+.1} %)", growth * 100.0);
    if growth > GROWTH_MAX {
        return Err(format!("resident memory grew by more than {:.0} %", GROWTH_MAX * 100.0));
    }
    Ok(())
}

fn start(binary: &Path, file: &Path, lanes: &[Lane], pins: Pins, folder: &Folder) -> Result<Running, String> {
    let mut command = Command::new(binary);
    command.arg("-c").arg(file).args(["--concurrency", "1", "-l", "warn"]);
    pin::to_core(pins.proxy)?;
    let started = Running::start("proxy", &mut command, folder);
    pin::to_core(pins.load)?;
    let mut proxy = started?;
    for lane in lanes {
        proxy.wait_accepts(addr(lane.listen), START_DEADLINE)?;
    }
    Ok(proxy)
}

/// All loads at once, in episodes; gives what each was answered, and the memory that was seen meanwhile.
fn traffic(
    lanes: &[Lane],
    proxy: &Running,
    whole: Duration,
    folder: &Folder,
) -> Result<(Vec<Answered>, watch::Memory), String> {
    let (begun, over) = (Instant::now(), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let loads: Vec<_> = lanes
            .iter()
            .map(|lane| {
                let over = &over;
                scope.spawn(move || {
                    let ended = episodes(lane, over, folder);
                    // One that failed ends the others.
                    over.fetch_or(ended.is_err(), Ordering::Relaxed);
                    ended.map(|answered| (lane.scenario, answered))
                })
            })
            .collect();
        let mut seen = watch::Memory::new(whole);
        while begun.elapsed() < whole && !over.load(Ordering::Relaxed) {
            seen.look(proxy.pid(), begun.elapsed());
        }
        over.store(true, Ordering::Relaxed);
        let answered = loads.into_iter().map(|load| load.join().expect("a load does not panic"));
        Ok((answered.collect::<Result<_, _>>()?, seen))
    })
}

fn episodes(lane: &Lane, over: &AtomicBool, folder: &Folder) -> Result<u64, String> {
    let mut answered = 0;
    while !over.load(Ordering::Relaxed) {
        let mut command = stage::load_command(&lane.variant, addr(lane.listen), folder.path())?;
        let (counts, _) = conversation::hold(&mut command, folder, |_| ())?;
        if counts.failures > 0 || counts.answered == 0 {
            let first = counts.first_failure.unwrap_or_default();
            return Err(format!("{}: {} failures; {first}", lane.scenario, counts.failures));
        }
        answered += counts.answered;
    }
    Ok(answered)
}
