//! Cross-origin resource sharing: which origins, which answers, which level decides.

use harness::message::Request;

use super::at::case;
use crate::case::Case;

const PATHS: [&str; 10] =
    ["/", "/narrow", "/open", "/off", "/never", "/shadow", "/strict", "/direct", "/redirect", "/missing"];
const ORIGINS: [&str; 7] = [
    "http://good.example",
    "https://sub.good.example",
    "https://abc.pattern.example",
    "http://narrow.example",
    "http://bad.example",
    "null",
    "",
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for path in PATHS {
        for origin in ORIGINS {
            let ask = |method: &str| Request::new(method, "cors.example", path).header("origin", origin);
            cases.push(case(format!("cors: GET {path} from {origin:?}"), ask("GET")));
            let preflight = ask("OPTIONS").header("access-control-request-method", "PUT");
            cases.push(case(format!("cors: preflight {path} from {origin:?}"), preflight));
        }
        cases.push(case(
            format!("cors: GET {path} without origin"),
            Request::new("GET", "cors.example", path),
        ));
    }
    let options = || Request::new("OPTIONS", "cors.example", "/").header("origin", "http://good.example");
    let private = |value: &str| {
        options()
            .header("access-control-request-method", "PUT")
            .header("access-control-request-private-network", value)
    };
    cases.push(case("cors: OPTIONS that asks for no method", options()));
    cases.push(case(
        "cors: OPTIONS with an empty method",
        options().header("access-control-request-method", ""),
    ));
    cases.push(case("cors: preflight for a private network", private("true")));
    cases.push(case("cors: preflight, private network false", private("false")));
    let sets = "access-control-allow-origin=http://other.example";
    let own = Request::new("GET", "cors.example", "/").header("origin", "http://good.example");
    cases.push(case("cors: the upstream says it as well", own.header("x-backend-set", sets)));
    let lone = Request::new("GET", "cors.example", "/").header("x-backend-set", sets);
    cases.push(case("cors: only the upstream says it", lone));
    let none = Request::new("GET", "unknown.example", "/").header("origin", "http://good.example");
    cases.push(case("cors: no route", none));
    cases
}
