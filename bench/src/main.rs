//! Measures us beside Envoy, nginx and HAProxy: CPU time of the proxy process per request, on one pinned core.
//!
//! One rule: every contestant does the same work (checked by a probe before it is measured), in rounds that
//! take turns, so that a busy machine is unfair to all of them alike.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod pin;

mod cpu;

mod scenario;

mod backend;

mod load;

mod floor;

mod child;

mod contestant;

mod probe;

mod rounds;

mod table;

#[derive(Parser)]
#[command(name = "bench", about = "Measures us beside the peers: CPU per request, throughput, memory")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// HTTP/1.1 keep-alive, 1 KB answers, 64 connections.
    Http1Keepalive(Options),
    /// The backend of the scenarios: answers every request at two ports.
    #[command(hide = true)]
    Backend(backend::Options),
    /// The load generator of the scenarios.
    #[command(hide = true)]
    Load(load::Options),
    /// The floor: copies bytes between sockets and reads none of them.
    #[command(hide = true)]
    Floor(floor::Options),
}

/// How a scenario is run.
#[derive(clap::Args)]
pub struct Options {
    /// Measure Envoy, nginx and HAProxy too (tests/setup installs them).
    #[arg(long)]
    peers: bool,
    /// How many times each contestant is measured.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Only these contestants (tombolo, envoy, nginx, haproxy, floor).
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// The core of the proxy; load generator and backend run on --load-core.
    #[arg(long, default_value_t = 0)]
    proxy_core: usize,
    /// The core of load generator and backend.
    #[arg(long, default_value_t = 1)]
    load_core: usize,
    /// The profile tombolo-proxy is built with.
    #[arg(long, default_value = "dist")]
    profile: String,
    /// Measure this binary of tombolo-proxy instead of building one.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// Write every number to this file as JSON.
    #[arg(long)]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Http1Keepalive(options) => rounds::run("http1-keepalive", &options),
        Command::Backend(options) => backend::run(&options),
        Command::Load(options) => load::run(&options),
        Command::Floor(options) => floor::run(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}
