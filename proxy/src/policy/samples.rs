//! Requests, models and policies for the tests here and in `exchange`.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method};
use xds::model::{
    ClusterTarget, CodecType, Domain, EdgeOptions, FormatString, Forward, ForwardClientCert,
    ForwardedCertFields, HeaderAdd, HeaderMutations, HostRewrite, Http1Options, Http2Options,
    HttpConnectionManager, HttpFilter, HttpFilterKind, LocalReplies, MaxStreamDuration, PathMatch,
    PathNormalization, PathRewrite, RequireTls, Route, RouteAction, RouteConfiguration, RouteMatch,
    RouteSource, Router, RoutingPriority, ServerHeader, StripPort, UnderscoreHeaders, VirtualHost,
};

use crate::body::{RequestHead, Scheme, Version};
use crate::fields::Fields;
use crate::observe::access_log::{Environment, Outputs};
use crate::observe::metrics::Registry;
use crate::observe::record::{ConnectionFacts, Place, Record};
use crate::policy::http::{HttpPolicy, Shared};

pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut headers = Fields::new();
    for (name, value) in pairs {
        headers
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

pub(crate) fn get(authority: &str, path: &str, headers: &[(&str, &str)]) -> RequestHead {
    RequestHead {
        method: Method::GET,
        scheme: Scheme::Http,
        authority: authority.into(),
        path: path.into(),
        version: Version::Http11,
        headers: fields(headers),
        upgrade: None,
    }
}

pub(crate) fn place(text: &str) -> Place {
    Place::Ip(text.parse().unwrap())
}

pub(crate) fn connection(remote: &str) -> ConnectionFacts {
    ConnectionFacts {
        id: 1,
        listener: "in".into(),
        filter_chain: "".into(),
        direct_remote: place(remote),
        remote: place(remote),
        local: place("192.0.2.1:8080"),
        server_name: None,
        tls: None,
        remote_text: Default::default(),
        tlvs: None,
        attributes: Default::default(),
    }
}

pub(crate) fn record() -> Record {
    Record::begin(Rc::new(connection("10.0.0.9:4000")), "HTTP/1.1", Arc::default())
}

pub(crate) fn path_match(path: PathMatch) -> RouteMatch {
    RouteMatch {
        path,
        case_sensitive: true,
        headers: Vec::new(),
        query_parameters: Vec::new(),
        cookies: Vec::new(),
        grpc: false,
        runtime_fraction: None,
        dynamic_metadata: Vec::new(),
        filter_state: Vec::new(),
    }
}

pub(crate) fn prefix(text: &str) -> RouteMatch {
    path_match(PathMatch::Prefix(text.to_owned()))
}

pub(crate) fn forward(cluster: &str) -> Forward {
    Forward {
        target: ClusterTarget::Cluster(cluster.into()),
        cluster_not_found: http::StatusCode::SERVICE_UNAVAILABLE,
        timeout: Some(Duration::from_secs(15)),
        idle_timeout: None,
        max_stream_duration: MaxStreamDuration::default(),
        path_rewrite: PathRewrite::None,
        host_rewrite: HostRewrite::None,
        append_x_forwarded_host: false,
        retry: None,
        hash_policy: Vec::new(),
        upgrades: Vec::new(),
        priority: RoutingPriority::Default,
        rate_limits: Default::default(),
        request_mirrors: Vec::new(),
        internal_redirects: None,
        connect: None,
    }
}

pub(crate) fn route(matches: RouteMatch, action: RouteAction) -> Route {
    Route {
        name: String::new(),
        matches,
        action,
        request_headers: HeaderMutations::default(),
        response_headers: HeaderMutations::default(),
        filters: Vec::new(),
    }
}

pub(crate) fn to(matches: RouteMatch, cluster: &str) -> Route {
    Route { name: cluster.to_owned(), ..route(matches, RouteAction::Forward(Box::new(forward(cluster)))) }
}

pub(crate) fn host(name: &str, domains: Vec<Domain>, routes: Vec<Route>) -> VirtualHost {
    VirtualHost {
        name: name.to_owned(),
        domains,
        routes,
        matcher: None,
        require_tls: RequireTls::None,
        request_headers: HeaderMutations::default(),
        response_headers: HeaderMutations::default(),
        include_request_attempt_count: false,
        include_attempt_count_in_response: false,
        retry_policy: None,
        rate_limits: Vec::new(),
        request_mirrors: Vec::new(),
        filters: Vec::new(),
    }
}

pub(crate) fn table(virtual_hosts: Vec<VirtualHost>) -> RouteConfiguration {
    RouteConfiguration {
        name: "r".into(),
        virtual_hosts,
        request_headers: HeaderMutations::default(),
        response_headers: HeaderMutations::default(),
        ignore_port_in_host_matching: false,
        most_specific_header_mutations_wins: false,
        validate_clusters: None,
        max_direct_response_body_size_bytes: 4096,
        request_mirrors: Vec::new(),
        filters: Vec::new(),
    }
}

pub(crate) fn add(name: &str, value: &str, action: xds::model::AppendAction) -> HeaderAdd {
    HeaderAdd {
        name: name.to_owned(),
        value: FormatString::parse(value).unwrap(),
        action,
        keep_empty_value: false,
    }
}

pub(crate) fn manager() -> HttpConnectionManager {
    HttpConnectionManager {
        stat_prefix: "in".into(),
        codec_type: CodecType::Auto,
        routes: RouteSource::Inline(Box::new(table(Vec::new()))),
        http_filters: vec![HttpFilter {
            name: "router".into(),
            kind: HttpFilterKind::Router(Router::default()),
            disabled: false,
        }],
        idle_timeout: None,
        max_connection_duration: None,
        max_stream_duration: None,
        max_requests_per_connection: None,
        max_headers_count: 100,
        headers_with_underscores: UnderscoreHeaders::Allow,
        max_request_headers_kb: 60,
        stream_idle_timeout: None,
        request_timeout: None,
        request_headers_timeout: None,
        drain_timeout: Duration::from_secs(5),
        delayed_close_timeout: None,
        http1: Http1Options::default(),
        http2: Http2Options::default(),
        use_remote_address: false,
        xff_num_trusted_hops: 0,
        skip_xff_append: false,
        via: String::new(),
        server_name: "envoy".into(),
        server_header: ServerHeader::Overwrite,
        generate_request_id: true,
        preserve_external_request_id: false,
        always_set_request_id_in_response: false,
        append_x_forwarded_port: false,
        path: PathNormalization::default(),
        strip_port: StripPort::None,
        strip_trailing_host_dot: false,
        upgrades: Vec::new(),
        access_log: Vec::new(),
        local_replies: LocalReplies::default(),
        forward_client_cert: ForwardClientCert::Sanitize,
        forwarded_cert_fields: ForwardedCertFields::default(),
        edge: EdgeOptions::default(),
        proxy_100_continue: false,
    }
}

pub(crate) fn policy(model: &HttpConnectionManager) -> Arc<HttpPolicy> {
    Arc::new(HttpPolicy::compile(model, &shared()).unwrap())
}

pub(crate) fn shared() -> Shared {
    let outputs = Arc::new(Outputs::new(Environment::default()).unwrap());
    Shared::new(Arc::new(Registry::default()), outputs)
}
