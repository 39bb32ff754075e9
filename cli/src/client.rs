//! Talks to the control API's REST interface.

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client as Http;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use std::time::Duration;

use crate::context::Target;
use crate::failure::Failure;

/// Longest answer that is read, bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A connection to a control API.
pub(crate) struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    server: String,
    token: String,
}

impl Client {
    /// A client for `target`; the token is read now.
    pub(crate) fn new(target: &Target) -> Result<Self, Failure> {
        let path = target.token_file.display();
        let token = std::fs::read_to_string(&target.token_file)
            .map_err(|error| Failure::Unreachable(format!("admin token: {path}: {error}")))?;
        Ok(Self {
            http: Http::builder(TokioExecutor::new()).build_http(),
            server: target.server.trim_end_matches('/').to_owned(),
            token: token.trim().to_owned(),
        })
    }

    /// `GET path`.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.call(Method::GET, path, None).await
    }

    /// `POST path` with a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.call(Method::POST, path, Some(body)).await
    }

    async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, Failure> {
        let place = format!("{}{path}", self.server);
        let body = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let request = Request::builder()
            .method(method)
            .uri(&place)
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Full::new(body))
            .map_err(|error| Failure::Failed(format!("{place}: {error}")))?;
        let unreachable = |why: String| Failure::Unreachable(format!("control API {}: {why}", self.server));
        let response = tokio::time::timeout(TIMEOUT, self.http.request(request))
            .await
            .map_err(|_| unreachable(format!("no answer within {TIMEOUT:?}")))?
            .map_err(|error| unreachable(causes(&error)))?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| unreachable(error.to_string()))?.to_bytes();
        let answer: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        if status.is_success() {
            return Ok(answer);
        }
        Err(refusal(status, &answer, &body))
    }
}

/// The whole chain of an error: the outermost alone says little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

fn refusal(status: StatusCode, answer: &Value, body: &[u8]) -> Failure {
    let part = |name: &str| answer.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let Some(message) = part("message") else {
        return Failure::Refused(format!("{status}: {}", String::from_utf8_lossy(body).trim()));
    };
    let mut text = String::new();
    for name in ["object", "field"] {
        if let Some(place) = part(name) {
            text.push_str(place);
            text.push_str(": ");
        }
    }
    text.push_str(message);
    Failure::Refused(text)
}
