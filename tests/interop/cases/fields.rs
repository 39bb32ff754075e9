//! Header fields: what is added, changed, removed, and what never goes further than one hop.

use harness::message::Request;

use crate::case::Case;

const HOST: &str = "headers.example";

pub fn cases() -> Vec<Case> {
    [mutations(), formats(), hop_by_hop(), proxy_fields(), responses(), values(), referers()].concat()
}

fn case(name: &str, request: Request) -> Case {
    Case::send(format!("fields: {name}"), request)
}

fn to(target: &str) -> Request {
    Request::new("GET", HOST, target)
}

/// Each action with the field there, there twice, and not there, on request and response alike.
fn mutations() -> Vec<Case> {
    let mut cases = Vec::new();
    for target in ["/append", "/absent", "/overwrite", "/existing", "/remove", "/weighted", "/plain"] {
        cases.push(case(&format!("{target}, not there"), to(target)));
        let once = to(target).header("x-many", "one").header("x-backend-set", "x-answer=one");
        cases.push(case(&format!("{target}, there"), once));
        let twice = to(target)
            .header("x-many", "one")
            .header("x-many", "more")
            .header("x-backend-set", "x-answer=one; x-answer=more");
        cases.push(case(&format!("{target}, there twice"), twice));
    }
    let removed =
        to("/plain").header("x-remove-host", "1").header("x-remove-config", "1").header("x-kept", "1");
    cases.push(case("removed at two levels", removed));
    let gone = to("/plain").header("x-backend-set", "x-gone=1; x-remove-config=1; x-stays=1");
    cases.push(case("removed from the answer at two levels", gone));
    cases.push(case("levels in order", to("/append").header("x-level", "client")));
    cases.push(case("answer levels in order", to("/append").header("x-backend-set", "x-resp-level=backend")));
    cases.push(case("direct response", to("/direct")));
    cases
}

fn formats() -> Vec<Case> {
    let long = to("/format/x?y=1").header("x-long", "0123456789").header("x-two", "second");
    vec![
        case("format", to("/format")),
        case("format with values", long),
        case("format prefers the first", to("/format").header("x-one", "1").header("x-two", "2")),
        case("format of a short value", to("/format").header("x-long", "ab")),
        case("empty values", to("/empty")),
        case("format of an answer", to("/format").header("x-backend-do", "status/404")),
    ]
}

fn hop_by_hop() -> Vec<Case> {
    vec![
        case("connection close", to("/plain").header("connection", "close")),
        case(
            "connection keep-alive",
            to("/plain").header("connection", "keep-alive").header("keep-alive", "timeout=5"),
        ),
        case(
            "connection names a field",
            to("/plain").header("connection", "x-hop").header("x-hop", "1").header("x-stay", "1"),
        ),
        case(
            "connection names two",
            to("/plain").header("connection", "x-a, x-b").header("x-a", "1").header("x-b", "1"),
        ),
        case("connection names host", to("/plain").header("connection", "host")),
        case("proxy-connection", to("/plain").header("proxy-connection", "keep-alive")),
        case("te trailers", to("/plain").header("te", "trailers")),
        case("te gzip", to("/plain").header("te", "gzip")),
        case("te trailers and gzip", to("/plain").header("te", "trailers, gzip;q=0.5")),
        case("connection te", to("/plain").header("connection", "te").header("te", "trailers")),
        case("trailer", to("/plain").header("trailer", "x-sum")),
        case("proxy-authorization", to("/plain").header("proxy-authorization", "Basic eDp5")),
        case(
            "proxy-authenticate from the backend",
            to("/plain").header("x-backend-set", "proxy-authenticate=Basic"),
        ),
        case(
            "upgrade without connection",
            to("/plain").header("upgrade", "h2c").header("x-backend-do", "plain"),
        ),
        case("http2-settings", to("/plain").header("http2-settings", "AAMAAABkAAQAAP__")),
    ]
}

/// Fields that proxies give a meaning to.
fn proxy_fields() -> Vec<Case> {
    let fields = [
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-for", "192.0.2.1, 198.51.100.2"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-proto", "gopher"),
        ("x-forwarded-host", "other.example"),
        ("x-forwarded-port", "8443"),
        ("x-forwarded-client-cert", "By=spiffe://x;Hash=0"),
        ("forwarded", "for=192.0.2.1"),
        ("x-request-id", "my-own-id"),
        ("x-request-id", "0b1e9c35-5e0f-4b3c-8f6e-0f7d3d3b7a11"),
        ("x-envoy-internal", "true"),
        ("x-envoy-external-address", "192.0.2.9"),
        ("x-envoy-original-path", "/before"),
        ("x-envoy-upstream-rq-timeout-ms", "2000"),
        ("x-envoy-upstream-rq-timeout-ms", "soon"),
        ("x-envoy-upstream-rq-per-try-timeout-ms", "1000"),
        ("x-envoy-max-retries", "1"),
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-expected-rq-timeout-ms", "7"),
        ("x-envoy-attempt-count", "9"),
        ("x-envoy-decorator-operation", "op"),
        ("x-envoy-downstream-service-cluster", "them"),
        ("x-envoy-hedge-on-per-try-timeout", "true"),
        ("x-envoy-upstream-alt-stat-name", "alt"),
        ("x-envoy-ip-tags", "tag"),
        ("x-envoy-force-trace", "true"),
        ("x-client-trace-id", "1"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("via", "1.1 before"),
        ("grpc-timeout", "1S"),
        ("max-forwards", "0"),
        ("expect", "something-else"),
        ("date", "Mon, 01 Jan 2024 00:00:00 GMT"),
        ("server", "client-says"),
    ];
    fields
        .iter()
        .map(|(name, value)| case(&format!("{name}: {value}"), to("/plain").header(name, value)))
        .collect()
}

fn responses() -> Vec<Case> {
    let sets = [
        "server=backend/1",
        "date=Mon, 01 Jan 2024 00:00:00 GMT",
        "connection=close",
        "connection=x-hop; x-hop=1; x-stay=1",
        "keep-alive=timeout=5",
        "x-envoy-upstream-service-time=99",
        "x-envoy-overloaded=true",
        "x-envoy-immediate-health-check-fail=true",
        "x-envoy-upstream-healthchecked-cluster=x",
        "set-cookie=a=1; set-cookie=b=2",
        "via=1.1 backend",
        "x-request-id=from-backend",
        "upgrade=h2c",
        "x-a=1; x-a=2; x-b=3; x-a=4",
        "etag=\"x\"",
    ];
    let mut cases: Vec<Case> = sets
        .iter()
        .map(|set| case(&format!("answer sets {set}"), to("/plain").header("x-backend-set", set)))
        .collect();
    for status in [
        "201", "202", "203", "204", "205", "206", "301", "304", "400", "404", "418", "429", "500", "502",
        "504", "599", "600", "999",
    ] {
        cases.push(case(
            &format!("status {status}"),
            to("/plain").header("x-backend-do", &format!("status/{status}")),
        ));
    }
    cases
}

fn values() -> Vec<Case> {
    vec![
        case("empty value", to("/plain").header("x-empty", "")),
        case("blanks around", to("/plain").header("x-blank", "  a  b\t ")),
        case("tab inside", to("/plain").header("x-tab", "a\tb")),
        case("latin-1", to("/plain").header("x-latin", "caf\u{e9}")),
        case("capitals in the name", to("/plain").header("X-Capital-Name", "1")),
        case("underscore in the name", to("/plain").header("x_under", "1")),
        case("dot in the name", to("/plain").header("x.dot", "1")),
        case("every token character", to("/plain").header("x!#$%&'*+-.^_`|~9", "1")),
        case("four thousand bytes", to("/plain").header("x-big", &"b".repeat(4000))),
        case("cookies in two fields", to("/plain").header("cookie", "a=1").header("cookie", "b=2")),
        case("many fields", (0..60).fold(to("/plain"), |request, n| request.header(&format!("x-n{n}"), "v"))),
        case("user agent", to("/plain").header("user-agent", "test/1").header("accept", "*/*")),
    ]
}

/// What a `referer` may be.
fn referers() -> Vec<Case> {
    let values = [
        "http://a.example/",
        "https://a.example:8443/p?q=1",
        "http://a.example",
        "http://a.example/p#part",
        "http://user@a.example/",
        "http://user:secret@a.example/",
        "http://",
        "ftp://a.example/",
        "/path?q=1",
        "path",
        "path:colon",
        "/path:colon",
        "/path#part",
        "not an address",
        "a.example:80/x",
        "//a.example/x",
        "about:blank",
        "/a|b",
        "/%41",
        "HTTP://a.example/",
        "",
    ];
    values
        .iter()
        .map(|value| case(&format!("referer {value:?}"), to("/plain").header("referer", value)))
        .collect()
}
