//! Access logs: which requests are written down, how a line looks, where it goes.
//!
//! A line is rendered on the worker that served the request and handed to the writing thread; one rule: the
//! worker never waits for a disk.

mod clock;
mod environment;
mod filter;
mod format;
mod json;
mod line;
mod log;
mod output;
mod shown;
mod value;

#[cfg(test)]
mod tests;

pub use environment::Environment;
pub use filter::Filter;
pub use format::{Format, Needs};
pub use line::Line;
pub use log::AccessLogs;
pub use output::{AccessLogMetric, Output, Outputs};
