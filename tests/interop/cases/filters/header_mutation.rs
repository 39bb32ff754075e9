//! Changes of fields by a filter: which level wins, what routes add beside it, queries, trailers.

use harness::message::{Framing, Request};

use super::at::case;
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    let to = |path: &str| Request::new("GET", "mutate.example", path);
    let fields: [(&str, &str); 9] = [
        ("x-gone", "1"),
        ("x-drop-one", "1"),
        ("x-dropped", "1"),
        ("x-level", "mine"),
        ("x-absent", "mine"),
        ("x-exists", "mine"),
        ("x-copy", "mine"),
        ("x-order", "mine"),
        ("x-asked", "mine"),
    ];
    let mut cases = Vec::new();
    for path in ["/", "/route", "/direct", "/gone", "/query"] {
        cases.push(case(format!("mutate: GET {path}"), to(path)));
        for (name, value) in fields {
            cases.push(case(format!("mutate: GET {path} {name}"), to(path).header(name, value)));
        }
    }
    for query in [
        "?gone=1",
        "?gone",
        "?gone=1&kept=2&gone=3",
        "?added=1",
        "?absent=1",
        "?over=1&over=2",
        "?exists=1",
        "?exists=1&b=2&exists=3",
        "?",
        "?&&",
        "?a=%20&b=+",
        "?gone=1#x",
        "?=1",
        "?gonex=1",
    ] {
        cases.push(case(
            format!("mutate: query {query}"),
            to(&format!("/query{query}")).header("x-asked", "x y&z"),
        ));
    }
    for set in ["x-secret=1", "a-internal=1", "x-level=backend", "x-order=backend", "x-by-chain=backend"] {
        cases
            .push(case(format!("mutate: the backend sets {set}"), to("/route").header("x-backend-set", set)));
    }
    for path in ["/", "/route"] {
        let answer = to(path).header("x-backend-do", "trailers").header("te", "trailers");
        cases.push(case(format!("mutate: trailers of the answer {path}"), answer));
        let mut trailing = Request::new("POST", "mutate.example", path).header("trailer", "x-sum");
        trailing.body = Framing::Chunked(vec![b"abc".to_vec()], vec![("x-sum".to_owned(), "1".to_owned())]);
        cases.push(case(format!("mutate: trailers of the request {path}"), trailing));
        cases.push(case(format!("mutate: no route {path}"), Request::new("GET", "unknown.example", path)));
    }
    cases
}
