//! Access logs (`envoy.config.accesslog.v3`): where lines go, how they look, which requests count.

use std::collections::BTreeMap;

use super::{FormatString, Fraction, HeaderMatcher, MetadataKey, RuntimeUInt32, ValueMatcher};

/// One access log.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessLog {
    /// Where lines go.
    pub sink: AccessLogSink,
    /// How a line looks.
    pub format: AccessLogFormat,
    /// Which requests are logged; `None` logs all.
    pub filter: Option<AccessLogFilter>,
}

/// Where lines go.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AccessLogSink {
    /// Appended to a file; `/dev/stdout` and `/dev/stderr` work too.
    File(String),
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a line looks.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessLogFormat {
    /// Envoy's default text line.
    Default,
    /// A text line; a newline is not added.
    Text {
        /// The format.
        format: FormatString,
        /// Whether a missing value is left out instead of shown as `-`.
        omit_empty_values: bool,
    },
    /// A JSON object a line, keys sorted as Envoy does.
    Json {
        /// The fields.
        fields: BTreeMap<String, JsonValue>,
        /// Whether a key without value is left out instead of `null`.
        omit_empty_values: bool,
    },
}

/// A value in a JSON log format.
#[derive(Debug, Clone, PartialEq)]
pub enum JsonValue {
    /// A format string; a lone command keeps its type (number, bool).
    Format(FormatString),
    /// A number as it stands.
    Number(f64),
    /// A truth value as it stands.
    Bool(bool),
    /// An object.
    Object(BTreeMap<String, JsonValue>),
    /// A list.
    List(Vec<JsonValue>),
    /// Null.
    Null,
}

/// Which requests are logged.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessLogFilter {
    /// By status code.
    StatusCode(Comparison, RuntimeUInt32),
    /// By duration in milliseconds.
    DurationMillis(Comparison, RuntimeUInt32),
    /// Not health checks.
    NotHealthCheck,
    /// A random share.
    Runtime {
        /// Without a runtime value.
        share: Fraction,
        /// The runtime key whose value stands in place of the share's numerator; never empty.
        key: String,
    },
    /// Every one holds.
    And(Vec<AccessLogFilter>),
    /// At least one holds.
    Or(Vec<AccessLogFilter>),
    /// A request header passes.
    Header(HeaderMatcher),
    /// Any of these response flags is set; empty: any flag.
    ResponseFlag(Vec<String>),
    /// The gRPC status is one of these, or is not when `exclude`.
    GrpcStatus {
        /// Status numbers.
        statuses: Vec<u32>,
        /// Whether the outcome is inverted.
        exclude: bool,
    },
    /// A value of the dynamic metadata passes.
    Metadata {
        /// Where the value stands; the path is not empty.
        key: MetadataKey,
        /// What it must be.
        value: ValueMatcher,
        /// Whether requests without the value are logged.
        match_if_key_not_found: bool,
    },
}

/// How a number is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Equal.
    Eq,
    /// Greater or equal.
    Ge,
    /// Less or equal.
    Le,
    /// Not equal.
    Ne,
}
