//! Serves the admin endpoints over HTTP/1.1 by hyper.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::answer::Answer;
use super::route;
use super::state::State;
use crate::drain::{Draining, Phase};
use crate::limits;

/// Admin connections at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 256;

/// How long a client may take to send a request head.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers on `listener` until `draining` is stopped.
pub async fn serve(listener: TcpListener, state: Arc<State>, mut draining: Draining) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let place = tokio::select! {
            () = draining.reached(Phase::Stopped) => return,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            () = draining.reached(Phase::Stopped) => return,
            accepted = listener.accept() => accepted,
        };
        while connections.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                let state = Arc::clone(&state);
                connections.spawn(async move {
                    connection(stream, state).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "admin accept");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, state: Arc<State>) {
    let service = service_fn(move |request: Request<Incoming>| {
        let state = Arc::clone(&state);
        async move { Ok::<_, Infallible>(respond(&state, request).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "admin connection");
    }
}

/// Parameters sent as a form; empty where there is none.
async fn form(parts: &Parts, body: Incoming) -> Result<String, Answer> {
    let is_form = parts
        .headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if !is_form {
        return Ok(String::new());
    }
    let body = Limited::new(body, limits::ADMIN_FORM_BYTES_MAX).collect().await.map_err(|error| {
        let most = limits::ADMIN_FORM_BYTES_MAX;
        Answer::refuse(StatusCode::BAD_REQUEST, format!("the form: {error}; at most {most} bytes are read"))
    })?;
    String::from_utf8(body.to_bytes().into())
        .map_err(|error| Answer::refuse(StatusCode::BAD_REQUEST, format!("the form: {error}")))
}

async fn respond(state: &State, request: Request<Incoming>) -> Response<Full<bytes::Bytes>> {
    let (parts, body) = request.into_parts();
    let mut query = parts.uri.query().unwrap_or_default().to_owned();
    let answer = match form(&parts, body).await {
        Ok(form) => {
            if !query.is_empty() && !form.is_empty() {
                query.push('&');
            }
            query.push_str(&form);
            route::answer(state, &parts.method, parts.uri.path(), &query).await
        }
        Err(refused) => refused,
    };
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, max-age=0"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}
