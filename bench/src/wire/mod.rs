//! What load generator and backend say, written by hand: their own cost must not be what is measured.

pub mod frames;
pub mod hpack;

pub mod http1;

pub mod tls;
