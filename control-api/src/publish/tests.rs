use std::collections::BTreeSet;

use envoy_types::pb::envoy::config::cluster::v3 as cluster;
use envoy_types::pb::envoy::config::endpoint::v3 as endpoint;
use envoy_types::pb::envoy::config::listener::v3 as listener;
use envoy_types::pb::envoy::config::route::v3 as route;
use envoy_types::pb::envoy::extensions::transport_sockets::tls::v3 as tls;
use proptest::prelude::*;
use prost::Message;
use serde_json::{Value, json};

use super::*;
use crate::resource::object::Object;

const DOMAIN: &str = "test.mesh";

fn site(name: &str, region: &str, port: u16) -> Value {
    json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Site", "metadata": {"name": name},
        "spec": {"locality": {"region": region, "zone": "z"},
            "gateway": {"address": "127.0.0.1", "port": port, "meshPort": port + 1}}})
}

fn service(name: &str, protocol: &str, instances: &[(&str, u16)]) -> Value {
    let instances: Vec<_> = instances
        .iter()
        .map(|(site, port)| json!({"site": site, "address": format!("10.0.0.{}", port % 250), "port": port}))
        .collect();
    json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Service", "metadata": {"name": name},
        "spec": {"protocol": protocol, "instances": instances}})
}

fn http_route(name: &str, hosts: &[&str], rules: Value) -> Value {
    json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name},
        "spec": {"hostnames": hosts, "rules": rules}})
}

fn failover(service: &str, order: &[&str]) -> Value {
    json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "Failover", "metadata": {"name": service},
        "spec": {"service": service, "order": order}})
}

fn with(mut document: Value, field: &str, value: Value) -> Value {
    document["spec"][field] = value;
    document
}

fn three_sites() -> Vec<Value> {
    vec![site("fra", "eu", 1000), site("ber", "eu", 2000), site("iad", "us", 3000)]
}

fn world(documents: Vec<Value>) -> World {
    let mut world = World::new(DOMAIN);
    for document in documents {
        world.insert(Object::parse(&document).expect("valid by itself"));
    }
    reference::check(&world).expect("valid together");
    world
}

fn told(world: &World, site: &str) -> Resources {
    publish(world, &SpiffeId::gateway(DOMAIN, site), "bundle of test.mesh")
}

fn find<M: Name + Default>(resources: &Resources, name: &str) -> M {
    let key = (format!("type.googleapis.com/{}", M::full_name()), name.to_string());
    let found = resources.by_name.get(&key).unwrap_or_else(|| panic!("{name} is not told"));
    M::decode(found.body.value.as_slice()).unwrap()
}

fn is_told<M: Name>(resources: &Resources, name: &str) -> bool {
    let key = (format!("type.googleapis.com/{}", M::full_name()), name.to_string());
    resources.by_name.contains_key(&key)
}

/// The ports of each priority of an assignment.
fn ports(assignment: &endpoint::ClusterLoadAssignment) -> Vec<(u32, u32)> {
    use envoy_types::pb::envoy::config::core::v3::address::Address;
    use envoy_types::pb::envoy::config::core::v3::socket_address::PortSpecifier;
    let mut ports = Vec::new();
    for locality in &assignment.endpoints {
        for lb_endpoint in &locality.lb_endpoints {
            let Some(endpoint::lb_endpoint::HostIdentifier::Endpoint(e)) = &lb_endpoint.host_identifier
            else {
                panic!("an endpoint without an address");
            };
            match e.address.as_ref().and_then(|a| a.address.as_ref()) {
                Some(Address::SocketAddress(socket)) => match socket.port_specifier {
                    Some(PortSpecifier::PortValue(port)) => ports.push((locality.priority, port)),
                    _ => panic!("no port"),
                },
                _ => panic!("no socket address"),
            }
        }
    }
    ports
}

fn virtual_host(resources: &Resources, host: &str) -> route::VirtualHost {
    let table: route::RouteConfiguration = find(resources, "gateway");
    let found = table.virtual_hosts.into_iter().find(|v| v.domains == [host]);
    found.unwrap_or_else(|| panic!("no host {host}"))
}

fn names(host: &route::VirtualHost) -> Vec<&str> {
    let mut names: Vec<_> = host.routes.iter().map(|r| r.name.as_str()).collect();
    names.dedup();
    names
}

#[test]
fn of_other_sites_only_the_gateways_are_seen() {
    let mut documents = three_sites();
    documents.push(service("cart", "http", &[("fra", 9001), ("iad", 9003), ("iad", 9004)]));
    let resources = told(&world(documents), "fra");
    let everywhere = find(&resources, "mesh/cart");
    assert_eq!(ports(&everywhere), [(0, 9001), (1, 3001)]);
    let local = find(&resources, "local/cart");
    assert_eq!(ports(&local), [(0, 9001)]);
    let remote = &everywhere.endpoints[1].lb_endpoints[0];
    assert_eq!(remote.load_balancing_weight.unwrap().value, 2, "the weight of what is behind it");
    let all: Vec<u8> = resources.by_name.values().flat_map(|p| p.body.value.clone()).collect();
    let instance = b"10.0.0.3";
    assert!(!all.windows(instance.len()).any(|w| w == instance), "an instance of iad is told to fra");
}

#[test]
fn sites_take_over_by_locality_or_in_the_order_told() {
    let mut documents = three_sites();
    let everywhere = [("fra", 9001), ("ber", 9002), ("iad", 9003)];
    documents.push(service("cart", "http", &everywhere));
    documents.push(service("till", "http", &everywhere));
    documents.push(failover("till", &["iad"]));
    let world = world(documents);
    let order = |site: &str, service: &str| ports(&find(&told(&world, site), &format!("mesh/{service}")));
    assert_eq!(order("fra", "cart"), [(0, 9001), (1, 2001), (2, 3001)]);
    assert_eq!(order("iad", "cart"), [(0, 9003), (1, 2001), (1, 1001)]);
    assert_eq!(order("fra", "till"), [(0, 9001), (1, 3001)]);
    assert_eq!(order("iad", "till"), [(0, 9003)]);
}

#[test]
fn a_site_without_instances_prefers_the_next_site() {
    let mut documents = three_sites();
    documents.push(service("cart", "http", &[("ber", 9002), ("iad", 9003)]));
    let resources = told(&world(documents), "fra");
    assert_eq!(ports(&find(&resources, "mesh/cart")), [(0, 2001), (1, 3001)]);
    assert!(!is_told::<cluster::Cluster>(&resources, "local/cart"));
    assert!(!is_told::<listener::Listener>(&resources, "mesh"));
}

#[test]
fn only_gateways_of_known_sites_of_the_own_domain_are_told_anything() {
    let world = world(three_sites());
    for stranger in
        [SpiffeId::gateway(DOMAIN, "nrt"), SpiffeId::gateway("other.mesh", "fra"), SpiffeId::control(DOMAIN)]
    {
        assert_eq!(publish(&world, &stranger, "bundle"), Resources::default(), "{stranger}");
    }
}

#[test]
fn a_service_is_told_only_to_the_sites_it_is_visible_to() {
    let mut documents = three_sites();
    let cart = service("cart", "http", &[("fra", 9001)]);
    documents.push(with(cart, "visibleTo", json!(["fra", "ber"])));
    let world = world(documents);
    assert!(is_told::<cluster::Cluster>(&told(&world, "ber"), "mesh/cart"));
    assert!(!is_told::<cluster::Cluster>(&told(&world, "iad"), "mesh/cart"));
    let mesh: listener::Listener = find(&told(&world, "fra"), "mesh");
    let socket = mesh.filter_chains[0].transport_socket.clone().unwrap();
    let Some(envoy_types::pb::envoy::config::core::v3::transport_socket::ConfigType::TypedConfig(any)) =
        socket.config_type
    else {
        panic!("no TLS");
    };
    let context = String::from_utf8_lossy(&any.value).into_owned();
    assert!(context.contains("spiffe://test.mesh/site/ber/gateway"), "{context}");
    assert!(!context.contains("spiffe://test.mesh/site/iad/gateway"), "{context}");
}

#[test]
fn a_service_that_only_its_own_site_may_use_is_not_served_to_others() {
    let mut documents = three_sites();
    let cart = service("cart", "http", &[("fra", 9001)]);
    documents.push(with(cart, "visibleTo", json!(["fra"])));
    let resources = told(&world(documents), "fra");
    assert!(is_told::<cluster::Cluster>(&resources, "mesh/cart"));
    assert!(!is_told::<listener::Listener>(&resources, "mesh"));
}

#[test]
fn the_mesh_listener_asks_for_certificates_and_leads_to_local_clusters_only() {
    let mut documents = three_sites();
    documents.push(service("cart", "http", &[("fra", 9001), ("iad", 9003)]));
    documents.push(with(service("db", "tcp", &[("fra", 5432), ("iad", 5433)]), "port", json!(5432)));
    let mesh: listener::Listener = find(&told(&world(documents), "fra"), "mesh");
    assert_eq!(mesh.filter_chains.len(), 2);
    for chain in &mesh.filter_chains {
        use envoy_types::pb::envoy::config::core::v3::transport_socket::ConfigType;
        let Some(ConfigType::TypedConfig(any)) = chain.transport_socket.clone().unwrap().config_type else {
            panic!("{} has no TLS", chain.name);
        };
        let context = tls::DownstreamTlsContext::decode(any.value.as_slice()).unwrap();
        assert!(context.require_client_certificate.unwrap().value, "{}", chain.name);
        let matched = chain.filter_chain_match.clone().unwrap();
        assert_eq!(matched.server_names, [format!("{}.mesh.tombolo", chain.name)]);
    }
    let bytes = String::from_utf8_lossy(&mesh.encode_to_vec()).into_owned();
    assert!(bytes.contains("local/cart") && bytes.contains("local/db"));
    assert!(!bytes.contains("mesh/"), "the mesh listener leads back into the mesh");
}

#[test]
fn matches_go_first_by_the_gateway_apis_precedence() {
    let mut documents = three_sites();
    documents.push(service("cart", "http", &[("fra", 9001)]));
    let to_cart = json!([{"name": "cart"}]);
    let rule = |matches: Value| json!({"matches": [matches], "backendRefs": to_cart});
    let prefix = |value: &str| json!({"path": {"type": "PathPrefix", "value": value}});
    let mut headers = prefix("/a");
    headers["headers"] = json!([{"name": "x", "value": "1"}]);
    let mut method = prefix("/a");
    method["method"] = json!("POST");
    documents.push(http_route(
        "shop",
        &["shop.example.com"],
        json!([
            rule(prefix("/")),
            rule(prefix("/a")),
            rule(headers),
            rule(method),
            rule(prefix("/a/longer")),
            rule(json!({"path": {"type": "RegularExpression", "value": "/a.*"}})),
            rule(json!({"path": {"type": "Exact", "value": "/a"}})),
        ]),
    ));
    let host = virtual_host(&told(&world(documents), "fra"), "shop.example.com");
    let expected = [6, 5, 4, 3, 2, 1, 0].map(|i| format!("HTTPRoute/shop/{i}/0"));
    assert_eq!(names(&host), expected);
}

#[test]
fn a_host_falls_back_to_the_wildcards_above_it_and_a_service_to_its_own_host() {
    let mut documents = three_sites();
    let cart = service("cart", "http", &[("fra", 9001)]);
    documents.push(with(cart, "hosts", json!(["cart.example.com"])));
    let rules = json!([{"matches": [{"path": {"value": "/x"}}], "backendRefs": [{"name": "cart"}]}]);
    documents.push(http_route("one", &["shop.example.com", "cart.example.com"], rules.clone()));
    documents.push(http_route("wild", &["*.example.com"], rules.clone()));
    documents.push(http_route("all", &[], rules));
    let resources = told(&world(documents), "fra");
    let host = |host: &str| virtual_host(&resources, host);
    assert_eq!(
        names(&host("shop.example.com")),
        ["HTTPRoute/one/0/0", "HTTPRoute/wild/0/0", "HTTPRoute/all/0/0"]
    );
    assert_eq!(names(&host("cart.example.com"))[..2], ["HTTPRoute/one/0/0", "Service/cart"]);
    assert_eq!(names(&host("*")), ["HTTPRoute/all/0/0"]);
}

#[test]
fn only_idempotent_methods_are_retried_after_an_instance_may_have_seen_them() {
    let mut documents = three_sites();
    documents.push(service("cart", "http", &[("fra", 9001)]));
    let host = virtual_host(&told(&world(documents), "fra"), "cart.mesh");
    let retry_on = |route: &route::Route| match &route.action {
        Some(route::route::Action::Route(action)) => action.retry_policy.clone().unwrap().retry_on,
        _ => panic!("not forwarded"),
    };
    let [idempotent, other] = host.routes.as_slice() else { panic!("two routes") };
    assert_eq!(idempotent.r#match.clone().unwrap().headers[0].name, ":method");
    assert!(retry_on(idempotent).contains("reset"));
    assert!(other.r#match.clone().unwrap().headers.is_empty());
    assert_eq!(retry_on(other), "connect-failure,refused-stream");
}

#[test]
fn replacing_a_prefix_by_a_slash_leaves_one_slash() {
    let mut documents = three_sites();
    documents.push(service("cart", "http", &[("fra", 9001)]));
    let rewrite = json!({"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}});
    documents.push(http_route(
        "shop",
        &["s.example.com"],
        json!([{"matches": [{"path": {"value": "/cart"}, "method": "GET"}],
            "filters": [{"type": "URLRewrite", "urlRewrite": rewrite}],
            "backendRefs": [{"name": "cart"}]}]),
    ));
    let host = virtual_host(&told(&world(documents), "fra"), "s.example.com");
    let paths: Vec<_> =
        host.routes.iter().map(|r| r.r#match.clone().unwrap().path_specifier.unwrap()).collect();
    use route::route_match::PathSpecifier::{Path, Prefix};
    assert_eq!(paths, [Path("/cart".into()), Prefix("/cart/".into())]);
}

#[test]
fn a_new_trust_domain_changes_the_bundle_secret_and_nothing_else() {
    let mut documents = three_sites();
    documents.push(service("cart", "http", &[("fra", 9001), ("iad", 9003)]));
    let before = told(&world(documents.clone()), "fra");
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::default();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let bundle = params.self_signed(&key).unwrap().pem();
    documents.push(json!({"apiVersion": "tombolo.dev/v1alpha1", "kind": "TrustDomain",
        "metadata": {"name": "partner.example"}, "spec": {"bundle": bundle}}));
    let after = told(&world(documents), "fra");
    let changed: BTreeSet<_> = after
        .by_name
        .iter()
        .filter(|(key, published)| before.by_name.get(*key).map(|p| &p.body) != Some(&published.body))
        .map(|((_, name), _)| name.as_str())
        .collect();
    assert_eq!(changed, BTreeSet::from(["tombolo_bundle"]));
}

#[test]
fn names_are_looked_up_by_the_proxy_and_need_no_endpoint_resource() {
    let mut documents = three_sites();
    let mut cart = service("cart", "http", &[("fra", 9001)]);
    cart["spec"]["instances"][0]["address"] = json!("cart.internal");
    documents.push(cart);
    let resources = told(&world(documents), "fra");
    let cluster: cluster::Cluster = find(&resources, "mesh/cart");
    assert!(cluster.load_assignment.is_some());
    assert!(!is_told::<endpoint::ClusterLoadAssignment>(&resources, "mesh/cart"));
}

#[test]
fn every_reference_between_told_resources_holds() {
    let mut documents = three_sites();
    documents.push(service("cart", "http", &[("fra", 9001), ("iad", 9003)]));
    documents.push(service("rpc", "grpc", &[("iad", 9005)]));
    documents.push(service("dark", "tcp", &[("iad", 9006)]));
    documents.push(with(service("db", "tcp", &[("ber", 5432)]), "port", json!(5432)));
    documents.push(json!({"apiVersion": "gateway.networking.k8s.io/v1alpha2", "kind": "TCPRoute",
        "metadata": {"name": "dark"}, "spec": {"parentRefs": [{"name": "fra", "port": 7000}],
            "rules": [{"backendRefs": [{"name": "dark", "weight": 2}, {"name": "db"}]}]}}));
    let world = world(documents);
    for site in ["fra", "ber", "iad"] {
        let resources = told(&world, site);
        let clusters: BTreeSet<_> =
            resources.decoded::<cluster::Cluster>().into_iter().map(|c| c.name).collect();
        let assignments: BTreeSet<_> = resources
            .decoded::<endpoint::ClusterLoadAssignment>()
            .into_iter()
            .map(|a| a.cluster_name)
            .collect();
        assert_eq!(clusters, assignments, "{site}");
        let text: String = resources
            .by_name
            .iter()
            .filter(|((of, _), _)| of.ends_with("Listener") || of.ends_with("RouteConfiguration"))
            .map(|(_, p)| String::from_utf8_lossy(&p.body.value).into_owned())
            .collect();
        for service in ["cart", "rpc", "dark", "db"] {
            for name in [name::everywhere(service), name::local(service)] {
                assert!(!text.contains(&name) || clusters.contains(&name), "{site}: {name} is not told");
            }
        }
    }
    assert!(is_told::<listener::Listener>(&told(&world, "fra"), "tcp/7000"));
    assert!(!is_told::<listener::Listener>(&told(&world, "ber"), "tcp/7000"));
}

proptest! {
    #[test]
    fn any_mesh_gives_contiguous_priorities_the_own_site_first(
        places in proptest::collection::vec((0_usize..3, 1_u16..200), 0..12),
        order in proptest::collection::vec(0_usize..3, 0..3),
        has_failover in any::<bool>(),
        own in 0_usize..3,
    ) {
        let names = ["fra", "ber", "iad"];
        let mut documents = three_sites();
        let unique: BTreeSet<_> = places.into_iter().collect();
        let instances: Vec<_> = unique.iter().map(|(s, p)| (names[*s], 9000 + p)).collect();
        documents.push(service("cart", "http", &instances));
        if has_failover {
            let order: BTreeSet<_> = order.into_iter().map(|i| names[i]).collect();
            documents.push(failover("cart", &order.into_iter().collect::<Vec<_>>()));
        }
        let world = world(documents);
        let resources = told(&world, names[own]);
        prop_assert_eq!(&resources, &told(&world, names[own]), "the same world gives the same bytes");
        let assignment: endpoint::ClusterLoadAssignment = find(&resources, "mesh/cart");
        let priorities: BTreeSet<_> = assignment.endpoints.iter().map(|e| e.priority).collect();
        prop_assert!(priorities.iter().copied().eq(0..priorities.len() as u32), "{priorities:?}");
        let own_instances = instances.iter().filter(|(s, _)| *s == names[own]).count();
        if own_instances > 0 {
            let first = ports(&assignment).iter().filter(|(p, port)| *p == 0 && *port >= 9000).count();
            prop_assert_eq!(first, own_instances);
        }
    }
}
