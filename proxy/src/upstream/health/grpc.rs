//! gRPC checks: `grpc.health.v1.Health/Check` over HTTP/2.

use ::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use prost::Message;
use xds::model::{Address, GrpcHealthCheck};

use super::dial::{Body, Client};
use super::problem::Problem;
use crate::limits::HEALTH_CHECK_BYTES_MAX;
use crate::upstream::host::Host;

/// `grpc.health.v1.HealthCheckRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    pub service: String,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct HealthCheckResponse {
    #[prost(int32, tag = "1")]
    pub status: i32,
}

/// `HealthCheckResponse.ServingStatus.SERVING`.
pub(super) const SERVING: i32 = 1;

/// Flag and length in front of every gRPC message.
pub(super) const PREFIX_BYTES: usize = 5;

/// Asks over gRPC.
#[derive(Debug)]
pub(super) struct Asker {
    check: GrpcHealthCheck,
    authority: String,
    address: Address,
    client: Option<Client>,
}

impl Asker {
    pub(super) fn new(check: GrpcHealthCheck, authority: String, address: Address) -> Self {
        Self { check, authority, address, client: None }
    }

    pub(super) async fn ask(&mut self, host: &Host) -> Result<(), Problem> {
        let mut kept = self.client.take();
        let reusable = match &mut kept {
            Some(client) => client.is_ready().await,
            None => false,
        };
        let mut client = match kept.filter(|_| reusable) {
            Some(client) => client,
            None => Client::connect(host, &self.address, true).await?,
        };
        let response = client.send(self.request(host.transport().is_tls())?).await?;
        let (parts, body) = response.into_parts();
        if parts.status != StatusCode::OK {
            return Err(Problem::failed(format!("status {} instead of gRPC", parts.status)));
        }
        let (message, trailers) = collect(body).await?;
        // A response without a message may have all its trailers in the head.
        judge(&message, &trailers.unwrap_or(parts.headers))?;
        self.client = Some(client);
        Ok(())
    }

    fn request(&self, tls: bool) -> Result<Request<Body>, Problem> {
        let scheme = if tls { "https" } else { "http" };
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{scheme}://{}/grpc.health.v1.Health/Check", self.authority))
            .header(header::CONTENT_TYPE, "application/grpc")
            .header(header::TE, "trailers")
            .header(header::USER_AGENT, "tombolo/health-check");
        for (name, value) in &self.check.initial_metadata {
            request = request.header(name.as_str(), value.as_str());
        }
        let message = HealthCheckRequest { service: self.check.service_name.clone() };
        let framed = frame(&message).ok_or_else(|| Problem::failed("service_name is too long"))?;
        request.body(Body::new(framed)).map_err(|error| Problem::failed(error.to_string()))
    }
}

/// A message with its prefix; `None` if it is longer than a prefix can say.
pub(super) fn frame(message: &impl Message) -> Option<Bytes> {
    let message = message.encode_to_vec();
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len()).ok()?.to_be_bytes());
    framed.extend(message);
    Some(framed.into())
}

async fn collect(mut body: Incoming) -> Result<(Vec<u8>, Option<HeaderMap>), Problem> {
    let mut message = Vec::new();
    while let Some(frame) = body.frame().await {
        match frame.map_err(Problem::unreachable)?.into_data() {
            Ok(bytes) => message.extend_from_slice(&bytes),
            Err(frame) => return Ok((message, frame.into_trailers().ok())),
        }
        if message.len() > HEALTH_CHECK_BYTES_MAX {
            return Err(Problem::failed("the answer is longer than accepted"));
        }
    }
    Ok((message, None))
}

fn judge(message: &[u8], trailers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &str| {
        let value = trailers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
        String::from_utf8_lossy(value).into_owned()
    };
    let status = text("grpc-status");
    if status != "0" {
        return Err(Problem::failed(format!("grpc-status {status:?} {}", text("grpc-message"))));
    }
    let payload = message.get(PREFIX_BYTES..).ok_or_else(|| Problem::failed("no message in the answer"))?;
    let response =
        HealthCheckResponse::decode(payload).map_err(|error| Problem::failed(error.to_string()))?;
    if response.status != SERVING {
        return Err(Problem::failed(format!("serving status {}", response.status)));
    }
    Ok(())
}
