//! Measures us beside the peers.
fn main() {}
