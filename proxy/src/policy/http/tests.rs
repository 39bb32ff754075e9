use std::sync::Arc;

use http::Method;
use xds::model::{
    EscapedSlashes, ForwardClientCert, ForwardedCertFields, Http1Options, HttpConnectionManager,
    PathNormalization, ServerHeader, StripPort, UnderscoreHeaders, UpgradeConfig,
};

use super::path::{Normalized, normalize};
use super::{Admitted, Closing, HttpPolicy, Shared};
use crate::body::{RequestHead, Text, Version};
use crate::observe::access_log::{Environment, Outputs};
use crate::observe::metrics::Registry;
use crate::observe::peer::PeerCertificate;
use crate::observe::record::{ConnectionFacts, TlsFacts};
use crate::policy::reply::Reply;
use crate::policy::samples::{connection, fields, get, manager};

fn compile(model: &HttpConnectionManager) -> HttpPolicy {
    let environment = Environment { local_address: "198.51.100.7".parse().ok(), ..Environment::default() };
    let outputs = Arc::new(Outputs::new(environment).unwrap());
    HttpPolicy::compile(model, &Shared::new(Arc::new(Registry::default()), outputs)).unwrap()
}

fn admit(model: &HttpConnectionManager, head: &mut RequestHead) -> Result<Admitted, Reply> {
    compile(model).admit(head, &connection("203.0.113.9:4000"), &mut fastrand::Rng::with_seed(1))
}

#[test]
fn the_client_is_who_trusted_proxies_say_it_is() {
    let none: &[(&str, &str)] = &[];
    let list = &[("x-forwarded-for", "192.0.2.1, 192.0.2.2")][..];
    for (use_remote, hops, sent, client, forwarded) in [
        (false, 0, none, "203.0.113.9:4000", None),
        (false, 0, list, "192.0.2.2:0", Some("192.0.2.1, 192.0.2.2")),
        (false, 1, list, "192.0.2.1:0", Some("192.0.2.1, 192.0.2.2")),
        (false, 2, list, "203.0.113.9:4000", Some("192.0.2.1, 192.0.2.2")),
        (false, 0, &[("x-forwarded-for", "nonsense")], "203.0.113.9:4000", Some("nonsense")),
        (true, 0, none, "203.0.113.9:4000", Some("203.0.113.9")),
        (true, 0, list, "203.0.113.9:4000", Some("192.0.2.1, 192.0.2.2,203.0.113.9")),
        (true, 1, list, "192.0.2.2:0", Some("192.0.2.1, 192.0.2.2,203.0.113.9")),
        (true, 2, list, "192.0.2.1:0", Some("192.0.2.1, 192.0.2.2,203.0.113.9")),
    ] {
        let model =
            HttpConnectionManager { use_remote_address: use_remote, xff_num_trusted_hops: hops, ..manager() };
        let mut head = get("h", "/", sent);
        let admitted = admit(&model, &mut head).unwrap();
        let shown = format!("use_remote_address {use_remote}, {hops} hops, {sent:?}");
        assert_eq!(admitted.client.to_string(), client, "{shown}");
        let found = head.headers.get("x-forwarded-for").map(|value| value.to_str().unwrap());
        assert_eq!(found, forwarded, "{shown}");
        assert_eq!(head.headers.contains_key("x-envoy-external-address"), use_remote, "{shown}");
    }
}

#[test]
fn a_peer_on_loopback_is_known_by_the_machines_address() {
    let policy = compile(&HttpConnectionManager { use_remote_address: true, ..manager() });
    let mut head = get("h", "/", &[]);
    policy.admit(&mut head, &connection("127.0.0.1:5"), &mut fastrand::Rng::with_seed(1)).unwrap();
    assert_eq!(head.headers["x-forwarded-for"], "198.51.100.7");
}

#[test]
fn the_scheme_a_client_claims_counts_only_behind_trusted_proxies() {
    let claims = &[("x-forwarded-proto", "https"), ("x-forwarded-port", "443")];
    for (use_remote, hops, proto, port) in
        [(false, 0, "https", "443"), (true, 0, "http", "8080"), (true, 1, "https", "443")]
    {
        let model = HttpConnectionManager {
            use_remote_address: use_remote,
            xff_num_trusted_hops: hops,
            append_x_forwarded_port: true,
            ..manager()
        };
        let mut head = get("h", "/", claims);
        admit(&model, &mut head).unwrap();
        assert_eq!(head.headers["x-forwarded-proto"], proto, "{use_remote} {hops}");
        assert_eq!(head.headers["x-forwarded-port"], port, "{use_remote} {hops}");
        assert_eq!(head.scheme.as_str(), proto, "{use_remote} {hops}: redirects lead there");
    }
}

#[test]
fn envoys_own_fields_from_outside_are_removed() {
    let sent = &[
        ("x-envoy-retry-on", "5xx"),
        ("x-envoy-internal", "true"),
        ("x-envoy-upstream-rq-timeout-ms", "1"),
        ("x-envoy-original-path", "/x"),
        ("x-envoy-own", "1"),
    ];
    for (use_remote, expected) in
        [(false, &["x-envoy-original-path", "x-envoy-own"][..]), (true, &["x-envoy-own"])]
    {
        let mut head = get("h", "/", sent);
        admit(&HttpConnectionManager { use_remote_address: use_remote, ..manager() }, &mut head).unwrap();
        let mut kept: Vec<&str> = head.headers.keys().map(crate::fields::Name::as_str).collect();
        kept.retain(|name| name.starts_with("x-envoy-") && *name != "x-envoy-external-address");
        kept.sort_unstable();
        assert_eq!(kept, expected, "use_remote_address: {use_remote}");
    }
}

#[test]
fn request_ids_are_made_kept_or_replaced() {
    for (use_remote, preserve, generate, sent, kept) in [
        (false, false, true, Some("abc"), true),
        (true, false, true, Some("abc"), false),
        (true, true, true, Some("abc"), true),
        (false, false, true, None, false),
    ] {
        let model = HttpConnectionManager {
            use_remote_address: use_remote,
            preserve_external_request_id: preserve,
            generate_request_id: generate,
            ..manager()
        };
        let headers: Vec<_> = sent.map(|id| ("x-request-id", id)).into_iter().collect();
        let mut head = get("h", "/", &headers);
        admit(&model, &mut head).unwrap();
        assert_eq!(head.headers["x-request-id"] == "abc", kept, "{use_remote} {preserve} {sent:?}");
    }
    let mut head = get("h", "/", &[]);
    admit(&HttpConnectionManager { generate_request_id: false, ..manager() }, &mut head).unwrap();
    assert!(!head.headers.contains_key("x-request-id"));
}

#[test]
fn unacceptable_heads_are_answered_as_envoy_answers() {
    let underscore = get("h", "/", &[("a_b", "1")]);
    let old = RequestHead { version: Version::Http10, ..get("h", "/", &[]) };
    for (head, status, details) in [
        (get("", "/", &[]), 400, "missing_host_header"),
        (get("h", "*", &[]), 404, "absolute_path_rejected"),
        (get("h", "", &[]), 404, "absolute_path_rejected"),
        (get("h", "/a#b", &[]), 400, "path_normalization_failed"),
        (underscore, 400, "http.unexpected_underscore"),
        (old, 426, "low_version"),
    ] {
        let model =
            HttpConnectionManager { headers_with_underscores: UnderscoreHeaders::RejectRequest, ..manager() };
        let reply = admit(&model, &mut head.clone()).unwrap_err();
        assert_eq!((reply.status.as_u16(), &*reply.details), (status, details), "{head:?}");
    }
}

#[test]
fn underscores_can_be_dropped_and_old_clients_given_a_host() {
    let model = HttpConnectionManager {
        headers_with_underscores: UnderscoreHeaders::DropHeader,
        http1: Http1Options {
            accept_http_10: true,
            default_host_for_http_10: "default.example".into(),
            ..Http1Options::default()
        },
        ..manager()
    };
    let mut head = RequestHead { version: Version::Http10, ..get("", "/", &[("a_b", "1"), ("a-b", "1")]) };
    admit(&model, &mut head).unwrap();
    assert_eq!(&*head.authority, "default.example");
    assert!(!head.headers.contains_key("a_b") && head.headers.contains_key("a-b"));
}

#[test]
fn paths_are_normalised_as_configured() {
    let off = PathNormalization::default();
    let rfc = PathNormalization { normalize: true, ..off };
    let merge = PathNormalization { normalize: true, merge_slashes: true, ..off };
    let escaped = |escaped_slashes| PathNormalization { escaped_slashes, ..off };
    let forward = PathNormalization { normalize: true, ..escaped(EscapedSlashes::UnescapeAndForward) };
    let changed = |path: &str| Normalized::Changed(path.to_owned());
    for (how, path, expected) in [
        (off, "/a/../b//c%2f", Normalized::Same),
        (off, "/a#b", Normalized::Refused),
        (rfc, "/a/b?c=/../d", Normalized::Same),
        (rfc, "/a/../b", changed("/b")),
        (rfc, "/a/./b/", changed("/a/b/")),
        (rfc, "/a/..", changed("/")),
        (rfc, "/a/b/..", changed("/a/")),
        (rfc, "/a/b/.", changed("/a/b/")),
        (rfc, "/../../a", changed("/a")),
        (rfc, "/a/%2e%2E/b?x=%2e", changed("/b?x=%2e")),
        (rfc, "/%61dmin", changed("/admin")),
        (rfc, "/a%2fb", changed("/a%2fb")),
        (rfc, "/a\\b", changed("/a/b")),
        (rfc, "/a//b", Normalized::Same),
        (rfc, "/a//../b", changed("/a/b")),
        (rfc, "/a b\"<", changed("/a%20b%22%3C")),
        (rfc, "/%zz", changed("/%zz")),
        (rfc, "/%00", Normalized::Refused),
        (rfc, "/.a/..b/...", changed("/.a/..b/...")),
        (merge, "/a//b///c?d=//", changed("/a/b/c?d=//")),
        (merge, "//a/", changed("/a/")),
        (escaped(EscapedSlashes::KeepUnchanged), "/a%2Fb", Normalized::Same),
        (escaped(EscapedSlashes::RejectRequest), "/a%2Fb", Normalized::Refused),
        (escaped(EscapedSlashes::RejectRequest), "/a?x=%2F", Normalized::Same),
        (escaped(EscapedSlashes::UnescapeAndForward), "/a%2Fb%5cc%20", changed("/a/b\\c%20")),
        (escaped(EscapedSlashes::UnescapeAndRedirect), "/a%2Fb?x", Normalized::Redirect("/a/b?x".into())),
        (forward, "/a%2F..%2Fb", changed("/b")),
    ] {
        assert_eq!(normalize(path, how), expected, "{path} with {how:?}");
    }
}

#[test]
fn ports_and_dots_are_cut_off_the_host() {
    for (strip_port, dot, authority, expected) in [
        (StripPort::None, false, "h.:8080", "h.:8080"),
        (StripPort::Any, false, "h:81", "h"),
        (StripPort::Any, false, "h:x", "h:x"),
        (StripPort::Any, false, "[::1]:81", "[::1]"),
        (StripPort::Any, false, "[::1]", "[::1]"),
        (StripPort::Matching, false, "h:8080", "h"),
        (StripPort::Matching, false, "h:81", "h:81"),
        (StripPort::None, true, "h.example.", "h.example"),
        (StripPort::None, true, "h.example.:81", "h.example:81"),
        (StripPort::Any, true, "h.example.:81", "h.example"),
    ] {
        let model = HttpConnectionManager { strip_port, strip_trailing_host_dot: dot, ..manager() };
        let mut head = get(authority, "/", &[]);
        admit(&model, &mut head).unwrap();
        assert_eq!(&*head.authority, expected, "{authority} with {strip_port:?}, dot {dot}");
    }
    let mut head = RequestHead { method: Method::CONNECT, ..get("h:81", "", &[]) };
    let admitted =
        admit(&HttpConnectionManager { strip_port: StripPort::Any, ..manager() }, &mut head).unwrap();
    assert_eq!(admitted.connect_port.as_deref(), Some("81"), "a CONNECT keeps its port for the upstream");
}

#[test]
fn the_client_certificate_is_told_as_configured() {
    use ForwardClientCert as F;
    let peer = PeerCertificate {
        subject: "CN=\"x\"".into(),
        sha256: "ab12".into(),
        uri_sans: vec!["spiffe://td/client".into()],
        dns_sans: vec!["c.example".into(), "odd;By=evil".into()],
        pem: "-----B\na+/=\n".into(),
        ..PeerCertificate::default()
    };
    let tls = TlsFacts {
        version: "TLSv1.3",
        cipher: "TLS_AES_128_GCM_SHA256",
        peer: Some(Arc::new(peer)),
        local_uri_sans: vec!["spiffe://td/proxy".to_owned()].into(),
    };
    let mutual = ConnectionFacts { tls: Some(tls.clone()), ..connection("203.0.113.9:1") };
    let one_sided =
        ConnectionFacts { tls: Some(TlsFacts { peer: None, ..tls }), ..connection("203.0.113.9:1") };
    let own = "By=spiffe://td/proxy;Hash=ab12;Cert=\"-----B%0Aa%2B%2F%3D%0A\";Subject=\"CN=\\\"x\\\"\";\
               URI=spiffe://td/client;DNS=c.example;DNS=\"odd;By=evil\"";
    for (how, connection, expected) in [
        (F::Sanitize, &mutual, None),
        (F::ForwardOnly, &mutual, Some("old".to_owned())),
        (F::ForwardOnly, &one_sided, None),
        (F::AlwaysForwardOnly, &one_sided, Some("old".to_owned())),
        (F::SanitizeSet, &mutual, Some(own.to_owned())),
        (F::SanitizeSet, &one_sided, None),
        (F::AppendForward, &mutual, Some(format!("old,{own}"))),
    ] {
        let forwarded_cert_fields =
            ForwardedCertFields { subject: true, cert: true, chain: true, dns: true, uri: true };
        let model = HttpConnectionManager { forward_client_cert: how, forwarded_cert_fields, ..manager() };
        let mut head = get("h", "/", &[("x-forwarded-client-cert", "old")]);
        compile(&model).admit(&mut head, connection, &mut fastrand::Rng::with_seed(1)).unwrap();
        let found =
            head.headers.get("x-forwarded-client-cert").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(found, expected, "{how:?}");
    }
}

#[test]
fn a_route_decides_upgrades_before_the_connection_manager() {
    let config = |kind: &str, enabled| UpgradeConfig { upgrade_type: kind.to_owned(), enabled };
    let policy = compile(&HttpConnectionManager { upgrades: vec![config("websocket", true)], ..manager() });
    let websocket = RequestHead { upgrade: Some(Text::from("websocket")), ..get("h", "/", &[]) };
    let connect = RequestHead { method: Method::CONNECT, ..get("h:1", "", &[]) };
    for (head, route, expected) in [
        (&get("h", "/", &[]), vec![], true),
        (&websocket, vec![], true),
        (&websocket, vec![config("WebSocket", false)], false),
        (&connect, vec![], false),
        (&connect, vec![config("CONNECT", true)], true),
    ] {
        assert_eq!(policy.allows_tunnel(head, &route), expected, "{head:?} with {route:?}");
    }
}

#[test]
fn responses_leave_with_date_server_via_and_request_id() {
    let date = "Sat, 21 Nov 2026 09:58:24 GMT".parse().unwrap();
    let id = "id-1".parse().unwrap();
    let closing = Closing { date: &date, request_id: Some(&id) };
    let closed = |model: &HttpConnectionManager, sent: &[(&str, &str)]| {
        let mut headers = fields(sent);
        compile(model).close_response(&mut headers, &closing);
        let show = |name: &str| headers.get(name).map_or("-", |value| value.to_str().unwrap()).to_owned();
        [show("server"), show("via"), show("x-request-id")].join(" ")
    };
    let with = |server_header| HttpConnectionManager { server_header, ..manager() };
    let upstream = &[("server", "nginx"), ("via", "1.1 x")];
    assert_eq!(closed(&manager(), upstream), "envoy 1.1 x -");
    assert_eq!(closed(&with(ServerHeader::AppendIfAbsent), upstream), "nginx 1.1 x -");
    assert_eq!(closed(&with(ServerHeader::AppendIfAbsent), &[]), "envoy - -");
    assert_eq!(closed(&with(ServerHeader::PassThrough), &[]), "- - -");
    let model =
        HttpConnectionManager { via: "edge".into(), always_set_request_id_in_response: true, ..manager() };
    assert_eq!(closed(&model, upstream), "envoy 1.1 x, edge id-1");
}

#[test]
fn the_same_stat_prefix_counts_on_across_a_swap() {
    let outputs = Arc::new(Outputs::new(Environment::default()).unwrap());
    let shared = Shared::new(Arc::new(Registry::default()), outputs);
    let before = HttpPolicy::compile(&manager(), &shared).unwrap();
    let after = HttpPolicy::compile(&manager(), &shared).unwrap();
    assert!(Arc::ptr_eq(&before.stats, &after.stats));
}
