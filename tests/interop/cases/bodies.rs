//! Bodies in both directions: lengths, chunks, trailers, HEAD, Expect, keep-alive, TCP.

use harness::message::{Framing, Request};

use crate::case::{Action, Case, Listener};

const HOST: &str = "body.example";

pub fn cases() -> Vec<Case> {
    [uploads(), downloads(), heads(), expectations(), streams()].concat()
}

fn case(name: &str, request: Request) -> Case {
    Case::send(format!("body: {name}"), request)
}

fn uploads() -> Vec<Case> {
    let post = |target: &str| Request::new("POST", HOST, target);
    let mut cases = Vec::new();
    for path in ["/", "/h2"] {
        for bytes in [0, 1, 1000, 100_000, 3_000_000] {
            cases.push(case(&format!("{path} content-length {bytes}"), post(path).body(vec![b'u'; bytes])));
        }
        cases.push(case(&format!("{path} chunked"), post(path).chunks(&["one", "two", "three"])));
        cases.push(case(&format!("{path} chunked, empty"), post(path).chunks(&[])));
        cases
            .push(case(&format!("{path} chunked, large"), post(path).chunks(&[&"c".repeat(300_000), "end"])));
        cases.push(case(
            &format!("{path} echo"),
            post(path).header("x-backend-do", "echo").body(vec![b'e'; 200_000]),
        ));
    }
    let mut trailing = post("/").header("trailer", "x-sum");
    trailing.body = Framing::Chunked(vec![b"abc".to_vec()], vec![("x-sum".to_owned(), "1".to_owned())]);
    cases.push(case("chunked with trailers", trailing));
    cases.push(case("GET with a body", Request::new("GET", HOST, "/").body("odd but allowed")));
    cases.push(case("DELETE with a body", Request::new("DELETE", HOST, "/").body("x")));
    cases.push(case("POST without a length", post("/")));
    cases
}

fn downloads() -> Vec<Case> {
    let wishes = [
        "bytes/0",
        "bytes/1",
        "bytes/100000",
        "bytes/2000000",
        "stream/1",
        "stream/100000",
        "stream/2000000",
        "trailers",
    ];
    let mut cases = Vec::new();
    for path in ["/", "/h2"] {
        for wish in wishes {
            let request = Request::new("GET", HOST, path).header("x-backend-do", wish);
            cases.push(case(&format!("{path} gets {wish}"), request));
        }
    }
    cases
}

fn heads() -> Vec<Case> {
    let wishes = ["bytes/1000", "stream/1000", "status/404", "status/204", "trailers"];
    let head = |wish: &&str| {
        let request = Request::new("HEAD", HOST, "/").header("x-backend-do", wish);
        case(&format!("HEAD {wish}"), request)
    };
    wishes.iter().map(head).collect()
}

fn expectations() -> Vec<Case> {
    let head = Request::new("POST", HOST, "/").header("expect", "100-continue");
    let expect = |name: &str, request: Request, body: &str| {
        let action = Action::Expect(request.body(body), body.as_bytes().to_vec());
        Case::new(format!("body: expect, {name}"), Listener::Main, action)
    };
    vec![
        expect("then the body", head.clone(), "late"),
        expect("in capitals", Request::new("POST", HOST, "/").header("Expect", "100-Continue"), "late"),
        expect("refused by the backend", head.clone().header("x-backend-do", "status/413"), "late"),
        expect(
            "no route",
            Request::new("POST", "unknown.example", "/").header("expect", "100-continue"),
            "late",
        ),
        expect("unknown expectation", Request::new("POST", HOST, "/").header("expect", "200-ok"), "late"),
        expect(
            "over h2 upstream",
            Request::new("POST", HOST, "/h2").header("expect", "100-continue"),
            "late",
        ),
    ]
}

/// Several requests on one connection, and bytes through the TCP listener.
fn streams() -> Vec<Case> {
    let get = "GET /one HTTP/1.1\r\nhost: body.example\r\n\r\n";
    let post = "POST /two HTTP/1.1\r\nhost: body.example\r\ncontent-length: 3\r\n\r\nabc";
    let chunked = "POST /three HTTP/1.1\r\nhost: body.example\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let close = "GET /last HTTP/1.1\r\nhost: body.example\r\nconnection: close\r\n\r\n";
    let tcp = |name: &str, action: Action| Case::new(format!("tcp: {name}"), Listener::Tcp, action);
    vec![
        Case::raw("two pipelined requests", &format!("{get}{get}")),
        Case::raw("pipelined bodies", &format!("{post}{chunked}{get}")),
        Case::raw("pipelined, then close", &format!("{get}{close}{get}")),
        Case::raw("blank lines between requests", &format!("{get}\r\n\r\n{get}")),
        tcp("a request and its answer", Action::Raw(close.as_bytes().to_vec())),
        tcp("kept open", Action::Raw(get.as_bytes().to_vec())),
        tcp("half-closed by the client", Action::RawEnd(close.as_bytes().to_vec())),
    ]
}
