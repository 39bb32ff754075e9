use serde_json::{Value, json};

use super::invalid::Invalid;
use super::object::Object;
use super::reference::{self, Misfit};
use super::world::World;

fn site(name: &str, port: u16) -> Value {
    json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Site", "metadata": {"name": name},
        "spec": {"locality": {"region": "r1"},
            "gateway": {"address": "127.0.0.1", "port": port, "meshPort": port + 1}}})
}

fn service(name: &str, protocol: &str, site: &str) -> Value {
    json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Service", "metadata": {"name": name},
        "spec": {"protocol": protocol,
            "instances": [{"site": site, "address": "127.0.0.1", "port": 9001}]}})
}

fn http_route(backend: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute",
        "metadata": {"name": "shop"},
        "spec": {"hostnames": ["shop.example.com"], "parentRefs": [{"name": "mesh"}],
            "rules": [{
                "matches": [{"path": {"type": "PathPrefix", "value": "/cart"}, "method": "GET"}],
                "filters": [{"type": "URLRewrite",
                    "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}}}],
                "backendRefs": [{"name": backend, "weight": 3}],
                "timeouts": {"request": "5s"}}]}})
}

fn tcp_route(port: i32, backend: &str) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1alpha2", "kind": "TCPRoute",
        "metadata": {"name": "db"},
        "spec": {"parentRefs": [{"name": "mesh", "port": port}],
            "rules": [{"backendRefs": [{"name": backend}]}]}})
}

fn world(documents: &[Value]) -> Result<World, Misfit> {
    let mut world = World::new("test.mesh");
    for document in documents {
        world.insert(Object::parse(document).expect("document is valid by itself"));
    }
    reference::check(&world).map(|()| world)
}

/// The document with the value at `pointer` replaced or added.
fn with(mut document: Value, pointer: &str, value: Value) -> Value {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        parent => parent[key] = value,
    }
    document
}

fn refused(document: Value) -> Invalid {
    match Object::parse(&document) {
        Err(invalid) => invalid,
        Ok(_) => panic!("accepted: {document}"),
    }
}

#[test]
fn every_kind_is_read_and_written_back_as_it_was() {
    let documents = [
        site("a", 8080),
        service("cart", "http", "a"),
        http_route("cart"),
        tcp_route(5432, "db"),
        json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Failover",
            "metadata": {"name": "cart"}, "spec": {"service": "cart", "order": ["b", "c"]}}),
        json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "JoinToken",
            "metadata": {"name": "first"}, "spec": {"site": "a", "ttl": "10m"}}),
    ];
    for document in documents {
        let object = Object::parse(&document).expect("valid");
        assert_eq!(object.to_json(), document);
    }
}

#[test]
fn a_wrong_field_is_refused_with_its_path() {
    let route = || http_route("cart");
    let cases = [
        (with(site("a", 1), "/spec/gateway/ports", json!(1)), "spec.gateway.ports"),
        (with(site("a", 1), "/spec/gateway/port", json!("x")), "spec.gateway.port"),
        (with(site("a", 1), "/spec/gateway/port", json!(70000)), "spec.gateway.port"),
        (with(site("a", 1), "/spec/gateway/port", json!(0)), "spec.gateway.port"),
        (with(site("a", 1), "/spec/gateway/meshPort", json!(1)), "spec.gateway.meshPort"),
        (with(site("a", 1), "/metadata/name", json!("A_b")), "metadata.name"),
        (with(site("a", 1), "/metadata/name", json!("mesh")), "metadata.name"),
        (with(site("a", 1), "/metadata/namespace", json!("prod")), "metadata.namespace"),
        (with(site("a", 1), "/metadata/extra", json!(1)), "metadata.extra"),
        (with(site("a", 1), "/specs", json!({})), "specs"),
        (with(site("a", 1), "/kind", json!("Sites")), "kind"),
        (with(site("a", 1), "/apiVersion", json!("v1")), "apiVersion"),
        (with(service("s", "http", "a"), "/spec/protocol", json!("udp")), "spec.protocol"),
        (with(service("s", "http", "a"), "/spec/instances/0/weight", json!(0)), "spec.instances[0].weight"),
        (with(service("s", "tcp", "a"), "/spec/hosts", json!(["a.b"])), "spec.hosts"),
        (with(service("s", "http", "a"), "/spec/hosts", json!(["a.b", "a.b"])), "spec.hosts[1]"),
        (with(service("s", "http", "a"), "/spec/timeout", json!("5")), "spec.timeout"),
        (
            with(service("s", "http", "a"), "/spec/healthCheck", json!({"type": "grpc"})),
            "spec.healthCheck.type",
        ),
        (
            with(service("s", "http", "a"), "/spec/healthCheck", json!({"type": "tcp", "path": "/"})),
            "spec.healthCheck.path",
        ),
        (with(route(), "/spec/rules/0/extra", json!([])), "spec.rules[0].extra"),
        (
            with(route(), "/spec/rules/0/matches/0/path/type", json!("Glob")),
            "spec.rules[0].matches[0].path.type",
        ),
        (
            with(route(), "/spec/rules/0/matches/0/path", json!({"type": "RegularExpression", "value": "("})),
            "spec.rules[0].matches[0].path.value",
        ),
        (
            with(
                route(),
                "/spec/rules/0/filters/0",
                json!({"type": "RequestMirror",
                "requestMirror": {"backendRef": {"name": "x"}}}),
            ),
            "spec.rules[0].filters[0].type",
        ),
        (with(route(), "/spec/rules/0/timeouts/request", json!("5")), "spec.rules[0].timeouts.request"),
        (with(route(), "/spec/rules/0/backendRefs", json!([])), "spec.rules[0].backendRefs"),
        (
            with(route(), "/spec/rules/0/backendRefs/0/kind", json!("Bucket")),
            "spec.rules[0].backendRefs[0].kind",
        ),
        (with(tcp_route(0, "db"), "/spec/rules/0/name", json!("r")), "spec.parentRefs[0].port"),
    ];
    for (document, field) in cases {
        let invalid = refused(document);
        assert_eq!(invalid.field, field, "{invalid}");
        assert!(!invalid.message.is_empty());
    }
}

#[test]
fn references_that_hold_are_accepted() {
    let cart = with(service("cart", "http", "a"), "/spec/port", json!(80));
    let route = with(http_route("cart"), "/spec/rules/0/backendRefs/0/port", json!(80));
    world(&[site("a", 8080), cart, route]).expect("all references hold");
}

#[test]
fn references_that_do_not_hold_are_refused_with_the_resource_and_its_field() {
    let a = || site("a", 8080);
    let cart = || service("cart", "http", "a");
    let db = || with(service("db", "tcp", "a"), "/spec/port", json!(5432));
    let other = || with(cart(), "/metadata/name", json!("other"));
    let failover = |name: &str, service: &str, order: &str| {
        json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Failover",
            "metadata": {"name": name}, "spec": {"service": service, "order": [order]}})
    };
    let cases = [
        (vec![cart()], "Service/cart", "spec.instances[0].site"),
        (vec![a(), http_route("cart")], "HTTPRoute/shop", "spec.rules[0].backendRefs[0].name"),
        (vec![a(), db(), http_route("db")], "HTTPRoute/shop", "spec.rules[0].backendRefs[0].name"),
        (
            vec![a(), cart(), with(http_route("cart"), "/spec/rules/0/backendRefs/0/port", json!(81))],
            "HTTPRoute/shop",
            "spec.rules[0].backendRefs[0].port",
        ),
        (
            vec![a(), cart(), with(http_route("cart"), "/spec/parentRefs/0/name", json!("b"))],
            "HTTPRoute/shop",
            "spec.parentRefs[0].name",
        ),
        (vec![a(), db(), tcp_route(5432, "db")], "TCPRoute/db", "spec.parentRefs[0].port"),
        (vec![a(), db(), tcp_route(8081, "db")], "TCPRoute/db", "spec.parentRefs[0].port"),
        (vec![a(), site("b", 8081)], "Site/b", "spec.gateway.port"),
        (
            vec![
                a(),
                with(cart(), "/spec/hosts", json!(["x.y"])),
                with(other(), "/spec/hosts", json!(["x.y"])),
            ],
            "Service/other",
            "spec.hosts[0]",
        ),
        (vec![a(), failover("f", "cart", "a")], "Failover/f", "spec.service"),
        (vec![a(), cart(), failover("f", "cart", "b")], "Failover/f", "spec.order[0]"),
        (
            vec![a(), cart(), failover("f", "cart", "a"), failover("g", "cart", "a")],
            "Failover/g",
            "spec.service",
        ),
    ];
    for (documents, object, field) in cases {
        let misfit = world(&documents).expect_err(&format!("{object} {field}"));
        assert_eq!(misfit.object.to_string(), object, "{misfit:?}");
        assert_eq!(misfit.invalid.field, field, "{misfit:?}");
    }
}

#[test]
fn a_bundle_that_is_no_authority_is_refused() {
    let leaf = rcgen::generate_simple_self_signed(["leaf".to_string()]).unwrap();
    let domain = |bundle: &str| {
        json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "TrustDomain",
            "metadata": {"name": "partner.example"}, "spec": {"bundle": bundle}})
    };
    for bundle in ["", "no pem", &leaf.cert.pem()] {
        assert_eq!(refused(domain(bundle)).field, "spec.bundle", "{bundle}");
    }
}
