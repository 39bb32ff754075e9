//! Answers of the proxy's own: direct responses, redirects, require_tls, no route.

use harness::message::Request;

use crate::case::Case;

const HOST: &str = "local.example";

pub fn cases() -> Vec<Case> {
    let targets = [
        "/direct/200",
        "/direct/200/x?y",
        "/direct/204",
        "/direct/403",
        "/direct/503",
        "/redirect/https",
        "/redirect/https/x?a=1",
        "/redirect/host",
        "/redirect/host/x?a=1",
        "/redirect/port",
        "/redirect/port/x",
        "/redirect/path",
        "/redirect/path?a=1",
        "/redirect/query?a=1",
        "/redirect/query",
        "/redirect/prefix/x?a=1",
        "/redirect/prefix",
        "/redirect/regex/x/y?a=1",
        "/redirect/strip?a=1",
        "/redirect/302",
        "/redirect/303?x",
        "/redirect/307/a",
        "/redirect/308/a?b=c",
        "/none",
    ];
    let mut cases: Vec<Case> = targets.iter().map(|target| Case::get("local", HOST, target)).collect();
    for host in ["local.example:80", "local.example:443", "local.example:8080"] {
        cases.push(Case::get("local, unknown with a port", host, "/redirect/https"));
    }
    for target in ["/", "/x?y=1"] {
        cases.push(Case::get("local", "tls.example", target));
    }
    for (method, target) in
        [("HEAD", "/direct/200"), ("POST", "/direct/200"), ("HEAD", "/redirect/host"), ("HEAD", "/none")]
    {
        cases.push(Case::send(format!("local: {method} {target}"), Request::new(method, HOST, target)));
    }
    let with_body = Request::new("POST", HOST, "/direct/403").body("0123456789");
    cases.push(Case::send("local: POST with a body to a direct response", with_body));
    let chunked = Request::new("POST", HOST, "/none").chunks(&["abc", "def"]);
    cases.push(Case::send("local: chunked POST to no route", chunked));
    let proto = Request::new("GET", "tls.example", "/").header("x-forwarded-proto", "https");
    cases.push(Case::send("local: require_tls with x-forwarded-proto https", proto));
    let redirect = Request::new("GET", HOST, "/redirect/path").header("x-forwarded-proto", "https");
    cases.push(Case::send("local: redirect keeps the scheme of x-forwarded-proto", redirect));
    cases
}
