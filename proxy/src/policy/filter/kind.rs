//! Which filters there are, and what hosts and routes may say about them.

use std::sync::Arc;

use xds::model::{
    Buffer, BufferPerRoute, CompressorPerRoute, ExtProcPerRoute, FilterConfig, HttpFilterKind,
    StatefulSessionPerRoute,
};

use super::compressor::Compressor;
use super::cors::{Cors, CorsPolicy};
use super::csrf::{Csrf, CsrfPolicy};
use super::decompressor::Decompressor;
use super::ext_proc::ExtProc;
use super::fault::{Fault, FaultRule};
use super::grpc_stats::GrpcStats;
use super::header_mutation::{Changes, HeaderMutation};
use super::header_to_metadata::HeaderToMetadata;
use super::health_check::HealthCheck;
use super::local_rate_limit::LocalRateLimit;
use super::rate_limit::{RateLimit, RateLimitPerRoute};
use super::set_metadata::SetMetadata;
use super::stateful_session::Sessions;
use crate::error::Invalid;
use crate::policy::filter_state::Objects;
use crate::policy::http::Shared;

/// A filter, ready to be asked.
#[derive(Debug)]
pub enum Kind {
    /// Cross-origin resource sharing.
    Cors(Cors),
    /// Cross-site request forgery.
    Csrf(Csrf),
    /// Waits for the whole request.
    Buffer(Buffer),
    /// Faults on purpose.
    Fault(Fault),
    /// Changes of fields.
    HeaderMutation(HeaderMutation),
    /// Limits of this proxy's own.
    LocalRateLimit(Box<LocalRateLimit>),
    /// Limits that a service keeps.
    RateLimit(Box<RateLimit>),
    /// Compression.
    Compressor(Box<Compressor>),
    /// Decompression.
    Decompressor(Arc<Decompressor>),
    /// Counts of gRPC calls.
    GrpcStats(GrpcStats),
    /// Answers to health checks.
    HealthCheck(Box<HealthCheck>),
    /// gRPC for browsers.
    GrpcWeb,
    /// Dynamic metadata that is always the same.
    SetMetadata(SetMetadata),
    /// Dynamic metadata made of fields and cookies.
    HeaderToMetadata(Box<HeaderToMetadata>),
    /// Objects kept about the request.
    SetFilterState(Objects),
    /// Sessions that stay at an endpoint.
    StatefulSession(Sessions),
    /// A service that processes requests and responses.
    ExtProc(Arc<ExtProc>),
}

/// A filter's settings on a host, route or weighted cluster.
#[derive(Debug)]
pub enum Setting {
    /// Of the CORS filter.
    Cors(CorsPolicy),
    /// Of the CSRF filter.
    Csrf(CsrfPolicy),
    /// Of the buffer filter.
    Buffer(BufferPerRoute),
    /// Of the fault filter.
    Fault(FaultRule),
    /// Of the header mutation filter.
    HeaderMutation(Changes),
    /// Of the local rate limit filter.
    LocalRateLimit(Box<LocalRateLimit>),
    /// Of the rate limit filter.
    RateLimit(Box<RateLimitPerRoute>),
    /// Of the compressor.
    Compressor(CompressorPerRoute),
    /// Of the filter that makes dynamic metadata of fields.
    HeaderToMetadata(Box<HeaderToMetadata>),
    /// Of the filter that keeps objects.
    SetFilterState(Objects),
    /// Of the filter that keeps sessions; `None` where there are none.
    StatefulSession(Option<Sessions>),
    /// Of the filter that lets a service process.
    ExtProc(Box<ExtProcPerRoute>),
}

impl Kind {
    /// Compiles `model`; `None` for the router, which is no filter here. Metrics stand under `stat_prefix`.
    ///
    /// # Errors
    /// Names the field that cannot be used.
    pub(super) fn compile(
        model: &HttpFilterKind,
        stat_prefix: &str,
        shared: &Shared,
    ) -> Result<Option<Self>, Invalid> {
        use HttpFilterKind as K;
        Ok(Some(match model {
            K::Router(_) => return Ok(None),
            K::Cors => Self::Cors(Cors { stats: shared.filter_counters(stat_prefix) }),
            K::Csrf(policy) => {
                Self::Csrf(Csrf::new(CsrfPolicy::new(policy), shared.filter_counters(stat_prefix)))
            }
            K::Buffer(buffer) => Self::Buffer(*buffer),
            K::Fault(fault) => Self::Fault(Fault {
                rule: FaultRule::compile(fault)?,
                stats: shared.filter_counters(stat_prefix),
            }),
            K::HeaderMutation(filter) => {
                Self::HeaderMutation(HeaderMutation::compile(filter, shared.environment())?)
            }
            K::LocalRateLimit(filter) => {
                Self::LocalRateLimit(Box::new(LocalRateLimit::compile(filter, shared)?))
            }
            K::RateLimit(filter) => Self::RateLimit(Box::new(RateLimit::compile(filter, shared)?)),
            K::Compressor(filter) => {
                let stats = shared.filter_counters(stat_prefix);
                Self::Compressor(Box::new(Compressor::new(filter, stats)))
            }
            K::Decompressor(filter) => {
                let counters = |part| shared.part_counters(stat_prefix, part);
                Self::Decompressor(Arc::new(Decompressor::compile(filter, counters)?))
            }
            K::GrpcStats(filter) => Self::GrpcStats(GrpcStats::new(filter)),
            K::HealthCheck(filter) => {
                let standing = Arc::clone(shared.standing());
                let stats = shared.filter_counters(stat_prefix);
                Self::HealthCheck(Box::new(HealthCheck::compile(filter, standing, shared.cluster(), stats)?))
            }
            K::GrpcWeb => Self::GrpcWeb,
            K::SetMetadata(filter) => Self::SetMetadata(SetMetadata::new(filter)),
            K::HeaderToMetadata(filter) => {
                Self::HeaderToMetadata(Box::new(HeaderToMetadata::compile(filter, shared)?))
            }
            K::StatefulSession(filter) => Self::StatefulSession(Sessions::compile(filter)?),
            K::ExtProc(filter) => Self::ExtProc(Arc::new(ExtProc::new(filter, stat_prefix, shared))),
            K::SetFilterState(filter) => {
                let objects = Objects::compile(&filter.on_request_headers, shared.environment());
                Self::SetFilterState(objects.map_err(|invalid| invalid.within("on_request_headers"))?)
            }
        }))
    }
}

impl Setting {
    /// Compiles `model`.
    ///
    /// # Errors
    /// Names the field that cannot be used.
    pub(super) fn compile(model: &FilterConfig, shared: &Shared) -> Result<Self, Invalid> {
        Ok(match model {
            FilterConfig::Cors(policy) => Self::Cors(CorsPolicy::compile(policy)?),
            FilterConfig::Csrf(policy) => Self::Csrf(CsrfPolicy::new(policy)),
            FilterConfig::Buffer(settings) => Self::Buffer(*settings),
            FilterConfig::Fault(fault) => Self::Fault(FaultRule::compile(fault)?),
            FilterConfig::HeaderMutation(mutations) => {
                Self::HeaderMutation(Changes::compile(mutations, shared.environment())?)
            }
            FilterConfig::LocalRateLimit(filter) => {
                Self::LocalRateLimit(Box::new(LocalRateLimit::compile(filter, shared)?))
            }
            FilterConfig::RateLimit(settings) => {
                Self::RateLimit(Box::new(RateLimitPerRoute::compile(settings)?))
            }
            FilterConfig::Compressor(settings) => Self::Compressor(*settings),
            FilterConfig::HeaderToMetadata(filter) => {
                Self::HeaderToMetadata(Box::new(HeaderToMetadata::compile(filter, shared)?))
            }
            FilterConfig::ExtProc(said) => Self::ExtProc(said.clone()),
            FilterConfig::StatefulSession(said) => Self::StatefulSession(match &**said {
                StatefulSessionPerRoute::Disabled => None,
                StatefulSessionPerRoute::Session(session) => Some(Sessions::compile(session)?),
            }),
            FilterConfig::SetFilterState(filter) => {
                let objects = Objects::compile(&filter.on_request_headers, shared.environment());
                Self::SetFilterState(objects.map_err(|invalid| invalid.within("on_request_headers"))?)
            }
        })
    }

    /// The policy of the CORS filter.
    #[must_use]
    pub fn cors(&self) -> Option<&CorsPolicy> {
        if let Self::Cors(policy) = self { Some(policy) } else { None }
    }

    /// The policy of the CSRF filter.
    #[must_use]
    pub fn csrf(&self) -> Option<&CsrfPolicy> {
        if let Self::Csrf(policy) = self { Some(policy) } else { None }
    }

    /// The settings of the buffer filter.
    #[must_use]
    pub fn buffer(&self) -> Option<BufferPerRoute> {
        if let Self::Buffer(settings) = self { Some(*settings) } else { None }
    }

    /// The rule of the fault filter.
    #[must_use]
    pub fn fault(&self) -> Option<&FaultRule> {
        if let Self::Fault(rule) = self { Some(rule) } else { None }
    }

    /// The settings of the compressor.
    #[must_use]
    pub fn compressor(&self) -> Option<CompressorPerRoute> {
        if let Self::Compressor(settings) = self { Some(*settings) } else { None }
    }

    /// The rules of the filter that makes dynamic metadata of fields.
    #[must_use]
    pub fn header_to_metadata(&self) -> Option<&HeaderToMetadata> {
        if let Self::HeaderToMetadata(filter) = self { Some(filter) } else { None }
    }

    /// The objects of the filter that keeps some.
    #[must_use]
    pub fn objects(&self) -> Option<&Objects> {
        if let Self::SetFilterState(objects) = self { Some(objects) } else { None }
    }

    /// What the filter that keeps sessions is told: `Some(None)` that there are none.
    #[must_use]
    pub fn sessions(&self) -> Option<Option<&Sessions>> {
        if let Self::StatefulSession(sessions) = self { Some(sessions.as_ref()) } else { None }
    }

    /// The limits of the local rate limit filter.
    #[must_use]
    pub fn local_rate_limit(&self) -> Option<&LocalRateLimit> {
        if let Self::LocalRateLimit(limit) = self { Some(limit) } else { None }
    }

    /// The settings of the rate limit filter.
    #[must_use]
    pub fn rate_limit(&self) -> Option<&RateLimitPerRoute> {
        if let Self::RateLimit(settings) = self { Some(settings) } else { None }
    }

    /// What the filter that lets a service process is told.
    #[must_use]
    pub fn ext_proc(&self) -> Option<&ExtProcPerRoute> {
        if let Self::ExtProc(said) = self { Some(said) } else { None }
    }

    /// The changes of the header mutation filter.
    #[must_use]
    pub fn changes(&self) -> Option<&Changes> {
        if let Self::HeaderMutation(changes) = self { Some(changes) } else { None }
    }
}
