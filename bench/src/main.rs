//! Measures us beside Envoy, nginx and HAProxy: CPU time of the proxy process per request, on one pinned core.
//!
//! One rule: every contestant does the same work (checked by a probe before it is measured), in rounds that
//! take turns, so that a busy machine is unfair to all of them alike.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod options;

mod pin;

mod cpu;

mod scenario;

mod backend;

mod load;

mod floor;

mod child;

mod contestant;

mod probe;

mod measurement;

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
    Http1Keepalive(options::Options),
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
