//! How log lines look (`SubstitutionFormatString` and the older forms): text or JSON, parsed once.

use std::collections::BTreeMap;

use envoy_types::pb::envoy::config::core::v3 as pb;
use envoy_types::pb::google::protobuf::Struct;
use pb::substitution_format_string::Format;

use super::metadata;
use super::path::{Invalid, Path, absent};
use super::source;
use crate::model::{AccessLogFormat, DataSource, FormatString, JsonValue, Value};

/// A format in any of its forms.
pub(super) fn log_format(
    path: &Path<'_>,
    format: &pb::SubstitutionFormatString,
) -> Result<AccessLogFormat, Invalid> {
    let pb::SubstitutionFormatString {
        omit_empty_values,
        content_type,
        formatters,
        // Keys are always sorted here.
        json_format_options: _,
        format,
    } = format;
    absent!(path; content_type, formatters);
    match format {
        Some(Format::TextFormat(format)) => text(&path.field("text_format"), format, *omit_empty_values),
        Some(Format::JsonFormat(object)) => json(&path.field("json_format"), object, *omit_empty_values),
        Some(Format::TextFormatSource(bytes)) => {
            let path = path.field("text_format_source");
            let DataSource::Inline(bytes) = source::data_source(&path, bytes, None)? else {
                return path.refuse("must be inline_string or inline_bytes here");
            };
            let format = String::from_utf8(bytes).map_err(|_| path.invalid("is not UTF-8"))?;
            text(&path, &format, *omit_empty_values)
        }
        None => path.refuse("is empty; accepted: text_format_source, text_format, json_format"),
    }
}

/// A line of text; the empty one is Envoy's default.
pub(super) fn text(
    path: &Path<'_>,
    format: &str,
    omit_empty_values: bool,
) -> Result<AccessLogFormat, Invalid> {
    if format.is_empty() {
        return Ok(AccessLogFormat::Default);
    }
    let format = FormatString::parse(format).map_err(|reason| path.invalid(reason))?;
    Ok(AccessLogFormat::Text { format, omit_empty_values })
}

/// A JSON object.
pub(super) fn json(
    path: &Path<'_>,
    object: &Struct,
    omit_empty_values: bool,
) -> Result<AccessLogFormat, Invalid> {
    let fields = members(path, metadata::object(path, object)?)?;
    Ok(AccessLogFormat::Json { fields, omit_empty_values })
}

fn members(path: &Path<'_>, object: BTreeMap<String, Value>) -> Result<BTreeMap<String, JsonValue>, Invalid> {
    object
        .into_iter()
        .map(|(key, member)| {
            let member = value(&path.inside().key(&key), member)?;
            Ok((key, member))
        })
        .collect()
}

fn value(path: &Path<'_>, value: Value) -> Result<JsonValue, Invalid> {
    Ok(match value {
        Value::Null => JsonValue::Null,
        Value::Number(number) => JsonValue::Number(number),
        Value::Bool(truth) => JsonValue::Bool(truth),
        Value::String(format) => {
            JsonValue::Format(FormatString::parse(&format).map_err(|reason| path.invalid(reason))?)
        }
        Value::Struct(object) => JsonValue::Object(members(path, object)?),
        Value::List(items) => {
            let items =
                items.into_iter().enumerate().map(|(at, item)| self::value(&path.inside().index(at), item));
            JsonValue::List(items.collect::<Result<_, _>>()?)
        }
    })
}
