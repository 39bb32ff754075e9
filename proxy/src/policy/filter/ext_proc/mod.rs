//! Requests and responses that a service processes (`envoy.filters.http.ext_proc`): what it is sent, and what its
//! answers may do.

mod metric;

mod modes;

mod change;

mod told;

mod filter;

pub use change::{Change, Section};
pub use filter::{ExtProc, Settled};
pub use metric::ProcessorMetric;
pub use modes::{Modes, at};
pub use told::Telling;

#[cfg(test)]
mod tests;
