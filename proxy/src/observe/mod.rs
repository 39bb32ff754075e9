//! What is counted, timed and written down. An observation never changes a decision.

pub mod metrics;

pub mod flags;

pub mod peer;

pub mod attributes;

pub mod record;

pub mod field;

pub mod access_log;
pub mod listener;

pub mod proxy_protocol;

pub mod control_plane;
