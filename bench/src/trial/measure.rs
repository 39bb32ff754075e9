//! One trial: starts everybody, lets the load run, and makes numbers of what the clocks said.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::conversation;
use super::demo;
use super::measurement::{Cores, Measurement};
use super::stage::{self, Pins, Started};
use crate::contestant::Contestant;
use crate::load::Counts;
use crate::probe;
use crate::process::cores::{Ticks, ticks};
use crate::process::cpu;
use crate::process::folder::Folder;
use crate::process::ports::free_port;
use crate::work::load::Load;
use crate::work::quantity::Quantity;
use crate::work::scenario::Variant;

/// How long a contestant is left alone before its memory at start is read.
const START_SETTLE: Duration = Duration::from_millis(1000);

/// What the clocks say at one moment.
struct Look {
    proxy_nanos: u64,
    ends_nanos: u64,
    resident_bytes: u64,
    proxy_core: Ticks,
    load_core: Ticks,
    at: Instant,
}

/// Looks at a contestant's work once, before it is measured.
pub fn probe(contestant: &Contestant, variant: &Variant, pins: Pins, folder: &Folder) -> Result<(), String> {
    let asks = !matches!(variant.load, Load::Nothing | Load::Demo | Load::Echoes { .. });
    if !(contestant.reads_http() && variant.setup.is_http() && asks) {
        return Ok(());
    }
    let backends = [free_port()?, free_port()?];
    let started = Started::start(contestant, variant, backends, pins, folder, &|command| command)?;
    probe::check(contestant.name, started.front, backends, variant, folder.path())
}

/// Measures a contestant once.
pub fn measure(
    contestant: &Contestant,
    round: u32,
    variant: &Variant,
    pins: Pins,
    folder: &Folder,
) -> Result<Measurement, String> {
    if matches!(variant.load, Load::Demo) {
        return Ok(at_start(contestant, round, demo::resident_bytes(contestant, pins, folder)?));
    }
    let backends = [free_port()?, free_port()?];
    let backend = stage::backend(&variant.load, backends, pins, folder)?;
    let started = Started::start(contestant, variant, backends, pins, folder, &|command| command)?;
    let pids = started.pids();
    if matches!(variant.load, Load::Nothing) {
        std::thread::sleep(START_SETTLE);
        return Ok(at_start(contestant, round, cpu::resident_bytes(&pids)));
    }
    let look = |load: u32| Look {
        proxy_nanos: cpu::nanos(&pids),
        ends_nanos: cpu::nanos(&[load, backend.pid()]),
        resident_bytes: cpu::resident_bytes(&pids),
        proxy_core: ticks(pins.proxy),
        load_core: ticks(pins.load),
        at: Instant::now(),
    };
    let mut command = stage::load_command(variant, started.front, folder.path())?;
    let (counts, looks) = conversation::hold(&mut command, folder, look)?;
    let [begin, end] = looks.as_slice() else {
        return Err(format!("the load generator looked {} times at the clocks, not twice", looks.len()));
    };
    if counts.answered == 0 {
        let first = counts.first_failure.unwrap_or_default();
        return Err(format!("nothing was answered: {first}"));
    }
    Ok(Measurement {
        contestant: contestant.name,
        round,
        answered: counts.answered,
        failures: counts.failures,
        first_failure: counts.first_failure.clone(),
        numbers: numbers(&counts, begin, end),
        latency_micros: counts.latency_micros,
        cores: cores(begin, end),
    })
}

fn at_start(contestant: &Contestant, round: u32, resident_bytes: u64) -> Measurement {
    let numbers = BTreeMap::from([(Quantity::StartMb, mebibytes(resident_bytes))]);
    Measurement {
        contestant: contestant.name,
        round,
        answered: 0,
        failures: 0,
        first_failure: None,
        numbers,
        latency_micros: None,
        cores: Cores::default(),
    }
}

fn numbers(counts: &Counts, begin: &Look, end: &Look) -> BTreeMap<Quantity, f64> {
    let proxy_seconds = (end.proxy_nanos.saturating_sub(begin.proxy_nanos)) as f64 / 1e9;
    let ends_seconds = (end.ends_nanos.saturating_sub(begin.ends_nanos)) as f64 / 1e9;
    let grown = end.resident_bytes as f64 - begin.resident_bytes as f64;
    let (answered, gigabytes) = (counts.answered as f64, counts.bytes as f64 / 1e9);
    let mut numbers = BTreeMap::from([
        (Quantity::CpuMicros, proxy_seconds * 1e6 / answered),
        (Quantity::PerSecond, answered / counts.seconds),
        (Quantity::KbPerConnection, grown / 1024.0 / answered),
        (Quantity::StartMb, mebibytes(begin.resident_bytes)),
        (Quantity::ResidentMb, mebibytes(end.resident_bytes)),
        (Quantity::GbPerSecond, gigabytes / counts.seconds),
    ]);
    if proxy_seconds > 0.0 && gigabytes > 0.0 {
        numbers.insert(Quantity::GbPerCpuSecond, gigabytes / proxy_seconds);
        numbers.insert(Quantity::EndsCpuSecondsPerGb, ends_seconds / gigabytes);
    }
    if let Some([_, p99, _]) = counts.latency_micros {
        numbers.insert(Quantity::P99Micros, p99);
    }
    numbers
}

fn cores(begin: &Look, end: &Look) -> Cores {
    let nanos = (end.at - begin.at).as_nanos().max(1) as f64;
    Cores {
        proxy: end.proxy_nanos.saturating_sub(begin.proxy_nanos) as f64 / nanos,
        load: end.ends_nanos.saturating_sub(begin.ends_nanos) as f64 / nanos,
        proxy_core_busy: end.proxy_core.busy_since(begin.proxy_core),
        load_core_busy: end.load_core.busy_since(begin.load_core),
    }
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
