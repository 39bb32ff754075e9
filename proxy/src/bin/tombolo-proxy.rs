//! The lean data plane: `tombolo-proxy`, with Envoy's command line.

use std::process::ExitCode;

use clap::Parser;
use proxy::boot::{Options, run};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The data plane of Tombolo. Takes Envoy's bootstrap and flags.
#[derive(Parser)]
#[command(name = "tombolo-proxy", version, about)]
struct Command {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    run(&Command::parse().options)
}
