//! The small service of the demo: says who answered, so that a failover is seen.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use clap::Args;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use proxy::boot::parent;
use tokio::net::TcpListener;

use crate::failure::Failure;

/// Answer HTTP/1.1 requests with one's name and site.
#[derive(Debug, Args)]
pub(crate) struct DemoService {
    /// Name of the service.
    #[arg(long)]
    name: String,
    /// Site it runs at.
    #[arg(long)]
    site: String,
    /// Where it listens.
    #[arg(long)]
    listen: SocketAddr,
}

impl DemoService {
    pub(crate) async fn run(self) -> Result<(), Failure> {
        let listener = TcpListener::bind(self.listen).await.map_err(|error| {
            format!("demo service {}: cannot listen on {}: {error}", self.name, self.listen)
        })?;
        tokio::select! {
            () = parent::gone(true) => Ok(()),
            () = self.serve(listener) => Ok(()),
        }
    }

    async fn serve(&self, listener: TcpListener) {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let (name, site) = (self.name.clone(), self.site.clone());
            tokio::spawn(async move {
                let service = service_fn(move |request: Request<Incoming>| {
                    let answer = answer(&name, &site, &request);
                    async move { Ok::<_, Infallible>(answer) }
                });
                // A client that goes away in the middle is of no interest here.
                let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    }
}

fn answer(name: &str, site: &str, request: &Request<Incoming>) -> Response<Full<Bytes>> {
    let body =
        format!("{{\"service\":\"{name}\",\"site\":\"{site}\",\"path\":{:?}}}\n", request.uri().path());
    let mut response = Response::new(Full::from(body));
    let json = http::HeaderValue::from_static("application/json");
    response.headers_mut().insert(http::header::CONTENT_TYPE, json);
    if let Ok(site) = http::HeaderValue::from_str(site) {
        response.headers_mut().insert("x-demo-site", site);
    }
    response
}
