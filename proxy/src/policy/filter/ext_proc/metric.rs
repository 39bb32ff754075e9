//! What is counted about a processor.

use crate::observe::metrics::{Kind, Metric, MetricSet};

/// What is counted.
#[derive(Debug, Clone, Copy)]
#[allow(missing_docs, reason = "each is explained by its help text")]
pub enum ProcessorMetric {
    StreamsStarted,
    StreamMsgsSent,
    StreamMsgsReceived,
    SpuriousMsgsReceived,
    StreamsClosed,
    StreamsFailed,
    FailureModeAllowed,
    MessageTimeouts,
    RejectedHeaderMutations,
    ClearRouteCacheIgnored,
    ClearRouteCacheDisabled,
    OverrideMessageTimeoutReceived,
    OverrideMessageTimeoutIgnored,
    ImmediateResponsesSent,
    ServerHalfClosed,
}

impl MetricSet for ProcessorMetric {
    const METRICS: &'static [Metric] = &[
        counter("streams_started", "Streams to the service."),
        counter("stream_msgs_sent", "Messages to it."),
        counter("stream_msgs_received", "Messages from it that were wanted."),
        counter("spurious_msgs_received", "Messages from it that were not."),
        counter("streams_closed", "Streams that ended well."),
        counter("streams_failed", "Streams that failed."),
        counter("failure_mode_allowed", "Failures that their requests did not notice."),
        counter("message_timeouts", "Answers that did not come in time."),
        counter("rejected_header_mutations", "Changes of fields that are not allowed."),
        counter("clear_route_cache_ignored", "Routes not looked for again, as no field had changed."),
        counter("clear_route_cache_disabled", "Routes not looked for again, as configuration has it."),
        counter("override_message_timeout_received", "Times the service got more time."),
        counter("override_message_timeout_ignored", "Times it asked in vain."),
        counter("immediate_responses_sent", "Requests answered here, for the service or its failures."),
        counter("server_half_closed", "Streams that the service ended."),
    ];

    fn index(self) -> usize {
        self as usize
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Kind::Counter, help }
}
