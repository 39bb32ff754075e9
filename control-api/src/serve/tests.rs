use std::time::Duration;

use envoy_types::pb::envoy::config::core::v3::Node;
use envoy_types::pb::envoy::service::discovery::v3::{
    DeltaDiscoveryRequest, DiscoveryRequest, DiscoveryResponse,
};
use envoy_types::pb::google::rpc::Status;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming};
use xds::wire::resource::ResourceType;

use crate::error::Error;
use crate::serve::serve;
use crate::testing::{Control, Identity, csr, options, route, service, site};

const LIMIT: Duration = Duration::from_secs(10);

fn node() -> Option<Node> {
    Some(Node { id: "fra-1".into(), user_agent_name: "test".into(), ..Default::default() })
}

struct Stream {
    requests: mpsc::Sender<DiscoveryRequest>,
    responses: Streaming<DiscoveryResponse>,
}

impl Stream {
    async fn open(control: &Control, identity: Option<&Identity>) -> Result<Self, tonic::Status> {
        let (requests, receiver) = mpsc::channel(16);
        let first = DiscoveryRequest {
            type_url: ResourceType::Cluster.type_url(),
            node: node(),
            ..Default::default()
        };
        requests.send(first).await.unwrap();
        let mut client = control.discovery(identity).await;
        let responses = client.stream_aggregated_resources(ReceiverStream::new(receiver)).await?.into_inner();
        Ok(Self { requests, responses })
    }

    async fn next(&mut self) -> Result<DiscoveryResponse, tonic::Status> {
        let next = tokio::time::timeout(LIMIT, self.responses.message()).await;
        next.expect("a response in time").map(|response| response.expect("the stream goes on"))
    }

    async fn ask(&self, of: ResourceType, names: &[&str]) {
        let request = DiscoveryRequest {
            type_url: of.type_url(),
            resource_names: names.iter().map(|n| n.to_string()).collect(),
            ..Default::default()
        };
        self.requests.send(request).await.unwrap();
    }

    async fn answer(&self, to: &DiscoveryResponse, names: &[&str], error: Option<&str>) {
        let request = DiscoveryRequest {
            type_url: to.type_url.clone(),
            resource_names: names.iter().map(|n| n.to_string()).collect(),
            version_info: if error.is_none() { to.version_info.clone() } else { String::new() },
            response_nonce: to.nonce.clone(),
            error_detail: error.map(|message| Status {
                code: 3,
                message: message.into(),
                details: Vec::new(),
            }),
            ..Default::default()
        };
        self.requests.send(request).await.unwrap();
    }
}

async fn mesh() -> (Control, Identity) {
    let control = Control::start().await;
    control.apply(&[site("fra", 1000), site("ber", 2000), service("cart", &["fra", "ber"])]).await;
    let identity = control.join("fra").await;
    (control, identity)
}

#[tokio::test]
async fn a_proxy_joins_with_a_token_and_renews_with_what_it_got() {
    let (control, identity) = mesh().await;
    assert_eq!(identity.answer["spiffeId"], "spiffe://test.mesh/site/fra/gateway");
    let (_, csr) = csr();
    let (status, answer) = control.sign(Some(&identity), json!({"csr": csr})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["spiffeId"], "spiffe://test.mesh/site/fra/gateway");
    let (status, _) = control.sign(None, json!({"csr": csr})).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "neither a token nor a certificate");
    let (status, _) = control.sign(None, json!({"csr": csr, "token": "t.guess"})).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_bad_request_does_not_use_up_a_token_and_a_good_one_does() {
    let control = Control::start().await;
    control.apply(&[site("fra", 1000)]).await;
    let token = json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "JoinToken",
        "metadata": {"name": "one"}, "spec": {"site": "fra"}});
    let answer = control.apply(&[token]).await;
    let secret = answer["items"][0]["object"]["status"]["secret"].clone();
    let (status, _) = control.sign(None, json!({"csr": "nonsense", "token": secret})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let sign = async || control.sign(None, json!({"csr": csr().1, "token": secret})).await;
    assert_eq!(sign().await.0, StatusCode::OK);
    let (status, failure) = sign().await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(failure["message"].as_str().unwrap().contains("used already"), "{failure}");
    let (_, read) = control.call(Method::GET, "/v1/jointokens/one", None).await;
    assert!(read["status"]["usedAt"].is_string(), "{read}");
}

#[tokio::test]
async fn an_identity_is_not_renewed_once_its_site_is_gone() {
    let control = Control::start().await;
    control.apply(&[site("fra", 1000)]).await;
    let identity = control.join("fra").await;
    let (status, answer) = control.call(Method::DELETE, "/v1/sites/fra", None).await;
    assert_eq!(status, StatusCode::OK, "a used token holds no site: {answer}");
    let (status, failure) = control.sign(Some(&identity), json!({"csr": csr().1})).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{failure}");
    let status = Stream::open(&control, Some(&identity)).await.map(|_| ()).err();
    // Refused either before or as the first message of the stream.
    if let Some(status) = status {
        assert_eq!(status.code(), Code::PermissionDenied);
    }
}

#[tokio::test]
async fn discovery_is_refused_without_a_certificate_of_this_mesh() {
    let (control, _) = mesh().await;
    let mut stream = Stream::open(&control, None).await.expect("opened; refused at the first request");
    assert_eq!(stream.next().await.unwrap_err().code(), Code::Unauthenticated);
    let (_other, stranger) = mesh().await;
    let tls = control.tls(Some(&stranger), b"h2").await;
    // With TLS 1.3 the client learns of the refusal when it first reads.
    if let Ok(mut stream) = tls {
        use tokio::io::AsyncReadExt;
        let read = tokio::time::timeout(LIMIT, stream.read(&mut [0; 1024])).await.expect("in time");
        assert!(matches!(read, Err(_) | Ok(0)), "served a stranger");
    }
}

#[tokio::test]
async fn a_change_is_pushed_and_status_tells_when_it_is_live() {
    let (control, identity) = mesh().await;
    let mut stream = Stream::open(&control, Some(&identity)).await.unwrap();
    let clusters = stream.next().await.unwrap();
    assert_eq!(clusters.resources.len(), 2, "mesh/cart and local/cart");
    stream.answer(&clusters, &[], None).await;
    stream.ask(ResourceType::Listener, &[]).await;
    let listeners = stream.next().await.unwrap();
    stream.answer(&listeners, &[], None).await;
    let revision = control.call(Method::GET, "/status", None).await.1["revision"].clone();
    let status = control.until("/status", |s| s["proxies"][0]["current"] == true).await;
    assert_eq!(status["proxies"][0]["revision"], revision);
    assert_eq!(status["proxies"][0]["node"], "fra-1");
    control.apply(&[service("till", &["ber"])]).await;
    let changed = stream.next().await.unwrap();
    assert_eq!(changed.type_url, ResourceType::Cluster.type_url());
    assert_eq!(changed.resources.len(), 3);
    let (_, status) = control.call(Method::GET, "/status", None).await;
    assert_eq!(status["proxies"][0]["current"], false, "not before it is acknowledged");
    stream.answer(&changed, &[], None).await;
    control.until("/status", |s| s["sites"][1]["current"] == true).await;
    drop(stream);
    control.until("/status", |s| s["proxies"][0]["connected"] == false).await;
}

#[tokio::test]
async fn a_refusal_is_kept_with_the_resource_that_caused_it() {
    let (control, identity) = mesh().await;
    control.apply(&[route("shop", "cart")]).await;
    let mut stream = Stream::open(&control, Some(&identity)).await.unwrap();
    let clusters = stream.next().await.unwrap();
    stream.answer(&clusters, &[], None).await;
    stream.ask(ResourceType::RouteConfiguration, &["gateway"]).await;
    let routes = stream.next().await.unwrap();
    let words = "gateway: virtual_hosts[1].routes[0].match: no such thing";
    stream.answer(&routes, &["gateway"], Some(words)).await;
    let is_refused = |o: &Value| o["status"]["conditions"][1]["reason"] == "Refused";
    let shop = control.until("/v1/httproutes/shop", is_refused).await;
    assert!(shop["status"]["refusals"][0]["message"].as_str().unwrap().contains("no such thing"), "{shop}");
    let (_, cart) = control.call(Method::GET, "/v1/services/cart", None).await;
    assert!(!is_refused(&cart), "the service did not cause it: {cart}");
    let (_, status) = control.call(Method::GET, "/status", None).await;
    assert_eq!(status["proxies"][0]["current"], false);
}

#[tokio::test]
async fn the_incremental_variant_sends_only_what_changed() {
    let (control, identity) = mesh().await;
    let (requests, receiver) = mpsc::channel(16);
    let type_url = ResourceType::Cluster.type_url();
    let first = DeltaDiscoveryRequest { type_url: type_url.clone(), node: node(), ..Default::default() };
    requests.send(first).await.unwrap();
    let mut client = control.discovery(Some(&identity)).await;
    let mut responses =
        client.delta_aggregated_resources(ReceiverStream::new(receiver)).await.unwrap().into_inner();
    let initial = responses.message().await.unwrap().unwrap();
    assert_eq!(initial.resources.len(), 2);
    let acknowledged =
        DeltaDiscoveryRequest { type_url, response_nonce: initial.nonce, ..Default::default() };
    requests.send(acknowledged).await.unwrap();
    control.apply(&[service("till", &["ber"])]).await;
    let changed = tokio::time::timeout(LIMIT, responses.message()).await.unwrap().unwrap().unwrap();
    let names: Vec<_> = changed.resources.iter().map(|r| r.name.as_str()).collect();
    assert_eq!(names, ["mesh/till"]);
}

#[tokio::test]
async fn no_connection_outlives_its_certificate_and_our_own_is_renewed_in_time() {
    let directory = TempDir::new().unwrap();
    let mut short = options(&directory);
    short.svid_ttl = Duration::from_secs(2);
    let control = Control::start_with(directory, short).await;
    control.apply(&[site("fra", 1000)]).await;
    let identity = control.join("fra").await;
    let mut stream = Stream::open(&control, Some(&identity)).await.unwrap();
    stream.next().await.expect("served while the certificate is in force");
    let ended = tokio::time::timeout(LIMIT, stream.responses.message()).await.expect("ended in time");
    assert!(matches!(ended, Err(_) | Ok(None)), "{ended:?}");
    let renewed = control.join("fra").await;
    Stream::open(&control, Some(&renewed)).await.expect("our certificate is in force").next().await.unwrap();
}

#[tokio::test]
async fn state_is_there_again_after_a_restart() {
    let (control, identity) = mesh().await;
    let bundle = control.bundle();
    let Control { running, directory, .. } = control;
    running.shutdown().await;
    let control = Control::start_in(directory).await;
    assert_eq!(control.bundle(), bundle);
    let (_, cart) = control.call(Method::GET, "/v1/services/cart", None).await;
    assert_eq!(cart["metadata"]["name"], "cart");
    let (status, _) = control.sign(Some(&identity), json!({"csr": csr().1})).await;
    assert_eq!(status, StatusCode::OK, "an SVID from before counts");
}

#[tokio::test]
async fn what_stands_in_the_way_of_a_start_is_named() {
    let directory = TempDir::new().unwrap();
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let holder = tokio::net::TcpListener::bind(taken).await.unwrap();
    let mut wanted = options(&directory);
    wanted.discovery = taken;
    let error = serve(wanted).await.err().expect("refused");
    assert!(matches!(error, Error::Bind { .. }) && error.to_string().contains(&taken.to_string()), "{error}");
    drop(holder);
    let mut wanted = options(&directory);
    wanted.rest = "0.0.0.0:0".parse().unwrap();
    let error = serve(wanted).await.err().expect("refused").to_string();
    assert!(error.contains("loopback"), "{error}");
    let mut wanted = options(&directory);
    wanted.trust_domain = "Not Valid".into();
    let error = serve(wanted).await.err().expect("refused").to_string();
    assert!(error.contains("trust domain"), "{error}");
    let running = serve(options(&directory)).await.expect("what failed left nothing behind");
    let error = serve(options(&directory)).await.err().expect("refused").to_string();
    assert!(error.contains("in use"), "{error}");
    running.shutdown().await;
}
