//! What the tables are made of.

use crate::network::story::{Case, Step};

/// Cases of one bootstrap.
pub struct Topic {
    pub name: &'static str,
    pub bootstrap: &'static str,
    pub cases: Vec<Case>,
}

/// A row.
pub fn case(name: impl Into<String>, steps: impl IntoIterator<Item = Step>) -> Case {
    Case { name: name.into(), steps: steps.into_iter().collect() }
}

/// Connects, sends, and reads what comes.
pub fn say(client: usize, listener: &'static str, bytes: &str) -> Vec<Step> {
    vec![Step::Open(client, listener), Step::Send(client, bytes.into()), Step::Read(client)]
}
