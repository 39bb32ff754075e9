//! What is published is accepted by our own strict decoder: every field of every kind is used once.

use serde_json::{Value, json};

use super::*;
use crate::resource::object::Object;

const DOMAIN: &str = "test.mesh";

fn authority() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    params.self_signed(&key).unwrap().pem()
}

fn ours(kind: &str, name: &str, spec: Value) -> Value {
    json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn site(name: &str, region: &str, port: u16) -> Value {
    let gateway =
        json!({"address": "127.0.0.1", "bindAddress": "0.0.0.0", "port": port, "meshPort": port + 1});
    ours(
        "Site",
        name,
        json!({"locality": {"region": region, "zone": "z", "subZone": "s"}, "gateway": gateway}),
    )
}

fn services() -> Vec<Value> {
    let at = |site: &str, port: u16| json!({"site": site, "address": "127.0.0.1", "port": port, "weight": 3});
    let everywhere = || json!([at("fra", 9001), at("ber", 9002), at("iad", 9003)]);
    vec![
        ours(
            "Service",
            "web",
            json!({
            "protocol": "http", "hosts": ["web.example.com", "*.web.example.com"], "port": 80,
            "instances": everywhere(), "visibleTo": ["fra", "ber", "iad"],
            "healthCheck": {"type": "http", "path": "/h?x=1", "host": "h.example.com", "interval": "1s",
                "timeout": "500ms", "unhealthyThreshold": 3, "healthyThreshold": 2},
            "outlier": {"consecutiveErrors": 2, "interval": "2s", "ejectionTime": "70s", "maxEjectionPercent": 50},
            "loadBalancing": {"policy": "ringHash", "hashHeader": "X-User"},
            "retry": {"attempts": 2, "perTryTimeout": "1s"}, "timeout": "5s", "connectTimeout": "300ms",
            "circuitBreaker": {"maxConnections": 1, "maxPendingRequests": 2, "maxRequests": 3, "maxRetries": 4},
            "tls": {"serverName": "web.internal", "trustedCa": authority()}}),
        ),
        ours(
            "Service",
            "h2",
            json!({"protocol": "http2", "instances": everywhere(),
            "healthCheck": {"type": "http"}, "loadBalancing": {"policy": "maglev"}, "retry": {"attempts": 0}}),
        ),
        ours(
            "Service",
            "rpc",
            json!({"protocol": "grpc", "instances": everywhere(),
            "healthCheck": {"type": "grpc", "grpcService": "a.B"}, "loadBalancing": {"policy": "leastRequest"},
            "retry": {"grpcStatuses": ["cancelled", "deadline-exceeded", "internal", "resource-exhausted", "unavailable"]}}),
        ),
        ours(
            "Service",
            "db",
            json!({"protocol": "tcp", "port": 5432, "instances": everywhere(),
            "loadBalancing": {"policy": "random"}}),
        ),
        ours(
            "Service",
            "named",
            json!({"protocol": "http", "healthCheck": {"type": "none"},
            "instances": [{"site": "fra", "address": "named.internal", "port": 80}]}),
        ),
        ours("Service", "empty", json!({"protocol": "http"})),
    ]
}

fn routes() -> Vec<Value> {
    let prefix = |value: &str| json!({"path": {"type": "PathPrefix", "value": value}});
    let redirect = |redirect: Value| json!([{"type": "RequestRedirect", "requestRedirect": redirect}]);
    let rewrite = |rewrite: Value| json!([{"type": "URLRewrite", "urlRewrite": rewrite}]);
    let headers =
        json!({"set": [{"name": "A", "value": "50%"}], "add": [{"name": "b", "value": ""}], "remove": ["C"]});
    let to_web = || json!([{"name": "web"}]);
    let rules = json!([
        {"matches": [{"path": {"type": "Exact", "value": "/exact"}, "method": "POST",
            "headers": [{"name": "X", "value": "1"}, {"name": "Y", "type": "RegularExpression", "value": "a|b"}],
            "queryParams": [{"name": "q", "value": "1"}, {"name": "r", "type": "RegularExpression", "value": ".+"}]}],
         "filters": [{"type": "RequestHeaderModifier", "requestHeaderModifier": headers},
            {"type": "ResponseHeaderModifier", "responseHeaderModifier": headers},
            {"type": "URLRewrite", "urlRewrite": {"hostname": "b.example.com",
                "path": {"type": "ReplaceFullPath", "replaceFullPath": "/full"}}}],
         "backendRefs": [{"name": "web", "weight": 3, "port": 80, "filters": [
                {"type": "RequestHeaderModifier", "requestHeaderModifier": headers},
                {"type": "ResponseHeaderModifier", "responseHeaderModifier": headers}]},
            {"name": "rpc", "weight": 0}, {"name": "h2"}],
         "timeouts": {"request": "3s", "backendRequest": "1s"}},
        {"matches": [{"path": {"type": "RegularExpression", "value": "/re/[0-9]+"}}], "backendRefs": to_web()},
        {"matches": [prefix("/slash")], "backendRefs": to_web(),
         "filters": rewrite(json!({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}))},
        {"matches": [prefix("/")], "backendRefs": to_web(),
         "filters": rewrite(json!({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/new"}}))},
        {"matches": [prefix("/full")], "backendRefs": to_web(),
         "filters": rewrite(json!({"path": {"type": "ReplaceFullPath", "replaceFullPath": "/one"}}))},
        {"matches": [prefix("/gone")], "filters": redirect(json!({"scheme": "https", "hostname": "c.example.com",
            "statusCode": 301, "path": {"type": "ReplaceFullPath", "replaceFullPath": "/"}}))},
        {"matches": [prefix("/moved")], "filters": redirect(json!({"port": 8443, "statusCode": 308,
            "path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/to"}}))},
        {"matches": [prefix("/none")], "backendRefs": [{"name": "web", "weight": 0}]},
    ]);
    let gateway = "gateway.networking.k8s.io";
    vec![
        json!({"apiVersion": format!("{gateway}/v1"), "kind": "HTTPRoute", "metadata": {"name": "all"},
            "spec": {"hostnames": ["a.example.com", "*.example.com"], "rules": rules}}),
        json!({"apiVersion": format!("{gateway}/v1"), "kind": "HTTPRoute", "metadata": {"name": "any-host"},
            "spec": {"parentRefs": [{"name": "fra"}], "rules": [{"backendRefs": [{"name": "rpc"}]}]}}),
        json!({"apiVersion": format!("{gateway}/v1alpha2"), "kind": "TCPRoute", "metadata": {"name": "tcp"},
            "spec": {"parentRefs": [{"name": "mesh", "port": 7000}],
                "rules": [{"backendRefs": [{"name": "db", "weight": 5}]}]}}),
    ]
}

/// A mesh in which every field of every kind is set somewhere.
fn world() -> World {
    let mut documents = vec![site("fra", "eu", 1000), site("ber", "eu", 2000), site("iad", "us", 3000)];
    documents.extend(services());
    documents.extend(routes());
    documents.push(ours(
        "Failover",
        "web",
        json!({"service": "web", "order": ["iad"], "overprovisioningPercent": 200}),
    ));
    documents.push(ours("TrustDomain", "partner.example", json!({"bundle": authority()})));
    let mut world = World::new(DOMAIN);
    for document in documents {
        world.insert(Object::parse(&document).unwrap_or_else(|e| panic!("{e}: {document}")));
    }
    reference::check(&world).expect("valid together");
    world
}

#[test]
fn our_own_decoder_accepts_everything_that_is_published() {
    let (world, bundle) = (world(), authority());
    for site in ["fra", "ber", "iad"] {
        let resources = publish(&world, &SpiffeId::gateway(DOMAIN, site), &bundle);
        assert!(resources.by_name.len() > 20, "{site}: {}", resources.by_name.len());
        for ((type_url, name), published) in &resources.by_name {
            let decoded = xds::decode::resource(type_url, &published.body);
            let decoded = decoded.unwrap_or_else(|error| panic!("{site}: {type_url} {name}: {error}"));
            assert_eq!(decoded.name(), name);
        }
    }
}
