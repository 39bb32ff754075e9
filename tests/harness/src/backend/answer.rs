//! How a backend answers. The wish stands in the field `x-backend-do`, or else is the path itself:
//!
//! | wish | answer |
//! |---|---|
//! | `status/503` | that status, with the JSON |
//! | `delay/300` | the JSON after 300 ms |
//! | `bytes/1000` | that many bytes, `Content-Length` |
//! | `stream/1000` | that many bytes, chunked |
//! | `trailers` | a chunked body and the trailer `x-checksum: abc`; on HTTP/1.1 if `te: trailers` came |
//! | `messages/5/0` | gRPC messages of these lengths, then the trailers `grpc-status: 0` and `x-sum: 1` |
//! | `echo` | the request's body, streamed back |
//! | `close` | none: the connection is closed |
//! | `truncate/100` | `Content-Length: 200`, 100 bytes, then the connection is closed |
//! | `flaky/KEY/2` | 503 for the first two requests with KEY, then the JSON |
//! | `hang` | none, for ever |
//! | `early` | the JSON without reading the body |
//! | `plain` | the JSON, even when an upgrade was asked for |
//!
//! The field `x-backend-set: name=value; name=value` adds header fields to any answer.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};

use super::body::{Body, Ending, full, messages, stream};
use super::record::{Journal, Recorded, fields};
use super::websocket;

pub(crate) async fn answer(journal: Arc<Journal>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let bodiless = request.method() == Method::HEAD && request.version() == Version::HTTP_2;
    let response = wished(journal, request).await?;
    Ok(if bodiless { without_body(response) } else { response })
}

/// hyper takes the body off its answers to HEAD on HTTP/1.1 only.
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    if let Some(length) = body.size_hint().exact() {
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    Response::from_parts(parts, full(Vec::new()))
}

async fn wished(journal: Arc<Journal>, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let wish = wish(&request);
    let additions = additions(&request);
    let words: Vec<&str> = wish.split('/').filter(|word| !word.is_empty()).collect();
    if words != ["plain"] && websocket::is_asked_for(&request) {
        journal.add(record(&journal, &request));
        return Ok(with(websocket::accept(request)?, additions));
    }
    if words == ["echo"] {
        journal.add(record(&journal, &request));
        let body = request.into_body().map_err(io::Error::other).boxed_unsync();
        return Ok(with(Response::new(body), additions));
    }
    let mut recorded = record(&journal, &request);
    if words != ["early"] {
        read_body(&mut recorded, request.into_body()).await?;
    }
    journal.add(recorded.clone());
    let response = match words.as_slice() {
        ["status", code, ..] => report(&recorded, status(code)),
        ["delay", millis, ..] => {
            tokio::time::sleep(Duration::from_millis(number(millis))).await;
            report(&recorded, StatusCode::OK)
        }
        ["bytes", count, ..] => Response::new(full(vec![b'x'; usize::try_from(number(count)).unwrap_or(0)])),
        ["stream", count, ..] => Response::new(stream(number(count), Ending::Whole)),
        ["trailers", ..] => trailing(),
        ["messages", lengths @ ..] => grpc(lengths),
        ["truncate", count, ..] => truncated(number(count)),
        ["close", ..] => return Err(io::Error::other("closed as asked")),
        ["hang", ..] => std::future::pending().await,
        ["flaky", key, times, ..] => {
            let failed = (journal.attempt(key) as u64) < number(times);
            report(&recorded, if failed { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK })
        }
        _ => report(&recorded, StatusCode::OK),
    };
    Ok(with(response, additions))
}

fn wish(request: &Request<Incoming>) -> String {
    let asked = request.headers().get("x-backend-do").and_then(|value| value.to_str().ok());
    asked.unwrap_or(request.uri().path()).to_owned()
}

fn additions(request: &Request<Incoming>) -> Vec<(HeaderName, HeaderValue)> {
    let asked = request.headers().get("x-backend-set").and_then(|value| value.to_str().ok()).unwrap_or("");
    let pairs = asked.split(';').filter_map(|pair| pair.split_once('='));
    let parsed =
        pairs.filter_map(|(name, value)| Some((name.trim().parse().ok()?, value.trim().parse().ok()?)));
    parsed.collect()
}

fn with(mut response: Response<Body>, additions: Vec<(HeaderName, HeaderValue)>) -> Response<Body> {
    for (name, value) in additions {
        response.headers_mut().append(name, value);
    }
    response
}

fn record(journal: &Journal, request: &Request<Incoming>) -> Recorded {
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let authority = request.uri().authority().map(|authority| authority.as_str()).or(host);
    Recorded {
        backend: journal.name().to_owned(),
        method: request.method().to_string(),
        path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
        version: format!("{:?}", request.version()),
        authority: authority.unwrap_or("").to_owned(),
        headers: fields(request.headers()),
        body_len: 0,
        body_sha256: String::new(),
        trailers: Vec::new(),
    }
}

async fn read_body(recorded: &mut Recorded, mut body: Incoming) -> io::Result<()> {
    let mut sum = digest::Context::new(&digest::SHA256);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(io::Error::other)?;
        if let Some(data) = frame.data_ref() {
            recorded.body_len += data.len() as u64;
            sum.update(data);
        } else if let Some(trailers) = frame.trailers_ref() {
            recorded.trailers = fields(trailers);
        }
    }
    recorded.body_sha256 = sum.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(())
}

fn report(recorded: &Recorded, status: StatusCode) -> Response<Body> {
    let json = serde_json::to_vec(recorded).expect("strings and numbers are JSON");
    // No content is allowed with these, and hyper would drop it with a log line.
    let empty = status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    let mut response = Response::new(full(if empty { Vec::new() } else { json }));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert("x-backend", HeaderValue::from_str(&recorded.backend).expect("test names are ASCII"));
    response
}

fn status(code: &str) -> StatusCode {
    code.parse().unwrap_or(StatusCode::BAD_REQUEST)
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

/// hyper sends on HTTP/1.1 only the trailers that the head announces, and only to who sent `te: trailers`.
fn trailing() -> Response<Body> {
    let mut response = Response::new(stream(100, Ending::Trailers));
    response.headers_mut().insert(header::TRAILER, HeaderValue::from_static("x-checksum"));
    response
}

fn grpc(lengths: &[&str]) -> Response<Body> {
    let lengths = lengths.iter().map(|length| u32::try_from(number(length)).unwrap_or(0)).collect();
    let mut response = Response::new(messages(lengths));
    response.headers_mut().insert(header::TRAILER, HeaderValue::from_static("grpc-status, x-sum"));
    response
}

fn truncated(bytes: u64) -> Response<Body> {
    let mut response = Response::new(stream(bytes, Ending::Broken));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from(bytes * 2));
    response
}
