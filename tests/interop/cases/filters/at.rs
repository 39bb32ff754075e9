//! Where these cases are sent.

use harness::message::Request;

use crate::case::{Case, Listener};

/// A request at the listener with the filters.
pub fn case(name: impl Into<String>, request: Request) -> Case {
    Case::send(name, request).at(Listener::Filters)
}
