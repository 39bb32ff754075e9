//! `tombolo`: the operator's one command.
//!
//! One rule: a command says what it did or why it did not, and its exit code says the same: 0 done, 1 failed,
//! 2 the command line is wrong, 3 refused by the control API, 4 the control API cannot be reached.

mod failure;

mod context;

mod client;

mod documents;

mod output;

mod apply;

mod get;

mod delete;

mod status;

mod validate;

mod control;

mod demo_service;

mod up;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use crate::context::Context;
use crate::failure::Failure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A cross-cloud service mesh: gateways at every site, one control API.
#[derive(Parser)]
#[command(name = "tombolo", version, about)]
struct Arguments {
    #[command(flatten)]
    context: Context,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start a whole mesh on this machine: control API, a gateway per site, and demo services.
    Up(up::Up),
    /// Run the control API.
    Control(control::Control),
    /// Run a proxy; takes Envoy's bootstrap and flags.
    Proxy(Box<proxy::boot::Options>),
    /// Create or change resources; all of them or none.
    Apply(apply::Apply),
    /// Show resources.
    Get(get::Get),
    /// Remove resources.
    Delete(delete::Delete),
    /// Show sites, proxies, what they acknowledged, and when certificates end.
    Status(status::Status),
    /// Check an Envoy bootstrap or a mesh file, without a network.
    Validate(validate::Validate),
    /// Print a completion script for a shell.
    Completion {
        /// The shell.
        shell: Shell,
    },
    #[command(hide = true)]
    DemoService(demo_service::DemoService),
}

fn main() -> ExitCode {
    let Arguments { context, command } = Arguments::parse();
    let done = match command {
        Command::Proxy(options) => return proxy::boot::run(&options),
        Command::Completion { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "tombolo", &mut script);
            output::print(String::from_utf8_lossy(&script))
        }
        Command::Validate(validate) => validate.run(),
        Command::Control(control) => run(control.run()),
        Command::DemoService(service) => run(service.run()),
        Command::Up(up) => run(up.run(&context)),
        Command::Apply(apply) => run(apply.run(&context)),
        Command::Get(get) => run(get.run(&context)),
        Command::Delete(delete) => run(delete.run(&context)),
        Command::Status(status) => run(status.run(&context)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::complain(format_args!("error: {failure}"));
            failure.exit_code()
        }
    }
}

/// Runs one command on a runtime of its own.
fn run(command: impl Future<Output = Result<(), Failure>>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::Failed(format!("runtime: {error}")))?;
    let done = runtime.block_on(command);
    runtime.shutdown_background();
    done
}
