//! Who we are and whom we believe: certificates, trust bundles, and the TLS configurations made of them.
//!
//! [`Secrets`] holds material by name and changes live. [`ClientTls`] and [`ServerTls`] are made once per
//! cluster or filter chain and hand out the rustls configuration for *now*; whoever opens a connection asks
//! again. One rule: a peer is judged by the trust that is current when its handshake ends.

mod variables;

mod pem;

pub mod svid;

mod names;

mod trust;

mod verify;

mod secrets;

mod check;

mod params;

pub mod described;

mod live;

mod client;

mod server;

pub mod source;

pub use check::check_secret;
pub use client::{AlpnFallback, ClientSession, ClientTls};
pub use secrets::{Secrets, Space};
pub use server::ServerTls;
pub use variables::Variables;

#[cfg(test)]
mod tests;
