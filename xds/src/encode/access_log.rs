//! Access logs.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::accesslog::v3 as pb;
use envoy_types::pb::envoy::config::core::v3::substitution_format_string::Format;
use envoy_types::pb::envoy::config::core::v3::{DataSource, SubstitutionFormatString, data_source};
use envoy_types::pb::envoy::extensions::access_loggers::file::v3::{FileAccessLog, file_access_log};
use envoy_types::pb::envoy::extensions::access_loggers::stream::v3::{
    StderrAccessLog, StdoutAccessLog, stderr_access_log, stdout_access_log,
};
use pb::access_log_filter::FilterSpecifier;

use super::matcher;
use super::metadata;
use super::metadata_matcher;
use super::scalar;
use crate::model::{
    AccessLog, AccessLogFilter, AccessLogFormat, AccessLogSink, Comparison, JsonValue, MetadataMatcher,
    RuntimeUInt32, Value,
};

pub(super) fn access_logs(logs: &[AccessLog]) -> Vec<pb::AccessLog> {
    logs.iter().map(access_log).collect()
}

fn access_log(log: &AccessLog) -> pb::AccessLog {
    let AccessLog { sink, format, filter: log_filter } = log;
    let format = self::format(format);
    let (name, config) = match sink {
        AccessLogSink::File(path) => {
            let access_log_format = format.map(file_access_log::AccessLogFormat::LogFormat);
            (
                "envoy.access_loggers.file",
                scalar::any(&FileAccessLog { path: path.clone(), access_log_format }),
            )
        }
        AccessLogSink::Stdout => {
            let access_log_format = format.map(stdout_access_log::AccessLogFormat::LogFormat);
            ("envoy.access_loggers.stdout", scalar::any(&StdoutAccessLog { access_log_format }))
        }
        AccessLogSink::Stderr => {
            let access_log_format = format.map(stderr_access_log::AccessLogFormat::LogFormat);
            ("envoy.access_loggers.stderr", scalar::any(&StderrAccessLog { access_log_format }))
        }
    };
    pb::AccessLog {
        name: name.to_owned(),
        filter: log_filter.as_ref().map(filter),
        config_type: Some(pb::access_log::ConfigType::TypedConfig(config)),
    }
}

/// A format; none for the default line.
pub(super) fn format(format: &AccessLogFormat) -> Option<SubstitutionFormatString> {
    let (format, omit_empty_values) = match format {
        AccessLogFormat::Default => return None,
        AccessLogFormat::Text { format, omit_empty_values } => {
            let text = data_source::Specifier::InlineString(format.as_str().to_owned());
            let source = DataSource { specifier: Some(text), ..Default::default() };
            (Format::TextFormatSource(source), *omit_empty_values)
        }
        AccessLogFormat::Json { fields, omit_empty_values } => {
            (Format::JsonFormat(metadata::object(&members(fields))), *omit_empty_values)
        }
    };
    Some(SubstitutionFormatString { omit_empty_values, format: Some(format), ..Default::default() })
}

fn members(fields: &BTreeMap<String, JsonValue>) -> BTreeMap<String, Value> {
    fields.iter().map(|(key, member)| (key.clone(), json(member))).collect()
}

fn json(value: &JsonValue) -> Value {
    match value {
        JsonValue::Format(format) => Value::String(format.as_str().to_owned()),
        JsonValue::Number(number) => Value::Number(*number),
        JsonValue::Bool(truth) => Value::Bool(*truth),
        JsonValue::Object(fields) => Value::Struct(members(fields)),
        JsonValue::List(items) => Value::List(items.iter().map(json).collect()),
        JsonValue::Null => Value::Null,
    }
}

pub(super) fn filter(filter: &AccessLogFilter) -> pb::AccessLogFilter {
    let several = |filters: &[AccessLogFilter]| filters.iter().map(self::filter).collect();
    let specifier = match filter {
        AccessLogFilter::StatusCode(op, value) => FilterSpecifier::StatusCodeFilter(pb::StatusCodeFilter {
            comparison: Some(comparison(*op, value)),
        }),
        AccessLogFilter::DurationMillis(op, value) => {
            FilterSpecifier::DurationFilter(pb::DurationFilter { comparison: Some(comparison(*op, value)) })
        }
        AccessLogFilter::NotHealthCheck => FilterSpecifier::NotHealthCheckFilter(pb::NotHealthCheckFilter {}),
        AccessLogFilter::Runtime { share, key } => FilterSpecifier::RuntimeFilter(pb::RuntimeFilter {
            runtime_key: key.clone(),
            percent_sampled: Some(scalar::fraction(*share)),
            use_independent_randomness: true,
        }),
        AccessLogFilter::And(filters) => {
            FilterSpecifier::AndFilter(pb::AndFilter { filters: several(filters) })
        }
        AccessLogFilter::Or(filters) => FilterSpecifier::OrFilter(pb::OrFilter { filters: several(filters) }),
        AccessLogFilter::Header(test) => {
            FilterSpecifier::HeaderFilter(pb::HeaderFilter { header: Some(matcher::header(test)) })
        }
        AccessLogFilter::ResponseFlag(flags) => {
            FilterSpecifier::ResponseFlagFilter(pb::ResponseFlagFilter { flags: flags.clone() })
        }
        AccessLogFilter::GrpcStatus { statuses, exclude } => {
            FilterSpecifier::GrpcStatusFilter(pb::GrpcStatusFilter {
                statuses: statuses.iter().map(|status| status.cast_signed()).collect(),
                exclude: *exclude,
            })
        }
        AccessLogFilter::Metadata { key, value, match_if_key_not_found } => {
            let matcher = MetadataMatcher { key: key.clone(), value: value.clone(), invert: false };
            FilterSpecifier::MetadataFilter(pb::MetadataFilter {
                matcher: Some(metadata_matcher::metadata(&matcher)),
                match_if_key_not_found: scalar::switch(*match_if_key_not_found),
            })
        }
    };
    pb::AccessLogFilter { filter_specifier: Some(specifier) }
}

fn comparison(op: Comparison, value: &RuntimeUInt32) -> pb::ComparisonFilter {
    let op = match op {
        Comparison::Eq => pb::comparison_filter::Op::Eq,
        Comparison::Ge => pb::comparison_filter::Op::Ge,
        Comparison::Le => pb::comparison_filter::Op::Le,
        Comparison::Ne => pb::comparison_filter::Op::Ne,
    };
    pb::ComparisonFilter { op: op.into(), value: Some(scalar::runtime_uint32(value)) }
}
