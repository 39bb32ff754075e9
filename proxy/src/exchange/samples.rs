//! Policies and ledgers for this module's tests.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use xds::model::{
    CodecType, ForwardClientCert, ForwardedCertFields, Http1Options, Http2Options, HttpConnectionManager,
    HttpFilter, HttpFilterKind, PathNormalization, RouteConfiguration, RouteSource, Router, ServerHeader,
    StripPort, UnderscoreHeaders,
};

use crate::observe::access_log::{Environment, Outputs};
use crate::observe::metrics::Registry;
use crate::observe::record::{ConnectionFacts, Place};
use crate::policy::http::{HttpPolicy, Shared};

pub(super) fn connection() -> Rc<ConnectionFacts> {
    let place = |text: &str| Place::Ip(text.parse().unwrap());
    Rc::new(ConnectionFacts {
        id: 1,
        listener: "in".into(),
        filter_chain: "".into(),
        direct_remote: place("192.0.2.9:4000"),
        remote: place("192.0.2.9:4000"),
        local: place("192.0.2.1:80"),
        server_name: None,
        tls: None,
        remote_text: Default::default(),
    })
}

pub(super) fn model() -> HttpConnectionManager {
    HttpConnectionManager {
        stat_prefix: "in".into(),
        codec_type: CodecType::Auto,
        routes: RouteSource::Inline(Box::new(RouteConfiguration {
            name: "r".into(),
            virtual_hosts: Vec::new(),
            request_headers: Default::default(),
            response_headers: Default::default(),
            ignore_port_in_host_matching: false,
            most_specific_header_mutations_wins: false,
            validate_clusters: None,
            max_direct_response_body_size_bytes: 4096,
        })),
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
        stream_idle_timeout: Some(Duration::from_secs(300)),
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
        forward_client_cert: ForwardClientCert::Sanitize,
        forwarded_cert_fields: ForwardedCertFields::default(),
        proxy_100_continue: false,
    }
}

pub(super) fn shared() -> Shared {
    let outputs = Arc::new(Outputs::new(Environment::default()).unwrap());
    Shared::new(Arc::new(Registry::default()), outputs)
}

pub(super) fn policy(model: &HttpConnectionManager) -> Arc<HttpPolicy> {
    Arc::new(HttpPolicy::compile(model, &shared()).unwrap())
}
