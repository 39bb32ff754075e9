//! 1. Bytes arrive: from a listening socket to requests and byte streams.

pub mod http;
