//! HTTP checks: a request whose status must be the expected one.

use ::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use xds::model::{Address, HttpHealthCheck, StatusRange};

use super::dial::{Body, Client};
use super::problem::Problem;
use super::verdict::Finding;
use crate::limits::HEALTH_CHECK_BYTES_MAX;
use crate::upstream::host::Host;

/// Asks over HTTP.
#[derive(Debug)]
pub(super) struct Asker {
    check: HttpHealthCheck,
    authority: String,
    address: Address,
    client: Option<Client>,
}

impl Asker {
    pub(super) fn new(check: HttpHealthCheck, authority: String, address: Address) -> Self {
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
            None => Client::connect(host, &self.address, self.check.http2).await?,
        };
        let request = self.request(host.transport().is_tls())?;
        let response = client.send(request).await?;
        let status = response.status();
        let service = response.headers().get("x-envoy-upstream-healthchecked-cluster").cloned();
        if drain(response.into_body()).await {
            self.client = Some(client);
        }
        judge(&self.check, status)?;
        let Some(expected) = &self.check.service_name else { return Ok(()) };
        let service = service.as_ref().and_then(|name| name.to_str().ok()).unwrap_or_default();
        if expected.is_match(service) {
            return Ok(());
        }
        let detail = format!("service {service:?} answered, which is not the one expected");
        Err(Problem { finding: Finding::Failed, detail, other_service: true })
    }

    fn request(&self, tls: bool) -> Result<Request<Body>, Problem> {
        let path = &self.check.path;
        let mut request = Request::builder().method(self.check.method.clone());
        request = if self.check.http2 {
            let scheme = if tls { "https" } else { "http" };
            request.uri(format!("{scheme}://{}{path}", self.authority))
        } else {
            request.uri(path.as_str()).header(header::HOST, &self.authority)
        };
        request = request.header(header::USER_AGENT, "tombolo/health-check");
        for (name, value) in &self.check.request_headers_to_add {
            request = request.header(name.as_str(), value.as_str());
        }
        request.body(Body::new(Bytes::new())).map_err(|error| Problem::failed(error.to_string()))
    }
}

fn judge(check: &HttpHealthCheck, status: StatusCode) -> Result<(), Problem> {
    let within = |ranges: &[StatusRange]| {
        ranges.iter().any(|range| (range.start..range.end).contains(&status.as_u16()))
    };
    let expected = match &*check.expected_statuses {
        [] => status == StatusCode::OK,
        ranges => within(ranges),
    };
    if expected {
        return Ok(());
    }
    let detail = format!("status {status}");
    if within(&check.retriable_statuses) {
        return Err(Problem::unreachable(detail));
    }
    Err(Problem::failed(detail))
}

/// Reads a body to its end; whether that was within reason, so that the connection may be kept.
async fn drain(mut body: Incoming) -> bool {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, Bytes::len);
        if read > HEALTH_CHECK_BYTES_MAX {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_by_table() {
        let check = |expected: &[(u16, u16)], retriable: &[(u16, u16)]| {
            let ranges = |ranges: &[(u16, u16)]| {
                ranges.iter().map(|(start, end)| StatusRange { start: *start, end: *end }).collect()
            };
            HttpHealthCheck {
                host: String::new(),
                path: "/".to_owned(),
                method: ::http::Method::GET,
                request_headers_to_add: Vec::new(),
                expected_statuses: ranges(expected),
                retriable_statuses: ranges(retriable),
                http2: false,
                service_name: None,
            }
        };
        for (expected, retriable, status, want) in [
            (&[][..], &[][..], 200, None),
            (&[], &[], 204, Some(Finding::Failed)),
            (&[(200, 300)], &[], 204, None),
            (&[(201, 202)], &[], 200, Some(Finding::Failed)),
            (&[], &[(500, 504)], 503, Some(Finding::Unreachable)),
            (&[], &[(500, 504)], 504, Some(Finding::Failed)),
        ] {
            let found = judge(&check(expected, retriable), StatusCode::from_u16(status).unwrap());
            let got = found.err().map(|problem| problem.finding);
            assert_eq!(got, want, "status {status}, expected {expected:?}, retriable {retriable:?}");
        }
    }
}
