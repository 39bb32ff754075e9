//! Dynamic metadata: what filters put there of themselves, of fields and of cookies, and what formats, local answers,
//! rate limits and routes make of it.

use harness::message::Request;

use super::at::case;
use crate::case::Case;

/// Encoded `google.protobuf.Value`s, in Base64.
const VALUES: [(&str, &str); 8] = [
    ("null", "CAA="),
    ("1.5", "EQAAAAAAAPg/"),
    ("ab", "GgJhYg=="),
    ("true", "IAE="),
    ("false", "IAA="),
    ("[a, 1]", "MhAKAxoBYQoJEQAAAAAAAPA/"),
    ("{a: x, b: {c: 2}}", "KiMKCAoBYRIDGgF4ChcKAWISEioQCg4KAWMSCREAAAAAAAAAQA=="),
    ("no value", "////"),
];

pub fn cases() -> Vec<Case> {
    [fixed(), of_fields(), of_responses(), local_replies(), rate_limits()].concat()
}

fn to(path: &str) -> Request {
    Request::new("GET", "metadata.example", path)
}

fn fixed() -> Vec<Case> {
    let paths = ["/", "/more", "/only-more", "/direct", "/missing", "/matched"];
    let mut cases: Vec<Case> =
        paths.iter().map(|path| case(format!("metadata: GET {path}"), to(path))).collect();
    cases.push(case("metadata: POST /more", Request::new("POST", "metadata.example", "/more").body("b")));
    cases.push(case("metadata: on another host", Request::new("GET", "mutate.example", "/")));
    cases
}

/// One field each, and what stands in it.
fn of_fields() -> Vec<Case> {
    let fields = [
        ("x-ver", "1"),
        ("x-ver", ""),
        ("x-ver", "a,b"),
        ("X-VER", "upper"),
        ("x-num", "5"),
        ("x-num", " 1.25 "),
        ("x-num", "-1e3"),
        ("x-num", "100000"),
        ("x-num", "1e400"),
        ("x-num", "five"),
        ("x-num", "5 apples"),
        ("x-num", "0x10"),
        ("x-num", "+7"),
        ("x-num", ".5"),
        ("x-b64", "YWI="),
        ("x-b64", "YWI"),
        ("x-b64", "YWJj"),
        ("x-b64", "Y"),
        ("x-b64", "YWI?"),
        ("x-b64", "YW J"),
        ("x-b64", "YWJ="),
        ("x-b64", "===="),
        ("x-rewritten", "a1b2"),
        ("x-rewritten", "12"),
        ("x-rewritten", "ab"),
        ("x-fixed", "anything"),
        ("x-fixed", ""),
        ("x-own", "mine"),
        ("x-ver", "\u{e4}\u{f6}"),
        ("cookie", "session=abc"),
        ("cookie", "a=1; session=\"quoted\""),
        ("cookie", "session="),
        ("cookie", "other=1"),
    ];
    let mut cases = Vec::new();
    for path in ["/", "/rules"] {
        for (name, value) in fields {
            let request = to(path).header(name, value);
            cases.push(case(format!("metadata: GET {path} {name}: {value}"), request));
        }
    }
    for (value, encoded) in VALUES {
        cases.push(case(format!("metadata: an encoded {value}"), to("/").header("x-pb", encoded)));
    }
    for path in ["/first/second", "/first?x=1", "/first", "/?x"] {
        cases.push(case(format!("metadata: of the path {path}"), to(path)));
    }
    let twice = to("/").header("x-ver", "1").header("x-ver", "2");
    cases.push(case("metadata: two fields of one name", twice));
    let twice = to("/").header("x-num", "1").header("x-num", "2");
    cases.push(case("metadata: two fields where a number is wanted", twice));
    for bytes in [8191, 8192] {
        let long = to("/").header("x-rewritten", &"a".repeat(bytes));
        cases.push(case(format!("metadata: a value of {bytes} bytes"), long));
    }
    cases
}

fn of_responses() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/", "/rules", "/response-rules"] {
        for set in ["x-res=1", "x-res=1; x-res=2", "x-res=", "x-other=1", "cookie=c=5", "set-cookie=c=6"] {
            let request = to(path).header("x-backend-set", set);
            cases.push(case(format!("metadata: GET {path}, the backend sets {set}"), request));
        }
    }
    cases
}

/// Answers made here that are mapped by what the request's fields say.
fn local_replies() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in ["/direct", "/missing"] {
        for (value, encoded) in VALUES {
            let request = to(path).header("x-pb", encoded);
            cases.push(case(format!("metadata: {path} mapped by {value}"), request.clone()));
            let shown = request.header("x-json", "json").header("x-num", "2.50");
            cases.push(case(format!("metadata: {path} shows {value} in JSON"), shown));
        }
        for (name, value) in [("x-default", "this"), ("x-default", "not this"), ("x-none", "")] {
            let request = to(path).header("x-ask-default", "1").header(name, value);
            cases.push(case(format!("metadata: {path} mapped by default, {name}: {value}"), request));
        }
    }
    cases
}

fn rate_limits() -> Vec<Case> {
    let paths =
        ["/limit-text", "/limit-default", "/limit-empty", "/limit-number", "/limit-skip", "/limit-absent"];
    let mut cases = Vec::new();
    for path in paths {
        for turn in 1..=3 {
            cases.push(case(format!("metadata: {path}, {turn}"), to(path)));
        }
        for turn in 1..=3 {
            let request = to(path).header("x-plan", "free");
            cases.push(case(format!("metadata: {path} of another plan, {turn}"), request));
        }
    }
    cases
}
