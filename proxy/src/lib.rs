//! The data plane: accepts connections, decides where requests go, moves their bytes.
//!
//! The modules stand in the order of a request's journey. `body`, `codec`, `error`, `limits`, `drain`,
//! `fields`, `clock`, `runtime`, `splice` and `observe` are what every step shares. Which module may import which is held by the `tidy` test.

pub mod error;

pub mod limits;

pub mod clock;

pub mod drain;

pub mod runtime;

pub mod standing;

pub mod fields;

pub mod splice;

pub mod observe;

pub mod body;

pub mod codec;

pub mod downstream;

pub mod exchange;

pub mod policy;

pub mod upstream;

pub mod identity;

pub mod snapshot;

pub mod config;

pub mod admin;

pub mod boot;
