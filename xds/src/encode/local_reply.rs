//! What becomes of local answers.

use envoy_types::pb::envoy::config::core::v3::SubstitutionFormatString;
use envoy_types::pb::envoy::extensions::filters::network::http_connection_manager::v3 as pb;

use super::access_log;
use super::headers;
use super::scalar;
use super::source;
use crate::model::{BodyFormat, LocalReplies, LocalReplyMapper};

pub(super) fn local_replies(replies: &LocalReplies) -> Option<pb::LocalReplyConfig> {
    let LocalReplies { mappers, body_format } = replies;
    let config = pb::LocalReplyConfig {
        mappers: mappers.iter().map(mapper).collect(),
        body_format: body_format.as_ref().and_then(format),
    };
    Some(config).filter(|config| *config != pb::LocalReplyConfig::default())
}

fn mapper(mapper: &LocalReplyMapper) -> pb::ResponseMapper {
    let LocalReplyMapper { filter, status, body, body_format, headers } = mapper;
    pb::ResponseMapper {
        filter: Some(access_log::filter(filter)),
        status_code: status.and_then(|status| scalar::uint32(status.as_u16().into())),
        body: body.as_ref().map(source::data_source),
        body_format_override: body_format.as_ref().and_then(format),
        headers_to_add: headers::add(headers),
    }
}

fn format(format: &BodyFormat) -> Option<SubstitutionFormatString> {
    let BodyFormat { format, content_type } = format;
    let content_type = content_type.clone().unwrap_or_default();
    Some(SubstitutionFormatString { content_type, ..access_log::format(format)? })
}
