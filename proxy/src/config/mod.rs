//! Where configuration comes from: the bootstrap, files, and control planes over xDS.
//!
//! The [`manager`] is the one writer of [`crate::snapshot::Live`]: it collects resources, compiles them, puts the
//! snapshot in place, and only then acknowledges. One rule: a response is refused with the field path of what was
//! wrong, and what was right in it is in use.

pub mod bootstrap;

mod channel;

mod desired;

mod fetch;

mod file_update;

mod roots;

mod source;

mod load_report;

mod subscriptions;

mod watch_file;

pub mod manager;
