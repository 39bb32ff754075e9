//! What is counted, timed and written down. An observation never changes a decision.

pub mod metrics;
