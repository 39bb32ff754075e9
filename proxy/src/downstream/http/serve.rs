//! Serves HTTP on a connection: finds the version, sets the codec up, hands each request to the exchange.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use xds::model::{CodecType, HttpConnectionManager};

use super::h1::{self, H1Settings, Refusal};
use super::h2::{self, H2Settings};
#[cfg(feature = "http3")]
use super::h3::{self, H3Settings};
use crate::body::{Request, Response, Text, Version};
#[cfg(feature = "http3")]
use crate::codec::h2::HeadLimit;
use crate::codec::h2::Keepalive;
use crate::codec::io::Stream;
use crate::downstream::inspect;
use crate::drain::Draining;
use crate::exchange;
use crate::exchange::context::Worker;
use crate::limits;
use crate::observe::record::ConnectionFacts;
use crate::snapshot::{HttpChain, Live};

/// What requests of a connection are answered with.
#[derive(Clone)]
pub(in crate::downstream) struct Serving {
    pub(in crate::downstream) http: HttpChain,
    pub(in crate::downstream) facts: Rc<ConnectionFacts>,
    pub(in crate::downstream) live: Arc<Live>,
    pub(in crate::downstream) worker: Rc<Worker>,
}

impl Serving {
    /// One request, with one snapshot from its first header to its last log line.
    async fn answer(&self, request: Request) -> Response {
        let snapshot = self.live.load();
        let routes = snapshot.route_table(&self.http.routes);
        let (worker, facts, policy) = (&self.worker, &self.facts, &self.http.policy);
        exchange::http::handle(worker, facts, policy, routes, &snapshot.clusters, request).await
    }
}

/// Serves `stream` to its end.
pub(in crate::downstream) async fn serve(
    stream: Stream,
    codec: CodecType,
    serving: Serving,
    mut draining: Draining,
) {
    let idle = serving.http.manager.idle_timeout;
    let (http2, stream) = match codec {
        CodecType::Http1 => (false, stream),
        CodecType::Http2 => (true, stream),
        // Only QUIC listeners may say so, and theirs are no streams.
        CodecType::Http3 => return,
        CodecType::Auto => {
            let sniffed = tokio::select! {
                sniffed = inspect::prior_knowledge(stream) => sniffed,
                () = draining.over_for_idle(limits::DRAIN_IDLE) => return,
                () = expired(idle) => return,
            };
            match sniffed {
                Ok(sniffed) => sniffed,
                Err(_closed_before_a_byte) => return,
            }
        }
    };
    let version = if http2 { Version::Http2 } else { Version::Http11 };
    // In a box, as the task of an idle connection is to stay small.
    let _connected = Box::new(serving.http.policy.stats.connection(version, serving.facts.tls.is_some()));
    if http2 {
        let settings = h2_settings(&serving.http.manager);
        // In a box: the state of what is rare must not make every connection's task larger.
        let serving = async move |request| serving.answer(request).await;
        let ended = Box::pin(h2::serve(stream, &settings, draining, serving)).await;
        tracing::debug!(?ended, "http/2 connection ended");
    } else {
        let settings = h1_settings(&serving);
        let ended =
            h1::serve(stream, &settings, draining, async |request| serving.answer(request).await).await;
        tracing::debug!(?ended, "http/1.1 connection ended");
    }
}

/// Serves an HTTP/3 connection to its end.
#[cfg(feature = "http3")]
pub(in crate::downstream) async fn serve_h3(
    connection: quinn::Connection,
    serving: Serving,
    draining: Draining,
) {
    let _connected = serving.http.policy.stats.connection(Version::Http3, true);
    let settings = h3_settings(&serving);
    let ended =
        h3::serve(connection, &settings, draining, async move |request| serving.answer(request).await).await;
    tracing::debug!(?ended, "http/3 connection ended");
}

async fn expired(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

fn h1_settings(serving: &Serving) -> H1Settings {
    let model = &serving.http.manager;
    let default_host = &model.http1.default_host_for_http_10;
    H1Settings {
        accept_http_10: model.http1.accept_http_10,
        default_host_for_http_10: (!default_host.is_empty()).then(|| Text::from(default_host.as_str())),
        idle_timeout: model.idle_timeout,
        request_headers_timeout: model.request_headers_timeout,
        max_requests_per_connection: model.max_requests_per_connection.map(u64::from),
        head_bytes_max: model.max_request_headers_kb as usize * 1024,
        headers_count_max: model.max_headers_count as usize,
        enable_trailers: model.http1.enable_trailers,
        delayed_close: model.delayed_close_timeout.unwrap_or(Duration::ZERO),
        refusal: Some(refusal(serving, Version::Http11)),
        ..H1Settings::default()
    }
}

/// Answers requests that cannot be read; they are counted and logged like any other.
fn refusal(serving: &Serving, version: Version) -> Rc<dyn Fn(&Refusal) -> Response> {
    let refusing = serving.clone();
    Rc::new(move |refusal| {
        let Serving { worker, facts, http, live: _ } = &refusing;
        exchange::http::reject(worker, facts, &http.policy, version, refusal.status, &refusal.error)
    })
}

#[cfg(feature = "http3")]
fn h3_settings(serving: &Serving) -> H3Settings {
    let model = &serving.http.manager;
    H3Settings {
        head_limit: HeadLimit {
            bytes_max: model.max_request_headers_kb as usize * 1024,
            fields_max: model.max_headers_count as usize,
        },
        request_headers_timeout: model.request_headers_timeout.unwrap_or(limits::REQUEST_HEAD_WAIT),
        idle_timeout: model.idle_timeout,
        max_connection_duration: model.max_connection_duration,
        max_requests: model.max_requests_per_connection.map(u64::from),
        refusal: refusal(serving, Version::Http3),
    }
}

fn h2_settings(model: &HttpConnectionManager) -> H2Settings {
    let http2 = &model.http2;
    let defaults = H2Settings::default();
    H2Settings {
        max_concurrent_streams: http2.max_concurrent_streams.unwrap_or(defaults.max_concurrent_streams),
        initial_stream_window_size: http2
            .initial_stream_window_size
            .unwrap_or(defaults.initial_stream_window_size),
        initial_connection_window_size: http2
            .initial_connection_window_size
            .unwrap_or(defaults.initial_connection_window_size),
        head_bytes_max: model.max_request_headers_kb * 1024,
        headers_count_max: model.max_headers_count as usize,
        allow_connect: http2.allow_connect,
        keepalive: http2.keepalive_interval.map(|interval| Keepalive {
            interval,
            timeout: http2.keepalive_timeout.unwrap_or(limits::DELAYED_CLOSE),
        }),
        idle_timeout: model.idle_timeout,
        max_connection_duration: model.max_connection_duration,
        max_requests: model.max_requests_per_connection.map(u64::from),
        ..defaults
    }
}
