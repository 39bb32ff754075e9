//! The filter: what configuration says of it, and what its service may decide.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use xds::model::{
    BodyMode, ExtProcOverrides, ExtProcPerRoute, ExternalProcessor, GrpcService, Half, ImmediateAnswer,
    ProcessingMode, ProcessorNamespaces, RouteCacheAction,
};

use super::change::{Change, Rules, Section};
use super::metric::ProcessorMetric;
use super::modes::Modes;
use super::told::Telling;
use crate::observe::metrics::Counters;
use crate::policy::http::Shared;
use crate::policy::reply::Reply;

/// The filter in a chain.
#[derive(Debug)]
pub struct ExtProc {
    /// What it has counted.
    pub stats: Arc<Counters<ProcessorMetric>>,
    /// Which fields it may change.
    pub rules: Rules,
    /// What it is told.
    pub telling: Telling,
    /// How long each answer may take.
    pub message_timeout: Duration,
    /// Whether the service only watches.
    pub observes: bool,
    /// How long it is heard after a request that it only watches.
    pub deferred_close: Duration,
    settled: Settled,
    mode_override: Option<Vec<ProcessingMode>>,
    answers_requests: bool,
    max_message_timeout: Duration,
    route_cache: RouteCacheAction,
    status_on_error: StatusCode,
    allow_content_length: bool,
}

/// What holds for one request.
#[derive(Debug, Clone)]
pub struct Settled {
    /// Who processes.
    pub service: GrpcService,
    /// What it is sent.
    pub modes: Modes,
    /// Whether requests go on where it fails.
    pub failure_mode_allow: bool,
    /// Namespaces that it is told.
    pub forwarded: Vec<String>,
    /// Namespaces that it may tell.
    pub received: Vec<String>,
}

impl ExtProc {
    /// Compiles `model`; its metrics stand under `stat_prefix`.
    #[must_use]
    pub fn new(model: &ExternalProcessor, stat_prefix: &str, shared: &Shared) -> Self {
        let ExternalProcessor {
            service,
            failure_mode_allow,
            mode,
            request_attributes,
            response_attributes,
            message_timeout,
            max_message_timeout,
            stat_prefix: part,
            rules,
            forward,
            mode_override,
            disable_immediate_response,
            metadata,
            observability_mode,
            route_cache,
            deferred_close_timeout,
            status_on_error,
            allow_content_length,
        } = model.clone();
        let part = if part.is_empty() { "ext_proc".to_owned() } else { format!("ext_proc.{part}") };
        let ProcessorNamespaces { forwarded, received } = metadata;
        let stats = shared.part_counters(stat_prefix, part);
        Self {
            rules: Rules::new(rules, Arc::clone(&stats)),
            telling: Telling::new(forward, [request_attributes, response_attributes]),
            stats,
            message_timeout,
            observes: observability_mode,
            deferred_close: deferred_close_timeout,
            settled: Settled {
                service,
                modes: Modes::of(mode),
                failure_mode_allow,
                forwarded: forwarded.unwrap_or_default(),
                received: received.unwrap_or_default(),
            },
            mode_override,
            answers_requests: !disable_immediate_response,
            max_message_timeout,
            route_cache,
            status_on_error,
            allow_content_length,
        }
    }

    /// What holds for a request about which `levels` speak, the most specific first; `None`: the filter is off.
    #[must_use]
    pub fn settle<'a>(
        &self,
        levels: impl DoubleEndedIterator<Item = &'a ExtProcPerRoute>,
    ) -> Option<Settled> {
        let mut settled = Some(self.settled.clone());
        for level in levels.rev() {
            match level {
                ExtProcPerRoute::Disabled => settled = None,
                ExtProcPerRoute::Overrides(said) => {
                    settled.get_or_insert_with(|| self.settled.clone()).hear(said);
                }
            }
        }
        settled
    }

    /// Takes over what the service wants to be sent, if it may choose that.
    pub fn choose(&self, modes: &mut Modes, wanted: ProcessingMode) {
        let known = |allowed: &ProcessingMode| {
            // The head that was asked about is sent already.
            ProcessingMode { request_headers: wanted.request_headers, ..*allowed } == wanted
        };
        match &self.mode_override {
            Some(allowed) if allowed.is_empty() || allowed.iter().any(known) => modes.change(wanted),
            Some(_) | None => {}
        }
    }

    /// Whether the service may need so long.
    #[must_use]
    pub fn allows(&self, timeout: Duration) -> bool {
        timeout >= Duration::from_millis(1) && timeout <= self.max_message_timeout
    }

    /// Whether `content-length` is taken away, as the body may become another after its head is gone.
    #[must_use]
    pub fn drops_length(&self, modes: &Modes, half: Half) -> bool {
        !self.allow_content_length
            && match modes.body(half) {
                BodyMode::None => false,
                BodyMode::Streamed | BodyMode::BufferedPartial => true,
                BodyMode::Buffered => !modes.head(half),
            }
    }

    /// Whether `content-length` stays, and says how long the body is to be.
    #[must_use]
    pub fn keeps_length(&self) -> bool {
        self.allow_content_length
    }

    /// Whether a route is to be looked for again where the service `asked` for it, and `changed` fields.
    #[must_use]
    pub fn reroutes(&self, asked: bool, changed: bool) -> bool {
        let ignored = match (self.route_cache, asked, changed) {
            (_, true, false) => ProcessorMetric::ClearRouteCacheIgnored,
            (RouteCacheAction::Retain, true, true) => ProcessorMetric::ClearRouteCacheDisabled,
            (RouteCacheAction::AsAsked, asked, changed) => return asked && changed,
            (RouteCacheAction::Clear, _, changed) => return changed,
            (RouteCacheAction::Retain, false, _) => return false,
        };
        self.stats.inc(ignored);
        false
    }

    /// The answer to a request that failed.
    #[must_use]
    pub fn failure(&self, details: String) -> Reply {
        Reply::status(self.status_on_error, details)
    }

    /// The answer that the service gives in place of the upstream; `None` where it may not.
    #[must_use]
    pub fn immediate(&self, answer: ImmediateAnswer) -> Option<Reply> {
        if !self.answers_requests {
            return None;
        }
        let ImmediateAnswer { status, fields, body, grpc_status, details } = answer;
        let status = status.and_then(|status| u16::try_from(status).ok()).filter(|status| *status >= 200);
        let status = status.and_then(|status| StatusCode::from_u16(status).ok()).unwrap_or(StatusCode::OK);
        let details = details.replace(|char: char| char.is_ascii_whitespace(), "_");
        let mut reply = Reply { body: body.into(), grpc_status, ..Reply::status(status, details) };
        if let Some(fields) = fields {
            // What may not be changed was counted; the rest of the answer holds.
            let _rejected =
                self.rules.change(Section::Fields(&mut reply.headers), &fields, Change::default());
        }
        Some(reply)
    }
}

impl Settled {
    fn hear(&mut self, said: &ExtProcOverrides) {
        let ExtProcOverrides { mode, service, initial_metadata, metadata, failure_mode_allow } = said;
        if let Some(mode) = mode {
            self.modes = Modes::of(*mode);
        }
        if let Some(service) = service {
            self.service = service.clone();
        }
        for (name, value) in initial_metadata {
            self.service.initial_metadata.retain(|(known, _)| known != name);
            self.service.initial_metadata.push((name.clone(), value.clone()));
        }
        let ProcessorNamespaces { forwarded, received } = metadata;
        if let Some(forwarded) = forwarded {
            self.forwarded.clone_from(forwarded);
        }
        if let Some(received) = received {
            self.received.clone_from(received);
        }
        if let Some(allow) = failure_mode_allow {
            self.failure_mode_allow = *allow;
        }
    }
}
