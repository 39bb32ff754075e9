//! Starts and ends the process: reads the environment, makes the runtimes, joins the parts.
//!
//! One rule: what is decided here is only who runs where and for how long.

mod log;

mod machine;

mod memory;

pub mod options;

pub mod parent;

mod workers;

mod process;

mod validate;

pub use options::Options;
pub use process::run;

/// Checks a bootstrap file as `--mode validate` does.
///
/// # Errors
/// The first thing that is wrong: file, field path, what was found, what is accepted.
pub fn check_file(path: &std::path::Path) -> Result<(), String> {
    validate::validate(&Options::for_file(path))
}
