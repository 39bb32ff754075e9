//! The lean data plane binary.
fn main() {}
