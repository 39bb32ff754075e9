//! A request on its way: what it holds until its response has ended, and what its end is counted as.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, sleep_until};

use super::meter::Meter;
use crate::body::{Body, Frame, Response, Size, Source};
use crate::clock;
use crate::error::{Error, Reason, Side};
use crate::fields::Fields;
use crate::splice::Pipe;
use crate::upstream::circuit::Permit;
use crate::upstream::cluster::Cluster;
use crate::upstream::host::Host;
use crate::upstream::outlier::monitor::Outcome;
use crate::upstream::stats::ClusterMetric;

/// A request in flight; dropped before its end, it counts as reset by us.
#[derive(Debug)]
pub struct InFlight {
    cluster: Arc<Cluster>,
    host: Arc<Host>,
    meter: Option<Rc<Meter>>,
    _permit: Permit,
    begun: Instant,
    over: bool,
}

impl InFlight {
    /// A request begins.
    pub fn begin(cluster: &Arc<Cluster>, host: &Arc<Host>, permit: Permit) -> Self {
        cluster.stats().inc(ClusterMetric::UpstreamRqTotal);
        cluster.stats().inc(ClusterMetric::UpstreamRqActive);
        host.state().begin_request();
        Self {
            cluster: Arc::clone(cluster),
            host: Arc::clone(host),
            meter: None,
            _permit: permit,
            begun: clock::now(),
            over: false,
        }
    }

    /// The request goes out on `meter`'s connection.
    pub fn on(&mut self, meter: &Rc<Meter>) {
        meter.begin_request();
        self.meter = Some(Rc::clone(meter));
    }

    /// Resolves when the request must end, whatever it came to, with the reason: it is as old as it may be, or its
    /// connection must not be used any longer. `None` if neither can happen.
    pub fn ending(&self) -> Option<Ending> {
        let model = self.cluster.model();
        let limit = model.http.max_stream_duration;
        let meter = self.meter.clone().filter(|_| model.close_connections_on_host_health_failure);
        if limit.is_none() && meter.is_none() {
            return None;
        }
        let deadline = limit.map(|limit| self.begun + limit);
        Some(Box::pin(async move {
            let cut = async {
                match &meter {
                    Some(meter) => meter.until_cut().await,
                    None => std::future::pending().await,
                }
            };
            let late = async {
                match deadline {
                    Some(deadline) => sleep_until(deadline).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = cut => {
                    Error::new(Reason::UpstreamClosed, "connection closed: the endpoint became unhealthy")
                }
                () = late => Error::from(Reason::UpstreamMaxDuration),
            }
        }))
    }

    /// The head of the response is here; the request goes on until the body that is returned has ended.
    pub fn answered(mut self, response: Response) -> Response {
        let Response { head, body, close } = response;
        let status = head.status.as_u16();
        let stats = self.cluster.stats();
        stats.inc(ClusterMetric::UpstreamRqCompleted);
        stats.inc(ClusterMetric::of_status(status));
        self.cluster.report(&self.host, Outcome::Response(judged_status(status, &head.headers)));
        let body = if body.is_done() || body.as_full().is_some() {
            self.finish();
            body
        } else {
            let size = body.size();
            let left = match size {
                Size::Exact(bytes) => Some(bytes),
                Size::Unknown => None,
            };
            let ending = self.ending();
            let watched = Watched { body, request: Some(self), left, ending };
            Body::source(size, Box::new(watched))
        };
        Response { head, body, close }
    }

    /// The request ended without a whole response.
    pub fn failed(&mut self, error: &Error) {
        self.over = true;
        let stats = self.cluster.stats();
        match error.reason() {
            Reason::UpstreamReset | Reason::UpstreamRefused => stats.inc(ClusterMetric::UpstreamRqRxReset),
            Reason::UpstreamProtocol => stats.inc(ClusterMetric::UpstreamCxProtocolError),
            Reason::UpstreamMaxDuration => stats.inc(ClusterMetric::UpstreamRqMaxDurationReached),
            Reason::UpstreamClosed => {
                if let Some(meter) = &self.meter {
                    meter.ended_by_remote();
                }
            }
            _ => stats.inc(ClusterMetric::UpstreamRqTxReset),
        }
        if error.reason().side() == Side::Upstream {
            self.cluster.report(&self.host, Outcome::Failed);
        }
    }

    /// The request goes out again on another connection: this one was closed before it arrived.
    pub fn again(mut self) {
        self.over = true;
        if let Some(meter) = &self.meter {
            meter.ended_by_remote();
        }
    }

    fn finish(&mut self) {
        self.over = true;
        self.cluster.histograms().upstream_rq_time.record(clock::since(self.begun));
        if let Some(meter) = &self.meter {
            meter.end_request();
        }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.host.state().end_request();
        self.cluster.stats().dec(ClusterMetric::UpstreamRqActive);
        if !self.over {
            self.cluster.stats().inc(ClusterMetric::UpstreamRqTxReset);
        }
    }
}

/// Resolves when a request must end, with the reason.
pub type Ending = Pin<Box<dyn Future<Output = Error>>>;

/// A response body that ends its request when it ends.
struct Watched {
    // Before `request`: the connection is given back, or dropped, before the request stops counting.
    body: Body,
    request: Option<InFlight>,
    /// Bytes to come, if that is known: whoever writes them may not ask for the end.
    left: Option<u64>,
    ending: Option<Ending>,
}

impl Source for Watched {
    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Error>>> {
        let polled = self.body.poll_frame(cx);
        match &polled {
            Poll::Pending => return self.poll_ending(cx).map(|error| Some(Err(error))),
            Poll::Ready(None | Some(Ok(Frame::Trailers(_)))) => self.finish(),
            Poll::Ready(Some(Err(error))) => {
                let error = error.clone();
                self.fail(&error);
            }
            Poll::Ready(Some(Ok(Frame::Data(bytes)))) => self.note(bytes.len()),
        }
        polled
    }

    fn poll_pipe(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Pipe, Error>>> {
        let polled = self.body.poll_pipe(cx);
        match &polled {
            Poll::Pending => return self.poll_ending(cx).map(|error| Some(Err(error))),
            Poll::Ready(None) => {}
            Poll::Ready(Some(Ok(pipe))) => self.note(pipe.held()),
            Poll::Ready(Some(Err(error))) => self.fail(error),
        }
        polled
    }
}

impl Watched {
    /// Ready if the request must end while its body is waited for.
    fn poll_ending(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let Some(ending) = &mut self.ending else { return Poll::Pending };
        let error = ready!(ending.as_mut().poll(cx));
        self.fail(&error);
        // The connection is closed, or the stream reset, by dropping what is left of the body.
        self.body = Body::empty();
        Poll::Ready(error)
    }

    /// Bytes of the body were handed on.
    fn note(&mut self, bytes: usize) {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(bytes as u64);
            if *left == 0 {
                self.finish();
            }
        }
    }

    fn finish(&mut self) {
        if let Some(mut request) = self.request.take() {
            request.finish();
        }
    }

    fn fail(&mut self, error: &Error) {
        if let Some(mut request) = self.request.take() {
            request.failed(error);
        }
    }
}

/// The status that outlier detection judges: a gRPC response that is all trailers says it there.
fn judged_status(status: u16, headers: &Fields) -> u16 {
    match headers.get("grpc-status").map(http::HeaderValue::as_bytes) {
        None => status,
        Some(b"0") => 200,
        Some(b"1") => 499,
        Some(b"3" | b"9" | b"11") => 400,
        Some(b"4") => 504,
        Some(b"5") => 404,
        Some(b"6" | b"10") => 409,
        Some(b"7") => 403,
        Some(b"8") => 429,
        Some(b"12") => 501,
        Some(b"14") => 503,
        Some(b"16") => 401,
        Some(_) => 500,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grpc_status_in_the_head_is_judged_instead_of_200() {
        let status = |grpc: &'static str| {
            let mut headers = Fields::new();
            headers.insert("grpc-status", http::HeaderValue::from_static(grpc));
            judged_status(200, &headers)
        };
        assert_eq!(["0", "2", "4", "14"].map(status), [200, 500, 504, 503]);
        assert_eq!(judged_status(404, &Fields::new()), 404);
    }
}
