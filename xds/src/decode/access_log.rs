//! Access logs: sink, filter and format. Only file, stdout and stderr sinks; anything else is refused by name.

use envoy_types::pb::envoy::config::accesslog::v3 as pb;
use envoy_types::pb::envoy::extensions::access_loggers::file::v3::{FileAccessLog, file_access_log};
use envoy_types::pb::envoy::extensions::access_loggers::stream::v3::{
    StderrAccessLog, StdoutAccessLog, stderr_access_log, stdout_access_log,
};
use envoy_types::pb::google::protobuf::Any;
use pb::access_log::ConfigType;
use pb::access_log_filter::FilterSpecifier;

use super::any;
use super::log_format as format;
use super::matcher;
use super::metadata_matcher;
use super::path::{Invalid, Path};
use super::scalar;
use crate::model::{
    AccessLog, AccessLogFilter, AccessLogFormat, AccessLogSink, Comparison, MetadataMatcher, RuntimeUInt32,
};

/// Envoy's response flags, as log lines show them.
const RESPONSE_FLAGS: [&str; 29] = [
    "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX",
    "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR",
];

/// A list of access logs.
pub(super) fn access_logs(path: &Path<'_>, logs: &[pb::AccessLog]) -> Result<Vec<AccessLog>, Invalid> {
    path.each(logs, access_log)
}

/// A log to `file` in the default format.
pub(super) fn to_file(file: &str) -> AccessLog {
    AccessLog { sink: AccessLogSink::File(file.to_owned()), format: AccessLogFormat::Default, filter: None }
}

fn access_log(path: &Path<'_>, log: &pb::AccessLog) -> Result<AccessLog, Invalid> {
    let pb::AccessLog { name, filter: log_filter, config_type } = log;
    let at = path.field("typed_config");
    let (sink, format) = match config_type {
        Some(ConfigType::TypedConfig(config)) => sink(&at, name, config)?,
        None => return at.refuse("is required"),
    };
    let at = path.field("filter");
    let filter = log_filter.as_ref().map(|log_filter| filter(&at, log_filter)).transpose()?;
    Ok(AccessLog { sink, format, filter })
}

fn sink(path: &Path<'_>, name: &str, config: &Any) -> Result<(AccessLogSink, AccessLogFormat), Invalid> {
    let at = path.field("log_format");
    if let Some(file) = any::unpack_if::<FileAccessLog>(path, config)? {
        let FileAccessLog { path: file, access_log_format } = file;
        let format = file_format(path, access_log_format.as_ref())?;
        return Ok((AccessLogSink::File(path.field("path").non_empty(&file)?), format));
    }
    if let Some(stdout) = any::unpack_if::<StdoutAccessLog>(path, config)? {
        let StdoutAccessLog { access_log_format } = stdout;
        let stdout_access_log::AccessLogFormat::LogFormat(format) = match &access_log_format {
            Some(format) => format,
            None => return Ok((AccessLogSink::Stdout, AccessLogFormat::Default)),
        };
        return Ok((AccessLogSink::Stdout, format::log_format(&at, format)?));
    }
    if let Some(stderr) = any::unpack_if::<StderrAccessLog>(path, config)? {
        let StderrAccessLog { access_log_format } = stderr;
        let stderr_access_log::AccessLogFormat::LogFormat(format) = match &access_log_format {
            Some(format) => format,
            None => return Ok((AccessLogSink::Stderr, AccessLogFormat::Default)),
        };
        return Ok((AccessLogSink::Stderr, format::log_format(&at, format)?));
    }
    any::unknown(path, name, config, "FileAccessLog, StdoutAccessLog, StderrAccessLog")
}

fn file_format(
    path: &Path<'_>,
    format: Option<&file_access_log::AccessLogFormat>,
) -> Result<AccessLogFormat, Invalid> {
    use file_access_log::AccessLogFormat as Form;
    match format {
        None => Ok(AccessLogFormat::Default),
        Some(Form::Format(text)) => format::text(&path.field("format"), text, false),
        Some(Form::JsonFormat(object)) => format::json(&path.field("json_format"), object, false),
        Some(Form::TypedJsonFormat(object)) => format::json(&path.field("typed_json_format"), object, false),
        Some(Form::LogFormat(format)) => format::log_format(&path.field("log_format"), format),
    }
}

/// Which requests, or which local answers.
pub(super) fn filter(path: &Path<'_>, filter: &pb::AccessLogFilter) -> Result<AccessLogFilter, Invalid> {
    let pb::AccessLogFilter { filter_specifier } = filter;
    Ok(match path.field("filter_specifier").required(filter_specifier)? {
        FilterSpecifier::StatusCodeFilter(pb::StatusCodeFilter { comparison: code }) => {
            let (op, value) = comparison(&path.field("status_code_filter"), code)?;
            AccessLogFilter::StatusCode(op, value)
        }
        FilterSpecifier::DurationFilter(pb::DurationFilter { comparison: millis }) => {
            let (op, value) = comparison(&path.field("duration_filter"), millis)?;
            AccessLogFilter::DurationMillis(op, value)
        }
        FilterSpecifier::NotHealthCheckFilter(pb::NotHealthCheckFilter {}) => AccessLogFilter::NotHealthCheck,
        FilterSpecifier::RuntimeFilter(sampled) => runtime(&path.field("runtime_filter"), sampled)?,
        FilterSpecifier::AndFilter(pb::AndFilter { filters }) => {
            AccessLogFilter::And(several(&path.field("and_filter"), filters)?)
        }
        FilterSpecifier::OrFilter(pb::OrFilter { filters }) => {
            AccessLogFilter::Or(several(&path.field("or_filter"), filters)?)
        }
        FilterSpecifier::HeaderFilter(pb::HeaderFilter { header }) => {
            let at = path.field("header_filter");
            let at = at.field("header");
            AccessLogFilter::Header(matcher::header(&at, at.required(header)?)?)
        }
        FilterSpecifier::ResponseFlagFilter(flags) => flagged(&path.field("response_flag_filter"), flags)?,
        FilterSpecifier::GrpcStatusFilter(statuses) => grpc(&path.field("grpc_status_filter"), statuses)?,
        FilterSpecifier::TraceableFilter(_) => return path.field("traceable_filter").unsupported(),
        FilterSpecifier::MetadataFilter(test) => metadata(&path.field("metadata_filter"), test)?,
        FilterSpecifier::LogTypeFilter(_) => return path.field("log_type_filter").unsupported(),
        FilterSpecifier::ExtensionFilter(pb::ExtensionFilter { name, config_type }) => {
            let found = config_type.as_ref().map(|pb::extension_filter::ConfigType::TypedConfig(any)| any);
            let accepted = "the built-in filters";
            return any::unknown(
                &path.field("extension_filter"),
                name,
                found.unwrap_or(&Any::default()),
                accepted,
            );
        }
    })
}

fn several(path: &Path<'_>, filters: &[pb::AccessLogFilter]) -> Result<Vec<AccessLogFilter>, Invalid> {
    let path = path.field("filters");
    if filters.len() < 2 {
        return path.refuse(format!("has {} filters; at least 2 are needed", filters.len()));
    }
    path.each(filters, filter)
}

fn comparison(
    path: &Path<'_>,
    comparison: &Option<pb::ComparisonFilter>,
) -> Result<(Comparison, RuntimeUInt32), Invalid> {
    let path = path.field("comparison");
    let pb::ComparisonFilter { op, value } = path.required(comparison)?;
    let op = match path.field("op").known(*op)? {
        pb::comparison_filter::Op::Eq => Comparison::Eq,
        pb::comparison_filter::Op::Ge => Comparison::Ge,
        pb::comparison_filter::Op::Le => Comparison::Le,
        pb::comparison_filter::Op::Ne => Comparison::Ne,
    };
    let path = path.field("value");
    Ok((op, path.runtime_uint32(path.required(value)?)?))
}

fn runtime(path: &Path<'_>, sampled: &pb::RuntimeFilter) -> Result<AccessLogFilter, Invalid> {
    let pb::RuntimeFilter {
        runtime_key,
        percent_sampled,
        // Whether the draw follows x-request-id: every draw here is independent.
        use_independent_randomness: _,
    } = sampled;
    let key = path.field("runtime_key").non_empty(runtime_key)?;
    let path = path.field("percent_sampled");
    let share = path.fraction(&percent_sampled.unwrap_or_default())?;
    Ok(AccessLogFilter::Runtime { share, key })
}

fn metadata(path: &Path<'_>, filter: &pb::MetadataFilter) -> Result<AccessLogFilter, Invalid> {
    let pb::MetadataFilter { matcher, match_if_key_not_found } = filter;
    let path = path.field("matcher");
    let MetadataMatcher { key, value, invert } = metadata_matcher::metadata(&path, path.required(matcher)?)?;
    if invert {
        return path.field("invert").refuse("true has no effect in an access log; leave it unset or false");
    }
    Ok(AccessLogFilter::Metadata {
        key,
        value,
        match_if_key_not_found: scalar::switch(match_if_key_not_found, true),
    })
}

fn flagged(path: &Path<'_>, filter: &pb::ResponseFlagFilter) -> Result<AccessLogFilter, Invalid> {
    let pb::ResponseFlagFilter { flags } = filter;
    let path = path.field("flags");
    let known = path.each(flags, |at, flag| {
        if RESPONSE_FLAGS.contains(&flag.as_str()) {
            Ok(flag.clone())
        } else {
            at.refuse(format!("{flag:?} is not a response flag; accepted: {}", RESPONSE_FLAGS.join(" ")))
        }
    });
    known.map(AccessLogFilter::ResponseFlag)
}

fn grpc(path: &Path<'_>, filter: &pb::GrpcStatusFilter) -> Result<AccessLogFilter, Invalid> {
    let pb::GrpcStatusFilter { statuses, exclude } = filter;
    let path = path.field("statuses");
    let statuses = path.each(statuses, |at, status| {
        at.known::<pb::grpc_status_filter::Status>(*status).map(|known| known as u32)
    })?;
    Ok(AccessLogFilter::GrpcStatus { statuses, exclude: *exclude })
}
