//! Which virtual host, which route: domains, paths, methods, header fields, query parameters.

use harness::message::Request;

use crate::case::Case;

pub fn cases() -> Vec<Case> {
    [hosts(), paths(), methods(), header_matchers(), query_matchers(), grpc(), plugins()].concat()
}

fn plugins() -> Vec<Case> {
    ["/then", "/only"].iter().map(|target| Case::get("plugin", "plugin.example", target)).collect()
}

fn hosts() -> Vec<Case> {
    let hosts = [
        "exact.example",
        "EXACT.example",
        "exact.example:8080",
        "exact.example:80",
        "exact.example:81",
        "exact.example.",
        "x.suffix.example",
        "X.Suffix.Example",
        "x.y.suffix.example",
        "suffix.example",
        ".suffix.example",
        "x-dash.example",
        "-dash.example",
        "x.long.suffix.example",
        "long.suffix.example",
        "prefix.org",
        "prefix.a.b",
        "prefix.",
        "prefix-1",
        "prefixed.org",
        "prefix.long.org",
        "prefix.suffix.example",
        "x.suffix.example:8080",
        "prefix.org:8080",
        "unknown.example",
        "example",
        "127.0.0.1",
        "[::1]",
        "[::1]:80",
        "",
    ];
    hosts.iter().map(|host| Case::get("host", host, "/")).collect()
}

fn paths() -> Vec<Case> {
    let targets = [
        "/",
        "/?a=1",
        "/exact",
        "/exact?a=1",
        "/exact/",
        "/Exact",
        "/exact%20",
        "/prefix",
        "/prefix/",
        "/prefixed",
        "/prefix?x",
        "/prefix/long",
        "/prefix/longer",
        "/prefix/lon",
        "/sep",
        "/sep/",
        "/sep/x",
        "/sepx",
        "/sep?x=1",
        "/regex/1",
        "/regex/123",
        "/regex/123?x=a",
        "/regex/",
        "/regex/12a",
        "/regex/1/2",
        "/alt/one",
        "/alt/two/x",
        "/alt/three",
        "/alt/onex",
        "/Case/x",
        "/case/x",
        "/CASE",
        "/casepath",
        "/CASEPATH",
        "/casepath/x",
        "/nothing",
        "//exact",
        "/./exact",
        "/a/../exact",
        "/%65xact",
        "/sep%2Fx",
        "/exact#part",
        "/exact;a=1",
        "/prefix/\u{e9}",
        "/prefix/a%00b",
        "/prefix/a b",
        "/prefix/{x}",
        "/prefix/a|b^c`d",
        "/prefix/\"x\"<y>",
        "/prefix/\\x",
        "/prefix?a=%zz",
        "exact",
        "?a=1",
        "*",
    ];
    targets.iter().map(|target| Case::get("path", "match.example", target)).collect()
}

fn methods() -> Vec<Case> {
    let methods = [
        "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "HEAD", "PROPFIND", "PURGE", "X-OWN",
        "get", "Get", "A", "POSTX",
    ];
    let case = |method: &&str| {
        Case::send(format!("method: {method}"), Request::new(method, "match.example", "/method/x"))
    };
    methods.iter().map(case).collect()
}

/// Each route of `/h/…` with values that fit, nearly fit, and do not.
fn header_matchers() -> Vec<Case> {
    let routes = [
        "exact", "prefix", "suffix", "contains", "regex", "caseless", "present", "absent", "range", "invert",
        "missing",
    ];
    let values = [None, Some("one"), Some("One"), Some("xone"), Some("onex"), Some("7"), Some("")];
    let mut cases = Vec::new();
    for route in routes {
        for value in values {
            let request = Request::new("GET", "match.example", &format!("/h/{route}"));
            let request = value.iter().fold(request, |request, value| request.header("x-m", value));
            cases.push(Case::send(format!("header: {route} {value:?}"), request));
        }
    }
    cases.extend(more_headers());
    cases
}

fn more_headers() -> Vec<Case> {
    let to = |target: &str| Request::new("GET", "match.example", target);
    let case = |name: &str, request: Request| Case::send(format!("header: {name}"), request);
    vec![
        case("range -5", to("/h/range").header("x-m", "-5")),
        case("range -6", to("/h/range").header("x-m", "-6")),
        case("range 9", to("/h/range").header("x-m", "9")),
        case("range 10", to("/h/range").header("x-m", "10")),
        case("range 1.5", to("/h/range").header("x-m", "1.5")),
        case("range +1", to("/h/range").header("x-m", "+1")),
        case("range ' 3'", to("/h/range").header("x-m", "  3  ")),
        case("regex o2e34", to("/h/regex").header("x-m", "o2e34")),
        case("both", to("/h/both").header("x-m", "one").header("x-n", "two")),
        case("both, one missing", to("/h/both").header("x-m", "one")),
        case("exact, field name in capitals", to("/h/exact").header("X-M", "one")),
        case("exact, twice the same", to("/h/exact").header("x-m", "one").header("x-m", "one")),
        case("exact, second fits", to("/h/exact").header("x-m", "two").header("x-m", "one")),
        case("contains, joined", to("/h/contains").header("x-m", "two").header("x-m", "one")),
        case("joined, in two fields", to("/h/joined").header("x-m", "one").header("x-m", "two")),
        case("joined, in one field", to("/h/joined").header("x-m", "one,two")),
        case("range, second fits", to("/h/range").header("x-m", "x").header("x-m", "3")),
        case("invert, twice others", to("/h/invert").header("x-m", "two").header("x-m", "three")),
        case("invert, twice", to("/h/invert").header("x-m", "one").header("x-m", "two")),
        case("suffix, trailing blank", to("/h/suffix").header("x-m", "xone ")),
        case("authority", to("/authority")),
    ]
}

fn query_matchers() -> Vec<Case> {
    let targets = [
        "/q/exact?k=one",
        "/q/exact?k=two",
        "/q/exact?k=",
        "/q/exact?k",
        "/q/exact",
        "/q/exact?a=1&k=one",
        "/q/exact?k=two&k=one",
        "/q/exact?k=one&k=two",
        "/q/exact?K=one",
        "/q/exact?k=%6Fne",
        "/q/exact?k=one#f",
        "/q/exact?%6B=one",
        "/q/exact?k=one;a=1",
        "/q/present?k=1",
        "/q/present?k",
        "/q/present?k=",
        "/q/present?kk=1",
        "/q/present?",
        "/q/regex?k=abc",
        "/q/regex?k=ab1",
        "/q/regex?k=",
        "/q/prefix?k=ONEx",
        "/q/prefix?k=on",
    ];
    targets.iter().map(|target| Case::get("query", "match.example", target)).collect()
}

fn grpc() -> Vec<Case> {
    let to =
        |kind: &str| Request::new("POST", "match.example", "/grpc").header("content-type", kind).body("x");
    ["application/grpc", "application/grpc+proto", "application/grpc-web", "application/json"]
        .iter()
        .map(|kind| Case::send(format!("grpc: {kind}"), to(kind)))
        .collect()
}
