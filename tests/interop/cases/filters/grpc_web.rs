//! gRPC-Web: requests made gRPC's, responses made the browser's, and what is no gRPC made a status.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use harness::message::{Framing, Request};

use super::at::case;
use crate::case::{Action, Case, Listener};

const WEB: &str = "application/grpc-web";
const PROTO: &str = "application/grpc-web+proto";
const TEXT: &str = "application/grpc-web-text";
const TEXT_PROTO: &str = "application/grpc-web-text+proto";

pub fn cases() -> Vec<Case> {
    [kinds(), answers(), texts(), messages(), malformed(), local(), http2()]
        .concat()
        .into_iter()
        .map(told_apart)
        .collect()
}

/// Backends of HTTP/1 are told `te` in a way of their own, so that their cases have a name of their own.
fn told_apart(mut case: Case) -> Case {
    let path = match &case.action {
        Action::Send(request) => request.target.as_str(),
        Action::Http2(request) => request.uri().path(),
        other => panic!("{other:?} is none of these cases"),
    };
    if !path.starts_with("/h2") && !path.starts_with("/changed") {
        case.name = case.name.replacen("grpc-web:", "grpc-web, HTTP/1:", 1);
    }
    case
}

fn frame(message: &str) -> Vec<u8> {
    let mut frame = vec![0];
    frame.extend_from_slice(&u32::try_from(message.len()).unwrap_or(0).to_be_bytes());
    frame.extend_from_slice(message.as_bytes());
    frame
}

/// A request of that content type, with one message as that type has it.
fn asked(content_type: &str, path: &str) -> Request {
    let message = frame("a message");
    let body = if content_type.contains("text") { STANDARD.encode(message).into_bytes() } else { message };
    Request::new("POST", "web.example", path).header("content-type", content_type).body(body)
}

/// What a backend is told to answer.
fn answered(request: Request, wish: &str, fields: &str) -> Request {
    request.header("x-backend-do", wish).header("x-backend-set", fields)
}

/// What counts as gRPC-Web, and what becomes of its fields.
fn kinds() -> Vec<Case> {
    let mut cases = Vec::new();
    let none = [
        "application/grpc",
        "application/grpc-web+json",
        "application/grpc-web; a=b",
        "APPLICATION/GRPC-WEB",
        "text/plain",
    ];
    for content_type in [WEB, PROTO, TEXT, TEXT_PROTO].into_iter().chain(none) {
        cases.push(case(format!("grpc-web: {content_type}"), asked(content_type, "/")));
        cases.push(case(format!("grpc-web: {content_type} where it is off"), asked(content_type, "/off")));
        cases.push(case(
            format!("grpc-web: {content_type} for a route of gRPC"),
            asked(content_type, "/grpc"),
        ));
        for accept in [WEB, TEXT, TEXT_PROTO, "*/*", "application/grpc-web-text, */*"] {
            let request = answered(
                asked(content_type, "/h2"),
                "bytes/0",
                "content-type=application/grpc; grpc-status=0",
            );
            cases.push(case(
                format!("grpc-web: {content_type} accepts {accept}"),
                request.header("accept", accept),
            ));
        }
    }
    for (name, value) in [
        ("te", "trailers"),
        ("te", "gzip"),
        ("grpc-accept-encoding", "gzip"),
        ("grpc-timeout", "1S"),
        ("x-user-agent", "grpc-web-javascript/0.1"),
        ("x-grpc-web", "1"),
    ] {
        cases.push(case(format!("grpc-web: {name}: {value}"), asked(PROTO, "/").header(name, value)));
    }
    for method in ["GET", "HEAD", "POST", "OPTIONS"] {
        let request = Request::new(method, "web.example", "/").header("content-type", PROTO);
        cases.push(case(format!("grpc-web: {method} without a body"), request));
    }
    cases
}

/// Answers of backends, those that are gRPC's and others.
fn answers() -> Vec<Case> {
    let answers = [
        ("bytes/0", "content-type=application/grpc; grpc-status=0"),
        ("bytes/0", "content-type=application/grpc; grpc-status=5; grpc-message=gone"),
        ("bytes/0", "content-type=text/plain"),
        ("bytes/100", "content-type=application/grpc"),
        ("bytes/100", "content-type=application/grpc+proto; grpc-status=0"),
        ("bytes/100", "content-type=application/grpc-web"),
        ("bytes/100", "content-type=application/grpc-web+proto; x-a=1"),
        ("bytes/100", "content-type=application/grpc-web-text"),
        ("bytes/100", "content-type=application/grpc-web; x-a=1"),
        ("bytes/100", "content-type=text/plain"),
        ("bytes/100", "x-a=1"),
        ("bytes/100", "content-type=text/plain; grpc-status=3; grpc-message=own"),
        ("stream/1000", "content-type=application/grpc"),
        ("stream/1000", "content-type=text/plain"),
        ("trailers", "content-type=application/grpc"),
        ("trailers", "content-type=application/grpc-web+proto"),
        ("status/200", "x-a=1"),
        ("status/204", "x-a=1"),
        ("status/400", "x-a=1"),
        ("status/401", "x-a=1"),
        ("status/404", "x-a=1"),
        ("status/418", "x-a=1"),
        ("status/429", "x-a=1"),
        ("status/503", "x-a=1"),
        ("early", "x-a=1"),
        ("close", "x-a=1"),
    ];
    let mut cases = Vec::new();
    for path in ["/", "/h2", "/trailers", "/changed", "/off"] {
        for (wish, fields) in answers {
            let request = answered(asked(PROTO, path), wish, fields);
            cases.push(case(format!("grpc-web: {path} {wish} {fields}"), request));
        }
    }
    for (wish, fields) in
        answers.into_iter().filter(|(wish, _)| !["trailers", "stream/1000", "close"].contains(wish))
    {
        let request =
            answered(Request::new("HEAD", "web.example", "/"), wish, fields).header("content-type", PROTO);
        cases.push(case(format!("grpc-web: HEAD {wish} {fields}"), request));
    }
    cases
}

/// Messages there and back; what comes back as text is asked for in `messages`.
fn texts() -> Vec<Case> {
    let messages = [vec!["one"], vec![""], vec!["a", "bc", "", "def"], vec!["four", "fives"]];
    let large = "large ".repeat(20_000);
    let mut cases = Vec::new();
    for path in ["/trailers", "/h2"] {
        for (index, messages) in messages.iter().cloned().chain([vec![large.as_str(), "x"]]).enumerate() {
            let bytes: Vec<u8> = messages.into_iter().flat_map(frame).collect();
            for (content_type, accept) in [(PROTO, WEB), (TEXT, WEB)] {
                let body =
                    if content_type == TEXT { STANDARD.encode(&bytes).into_bytes() } else { bytes.clone() };
                let request = Request::new("POST", "web.example", path).header("content-type", content_type);
                let fields = "content-type=application/grpc; trailer=grpc-status, x-sum";
                let mut request = answered(request.header("accept", accept), "echo", fields);
                let trailers = [("grpc-status", "0"), ("x-sum", "1")];
                let trailers = trailers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
                request.body = Framing::Chunked(vec![body], trailers);
                cases.push(case(format!("grpc-web: {path} {content_type} as {accept}, {index}"), request));
            }
        }
    }
    let text = STANDARD.encode(frame("a message in chunks"));
    for size in [1, 2, 3, 4, 5, 7] {
        let chunks: Vec<&str> =
            (0..text.len()).step_by(size).map(|at| &text[at..text.len().min(at + size)]).collect();
        let request = Request::new("POST", "web.example", "/").header("content-type", TEXT);
        cases.push(case(format!("grpc-web: text in chunks of {size}"), request.chunks(&chunks)));
    }
    let mut trailing = Request::new("POST", "web.example", "/h2").header("content-type", TEXT);
    trailing.body = Framing::Chunked(vec![text.into_bytes()], vec![("x-sum".to_owned(), "1".to_owned())]);
    cases.push(case("grpc-web: text with trailers", trailing));
    cases
}

/// Messages from a backend of gRPC, in binary and in text: frame by frame, and the trailers at last. Envoy gives text
/// to its client once a frame is whole, and ends it with the trailers; what has neither never ends there.
fn messages() -> Vec<Case> {
    let lengths = ["0", "1", "2", "3", "4", "5/0/300", "1/1/1/1", "100000", "16384/1", "70000/0/2/50000"];
    let mut cases = Vec::new();
    for lengths in lengths {
        for accept in [WEB, TEXT, TEXT_PROTO] {
            for path in ["/h2", "/changed", "/trailers"] {
                let wish = format!("messages/{lengths}");
                let request = answered(asked(PROTO, path), &wish, "content-type=application/grpc");
                let name = format!("grpc-web: {path} messages of {lengths} for {accept}");
                cases.push(case(name, request.header("accept", accept)));
            }
            let wish = format!("messages/{lengths}");
            let (name, request) = over_http2("/h2", TEXT, accept, &wish, "content-type=application/grpc");
            let name = format!("{name} as {accept}");
            cases.push(Case::new(name, Listener::Filters, Action::Http2(request)));
        }
    }
    cases
}

/// Text that is not base64.
fn malformed() -> Vec<Case> {
    let texts = [
        "A",
        "AAA",
        "AAAAA",
        "****",
        "AA=A",
        "A===",
        "AAAA====",
        "AAA_",
        "AA A",
        "AAB=",
        "AAA=",
        "AAAAAAA=AAAA",
        "AAAA\r\n",
    ];
    let mut cases = Vec::new();
    for text in texts {
        for (kind, accept) in [("", "*/*"), (" for text", TEXT)] {
            let request = Request::new("POST", "web.example", "/")
                .header("content-type", TEXT)
                .header("accept", accept);
            // The one that pads what needs it.
            let word = if text == "AAA=" { "well-formed" } else { "malformed" };
            cases.push(case(format!("grpc-web: {word} {text:?}{kind}"), request.clone().body(text)));
            cases.push(case(format!("grpc-web: {word} {text:?} chunked{kind}"), request.chunks(&[text])));
        }
    }
    cases
}

/// Answers that are made by the proxy.
fn local() -> Vec<Case> {
    let paths = [
        "/dead",
        "/empty",
        "/missing",
        "/slow",
        "/direct",
        "/direct/empty",
        "/refused",
        "/buffered",
        "/retried",
    ];
    let mut cases = Vec::new();
    for path in paths {
        for content_type in [PROTO, TEXT, "application/grpc"] {
            let request = asked(content_type, path).header("accept", content_type);
            cases.push(case(format!("grpc-web: local {path} for {content_type}"), request.clone()));
            cases.push(case(
                format!("grpc-web: local {path} closed for {content_type}"),
                request.clone().header("x-backend-do", "close"),
            ));
            cases.push(case(
                format!("grpc-web: local {path} large for {content_type}"),
                request.body(vec![b'A'; 2000]),
            ));
        }
        let head = Request::new("HEAD", "web.example", path).header("content-type", PROTO);
        cases.push(case(format!("grpc-web: HEAD local {path}"), head));
        let unrouted = Request::new("POST", "unknown.example", path).header("content-type", PROTO);
        cases.push(case(format!("grpc-web: local no route {path}"), unrouted));
    }
    cases
}

/// A request over HTTP/2, and what it is called.
fn over_http2(
    path: &str,
    content_type: &str,
    accept: &str,
    wish: &str,
    fields: &str,
) -> (String, http::Request<Bytes>) {
    let body = match asked(content_type, path).body {
        Framing::Sized(body) => body,
        Framing::None | Framing::Chunked(..) => Vec::new(),
    };
    let request = http::Request::post(format!("http://web.example{path}")).version(http::Version::HTTP_2);
    let request = request.header("content-type", content_type).header("accept", accept);
    let request = request.header("x-backend-do", wish).header("x-backend-set", fields);
    let request = request.body(Bytes::from(body)).expect("the table holds valid requests");
    (format!("grpc-web: h2 {content_type} {path} {wish} {fields}"), request)
}

fn http2() -> Vec<Case> {
    let mut cases = Vec::new();
    for (wish, fields) in [
        ("trailers", "content-type=application/grpc"),
        ("echo", "content-type=application/grpc"),
        ("bytes/0", "content-type=application/grpc; grpc-status=5"),
        ("bytes/100", "content-type=text/plain"),
        ("status/503", "x-a=1"),
        ("close", "x-a=1"),
    ] {
        for (content_type, path) in [(PROTO, "/"), (PROTO, "/h2"), (TEXT, "/h2"), ("application/grpc", "/h2")]
        {
            // Envoy holds text back that is no whole frame, and never ends text without trailers.
            if ["trailers", "echo"].contains(&wish) && content_type == TEXT {
                continue;
            }
            let (name, request) = over_http2(path, content_type, content_type, wish, fields);
            cases.push(Case::new(name, Listener::Filters, Action::Http2(request)));
        }
    }
    cases
}
