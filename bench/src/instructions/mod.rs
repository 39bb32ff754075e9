//! Instructions per request, counted by callgrind: the one number of a proxy that neighbours cannot disturb, and so
//! the one that can be a gate.
//!
//! One rule: the count is the difference of two runs, with N and with 2 N requests over one connection, so that
//! starting, connecting and ending cancel out.

mod callgrind;
mod record;

use std::path::PathBuf;

use self::record::Record;
use crate::contestant::{self, Contestant, certs};
use crate::process::folder::Folder;
use crate::process::guard;
use crate::trial::stage::Pins;
use crate::work::scenario::{Scenario, Variant};

/// What is counted: a scenario, and N.
const COUNTED: &[(&str, u64)] = &[
    ("http1-keepalive", 1000),
    ("h2-http1", 2048),
    ("h2-h2", 2048),
    // The handshake differs by a million from run to run, which must not show.
    ("mtls-keepalive", 4000),
    ("tcp-stream", 500),
    ("routes-and-filters", 500),
];

/// How instructions are counted.
#[derive(clap::Args)]
pub struct Options {
    /// Compare with this record and fail on more than 3 % either way.
    #[arg(long)]
    check: Option<PathBuf>,
    /// Write what was counted as the new record.
    #[arg(long, conflicts_with = "check")]
    record: Option<PathBuf>,
    /// Keep the profiles of the longer runs in this folder, for callgrind_annotate.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Only these scenarios.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The profile tombolo-proxy is built with; a record holds for one of them.
    #[arg(long, default_value = "release")]
    profile: String,
    /// Count this binary of tombolo-proxy instead of building one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// The core of the proxy.
    #[arg(long, default_value_t = 0)]
    proxy_core: usize,
    /// The core of load generator and backend.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
}

/// Counts, prints, and checks or records if asked to.
pub fn run(options: &Options) -> Result<(), String> {
    let known = options.check.as_deref().map(Record::read).transpose()?;
    let tombolo = contestant::tombolo(options.binary.as_ref(), &options.profile)?;
    let folder = Folder::new()?;
    guard::watch_folder(folder.path());
    certs::write(&folder)?;
    let pins = Pins { proxy: options.proxy_core, load: options.load_core };
    let begun = std::time::Instant::now();
    let mut counted = Record::new(&options.profile);
    for (scenario, requests) in COUNTED.iter().filter(|(name, _)| wanted(options, name)) {
        let (name, variant) = variant(scenario, &tombolo, &folder)?;
        eprintln!("instructions: {name}");
        let kept = options.keep.as_ref().map(|kept| kept.join(format!("callgrind.{scenario}")));
        let per_request =
            callgrind::per_request(&tombolo, &variant, *requests, pins, &folder, kept.as_deref())
                .map_err(|reason| format!("{name}: {reason}"))?;
        counted.put(name, per_request);
    }
    println!("{}", record::table(&counted, known.as_ref()));
    println!("counted in {} s", begun.elapsed().as_secs());
    if let Some(path) = &options.record {
        counted.write(path)?;
    }
    match known {
        Some(known) => record::judge(&counted, &known),
        None => Ok(()),
    }
}

fn wanted(options: &Options, name: &str) -> bool {
    options.only.is_empty() || options.only.iter().any(|only| only == name)
}

/// The last variant of a scenario that our proxy accepts for those with routes, else the first.
fn variant(scenario: &str, tombolo: &Contestant, folder: &Folder) -> Result<(String, Variant), String> {
    let variants = Scenario::read(scenario)?.variants;
    let order: Vec<Variant> = if scenario == "routes-and-filters" {
        variants.into_iter().rev().collect()
    } else {
        variants.into_iter().take(1).collect()
    };
    let mut refused = String::new();
    for variant in order {
        match tombolo.cannot(&variant, folder)? {
            None => return Ok((format!("{scenario}, {}", variant.name), variant)),
            Some(reason) => refused = reason,
        }
    }
    Err(format!("{scenario}: {refused}"))
}
