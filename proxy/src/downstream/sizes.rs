//! How large the futures are that exist once per connection or request: what they hold is held ten thousand times.

use std::rc::Rc;
use std::sync::Arc;

use super::connection;
use crate::body::Request;
use crate::exchange::context::Worker;
use crate::exchange::http;
use crate::observe::record::ConnectionFacts;
use crate::policy::http::HttpPolicy;
use crate::policy::route::RouteTable;
use crate::upstream::Clusters;

/// Of the future that a call of so many arguments gives.
fn of_three<A, B, C, F: Future>(_: fn(A, B, C) -> F) -> usize {
    size_of::<F>()
}

type Handle<'a, F> =
    fn(&'a Worker, &'a Rc<ConnectionFacts>, &'a Arc<HttpPolicy>, &'a RouteTable, &'a Clusters, Request) -> F;

fn of_handle<'a, F: Future>(_: Handle<'a, F>) -> usize {
    size_of::<F>()
}

#[test]
fn an_idle_connection_is_little_more_than_a_kilobyte_of_task() {
    let bytes = of_three(connection::serve);
    assert!(bytes <= 1152, "the future of a connection has {bytes} bytes");
}

#[test]
fn a_request_on_its_way_is_three_kilobytes() {
    let bytes = of_handle(http::handle);
    assert!(bytes <= 3200, "the future of a request has {bytes} bytes");
}
