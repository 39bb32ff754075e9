//! Measures us beside Envoy, nginx and HAProxy: CPU time of the proxy process per request, bytes per CPU-second,
//! latency, memory per connection, instructions per request; on one pinned core.
//!
//! One rule: every contestant does the same work (checked by a probe before it is measured), in rounds that
//! take turns, so that a busy machine is unfair to all of them alike.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod work;

mod options;

mod process;

mod wire;

mod contestant;

mod load;

mod backend;

mod floor;

mod probe;

mod trial;

mod report;

mod run;

mod instructions;

mod soak;

#[derive(Parser)]
#[command(
    name = "bench",
    about = "Measures us beside the peers: CPU per request, throughput, latency, memory"
)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Option<options::Options>,
}

#[derive(Subcommand)]
enum Command {
    /// Count instructions per request under callgrind.
    Instructions(instructions::Options),
    /// Mixed traffic on one process for a long time: its memory must stay, and all be given back.
    Soak(soak::Options),
    /// The backend of the scenarios: answers every request at two ports.
    #[command(hide = true)]
    Backend(backend::Options),
    /// The load generator of the scenarios.
    #[command(hide = true)]
    Load(load::Options),
    /// The floor: copies bytes between sockets and reads none of them.
    #[command(hide = true)]
    Floor(floor::Options),
    /// Ends what a run has started when the run ends.
    #[command(hide = true)]
    Guard,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = match (arguments.command, arguments.options) {
        (Some(Command::Instructions(options)), _) => guarded(|| instructions::run(&options)),
        (Some(Command::Soak(options)), _) => guarded(|| soak::run(&options)),
        (Some(Command::Backend(options)), _) => backend::run(&options),
        (Some(Command::Load(options)), _) => load::run(&options),
        (Some(Command::Floor(options)), _) => floor::run(&options),
        (Some(Command::Guard), _) => process::guard::run(),
        (None, Some(options)) => guarded(|| run::run(&options)),
        (None, None) => Err("name a scenario, or all; --help lists them".to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bench: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Does something that starts processes, and leaves none behind.
fn guarded(act: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    process::guard::start()?;
    let outcome = act();
    process::guard::end();
    outcome
}
