//! What becomes of local answers (`LocalReplyConfig`).

use envoy_types::pb::envoy::config::core::v3::SubstitutionFormatString;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as pb;
use envoy_types::pb::google::protobuf::UInt32Value;
use http::StatusCode;

use super::access_log;
use super::headers;
use super::log_format;
use super::path::{Invalid, Path};
use super::source;
use crate::model::{AccessLogFormat, BodyFormat, FormatString, LocalReplies, LocalReplyMapper};

/// The mappers and the format; nothing for what is not set.
pub(super) fn local_replies(
    path: &Path<'_>,
    config: &Option<pb::LocalReplyConfig>,
) -> Result<LocalReplies, Invalid> {
    let Some(pb::LocalReplyConfig { mappers, body_format }) = config else {
        return Ok(LocalReplies::default());
    };
    Ok(LocalReplies {
        mappers: path.field("mappers").each(mappers, mapper)?,
        body_format: format(&path.field("body_format"), body_format)?,
    })
}

fn mapper(path: &Path<'_>, mapper: &pb::ResponseMapper) -> Result<LocalReplyMapper, Invalid> {
    let pb::ResponseMapper { filter, status_code, body, body_format_override, headers_to_add } = mapper;
    let at = path.field("filter");
    let filter = access_log::filter(&at, at.required(filter)?)?;
    let at = path.field("body");
    let body = body.as_ref().map(|body| source::data_source(&at, body, None)).transpose()?;
    Ok(LocalReplyMapper {
        filter,
        status: status(&path.field("status_code"), status_code)?,
        body,
        body_format: format(&path.field("body_format_override"), body_format_override)?,
        headers: headers::additions(&path.field("headers_to_add"), headers_to_add)?,
    })
}

fn status(path: &Path<'_>, code: &Option<UInt32Value>) -> Result<Option<StatusCode>, Invalid> {
    let Some(UInt32Value { value }) = code else { return Ok(None) };
    let code = u16::try_from(path.within(*value, &(200..=599))?).ok();
    Ok(code.and_then(|code| StatusCode::from_u16(code).ok()))
}

fn format(path: &Path<'_>, format: &Option<SubstitutionFormatString>) -> Result<Option<BodyFormat>, Invalid> {
    let Some(format) = format else { return Ok(None) };
    let mut bare = format.clone();
    let content_type = std::mem::take(&mut bare.content_type);
    let content_type = headers::value(&path.field("content_type"), &content_type)?;
    let format = match log_format::log_format(path, &bare)? {
        // A log's line of no text is the default line; a body of no text is no body.
        AccessLogFormat::Default => AccessLogFormat::Text {
            format: FormatString::parse("").map_err(|reason| path.invalid(reason))?,
            omit_empty_values: bare.omit_empty_values,
        },
        format => format,
    };
    Ok(Some(BodyFormat { format, content_type: Some(content_type).filter(|text| !text.is_empty()) }))
}
