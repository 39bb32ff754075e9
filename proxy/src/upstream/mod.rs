//! 4. Bytes leave: clusters, endpoints, connections.

pub mod pool;
