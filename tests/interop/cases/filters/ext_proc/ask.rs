//! What the cases are made with.

use harness::message::{Framing, Request};

use crate::case::{Case, Listener};

pub const HOST: &str = "process.example";

pub fn case(name: String, request: Request) -> Case {
    Case::send(format!("processor: {name}"), request).at(Listener::Processing)
}

pub fn get(path: &str, wish: &str) -> Request {
    let request = Request::new("GET", HOST, path).header("x-cluster", "trailers");
    if wish.is_empty() { request } else { request.header("x-do", wish) }
}

pub fn post(path: &str, wish: &str) -> Request {
    Request { method: "POST".to_owned(), ..get(path, wish) }
}

/// One whose answer is its body.
pub fn echo(path: &str, wish: &str) -> Request {
    post(path, wish).header("x-backend-do", "echo")
}

/// One with trailers, which is answered with trailers.
pub fn trailing(path: &str, wish: &str) -> Request {
    let mut request = post(path, wish).header("trailer", "x-sum");
    // Over HTTP/2 trailers need no `te` that is told from hop to hop.
    "h2".clone_into(
        &mut request.headers.iter_mut().find(|(name, _)| name == "x-cluster").expect("is there").1,
    );
    request.body = Framing::Chunked(vec![b"abc".to_vec()], vec![("x-sum".to_owned(), "1".to_owned())]);
    request.header("x-backend-do", "trailers")
}

/// Rows of wishes at one path.
pub fn rows(path: &str, wishes: &[&str], request: impl Fn(&str, &str) -> Request, what: &str) -> Vec<Case> {
    wishes.iter().map(|wish| case(format!("{what}{path} {wish}"), request(path, wish))).collect()
}
