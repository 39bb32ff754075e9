//! The operator's one command.
fn main() {}
