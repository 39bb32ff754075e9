//! What came of a case in one line that a person can read: what the client got, a bar, what the backend saw.
//!
//! `103 [link: </a>] 200 [x-a: 1] "ok" kept | GET /x @a.test [x-b: 2] "body" then [x-t: 1]`. Not told are what each
//! proxy names itself by, the host `a.test`, reasons as registered, and a length that is the body's.

use harness::message::Response;
use harness::raw_backend::What;
use harness::strict::Request;
use http::StatusCode;

/// The host of every request that has no reason to name another.
pub const HOST: &str = "a.test";

/// Fields that proxies write themselves.
const OWN: [&str; 5] = [
    "date",
    "server",
    "x-envoy-upstream-service-time",
    "x-forwarded-proto",
    "x-envoy-expected-rq-timeout-ms",
];

/// A final answer or an interim one; `status_line` is its first.
pub fn answer(status_line: &str, response: &Response) -> String {
    let mut parts = vec![response.status.to_string()];
    let (version, reason) =
        (status_line.get(..9).unwrap_or_default(), status_line.get(13..).unwrap_or_default());
    if version != "HTTP/1.1 " {
        parts.push(format!("({})", version.trim()));
    }
    let usual = StatusCode::from_u16(response.status).ok().and_then(|status| status.canonical_reason());
    if usual.unwrap_or_default() != reason {
        parts.push(format!("({reason})"));
    }
    let told = |fields: &[(String, String)]| {
        let fields =
            fields.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone().into_bytes()));
        fields.collect::<Vec<_>>()
    };
    parts.extend(fields(&told(&response.headers), response.body.len()));
    parts.extend(body(&response.body));
    parts.extend(fields(&told(&response.trailers), 0).map(|trailers| format!("then {trailers}")));
    parts.join(" ")
}

/// What a backend received.
pub fn seen(what: &What) -> String {
    match what {
        What::Request(request) => received(request),
        What::Wrong(why, excerpt) => format!("WRONG ({why}) {excerpt}"),
        What::Tunnel(bytes) => format!("tunnel \"{}\"", bytes.escape_ascii()),
    }
}

fn received(request: &Request) -> String {
    let mut parts = vec![request.method.clone(), request.target.clone()];
    if request.host() != HOST {
        parts.push(format!("@{}", request.host()));
    }
    let mut told = request.fields.clone();
    told.retain(|(name, _)| name != "host");
    parts.extend(fields(&told, request.body.len()));
    parts.extend(body(&request.body));
    parts.extend(fields(&request.trailers, 0).map(|trailers| format!("then {trailers}")));
    parts.join(" ")
}

/// Fields by name, those of one name in their order.
fn fields(fields: &[(String, Vec<u8>)], body_bytes: usize) -> Option<String> {
    let length = body_bytes.to_string();
    let told = fields.iter().filter(|(name, value)| {
        let usual = name == "content-length" && body_bytes > 0 && *value == length.as_bytes();
        !OWN.contains(&name.as_str()) && !usual
    });
    let mut told: Vec<(&str, String)> =
        told.map(|(name, value)| (name.as_str(), value.escape_ascii().to_string())).collect();
    told.sort_by_key(|(name, _)| *name);
    let told: Vec<String> = told.into_iter().map(|(name, value)| format!("{name}: {value}")).collect();
    if told.is_empty() { None } else { Some(format!("[{}]", told.join(", "))) }
}

fn body(bytes: &[u8]) -> Option<String> {
    if bytes.is_empty() { None } else { Some(format!("\"{}\"", bytes.escape_ascii())) }
}
