use std::sync::LazyLock;

use http::{Method, StatusCode};
use xds::model::{
    AppendAction, ClusterTarget, DataSource, DirectResponse, Domain, FilterStateFactory, Fraction,
    HashPolicy, HashSource, HeaderMatcher, HeaderMutations, HeaderTest, HostRewrite, PathMatch, PathRewrite,
    QueryMatcher, QueryTest, Redirect, RedirectPath, Regex, RequireTls, Route, RouteAction,
    RouteConfiguration, RouteMatch, RuntimeFraction, RuntimeLayer, RuntimeSource, StringMatcher,
    WeightedCluster, WeightedClusters,
};

use super::{Action, Ends, Found, RouteTable};
use crate::body::{RequestHead, Scheme};
use crate::observe::attributes::Attributes;
use crate::policy::draw::Draw;
use crate::policy::samples;
use crate::policy::samples::{add, forward, get, host, path_match, place, prefix, record, route, table, to};
use crate::runtime::{LiveRuntime, RuntimeSnapshot};

/// A draw without runtime values.
fn draw(random: u64) -> Draw<'static> {
    static NONE: LazyLock<RuntimeSnapshot> = LazyLock::new(RuntimeSnapshot::default);
    Draw { random, runtime: &NONE }
}

fn compile(model: &RouteConfiguration) -> RouteTable {
    RouteTable::compile(model, &samples::shared()).unwrap()
}

fn any(routes: Vec<Route>) -> RouteTable {
    compile(&table(vec![host("all", vec![Domain::Any], routes)]))
}

/// The name of the route (which is its cluster's here), or of the virtual host's demand.
fn found(table: &RouteTable, head: &RequestHead) -> String {
    match table.find(head, draw(0), &Attributes::NONE) {
        Found::Route(_, route) => route.name.to_string(),
        Found::TlsRequired => "tls".to_owned(),
        Found::None => "none".to_owned(),
    }
}

#[test]
fn the_most_specific_domain_wins() {
    let domains = [
        ("exact", Domain::Exact("www.example.com".into())),
        ("port", Domain::Exact("www.example.com:8080".into())),
        ("suffix", Domain::Suffix(".example.com".into())),
        ("long-suffix", Domain::Suffix("-bar.example.com".into())),
        ("prefix", Domain::Prefix("www.example.".into())),
        ("any", Domain::Any),
    ];
    let hosts = domains.map(|(name, domain)| host(name, vec![domain], vec![to(prefix("/"), name)]));
    let mut model = table(hosts.into());
    let table = compile(&model);
    let cases = [
        ("www.example.com", "exact"),
        ("WWW.Example.COM", "exact"),
        ("www.example.com:8080", "port"),
        ("www.example.com:81", "prefix"),
        ("api.example.com", "suffix"),
        ("foo-bar.example.com", "long-suffix"),
        (".example.com", "any"),
        ("www.example.org", "prefix"),
        ("www.example.", "any"),
        ("other", "any"),
    ];
    for (authority, expected) in cases {
        assert_eq!(found(&table, &get(authority, "/", &[])), expected, "{authority}");
    }
    model.ignore_port_in_host_matching = true;
    let table = compile(&model);
    for (authority, expected) in [("www.example.com:81", "exact"), ("[::1]:80", "any"), ("[::1]", "any")] {
        assert_eq!(found(&table, &get(authority, "/", &[])), expected, "{authority} without port");
    }
}

#[test]
fn a_domain_in_two_virtual_hosts_is_refused_with_its_place() {
    let twice = || host("h", vec![Domain::Exact("a".into())], Vec::new());
    let refused = RouteTable::compile(&table(vec![twice(), twice()]), &samples::shared()).unwrap_err();
    assert_eq!(refused.path, "virtual_hosts[1].domains");
    assert!(refused.reason.contains("\"a\""), "{refused}");
}

#[test]
fn paths_match_as_configured() {
    let insensitive = |path| RouteMatch { case_sensitive: false, ..path_match(path) };
    let cases: [(RouteMatch, &[(&str, bool)]); 7] = [
        (prefix("/api"), &[("/api", true), ("/apix?y", true), ("/Api", false), ("/ap", false)]),
        (path_match(PathMatch::Exact("/a".into())), &[("/a", true), ("/a?b=1", true), ("/a/", false)]),
        (
            path_match(PathMatch::SeparatedPrefix("/api".into())),
            &[("/api", true), ("/api/x", true), ("/api?x", true), ("/apix", false)],
        ),
        (
            path_match(PathMatch::Regex(Regex::new("/v[0-9]+/x").unwrap())),
            &[("/v1/x", true), ("/v1/x?q", true), ("/v1/xy", false), ("/a/v1/x", false)],
        ),
        (path_match(PathMatch::Connect), &[("/", false)]),
        (insensitive(PathMatch::Prefix("/API".into())), &[("/api/x", true), ("/Ap", false)]),
        (insensitive(PathMatch::Exact("/A".into())), &[("/a", true), ("/ab", false)]),
    ];
    for (matches, paths) in cases {
        let shown = format!("{:?}", matches.path);
        let table = any(vec![to(matches, "hit")]);
        for (path, expected) in paths {
            let found = found(&table, &get("a", path, &[])) == "hit";
            assert_eq!(found, *expected, "{shown} on {path}");
        }
    }
}

#[test]
fn only_the_connect_matcher_takes_connect_requests() {
    let table = any(vec![to(prefix("/"), "prefix"), to(path_match(PathMatch::Connect), "connect")]);
    let head = RequestHead { method: Method::CONNECT, ..get("a:80", "", &[]) };
    assert_eq!(found(&table, &head), "connect");
}

#[test]
fn headers_query_grpc_and_share_must_all_agree() {
    let header = |name: &str, test: HeaderTest| HeaderMatcher {
        name: name.to_owned(),
        test,
        invert: false,
        treat_missing_header_as_empty: false,
    };
    let exact = |text: &str| HeaderTest::Text(StringMatcher::exact(text));
    let inverted = HeaderMatcher { invert: true, ..header("x", exact("a")) };
    let as_empty = HeaderMatcher { treat_missing_header_as_empty: true, ..inverted.clone() };
    let with_headers = |headers| RouteMatch { headers, ..prefix("/") };
    let query =
        |test| RouteMatch { query_parameters: vec![QueryMatcher { name: "q".into(), test }], ..prefix("/") };
    let share = |numerator| RouteMatch {
        runtime_fraction: Some(RuntimeFraction {
            default: Fraction { numerator, denominator: 100 },
            key: String::new(),
        }),
        ..prefix("/")
    };
    let plain = get("host", "/p?q=1", &[]);
    let a = get("host", "/p", &[("x", "a")]);
    let ab = get("host", "/p", &[("x", "a"), ("x", "b")]);
    let grpc = get("host", "/p", &[("content-type", "application/grpc+proto")]);
    let cases = [
        (with_headers(vec![header(":method", exact("GET"))]), &plain, true),
        (
            with_headers(vec![header(":authority", exact("host")), header(":path", exact("/p?q=1"))]),
            &plain,
            true,
        ),
        (with_headers(vec![header(":scheme", exact("https"))]), &plain, false),
        (with_headers(vec![header("x", exact("a,b"))]), &ab, false),
        (with_headers(vec![header("x", exact("a"))]), &ab, true),
        (with_headers(vec![header("x", exact("b"))]), &ab, true),
        (with_headers(vec![header("x", HeaderTest::Present(true))]), &a, true),
        (with_headers(vec![header("x", HeaderTest::Present(false))]), &plain, true),
        (with_headers(vec![header("x", HeaderTest::Range { start: 0, end: 9 })]), &a, false),
        (with_headers(vec![inverted.clone()]), &a, false),
        (with_headers(vec![inverted.clone()]), &ab, false),
        (with_headers(vec![inverted]), &plain, false),
        (with_headers(vec![as_empty]), &plain, true),
        (query(QueryTest::Present(true)), &plain, true),
        (query(QueryTest::Text(StringMatcher::exact("1"))), &plain, true),
        (query(QueryTest::Text(StringMatcher::exact("1"))), &a, false),
        (RouteMatch { grpc: true, ..prefix("/") }, &grpc, true),
        (RouteMatch { grpc: true, ..prefix("/") }, &plain, false),
        (share(0), &plain, false),
        (share(1), &plain, true),
    ];
    for (matches, head, expected) in cases {
        let shown = format!("{matches:?} on {head:?}");
        assert_eq!(found(&any(vec![to(matches, "hit")]), head) == "hit", expected, "{shown}");
    }
}

#[test]
fn the_first_route_that_matches_wins() {
    let table = any(vec![to(prefix("/a"), "first"), to(prefix("/a/b"), "second")]);
    assert_eq!(found(&table, &get("h", "/a/b", &[])), "first");
    assert_eq!(found(&table, &get("h", "/c", &[])), "none");
}

#[test]
fn tls_is_demanded_by_what_the_client_used() {
    let mut model = host("h", vec![Domain::Any], vec![to(prefix("/"), "hit")]);
    model.require_tls = RequireTls::All;
    let table = compile(&table(vec![model]));
    for (proto, expected) in [("http", "tls"), ("https", "hit")] {
        assert_eq!(found(&table, &get("h", "/", &[("x-forwarded-proto", proto)])), expected, "{proto}");
    }
}

#[test]
fn redirects_build_envoys_location() {
    let keep = Redirect {
        scheme: None,
        host: None,
        port: None,
        path: RedirectPath::Keep,
        status: StatusCode::MOVED_PERMANENTLY,
        strip_query: false,
    };
    let https = Redirect { scheme: Some("https".into()), ..keep.clone() };
    let port = Redirect { port: Some(8443), ..keep.clone() };
    let path = |path| Redirect { path, ..keep.clone() };
    let replace = |text: &str| path(RedirectPath::Replace(text.to_owned()));
    let regex = RedirectPath::Regex { regex: Regex::new("^/r/(.*)").unwrap(), substitution: r"/\1/z".into() };
    let stripped = Redirect { strip_query: true, ..path(RedirectPath::Prefix("/new".into())) };
    let host = Redirect { host: Some("h.example".into()), ..replace("/p?x=1") };
    for (model, authority, proto, expected) in [
        (&https, "ex.com:1080", "http", "https://ex.com:1080/r/a?b=1"),
        (&https, "ex.com:80", "http", "https://ex.com/r/a?b=1"),
        (&https, "ex.com:443", "https", "https://ex.com:443/r/a?b=1"),
        (&https, "[::1]:80", "http", "https://[::1]/r/a?b=1"),
        (&https, "[::1]", "http", "https://[::1]/r/a?b=1"),
        (&port, "ex.com:80", "http", "http://ex.com:8443/r/a?b=1"),
        (&port, "ex.com", "http", "http://ex.com:8443/r/a?b=1"),
        (&host, "ex.com", "http", "http://h.example/p?x=1"),
        (&replace("/p"), "ex.com", "http", "http://ex.com/p?b=1"),
        (&path(regex), "ex.com", "http", "http://ex.com/a/z?b=1"),
        (&stripped, "ex.com", "http", "http://ex.com/new/a"),
    ] {
        let scheme = if proto == "https" { Scheme::Https } else { Scheme::Http };
        let head = RequestHead { scheme, ..get(authority, "/r/a?b=1", &[("x-forwarded-proto", proto)]) };
        let table = any(vec![route(prefix("/r"), RouteAction::Redirect(model.clone()))]);
        let Found::Route(_, route) = table.find(&head, draw(0), &Attributes::NONE) else {
            panic!("no route")
        };
        let reply = route.reply(&head).unwrap();
        assert_eq!(reply.headers["location"], expected, "{model:?} from {authority}");
    }
}

#[test]
fn a_direct_response_has_its_body_and_a_created_one_its_own_address() {
    for (status, location) in [(200, None), (201, Some("http://h/x?y"))] {
        let direct = DirectResponse {
            status: StatusCode::from_u16(status).unwrap(),
            body: Some(DataSource::Inline(b"hello".to_vec())),
        };
        let table = any(vec![route(prefix("/"), RouteAction::DirectResponse(direct))]);
        let head = get("h", "/x?y", &[]);
        let Found::Route(_, route) = table.find(&head, draw(0), &Attributes::NONE) else {
            panic!("no route")
        };
        let reply = route.reply(&head).unwrap();
        assert_eq!(reply.body, "hello");
        assert_eq!(reply.headers.get("location").map(|value| value.to_str().unwrap()), location);
    }
}

#[test]
fn a_direct_response_that_is_too_long_is_refused() {
    let direct = DirectResponse { status: StatusCode::OK, body: Some(DataSource::Inline(vec![b'x'; 4097])) };
    let routes = vec![route(prefix("/"), RouteAction::DirectResponse(direct))];
    let model = table(vec![host("h", vec![Domain::Any], routes)]);
    let refused = RouteTable::compile(&model, &samples::shared()).unwrap_err();
    assert_eq!(refused.path, "virtual_hosts[0].routes[0].direct_response.body");
}

/// The head that the cluster of the only route sees.
fn shaped(model: Route, head: RequestHead) -> RequestHead {
    let table = any(vec![model]);
    shaped_by(&table, head, 0)
}

fn shaped_by(table: &RouteTable, mut head: RequestHead, random: u64) -> RequestHead {
    let Found::Route(_, route) = table.find(&head, draw(random), &Attributes::NONE) else {
        panic!("no route")
    };
    let Action::Forward(forward) = &route.action else { panic!("not forwarded") };
    let cluster = forward.target.choose(&head, draw(random)).unwrap();
    route.shape_request(forward, &cluster, &mut head, &record(), true);
    head
}

#[test]
fn rewrites_change_path_and_authority_and_keep_the_originals() {
    let rewrite = |path_rewrite, host_rewrite| {
        let mut forward = forward("c");
        (forward.path_rewrite, forward.host_rewrite) = (path_rewrite, host_rewrite);
        forward.append_x_forwarded_host = true;
        route(prefix("/rw"), RouteAction::Forward(Box::new(forward)))
    };
    let regex = |source: &str| Regex::new(source).unwrap();
    let head = shaped(
        rewrite(PathRewrite::Prefix("/new".into()), HostRewrite::Literal("h.example".into())),
        get("old", "/rw/a?b=1", &[("x-forwarded-host", "first")]),
    );
    assert_eq!((&*head.path, &*head.authority), ("/new/a?b=1", "h.example"));
    assert_eq!(head.headers["x-envoy-original-path"], "/rw/a?b=1");
    assert_eq!(head.headers["x-envoy-original-host"], "old");
    assert_eq!(head.headers["x-forwarded-host"], "first,old");

    let path = PathRewrite::Regex { regex: regex("^/rw/([^/]+)"), substitution: r"/x\1".into() };
    let authority = HostRewrite::PathRegex { regex: regex("^/rw/(.+)$"), substitution: r"\1.example".into() };
    let head = shaped(rewrite(path, authority), get("old", "/rw/a?q=/rw/b", &[("x-forwarded-host", "old")]));
    assert_eq!((&*head.path, &*head.authority), ("/xa?q=/rw/b", "a.example"));
    assert_eq!(head.headers["x-forwarded-host"], "old", "the last value is not repeated");

    let by_header = rewrite(PathRewrite::None, HostRewrite::Header("x-to".into()));
    assert_eq!(&*shaped(by_header.clone(), get("old", "/rw", &[("x-to", "there")])).authority, "there");
    let head = shaped(by_header, get("old", "/rw", &[]));
    assert_eq!(&*head.authority, "old");
    assert!(!head.headers.contains_key("x-envoy-original-host"));
}

/// Clusters whose weights the runtime keys `w.<name>` overrule.
fn split_among(clusters: Vec<WeightedCluster>) -> ClusterTarget {
    ClusterTarget::Weighted(WeightedClusters { clusters, runtime_key_prefix: "w".to_owned() })
}

fn overwrite(value: &str) -> HeaderMutations {
    HeaderMutations { add: vec![add("x", value, AppendAction::OverwriteIfExistsOrAdd)], remove: Vec::new() }
}

#[test]
fn mutations_run_from_the_most_specific_level_unless_told_otherwise() {
    let mut one = to(prefix("/"), "c");
    one.request_headers = overwrite("route");
    let RouteAction::Forward(forward) = &mut one.action else { unreachable!("made by to()") };
    forward.target = split_among(vec![WeightedCluster {
        filters: Vec::new(),
        name: "w".into(),
        weight: 1,
        request_headers: overwrite("cluster"),
        response_headers: HeaderMutations::default(),
        host_rewrite_literal: "wh".into(),
    }]);
    let mut virtual_host = host("h", vec![Domain::Any], vec![one]);
    virtual_host.request_headers = overwrite("host");
    let mut model = table(vec![virtual_host]);
    model.request_headers = overwrite("table");
    for (specific_wins, expected) in [(false, "table"), (true, "route")] {
        model.most_specific_header_mutations_wins = specific_wins;
        let head = shaped_by(&compile(&model), get("a", "/", &[]), 0);
        assert_eq!(head.headers["x"], expected, "most_specific_header_mutations_wins: {specific_wins}");
        assert_eq!(&*head.authority, "wh");
    }
}

#[test]
fn append_actions_keep_replace_or_add() {
    use AppendAction as A;
    let mut model = to(prefix("/"), "c");
    model.request_headers = HeaderMutations {
        add: vec![
            add("x-add", "2", A::AppendIfExistsOrAdd),
            add("x-absent", "no", A::AddIfAbsent),
            add("x-new", "yes", A::AddIfAbsent),
            add("x-over", "2", A::OverwriteIfExistsOrAdd),
            add("x-only", "2", A::OverwriteIfExists),
            add("x-never", "2", A::OverwriteIfExists),
            add("x-empty", "%REQ(X-NONE)%", A::AppendIfExistsOrAdd),
            add("x-from", "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %REQ(X-OVER)%", A::AppendIfExistsOrAdd),
            add("user-agent", "more", A::AppendIfExistsOrAdd),
            add("x-gone", "back", A::AddIfAbsent),
        ],
        remove: vec!["x-gone".into()],
    };
    let head = shaped(
        model,
        get(
            "a",
            "/",
            &[
                ("x-add", "1"),
                ("x-absent", "1"),
                ("x-over", "1"),
                ("x-only", "1"),
                ("x-gone", "1"),
                ("user-agent", "curl"),
            ],
        ),
    );
    let values = |name: &str| {
        let values = head.headers.get_all(name).map(|value| value.to_str().unwrap());
        values.collect::<Vec<_>>()
    };
    for (name, expected) in [
        ("x-add", &["1", "2"][..]),
        ("x-absent", &["1"]),
        ("x-new", &["yes"]),
        ("x-over", &["2"]),
        ("x-only", &["2"]),
        ("x-never", &[]),
        ("x-empty", &[]),
        ("x-from", &["10.0.0.9 1"]),
        ("user-agent", &["curl,more"]),
        ("x-gone", &["back"]),
    ] {
        assert_eq!(values(name), expected, "{name}");
    }
}

#[test]
fn weighted_clusters_share_by_weight_and_headers_name_clusters() {
    let weighted = |name: &str, weight| WeightedCluster {
        filters: Vec::new(),
        name: name.into(),
        weight,
        request_headers: HeaderMutations::default(),
        response_headers: HeaderMutations::default(),
        host_rewrite_literal: String::new(),
    };
    let target = |target| {
        let mut forward = forward("c");
        forward.target = target;
        any(vec![route(prefix("/"), RouteAction::Forward(Box::new(forward)))])
    };
    let chosen = |table: &RouteTable, head: &RequestHead, random| {
        let Found::Route(_, route) = table.find(head, draw(random), &Attributes::NONE) else {
            panic!("no route")
        };
        let Action::Forward(forward) = &route.action else { panic!("not forwarded") };
        forward.target.choose(head, draw(random)).map(|cluster| cluster.name.to_string())
    };
    let split = target(split_among(vec![weighted("a", 1), weighted("none", 0), weighted("b", 3)]));
    let shares: Vec<_> = (0..8).map(|random| chosen(&split, &get("h", "/", &[]), random).unwrap()).collect();
    assert_eq!(shares, ["a", "b", "b", "b", "a", "b", "b", "b"]);
    let named = target(ClusterTarget::Header("x-cluster".into()));
    assert_eq!(chosen(&named, &get("h", "/", &[("x-cluster", "c1")]), 0).as_deref(), Some("c1"));
    assert_eq!(chosen(&named, &get("h", "/", &[]), 0), None);
}

#[test]
fn runtime_values_stand_in_for_shares_and_weights() {
    let keyed = RuntimeFraction { default: Fraction { numerator: 0, denominator: 100 }, key: "share".into() };
    let weighted = |name: &str, weight| WeightedCluster {
        filters: Vec::new(),
        name: name.into(),
        weight,
        request_headers: HeaderMutations::default(),
        response_headers: HeaderMutations::default(),
        host_rewrite_literal: String::new(),
    };
    let mut by_weight = forward("c");
    by_weight.target = split_among(vec![weighted("a", 1), weighted("b", 0)]);
    let by_weight = Route {
        name: "split".to_owned(),
        ..route(prefix("/split"), RouteAction::Forward(Box::new(by_weight)))
    };
    let by_share = to(RouteMatch { runtime_fraction: Some(keyed), ..prefix("/") }, "share");
    let table = any(vec![by_weight, by_share, to(prefix("/"), "rest")]);
    let live = LiveRuntime::new(&[RuntimeLayer { name: "a".into(), source: RuntimeSource::Admin }]);
    let found = |changes: &str, path: &str| {
        let pair = |pair: &str| pair.split_once('=').map(|(key, text)| (key.into(), text.into())).unwrap();
        live.modify(&changes.split('&').map(pair).collect()).unwrap();
        let (runtime, head) = (live.load(), get("h", path, &[]));
        let draw = Draw { random: 0, runtime: &runtime };
        let Found::Route(_, route) = table.find(&head, draw, &Attributes::NONE) else { panic!("no route") };
        let Action::Forward(forward) = &route.action else { panic!("not forwarded") };
        format!("{} to {}", route.name, forward.target.choose(&head, draw).unwrap().name)
    };
    for (changes, path, expected) in [
        ("share=", "/", "rest to rest"),
        ("share=100", "/", "share to share"),
        ("share=abc", "/", "rest to rest"),
        ("w.a=&w.b=", "/split", "split to a"),
        ("w.a=0&w.b=5", "/split", "split to b"),
        ("w.a=0&w.b=0", "/split", "rest to rest"),
        ("w.a=abc&w.b=0", "/split", "split to a"),
    ] {
        assert_eq!(found(changes, path), expected, "{changes} for {path}");
    }
}

#[test]
fn hashes_are_envoys() {
    let hash = |policies: &[(HashSource, bool)], head: &RequestHead| {
        let mut forward = forward("c");
        let policy = |(source, terminal): &(HashSource, bool)| HashPolicy {
            source: source.clone(),
            terminal: *terminal,
        };
        forward.hash_policy = policies.iter().map(policy).collect();
        let table = any(vec![route(prefix("/"), RouteAction::Forward(Box::new(forward)))]);
        let Found::Route(_, route) = table.find(head, draw(0), &Attributes::NONE) else { panic!("no route") };
        let Action::Forward(forward) = &route.action else { panic!("not forwarded") };
        let ends = (place("10.0.0.1:0"), place("10.0.0.1:99"), place("10.0.0.2:80"));
        let mut attributes = Attributes::default();
        attributes.keep(&"state".into(), FilterStateFactory::HashableText, "foo");
        attributes.keep(&"text".into(), FilterStateFactory::Text, "foo");
        forward.hash.hash(head, Ends { client: &ends.0, remote: &ends.1, local: &ends.2 }, &attributes)
    };
    let header = |name: &str| HashSource::Header { name: name.to_owned(), rewrite: None };
    // XXH64 with seed 0, by the reference implementation.
    let foo = 0x33bf_00a8_59c4_ba3f_u64;
    let head = get("h", "/?q=foo", &[("x", "foo"), ("many", "b"), ("many", "a"), ("cookie", "c=foo")]);
    assert_eq!(hash(&[(header("x"), false)], &head).hash, Some(foo));
    assert_eq!(hash(&[(HashSource::QueryParameter("q".into()), false)], &head).hash, Some(foo));
    assert_eq!(hash(&[(header("none"), false)], &head).hash, None);
    assert_eq!(hash(&[(HashSource::FilterState("state".into()), false)], &head).hash, Some(foo));
    assert_eq!(hash(&[(HashSource::FilterState("text".into()), false)], &head).hash, None);
    assert_eq!(hash(&[(header(":authority"), false)], &get("foo", "/", &[])).hash, Some(foo));
    let twice = [(header("x"), false), (header("x"), false)];
    assert_eq!(hash(&twice, &head).hash, Some(foo.rotate_left(1) ^ foo));
    let terminal = [(header("x"), true), (header("x"), false)];
    assert_eq!(hash(&terminal, &head).hash, Some(foo));
    let many = hash(&[(header("many"), false)], &head).hash;
    assert_eq!(many, hash(&[(header("many"), false)], &get("h", "/", &[("many", "a"), ("many", "b")])).hash);
    let cookie = |name: &str, ttl| HashSource::Cookie {
        name: name.into(),
        ttl,
        path: "/p".into(),
        attributes: Vec::new(),
    };
    assert_eq!(hash(&[(cookie("c", None), false)], &head).hash, Some(foo));
    assert_eq!(hash(&[(cookie("new", None), false)], &head).hash, None);
    let made = hash(&[(cookie("new", Some(std::time::Duration::from_secs(60))), false)], &head);
    let set = made.cookies[0].0.to_str().unwrap();
    assert!(set.starts_with("new=\"") && set.ends_with("\"; Max-Age=60; Path=/p; HttpOnly"), "{set}");
}
