//! Calls to gRPC services that a request is asked about, over the worker's own connections to the service's cluster.
//!
//! One rule: a service that is down, slow or lying ends its call, and nothing else.

use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use xds::model::GrpcService;

use super::context::Worker;
use crate::body::{Body, Frame, Interim, Request, RequestHead, Scheme, Text, Version};
use crate::error::{Error, Reason};
use crate::fields::Fields;
use crate::limits::CALL_OUT_ANSWER_BYTES_MAX;
use crate::policy::facts;
use crate::upstream::pool::SendOptions;
use crate::upstream::{Clusters, PickContext};

const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Flag and length in front of every gRPC message.
pub(super) const PREFIX_BYTES: usize = 5;

/// Calls the method at `path` with one message, and gives the one it answers.
///
/// # Errors
/// Why there is none: the service's cluster is unknown or fails, `timeout` is over, or the answer is no gRPC, has
/// another status than OK, or is too large.
pub(super) async fn unary(
    worker: &Worker,
    clusters: &Clusters,
    service: &GrpcService,
    path: &'static str,
    message: &[u8],
    timeout: Option<Duration>,
) -> Result<Bytes, Error> {
    let call = call(worker, clusters, service, head(service, path, timeout)?, message);
    match timeout {
        None => call.await,
        Some(timeout) => tokio::time::timeout(timeout, call)
            .await
            .unwrap_or_else(|_| Err(Error::new(Reason::UpstreamTimeout, "no answer in time"))),
    }
}

async fn call(
    worker: &Worker,
    clusters: &Clusters,
    service: &GrpcService,
    head: RequestHead,
    message: &[u8],
) -> Result<Bytes, Error> {
    let Some(cluster) = clusters.get(service.cluster.as_str()) else {
        return Err(Error::new(Reason::NoCluster, format!("no cluster {}", service.cluster)));
    };
    let picked = cluster.pick(&PickContext::default(), &mut worker.rng.borrow_mut())?;
    let request =
        Request { head: Box::new(head), body: Body::full(framed(message)?), interim: Interim::default() };
    let sent = worker.pools.send(cluster, &picked.host, request, &SendOptions::default()).await?;
    let response = sent.response;
    if response.head.status != StatusCode::OK {
        return Err(failed(format!("status {} instead of gRPC", response.head.status)));
    }
    let (bytes, trailers) = collect(response.body).await?;
    // An answer without a message may have its trailers in its head.
    status(trailers.as_ref().unwrap_or(&response.head.headers))?;
    unframed(bytes)
}

/// The head of a call.
pub(super) fn head(
    service: &GrpcService,
    path: &'static str,
    timeout: Option<Duration>,
) -> Result<RequestHead, Error> {
    let authority = if service.authority.is_empty() { service.cluster.as_str() } else { &service.authority };
    let mut headers = Fields::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    // gRPC counts with eight digits at most.
    let millis = timeout.map(|timeout| timeout.as_millis()).filter(|millis| *millis < 100_000_000);
    if let Some(millis) = millis.and_then(|millis| HeaderValue::try_from(format!("{millis}m")).ok()) {
        headers.insert(TIMEOUT, millis);
    }
    for (name, value) in &service.initial_metadata {
        let pair = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let (name, value) = pair.ok_or_else(|| failed(format!("{name} cannot be sent")))?;
        headers.append(name, value);
    }
    Ok(RequestHead {
        method: Method::POST,
        scheme: Scheme::Http,
        authority: Text::from(authority),
        path: Text::from(path),
        version: Version::Http2,
        headers,
        upgrade: None,
    })
}

/// What a service did wrong.
pub(super) fn failed(detail: String) -> Error {
    Error::new(Reason::UpstreamProtocol, detail)
}

/// A message as it is sent.
pub(super) fn framed(message: &[u8]) -> Result<Bytes, Error> {
    let length = u32::try_from(message.len()).map_err(|_| failed("the question is too long".to_owned()))?;
    Ok([&[0], &length.to_be_bytes()[..], message].concat().into())
}

async fn collect(mut body: Body) -> Result<(Bytes, Option<Fields>), Error> {
    let mut bytes = BytesMut::new();
    while let Some(frame) = body.frame().await {
        match frame? {
            Frame::Data(data) => bytes.extend_from_slice(&data),
            Frame::Trailers(trailers) => return Ok((bytes.freeze(), Some(trailers))),
        }
        if bytes.len() > CALL_OUT_ANSWER_BYTES_MAX {
            return Err(failed(format!("an answer of more than {CALL_OUT_ANSWER_BYTES_MAX} bytes")));
        }
    }
    Ok((bytes.freeze(), None))
}

fn status(trailers: &Fields) -> Result<(), Error> {
    match facts::text(trailers, "grpc-status") {
        Some("0") => Ok(()),
        status => {
            let message = facts::text(trailers, "grpc-message").unwrap_or_default();
            Err(failed(format!("grpc-status {} {message}", status.unwrap_or("missing"))))
        }
    }
}

/// The one message of an answer.
fn unframed(mut bytes: Bytes) -> Result<Bytes, Error> {
    if bytes.len() < PREFIX_BYTES {
        return Err(failed("an answer without a message".to_owned()));
    }
    let (flag, length) = (bytes.get_u8(), bytes.get_u32());
    if flag != 0 {
        return Err(failed("a compressed answer, which was not asked for".to_owned()));
    }
    if usize::try_from(length) != Ok(bytes.len()) {
        return Err(failed(format!("a message of {length} bytes in an answer of {}", bytes.len())));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_out_of_its_frame_as_it_went_in() {
        for message in [&b""[..], b"x", &[7; 1000]] {
            assert_eq!(unframed(framed(message).unwrap()).unwrap(), message);
        }
    }

    #[test]
    fn what_is_no_single_message_is_refused() {
        for (bytes, why) in [
            (&b""[..], "without a message"),
            (b"\0\0\0\0", "without a message"),
            (b"\x01\0\0\0\0", "compressed"),
            (b"\0\0\0\0\x02x", "2 bytes in an answer of 1"),
            (b"\0\0\0\0\x01xy", "1 bytes in an answer of 2"),
        ] {
            let error = unframed(Bytes::from_static(bytes)).unwrap_err();
            assert!(error.detail().contains(why), "{error}");
        }
    }

    #[test]
    fn only_status_zero_is_good() {
        let fields = |status: &'static str| {
            let mut fields = Fields::new();
            fields.insert(HeaderName::from_static("grpc-status"), HeaderValue::from_static(status));
            fields
        };
        assert!(status(&fields("0")).is_ok());
        for bad in [fields("14"), fields(""), fields("00"), Fields::new()] {
            assert!(status(&bad).is_err());
        }
    }
}
