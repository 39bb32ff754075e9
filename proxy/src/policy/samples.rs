//! Requests and models for this module's tests.

use std::rc::Rc;

use http::{HeaderName, HeaderValue, Method};
use xds::model::{
    ClusterTarget, Domain, FormatString, Forward, HeaderAdd, HeaderMutations, HostRewrite, MaxStreamDuration,
    PathMatch, PathRewrite, RequireTls, Route, RouteAction, RouteConfiguration, RouteMatch, RoutingPriority,
    VirtualHost,
};

use crate::body::{RequestHead, Scheme, Version};
use crate::fields::Fields;
use crate::observe::record::{ConnectionFacts, Place, Record};

pub(super) fn fields(pairs: &[(&str, &str)]) -> Fields {
    let mut headers = Fields::new();
    for (name, value) in pairs {
        headers
            .append(HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap());
    }
    headers
}

pub(super) fn get(authority: &str, path: &str, headers: &[(&str, &str)]) -> RequestHead {
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

pub(super) fn place(text: &str) -> Place {
    Place::Ip(text.parse().unwrap())
}

pub(super) fn connection(remote: &str) -> ConnectionFacts {
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
    }
}

pub(super) fn record() -> Record {
    Record::begin(Rc::new(connection("10.0.0.9:4000")), "HTTP/1.1")
}

pub(super) fn path_match(path: PathMatch) -> RouteMatch {
    RouteMatch {
        path,
        case_sensitive: true,
        headers: Vec::new(),
        query_parameters: Vec::new(),
        grpc: false,
        runtime_fraction: None,
    }
}

pub(super) fn prefix(text: &str) -> RouteMatch {
    path_match(PathMatch::Prefix(text.to_owned()))
}

pub(super) fn forward(cluster: &str) -> Forward {
    Forward {
        target: ClusterTarget::Cluster(cluster.into()),
        cluster_not_found: http::StatusCode::SERVICE_UNAVAILABLE,
        timeout: Some(std::time::Duration::from_secs(15)),
        idle_timeout: None,
        max_stream_duration: MaxStreamDuration::default(),
        path_rewrite: PathRewrite::None,
        host_rewrite: HostRewrite::None,
        append_x_forwarded_host: false,
        retry: None,
        hash_policy: Vec::new(),
        upgrades: Vec::new(),
        priority: RoutingPriority::Default,
    }
}

pub(super) fn route(matches: RouteMatch, action: RouteAction) -> Route {
    Route {
        name: String::new(),
        matches,
        action,
        request_headers: HeaderMutations::default(),
        response_headers: HeaderMutations::default(),
    }
}

pub(super) fn to(matches: RouteMatch, cluster: &str) -> Route {
    Route { name: cluster.to_owned(), ..route(matches, RouteAction::Forward(Box::new(forward(cluster)))) }
}

pub(super) fn host(name: &str, domains: Vec<Domain>, routes: Vec<Route>) -> VirtualHost {
    VirtualHost {
        name: name.to_owned(),
        domains,
        routes,
        require_tls: RequireTls::None,
        request_headers: HeaderMutations::default(),
        response_headers: HeaderMutations::default(),
        include_request_attempt_count: false,
        include_attempt_count_in_response: false,
        retry_policy: None,
    }
}

pub(super) fn table(virtual_hosts: Vec<VirtualHost>) -> RouteConfiguration {
    RouteConfiguration {
        name: "r".into(),
        virtual_hosts,
        request_headers: HeaderMutations::default(),
        response_headers: HeaderMutations::default(),
        ignore_port_in_host_matching: false,
        most_specific_header_mutations_wins: false,
        validate_clusters: None,
        max_direct_response_body_size_bytes: 4096,
    }
}

pub(super) fn add(name: &str, value: &str, action: xds::model::AppendAction) -> HeaderAdd {
    HeaderAdd {
        name: name.to_owned(),
        value: FormatString::parse(value).unwrap(),
        action,
        keep_empty_value: false,
    }
}
