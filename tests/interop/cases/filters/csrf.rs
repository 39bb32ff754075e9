//! Changes that other sites ask for.

use harness::message::Request;

use super::at::case;
use crate::case::Case;

pub fn cases() -> Vec<Case> {
    let sources = [
        ("origin", "http://csrf.example"),
        ("origin", "https://csrf.example"),
        ("origin", "http://csrf.example:8080"),
        ("origin", "csrf.example"),
        ("origin", "http://evil.example"),
        ("origin", "http://a.friend.example"),
        ("origin", "https://partner.example:8443"),
        ("origin", "https://partner.example"),
        ("origin", "http://near.example"),
        ("origin", "null"),
        ("origin", ""),
        ("referer", "http://csrf.example/page?x=1"),
        ("referer", "http://evil.example/csrf.example"),
        ("referer", "not an address"),
    ];
    let mut cases = Vec::new();
    for path in ["/", "/own", "/all", "/off"] {
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "DELETE", "PATCH"] {
            cases.push(case(
                format!("csrf: {method} {path} from nowhere"),
                Request::new(method, "csrf.example", path),
            ));
        }
        for (name, value) in sources {
            let post = Request::new("POST", "csrf.example", path).header(name, value);
            cases.push(case(format!("csrf: POST {path} {name} {value:?}"), post));
        }
    }
    let both = |origin: &str, referer: &str| {
        Request::new("POST", "csrf.example", "/").header("origin", origin).header("referer", referer)
    };
    cases.push(case(
        "csrf: a good origin, a bad referer",
        both("http://csrf.example", "http://evil.example/"),
    ));
    cases.push(case(
        "csrf: a bad origin, a good referer",
        both("http://evil.example", "http://csrf.example/"),
    ));
    cases.push(case("csrf: an empty origin, a good referer", both("", "http://csrf.example/")));
    let port = Request::new("POST", "csrf.example:8080", "/").header("origin", "http://csrf.example:8080");
    cases.push(case("csrf: the same port", port));
    let get = Request::new("GET", "csrf.example", "/").header("origin", "http://evil.example");
    cases.push(case("csrf: GET from elsewhere", get));
    cases
}
