//! A connection manager's settings, ready to be asked.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use xds::model::{
    self, ForwardClientCert, ForwardedCertFields, Http1Options, HttpFilterKind, InternalAddressConfig,
    OriginalIpDetection, PathNormalization, SchemeTransformation, ServerHeader, StripPort, UnderscoreHeaders,
    UpgradeConfig,
};

use super::local_reply::LocalReplies;
use super::shared::Shared;
use super::stats::HttpStats;
use crate::error::Invalid;
use crate::observe::access_log::{AccessLogs, Needs};
use crate::observe::record::ip_text;
use crate::policy::field_change::Change;
use crate::policy::filter::Filters;
use crate::policy::timeout::Defaults;
use crate::runtime::LiveRuntime;

/// A compiled connection manager; immutable and shared by all workers.
#[derive(Debug)]
pub struct HttpPolicy {
    /// Counters under its `stat_prefix`.
    pub stats: Arc<HttpStats>,
    /// A line per request.
    pub access_log: AccessLogs,
    /// A line per attempt.
    pub upstream_log: AccessLogs,
    /// Whether `x-envoy-*` fields are left out both ways.
    pub suppress_envoy_headers: bool,
    /// What stands before the router.
    pub filters: Filters,
    /// What a record must keep of the heads for both logs.
    pub needs: Needs,
    /// What becomes of answers that are made here.
    pub local_replies: LocalReplies,
    /// What overrules defaults of the configuration.
    pub runtime: Arc<LiveRuntime>,
    /// Limits where the route has none.
    pub timeouts: Defaults,
    /// The whole request must be here in this time.
    pub request_timeout: Option<Duration>,
    pub(super) strict_check: Vec<String>,
    pub(super) headers_with_underscores: UnderscoreHeaders,
    pub(super) http1: Http1Options,
    pub(super) use_remote_address: bool,
    pub(super) internal_addresses: InternalAddressConfig,
    /// Who says where requests come from where `use_remote_address` does not.
    pub(super) detections: Vec<OriginalIpDetection>,
    /// What becomes of the scheme.
    pub scheme: SchemeTransformation,
    pub(super) early_changes: Vec<Change>,
    pub(super) xff_num_trusted_hops: u32,
    pub(super) skip_xff_append: bool,
    pub(super) append_x_forwarded_port: bool,
    /// What those behind call a client on this machine.
    pub(super) local_address: Option<HeaderValue>,
    pub(super) via: Option<HeaderValue>,
    pub(super) server_name: HeaderValue,
    pub(super) server_header: ServerHeader,
    pub(super) generate_request_id: bool,
    pub(super) preserve_external_request_id: bool,
    pub(super) always_set_request_id_in_response: bool,
    pub(super) path: PathNormalization,
    pub(super) strip_port: StripPort,
    pub(super) strip_trailing_host_dot: bool,
    pub(super) upgrades: Vec<UpgradeConfig>,
    pub(super) forward_client_cert: ForwardClientCert,
    pub(super) forwarded_cert_fields: ForwardedCertFields,
}

impl HttpPolicy {
    /// Compiles `model`, all but its routes and its codecs' settings.
    ///
    /// # Errors
    /// Names the field that cannot be used.
    pub fn compile(model: &model::HttpConnectionManager, shared: &Shared) -> Result<Self, Invalid> {
        let router = model
            .http_filters
            .last()
            .and_then(|filter| match &filter.kind {
                HttpFilterKind::Router(router) => Some(router),
                _ => None,
            })
            .ok_or_else(|| Invalid::new("http_filters", "the last filter must be the router"))?;
        let text = |name: &str, value: &str| {
            HeaderValue::from_str(value)
                .map_err(|_| Invalid::new(name, format!("{value:?} cannot stand in a header")))
        };
        let via = (!model.via.is_empty()).then(|| text("via", &model.via)).transpose()?;
        if model.proxy_100_continue {
            let reason = "not supported: `Expect: 100-continue` is answered here, when the body is wanted";
            return Err(Invalid::new("proxy_100_continue", reason));
        }
        let access_log = AccessLogs::compile(&model.access_log, shared.outputs())?;
        let upstream_log = AccessLogs::compile(&router.upstream_log, shared.outputs())
            .map_err(|invalid| invalid.within("http_filters.router"))?;
        let mut needs = access_log.needs().clone();
        needs.extend(upstream_log.needs());
        let local_replies = LocalReplies::compile(&model.local_replies, shared.environment())
            .map_err(|invalid| invalid.within("local_reply_config"))?;
        local_replies.needs(&mut needs);
        Ok(Self {
            needs,
            filters: Filters::compile(&model.http_filters, &model.stat_prefix, shared)?,
            stats: shared.http_stats(&model.stat_prefix),
            access_log,
            upstream_log,
            local_replies,
            runtime: Arc::clone(&shared.environment().runtime),
            suppress_envoy_headers: router.suppress_envoy_headers,
            timeouts: Defaults { idle: model.stream_idle_timeout, stream: model.max_stream_duration },
            request_timeout: model.request_timeout,
            strict_check: router.strict_check_headers.clone(),
            headers_with_underscores: model.headers_with_underscores,
            http1: model.http1.clone(),
            use_remote_address: model.use_remote_address,
            internal_addresses: model.edge.internal_addresses.clone(),
            detections: detections(model),
            scheme: model.edge.scheme,
            early_changes: Change::compile_all(
                "early_header_mutation_extensions",
                &model.edge.early_header_mutations,
                shared.environment(),
            )?,
            xff_num_trusted_hops: model.xff_num_trusted_hops,
            skip_xff_append: model.skip_xff_append,
            append_x_forwarded_port: model.append_x_forwarded_port,
            local_address: shared.environment().local_address.map(ip_text),
            via,
            server_name: text("server_name", &model.server_name)?,
            server_header: model.server_header,
            generate_request_id: model.generate_request_id,
            preserve_external_request_id: model.preserve_external_request_id,
            always_set_request_id_in_response: model.always_set_request_id_in_response,
            path: model.path,
            strip_port: model.strip_port,
            strip_trailing_host_dot: model.strip_trailing_host_dot,
            upgrades: model.upgrades.clone(),
            forward_client_cert: model.forward_client_cert,
            forwarded_cert_fields: model.forwarded_cert_fields,
        })
    }
}

/// Without any, it is `x-forwarded-for` that says so.
fn detections(model: &model::HttpConnectionManager) -> Vec<OriginalIpDetection> {
    if !model.edge.original_ip_detection.is_empty() {
        return model.edge.original_ip_detection.clone();
    }
    vec![OriginalIpDetection::Xff {
        trusted_hops: model.xff_num_trusted_hops,
        trusted_cidrs: Vec::new(),
        skip_append: true,
    }]
}
